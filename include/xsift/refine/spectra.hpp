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

/// Fits one model from each starting point (none: a built-in coarse set) and keeps the lowest statistic.
///
/// Fisher-scoring Levenberg-Marquardt in double with analytic derivatives and the norm profiled, within the
/// limits of spectral/model.hpp. Intervals: covariance errors scaled to options.confidence_delta, clipped at
/// the limits; where a fit stops at a limit the slope of the statistic there is taken into account.
/// fit_*_unconstrained: the interval reaches a limit or the relative error exceeds 1. Fluxes over the flux
/// band on an energy grid of its own, whatever the range of the response.
SpectralFit fit_spectrum(const spectral::PreparedSpectrum& spectrum, const std::string& model,
                         std::span<const StartingPoint> starts, const spectral::FitOptions& options);

/// Index of the fit to offer for a source; -1 when none qualifies. Sets `selected` on it.
///
/// A fit qualifies when it converged with dof > 0, has an AICc, and its kT or photon index and its norm are
/// constrained; nH may be an upper limit. Fits of several spectra: those of the spectrum with most bins among
/// the qualifying ones decide (ties: the first); among them the lowest AICc.
int select_model(std::span<SpectralFit> fits);

}  // namespace xsift::refine
