#pragma once
/// @file
/// Posterior around a minimum.

#include "objective.hpp"

#include <span>

#include <xsift/refine/posterior.hpp>

namespace xsift::refine {

/// See posterior(). @param best the minimum; @param with_map also the contours
ModelPosterior posterior_around(Objective& objective, const Point& best,
                                std::span<const StartingPoint> starts, const spectral::FitOptions& options,
                                bool with_map);

}  // namespace xsift::refine
