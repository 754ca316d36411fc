#include "model_fit.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include <xsift/refine/spectra.hpp>
#include <xsift/spectral/model.hpp>

namespace xsift::refine {

ChosenStatistic chosen_statistic(std::span<const FitInput> spectra, const spectral::FitOptions& options) {
    constexpr double least_counts = 100.0, least_in_a_bin = 20.0;
    if (options.statistic == spectral::FitStatistic::poisson) return {};
    double total = 0.0, least = std::numeric_limits<double>::infinity();
    for (const FitInput& s : spectra)
        for (const double counts : s.prepared->counts) {
            total += counts;
            least = std::min(least, counts);
        }
    if (total < least_counts) return {spectral::FitStatistic::poisson, "FEW_COUNTS"};
    if (least < least_in_a_bin) return {spectral::FitStatistic::poisson, "FEW_COUNTS_A_BIN"};
    return {options.statistic, "ASKED"};
}

SpectralFit fit_spectra(std::span<const FitInput> spectra,
                        const std::shared_ptr<const spectral::ModelDefinition>& model,
                        std::span<const StartingPoint> starts, const spectral::FitOptions& options) {
    ModelFit fit(spectra, model, starts, options);
    if (options.errors == spectral::Errors::posterior) {
        fit.estimate();
        if (fit.integrate()) return fit.take();
    }
    fit.refine();
    if (options.posterior) fit.integrate();
    return fit.take();
}

SpectralFit fit_spectrum(const spectral::PreparedSpectrum& spectrum, const std::string& model,
                         std::span<const StartingPoint> starts, const spectral::FitOptions& options) {
    const FitData data(spectrum);
    const FitInput input{&spectrum, &data};
    return fit_spectra(
        std::span(&input, 1),
        std::make_shared<const spectral::ModelDefinition>(spectral::define_model(model, options)), starts,
        options);
}

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

std::vector<SpectralFit> fit_models(std::span<const FitInput> spectra, std::span<const ModelTask> models,
                                    const spectral::FitOptions& options, const StepGuard& guard) {
    const bool all = options.refine == spectral::Refine::all,
               by_evidence = options.criterion == spectral::Criterion::evidence,
               credible = options.errors == spectral::Errors::posterior;
    std::vector<std::optional<ModelFit>> fits(models.size());
    std::vector<bool> refined(models.size(), false), integrated(models.size(), false);
    const auto step = [&](std::size_t m, const std::function<void()>& what) {
        bool done = false;
        guard(m, [&] {
            what();
            done = true;
        });
        if (!done) fits[m].reset();
    };
    // Intervals of a model that can be offered: from its posterior where that is asked for and there is one.
    const auto integrate = [&](std::size_t m) {
        if (!integrated[m]) fits[m]->integrate();
        integrated[m] = true;
    };
    const auto refine = [&](std::size_t m) {
        if (credible) integrate(m);
        if ((fits[m]->fit().flags & fit_credible) != 0) return;
        fits[m]->refine();
        integrated[m] = false;
    };
    for (std::size_t m = 0; m < models.size(); ++m)
        step(m, [&, m] {
            fits[m].emplace(spectra, models[m].model, models[m].starts, options);
            if (!all || credible) fits[m]->estimate();
            if (all) refine(m);
            if (options.posterior && (all || by_evidence)) integrate(m);
        });
    const auto value = [&](std::size_t m) {  // the lower the better
        const SpectralFit& fit = fits[m]->fit();
        const double v = by_evidence                                     ? -2.0 * fit.log_evidence
                         : options.criterion == spectral::Criterion::bic ? fit.bic
                                                                         : fit.aicc;
        return std::isnan(v) ? std::numeric_limits<double>::infinity() : v;
    };
    const auto offered = [&] {  // its criterion
        double best = std::numeric_limits<double>::infinity();
        for (std::size_t m = 0; m < models.size(); ++m)
            if (refined[m] && fits[m] && disqualification(fits[m]->fit()).empty())
                best = std::min(best, value(m));
        return best;
    };
    const auto lowest = [&] {
        double low = std::numeric_limits<double>::infinity();
        for (std::size_t m = 0; m < models.size(); ++m)
            if (fits[m]) low = std::min(low, value(m));
        return low;
    };
    const auto can_be_offered = [&](std::size_t m) {
        if (value(m) > offered() + spectral::refined_within) return false;
        // a second component that the counts do not ask for is no better known than the first alone
        const bool several_norms = spectral::ModelFreedom(*models[m].model).n_free_norms() > 1;
        return !several_norms || (!(value(m) > lowest() + spectral::refined_within) &&
                                  !clearly_unconstrained(fits[m]->fit(), *models[m].model, options));
    };
    while (!all) {
        std::optional<std::size_t> next;
        for (std::size_t m = 0; m < models.size(); ++m)
            if (fits[m] && !refined[m] && (!next || value(m) < value(*next)) && can_be_offered(m)) next = m;
        if (!next) break;
        refined[*next] = true;
        step(*next, [&] {
            refine(*next);
            if (options.posterior && by_evidence) integrate(*next);
        });
    }
    const double most = offered() + spectral::integrated_within;
    std::vector<SpectralFit> out(models.size());
    for (std::size_t m = 0; m < models.size(); ++m)
        if (fits[m])
            step(m, [&] {
                if (options.posterior && !all && !by_evidence && !(value(m) > most)) integrate(m);
                out[m] = fits[m]->take();
            });
    return out;
}

}  // namespace xsift::refine
