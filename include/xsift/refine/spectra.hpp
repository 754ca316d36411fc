#pragma once
/// @file
/// Spectral fits in double, from the starting points that the model grid found.

#include <cstdint>
#include <functional>
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

/// The statistic of a fit and the rule that chose it.
struct ChosenStatistic {
    spectral::FitStatistic statistic = spectral::FitStatistic::poisson;
    const char* rule = "DEFAULT";  ///< DEFAULT, ASKED, FEW_COUNTS, FEW_COUNTS_A_BIN
};

/// The one that options ask for. A chi2 needs 100 counts and at least 20 in each bin of the source region:
/// below, its bins are no Gaussians, and W-stat or C-stat takes its place.
ChosenStatistic chosen_statistic(std::span<const FitInput> spectra, const spectral::FitOptions& options);

/// Fits one model to one spectrum, or to several at once with a free factor for each but the first, from each
/// starting point (none: a built-in coarse set) and keeps the lowest statistic.
///
/// Levenberg-Marquardt in double with analytic derivatives and the norms profiled, within the limits of the
/// parameters. Intervals end where the statistic, minimised over all else, has risen by
/// options.confidence_delta; a lower minimum met on the way becomes the best fit. An end that is not reached
/// is the limit. fit_*_unconstrained: the interval reaches a limit or the relative error exceeds 1. Fluxes
/// over each band on an energy grid of its own, whatever the range of the response; of a joint fit they are
/// those of the first spectrum (factor 1).
/// @throws Error (input, TOO_MANY_SPECTRA)
SpectralFit fit_spectra(std::span<const FitInput> spectra,
                        const std::shared_ptr<const spectral::ModelDefinition>& model,
                        std::span<const StartingPoint> starts, const spectral::FitOptions& options);

/// A model to fit and where its fit starts.
struct ModelTask {
    std::shared_ptr<const spectral::ModelDefinition> model;
    std::vector<StartingPoint> starts;
};
/// Runs a step of the model of that index. When the step throws, the guard may throw or swallow it: the model
/// is then left out.
using StepGuard = std::function<void(std::size_t, const std::function<void()>&)>;

/// Fits several models to the same spectra, each as fit_spectra does up to its minimum and covariance. With
/// options.refine == automatic only models that can still be the one offered go on to profiles: from the
/// lowest criterion upwards until one qualifies, and those within spectral::refined_within of it. Models of
/// several norms moreover have to be within that of the lowest of all, qualified or not, and no parameter but
/// nH may be open by more than twice its value: no profile would constrain it. The others have
/// fit_not_refined set; beyond spectral::integrated_within they have no posterior. (Chosen by evidence, all
/// get a posterior.)
/// @return a fit a model; one without a name for those left out
std::vector<SpectralFit> fit_models(std::span<const FitInput> spectra, std::span<const ModelTask> models,
                                    const spectral::FitOptions& options, const StepGuard& guard);

/// One spectrum, arranged for this fit only.
SpectralFit fit_spectrum(const spectral::PreparedSpectrum& spectrum, const std::string& model,
                         std::span<const StartingPoint> starts, const spectral::FitOptions& options);

/// What fits of simulated spectra say of a fit.
struct SimulatedFits {
    /// The share (k + 1)/(n + 1) of them with a statistic as large as the fit's: uniform between 0 and 1 when
    /// the model is right. NaN without simulations for it, and for a fit by chi2: NULL_PROB is its goodness.
    double gof_pvalue = not_measured;
    std::vector<Bootstrap> parameters;  ///< as SpectralFit::parameters; NaN for those frozen
};

/// Draws spectra from the fitted model and background (see GOF_EXPECTED for its rate) and fits each from
/// where the fit itself is. Those of options.goodness_simulations and of options.bootstrap_simulations are
/// the same; the n-th depends on seed and n only.
SimulatedFits simulate_fits(std::span<const FitInput> spectra,
                            const std::shared_ptr<const spectral::ModelDefinition>& model,
                            const SpectralFit& fit, const spectral::FitOptions& options, std::uint64_t seed);

/// Why a fit can never be offered: NO_DOF, NOT_CONVERGED, PARAMETER_UNCONSTRAINED, NORM_UNCONSTRAINED,
/// NO_AICC; empty when it can.
std::string disqualification(const SpectralFit& fit);

/// Index of the fit to offer for a source; -1 when none qualifies. Sets `selected` on it and `choice` and
/// `model_probability` on all.
/// How good a fit is plays no part: a large null-hypothesis probability counts neither for nor against it.
///
/// A fit qualifies when it converged with dof > 0, has an AICc, and its shape parameters and norms are
/// constrained; nH may be an upper limit. Of fits of different spectra or sets of spectra those with most
/// bins among the qualifying ones decide (ties: the first), so a joint fit goes before those of its members;
/// among them the best by the criterion: lowest AICc, lowest BIC or highest evidence (NO_EVIDENCE
/// disqualifies then).
int select_model(std::span<SpectralFit> fits, spectral::Criterion criterion = spectral::Criterion::aicc);

}  // namespace xsift::refine
