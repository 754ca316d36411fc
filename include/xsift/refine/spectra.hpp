#pragma once
/// @file
/// Spectral fits in double, from the starting points that the model grid found.

#include <span>
#include <string>
#include <vector>

#include <xsift/data/results.hpp>
#include <xsift/spectral/options.hpp>
#include <xsift/spectral/prepared.hpp>

namespace xsift::refine {

/// Where a fit starts.
struct StartingPoint {
    double nh = 0.0;         ///< 1e22 cm^-2
    double parameter = 1.0;  ///< kT (keV) or photon index
    double norm = 1e-5;
};

/// Fits one model from each starting point and keeps the lowest statistic; covariance errors scaled to
/// options.confidence_delta; fluxes over the flux band on an energy grid extended beyond the response.
SpectralFit fit_spectrum(const spectral::PreparedSpectrum& spectrum, const std::string& model,
                         std::span<const StartingPoint> starts, const spectral::FitOptions& options);

/// Index of the fit to offer for a source: lowest AICc among those with dof > 0 and no unconstrained parameter;
/// -1 when none qualifies. Sets `selected` on it. Fits of several spectra: the spectrum with most bins decides.
int select_model(std::span<SpectralFit> fits);

}  // namespace xsift::refine
