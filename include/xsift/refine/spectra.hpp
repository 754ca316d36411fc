#pragma once
/// @file
/// Spectral fits in double, from the starting points that the model grid found.

#include <memory>
#include <span>
#include <string>
#include <vector>

#include <xsift/data/results.hpp>
#include <xsift/refine/fit_data.hpp>
#include <xsift/spectral/definition.hpp>
#include <xsift/spectral/options.hpp>
#include <xsift/spectral/prepared.hpp>

namespace xsift::refine {

/// Where a fit starts: values of all parameters of the model, norms included.
using StartingPoint = std::vector<double>;

/// What a fit needs of one spectrum.
struct FitInput {
    const spectral::PreparedSpectrum* prepared = nullptr;
    const FitData* data = nullptr;  ///< of the same spectrum: shared by its models
};

/// Fits one model to one spectrum, or to several at once with a free factor for each but the first, from each
/// starting point (none: a built-in coarse set) and keeps the lowest statistic.
///
/// Levenberg-Marquardt in double with analytic derivatives and the norms profiled, within the limits of the
/// parameters. Intervals: covariance errors scaled to options.confidence_delta, clipped at the limits; where
/// a fit stops at a limit the slope of the statistic there is taken into account. fit_*_unconstrained: the
/// interval reaches a limit or the relative error exceeds 1. Fluxes over the flux band on an energy grid of
/// its own, whatever the range of the response.
SpectralFit fit_spectra(std::span<const FitInput> spectra,
                        const std::shared_ptr<const spectral::ModelDefinition>& model,
                        std::span<const StartingPoint> starts, const spectral::FitOptions& options);

/// One spectrum, arranged for this fit only.
SpectralFit fit_spectrum(const spectral::PreparedSpectrum& spectrum, const std::string& model,
                         std::span<const StartingPoint> starts, const spectral::FitOptions& options);

/// Why a fit can never be offered: NO_DOF, NOT_CONVERGED, PARAMETER_UNCONSTRAINED, NORM_UNCONSTRAINED,
/// NO_AICC; empty when it can.
std::string disqualification(const SpectralFit& fit);

/// Index of the fit to offer for a source; -1 when none qualifies. Sets `selected` on it and `choice` on all.
/// How good a fit is plays no part: a large null-hypothesis probability counts neither for nor against it.
///
/// A fit qualifies when it converged with dof > 0, has an AICc, and its shape parameters and norms are
/// constrained; nH may be an upper limit. Fits of several spectra: those of the spectrum with most bins among
/// the qualifying ones decide (ties: the first); among them the lowest AICc.
int select_model(std::span<SpectralFit> fits);

}  // namespace xsift::refine
