#pragma once
/// @file
/// How large the statistic of a fit is expected to be, from the fitted model itself.

#include <memory>
#include <span>

#include <xsift/spectral/goodness.hpp>
#include <xsift/spectral/model.hpp>
#include <xsift/spectral/prepared.hpp>

namespace xsift::refine {

/// Sum over the bins of one spectrum of the mean and variance of their terms, at the values of all parameters
/// and an instrument's factor. C-stat: Kaastra (2017). W-stat: sums over the Poisson distributions of both
/// counts at the fitted source rate and the background's rate, averaged over as many neighbouring bins as it
/// takes to hold 25 background counts (a bin's own background follows its own counts).
spectral::Moments expected_statistic(const spectral::PreparedSpectrum& spectrum,
                                     const std::shared_ptr<const spectral::ModelDefinition>& model,
                                     spectral::Abundance abundance, std::span<const double> values,
                                     double factor);

}  // namespace xsift::refine
