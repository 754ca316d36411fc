#pragma once
/// @file
/// Posterior around a minimum.

#include "objective.hpp"

#include <span>

#include <xsift/refine/posterior.hpp>

namespace xsift::refine {

/// See posterior(). @param best the minimum
ModelPosterior posterior_around(Objective& objective, const Point& best,
                                std::span<const StartingPoint> starts, const spectral::FitOptions& options);

}  // namespace xsift::refine
