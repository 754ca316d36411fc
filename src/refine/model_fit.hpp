#pragma once
/// @file
/// The fit of one model: its minimum first, then as much about its parameters as is wanted.

#include "covariance.hpp"
#include "objective.hpp"
#include "posterior_problem.hpp"
#include "profile_interval.hpp"
#include "two_scales.hpp"

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <xsift/data/results.hpp>
#include <xsift/refine/spectra.hpp>
#include <xsift/spectral/definition.hpp>
#include <xsift/spectral/options.hpp>

namespace xsift::refine {

class ModelFit {
  public:
    /// Finds the lowest minimum from the starting points. What is given must outlive the fit, but for starts.
    /// @throws Error (input, TOO_MANY_SPECTRA)
    ModelFit(std::span<const FitInput> spectra, std::shared_ptr<const spectral::ModelDefinition> model,
             std::span<const StartingPoint> starts, const spectral::FitOptions& options);

    /// Intervals of parameters and fluxes from the covariance: fit_not_refined is set.
    void estimate();
    /// Intervals from profiles; a lower minimum met on the way becomes the best fit.
    void refine();
    /// Posterior and evidence where the model has them; needs estimate() or refine(). With options.errors
    /// posterior the intervals are its credible ones from then on.
    /// @return whether they are
    bool integrate();
    /// The posterior of integrate(), for an engine to make it beforehand; points at this fit. Needs
    /// estimate() or refine(). @return nothing where there is none, or none that an engine takes
    std::optional<spectral::PosteriorTask> posterior_task();
    /// What an engine made of posterior_task(): integrate() takes it, unless the fit has moved since or the
    /// engine's lattice did not do.
    void take_posterior(const spectral::PosteriorOutcome& outcome) {
        engine_posterior_ = problem_->take(outcome);
    }
    /// What is known so far.
    const SpectralFit& fit() const { return fit_; }
    /// The fit with its goodness.
    SpectralFit take();

  private:
    Covariance profile_all(std::vector<ProfileEnds>& ends);
    void extend_over_valleys(std::vector<ProfileEnds>& ends, Point& better);
    std::vector<FluxEstimate> fluxes(const Covariance& covariance, bool profiled, Point& better);
    bool wants_credible() const;
    /// Bands of fluxes whose credible intervals are wanted, none when none are.
    std::vector<spectral::FluxBand> credible_bands();
    /// The bands of the fluxes, the flux band first.
    std::vector<spectral::FluxBand>& bands();
    void take_intervals(const PosteriorAround& found);
    void report(const Covariance& covariance, const std::vector<ProfileEnds>& ends,
                std::vector<FluxEstimate> fluxes);
    void fill_goodness();
    void fill_unbiased();
    std::size_t parameter_of(int i) const;

    std::span<const FitInput> spectra_;
    std::shared_ptr<const spectral::ModelDefinition> model_;
    std::vector<StartingPoint> starts_;
    const spectral::FitOptions& options_;
    ChosenStatistic chosen_;
    TwoScales scales_;
    Objective& objective_;
    Point best_, current_, scratch_;
    std::vector<Vector> valleys_;  ///< other minima, where intervals may go on
    std::vector<spectral::FluxBand> bands_;
    std::optional<Covariance> covariance_;  ///< at the best fit, where estimate() was last
    std::optional<PosteriorProblem> problem_;
    std::optional<PosteriorAround> engine_posterior_;
    bool converged_ = false;
    SpectralFit fit_;
};

}  // namespace xsift::refine
