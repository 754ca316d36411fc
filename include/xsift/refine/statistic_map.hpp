#pragma once
/// @file
/// The statistic of a fit over two of its parameters.

#include <memory>
#include <span>
#include <vector>

#include <xsift/refine/spectra.hpp>

namespace xsift::refine {

/// The statistic on a grid of two free shape parameters (not norms), all others fitted anew at each point.
/// @param best values of all parameters at the best fit; where the grid's fits start
/// @param x, y indices of the parameters; their values in ascending order, within their limits
/// @param factors of the second and further spectra at the best fit
/// @return [iy * x_values.size() + ix]
/// @throws Error (internal, "STATISTIC_MAP") when x or y is not a free shape parameter
std::vector<double> statistic_map(std::span<const FitInput> spectra,
                                  const std::shared_ptr<const spectral::ModelDefinition>& model,
                                  spectral::Abundance abundance, std::span<const double> best, int x,
                                  std::span<const double> x_values, int y, std::span<const double> y_values,
                                  std::span<const double> factors = {});

}  // namespace xsift::refine
