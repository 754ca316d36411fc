#pragma once
/// @file
/// Photons of a model for tests.

#include <memory>
#include <span>
#include <string>
#include <vector>

#include <xsift/spectral/model.hpp>

namespace xsift::test {

/// A parsed model with its defaults.
inline std::shared_ptr<const spectral::ModelDefinition> model(const std::string& text,
                                                              const spectral::FitOptions& options = {}) {
    return std::make_shared<const spectral::ModelDefinition>(spectral::define_model(text, options));
}

/// photon/cm2/s in bins of a model at the values of all its parameters.
inline std::vector<double> photons(const std::string& text, std::span<const double> values,
                                   spectral::Abundance abundance, std::span<const double> lo,
                                   std::span<const double> hi) {
    return spectral::ModelEvaluator(model(text), abundance, spectral::EnergyBins::from_bounds(lo, hi))
        .photons(values);
}

/// The same for nH, one shape parameter and norm 1.
inline std::vector<double> photons(const std::string& text, double nh, double parameter,
                                   spectral::Abundance abundance, std::span<const double> lo,
                                   std::span<const double> hi) {
    auto values = model(text)->initial_values();
    values.front() = nh;
    values[1] = parameter;
    values.back() = 1.0;
    return photons(text, values, abundance, lo, hi);
}

}  // namespace xsift::test
