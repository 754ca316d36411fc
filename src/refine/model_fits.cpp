#include "model_fit.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include <xsift/refine/model_fits.hpp>
#include <xsift/spectral/model.hpp>

namespace xsift::refine {

namespace {

/// Whether the covariance leaves a parameter open by more than a profile could mend.
bool clearly_unconstrained(const SpectralFit& fit, const spectral::ModelDefinition& model,
                           const spectral::FitOptions& options) {
    constexpr double widest = 2.0;  // half-width of the interval over the value; 1 is unconstrained
    for (std::size_t k = 0; k < model.parameters.size(); ++k) {
        const FittedParameter& p = fit.parameters[k];
        if (!model.parameters[k].free() || p.name == "nH") continue;
        if (!(std::sqrt(options.confidence_delta) * p.error <= widest * std::fabs(p.estimate.value)))
            return true;
    }
    return false;
}

}  // namespace

class ModelFits::State {
  public:
    State(std::span<const FitInput> spectra, std::span<const ModelTask> models,
          const spectral::FitOptions& options, StepGuard guard)
        : spectra_(spectra.begin(), spectra.end()),
          models_(models.begin(), models.end()),
          options_(options),
          guard_(std::move(guard)),
          fits_(models.size()),
          refined_(models.size(), false),
          integrated_(models.size(), false) {
        for (std::size_t m = 0; m < models_.size(); ++m)
            step(m, [&, m] {
                fits_[m].emplace(spectra_, models_[m].model, models_[m].starts, options_);
                if (!all() || credible()) fits_[m]->estimate();
                if (all() && !credible()) fits_[m]->refine();
            });
    }

    std::vector<spectral::PosteriorTask> tasks() {
        std::vector<spectral::PosteriorTask> out;
        if (!options_.posterior && !credible()) return out;
        const double within = std::max(credible() ? spectral::refined_within : 0.0,
                                       options_.posterior ? spectral::integrated_within : 0.0);
        const double most =
            all() || by_evidence() ? std::numeric_limits<double>::infinity() : lowest() + within;
        for (std::size_t m = 0; m < models_.size(); ++m) {
            if (!fits_[m] || value(m) > most) continue;
            step(m, [&] {
                if (auto task = fits_[m]->posterior_task()) {
                    out.push_back(std::move(*task));
                    with_task_.push_back(m);
                }
            });
        }
        return out;
    }

    void take(std::span<const spectral::PosteriorOutcome> found) {
        for (std::size_t i = 0; i < with_task_.size(); ++i)
            if (fits_[with_task_[i]]) fits_[with_task_[i]]->take_posterior(found[i]);
    }

    std::vector<SpectralFit> finish() {
        for (std::size_t m = 0; m < models_.size(); ++m)
            if (fits_[m] && (all() || (options_.posterior && by_evidence())))
                step(m, [&] {
                    if (all() && credible()) refine(m);
                    if (options_.posterior) integrate(m);
                });
        while (!all()) {
            std::optional<std::size_t> next;
            for (std::size_t m = 0; m < models_.size(); ++m)
                if (fits_[m] && !refined_[m] && (!next || value(m) < value(*next)) && can_be_offered(m))
                    next = m;
            if (!next) break;
            refined_[*next] = true;
            step(*next, [&] {
                refine(*next);
                if (options_.posterior && by_evidence()) integrate(*next);
            });
        }
        const double most = offered() + spectral::integrated_within;
        std::vector<SpectralFit> out(models_.size());
        for (std::size_t m = 0; m < models_.size(); ++m)
            if (fits_[m])
                step(m, [&] {
                    if (options_.posterior && !all() && !by_evidence() && !(value(m) > most)) integrate(m);
                    out[m] = fits_[m]->take();
                });
        return out;
    }

  private:
    bool all() const { return options_.refine == spectral::Refine::all; }
    bool by_evidence() const { return options_.criterion == spectral::Criterion::evidence; }
    bool credible() const { return options_.errors == spectral::Errors::posterior; }

    void step(std::size_t m, const std::function<void()>& what) {
        bool done = false;
        guard_(m, [&] {
            what();
            done = true;
        });
        if (!done) fits_[m].reset();
    }
    void integrate(std::size_t m) {
        if (!integrated_[m]) fits_[m]->integrate();
        integrated_[m] = true;
    }
    /// Intervals of a model that can be offered: from its posterior where that is asked for and there is one.
    void refine(std::size_t m) {
        if (credible()) integrate(m);
        if ((fits_[m]->fit().flags & fit_credible) != 0) return;
        fits_[m]->refine();
        integrated_[m] = false;
    }
    /// The criterion, the lower the better.
    double value(std::size_t m) const {
        const SpectralFit& fit = fits_[m]->fit();
        const double v = by_evidence()                                    ? -2.0 * fit.log_evidence
                         : options_.criterion == spectral::Criterion::bic ? fit.bic
                                                                          : fit.aicc;
        return std::isnan(v) ? std::numeric_limits<double>::infinity() : v;
    }
    /// That of the model offered so far.
    double offered() const {
        double best = std::numeric_limits<double>::infinity();
        for (std::size_t m = 0; m < models_.size(); ++m)
            if (refined_[m] && fits_[m] && disqualification(fits_[m]->fit()).empty())
                best = std::min(best, value(m));
        return best;
    }
    double lowest() const {
        double low = std::numeric_limits<double>::infinity();
        for (std::size_t m = 0; m < models_.size(); ++m)
            if (fits_[m]) low = std::min(low, value(m));
        return low;
    }
    bool can_be_offered(std::size_t m) const {
        if (value(m) > offered() + spectral::refined_within) return false;
        // a second component that the counts do not ask for is no better known than the first alone
        const bool several_norms = spectral::ModelFreedom(*models_[m].model).n_free_norms() > 1;
        return !several_norms || (!(value(m) > lowest() + spectral::refined_within) &&
                                  !clearly_unconstrained(fits_[m]->fit(), *models_[m].model, options_));
    }

    std::vector<FitInput> spectra_;
    std::vector<ModelTask> models_;
    const spectral::FitOptions& options_;
    StepGuard guard_;
    std::vector<std::optional<ModelFit>> fits_;
    std::vector<bool> refined_, integrated_;
    std::vector<std::size_t> with_task_;
};

ModelFits::ModelFits(std::span<const FitInput> spectra, std::span<const ModelTask> models,
                     const spectral::FitOptions& options, StepGuard guard)
    : state_(std::make_unique<State>(spectra, models, options, std::move(guard))) {}
ModelFits::~ModelFits() = default;
ModelFits::ModelFits(ModelFits&&) noexcept = default;
ModelFits& ModelFits::operator=(ModelFits&&) noexcept = default;

std::vector<spectral::PosteriorTask> ModelFits::posterior_tasks() {
    return state_->tasks();
}

void ModelFits::take(std::span<const spectral::PosteriorOutcome> found) {
    state_->take(found);
}

std::vector<SpectralFit> ModelFits::finish() {
    return state_->finish();
}

}  // namespace xsift::refine
