#include <algorithm>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include <xsift/core/error.hpp>
#include <xsift/pipeline/dossier_material.hpp>
#include <xsift/refine/posterior.hpp>
#include <xsift/refine/statistic_map.hpp>
#include <xsift/timing/light_curve.hpp>
#include <xsift/timing/lomb_scargle.hpp>
#include <xsift/timing/significance.hpp>
#include <xsift/timing/trials.hpp>

namespace xsift::pipeline {

namespace {

/// As many bands as a plot has columns.
constexpr int periodogram_bands = 360;
/// Exposures of a source whose periodograms are drawn.
constexpr std::size_t most_periodograms = 2;
/// Probabilities of the lines drawn besides that of the configuration.
constexpr double weak_log10_fap = -1.0;
constexpr std::size_t map_cells = 13;

/// An exposure whose periodogram is wanted.
struct Wanted {
    std::size_t source = 0;
    const EventList* events = nullptr;  ///< either this
    const LightCurve* curve = nullptr;  ///< or this
    timing::UsableBins bins;
    timing::FrequencyGrid grid;
    timing::Statistic statistic;
    Periodogram out;
};

/// Trial numbers of the edges of bands of equal ratio; where these are narrower than a trial, a band is one.
std::vector<std::int64_t> edges_of(const timing::FrequencyGrid& grid) {
    std::vector<std::int64_t> edges{0};
    const double lo = std::log(static_cast<double>(grid.first)),
                 hi = std::log(static_cast<double>(grid.first + grid.count));
    for (int b = 1; b < periodogram_bands; ++b) {
        const auto at =
            static_cast<std::int64_t>(std::exp(lo + (hi - lo) * b / periodogram_bands)) - grid.first;
        if (at > edges.back() && at < grid.count) edges.push_back(at);
    }
    edges.push_back(grid.count);
    return edges;
}

/// The statistic of a candidate, as far as a periodogram of a single exposure has it.
timing::Statistic statistic_of(const PeriodCandidate* candidate, bool is_curve,
                               const timing::SearchOptions& options) {
    using Kind = timing::Statistic::Kind;
    if (is_curve)
        return {Kind::gls, candidate != nullptr && candidate->method == "GLS" ? candidate->n_harmonics : 1};
    if (candidate != nullptr && candidate->method == "H") return {Kind::h, options.h_harmonics};
    return {Kind::z2, candidate != nullptr && candidate->method == "Z2" ? candidate->n_harmonics : 1};
}

/// The value at which a probability that falls with the value reaches a level; NaN above `most`.
template <typename Log10Fap>
double value_at(double level, double most, const Log10Fap& log10_fap) {
    double lo = 0.0, hi = most;
    if (!(log10_fap(hi) < level)) return not_measured;
    for (int i = 0; i < 40; ++i) {
        const double middle = 0.5 * (lo + hi);
        (log10_fap(middle) > level ? lo : hi) = middle;
    }
    return hi;
}

std::vector<Periodogram::Level> levels_of(const Wanted& item, const timing::SearchOptions& options) {
    std::vector<Periodogram::Level> levels;
    for (const double level : {weak_log10_fap, options.log10_fap}) {
        double value = not_measured;
        if (item.events != nullptr) {
            const bool is_h = item.statistic.kind == timing::Statistic::Kind::h;
            const int n = item.statistic.harmonics;
            const timing::SearchExtent extent = timing::search_extent(*item.events, item.grid);
            value = value_at(level, 1e4, [&](double x) {
                return is_h ? timing::log10_false_alarm(timing::log10_h_single(x, n, extent),
                                                        timing::h_trials(x, n, extent))
                            : timing::log10_false_alarm(timing::log10_z2_single(x, n, extent),
                                                        timing::z2_trials(x, n, extent));
            });
        } else if (item.statistic.harmonics == 1) {
            double mean = 0.0, variance = 0.0, sum = 0.0;
            for (std::size_t i = 0; i < item.bins.size(); ++i) sum += item.bins.weight[i];
            for (std::size_t i = 0; i < item.bins.size(); ++i)
                mean += item.bins.weight[i] / sum * item.bins.time[i];
            for (std::size_t i = 0; i < item.bins.size(); ++i)
                variance += item.bins.weight[i] / sum * std::pow(item.bins.time[i] - mean, 2);
            value = value_at(level, 1.0 - 1e-9, [&](double x) {
                return timing::lomb_scargle_significance(x, static_cast<double>(item.bins.size()),
                                                         item.grid.frequency(item.grid.count - 1), variance)
                    .log10_fap;
            });
        }
        if (std::isfinite(value)) levels.push_back({level, value});
    }
    return levels;
}

/// The exposures to draw: that of the offered period first, then those with most events.
std::vector<Wanted> wanted_of(const DossierMaterial& material, std::size_t source,
                              const timing::SearchOptions& options) {
    const SourceResult& result = material.result;
    const PeriodCandidate* const offered =
        result.best_period < 0 ? nullptr : &result.candidates[static_cast<std::size_t>(result.best_period)];
    std::vector<Wanted> all;
    const auto add = [&](const auto& exposure, auto Wanted::*member) {
        const Exposure& of = exposure.exposure;
        Wanted item;
        item.source = source;
        item.*member = &exposure;
        const bool own = offered != nullptr && (offered->exposure == of.file || offered->exposure == "joint");
        item.statistic = statistic_of(own ? offered : nullptr, item.curve != nullptr, options);
        item.out.exposure = of.file;
        item.out.instrument = of.instrument;
        if (std::isfinite(of.frame_time) && of.frame_time > 0.0)
            item.out.frame_frequency = 1.0 / of.frame_time;
        const double confirmable = timing::confirmable_frequency(of);
        if (std::isfinite(confirmable)) item.out.confirmable_frequency = confirmable;
        all.push_back(std::move(item));
    };
    for (const EventList& events : material.data.events)
        if (events.size() >= static_cast<std::size_t>(std::max(options.min_events, 2)))
            add(events, &Wanted::events);
    for (const LightCurve& curve : material.data.light_curves) add(curve, &Wanted::curve);
    const auto weight = [&](const Wanted& w) {
        const bool own = offered != nullptr && offered->exposure == w.out.exposure;
        const std::size_t n = w.events != nullptr ? w.events->size() : w.curve->size();
        return (own ? 1e15 : w.events != nullptr ? 1e10 : 0.0) + static_cast<double>(n);
    };
    std::stable_sort(all.begin(), all.end(),
                     [&](const Wanted& a, const Wanted& b) { return weight(a) > weight(b); });
    std::vector<Wanted> usable;
    for (Wanted& item : all) {
        if (usable.size() == most_periodograms) break;
        try {
            if (item.events != nullptr) {
                item.grid = timing::make_grid(*item.events, options);
            } else {
                item.bins = timing::usable_bins(*item.curve);
                item.grid = timing::make_grid(*item.curve, options);
            }
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::input) throw;
            continue;  // its reason is in QUARANTINE
        }
        usable.push_back(std::move(item));
    }
    return usable;
}

void take(Wanted& item, const engine::SearchOutcome& outcome, const std::vector<std::int64_t>& edges,
          const timing::SearchOptions& options) {
    Periodogram& out = item.out;
    out.method = item.statistic.kind == timing::Statistic::Kind::gls ? "GLS"
                 : item.statistic.kind == timing::Statistic::Kind::h ? "H"
                                                                     : "Z2";
    out.n_harmonics = item.statistic.harmonics;
    const timing::StatisticPeaks& peaks = outcome.statistics.front();
    out.n_trials = static_cast<double>(peaks.n_trials);
    for (std::size_t b = 0; b < peaks.band_maxima.size(); ++b) {
        if (peaks.band_maxima[b].empty()) continue;
        const timing::Peak& highest = peaks.band_maxima[b].front();
        out.frequency_lo.push_back(item.grid.frequency(edges[b]));
        out.frequency.push_back(highest.frequency);
        out.maximum.push_back(highest.value);
    }
    out.levels = levels_of(item, options);
}

/// Where a map of a parameter begins and ends: so far that 99% of two parameters (1.85 times the 90% interval
/// of one, where the statistic is a parabola) is whole, within its limits.
std::vector<double> map_values(const spectral::ModelParameter& of, const FittedParameter& fitted) {
    constexpr double beyond = 2.3;
    const auto in = [&](double value) { return of.logarithmic ? std::log(std::max(value, 1e-300)) : value; };
    const Estimate& e = fitted.estimate;
    const double best = in(e.value), error = std::max(in(e.hi) - best, best - in(e.lo));
    double lo = fitted.flags & parameter_no_lower_end ? in(of.lo) : best - beyond * (best - in(e.lo)),
           hi = fitted.flags & parameter_no_upper_end ? in(of.hi) : best + beyond * (in(e.hi) - best);
    lo = std::max({lo, in(of.lo), best - 4.0 * error});
    hi = std::min(hi, in(of.hi));
    std::vector<double> values;
    for (std::size_t i = 0; i < map_cells; ++i) {
        const double at = lo + (hi - lo) * static_cast<double>(i) / (map_cells - 1.0);
        values.push_back(std::clamp(of.logarithmic ? std::exp(at) : at, of.lo, of.hi));
    }
    return values;
}

/// The spectra of a fit, prepared as they were fitted.
struct FittedSpectra {
    std::vector<spectral::PreparedSpectrum> prepared;
    std::vector<refine::FitData> data;
    std::vector<refine::FitInput> inputs;
};

FittedSpectra spectra_of(const SpectralFit& fit, const SourceData& data,
                         const spectral::FitOptions& options) {
    FittedSpectra found;
    std::string joined;
    for (const Spectrum& spectrum : data.spectra) {
        const std::string& file = spectrum.exposure.file;
        if (('+' + fit.spectrum + '+').find('+' + file + '+') == std::string::npos) continue;
        joined += (joined.empty() ? "" : "+") + file;
        found.prepared.push_back(spectral::prepare(spectrum, options));
    }
    if (joined != fit.spectrum) return {};
    for (const spectral::PreparedSpectrum& one : found.prepared) found.data.emplace_back(one);
    for (std::size_t i = 0; i < found.prepared.size(); ++i)
        found.inputs.push_back({&found.prepared[i], &found.data[i]});
    return found;
}

/// Index of a free parameter by name that is no norm; -1 without one.
int free_parameter(const spectral::ModelDefinition& model, std::initializer_list<const char*> names) {
    for (std::size_t i = 0; i < model.parameters.size(); ++i) {
        const spectral::ModelParameter& p = model.parameters[i];
        if (p.free() && !p.is_norm && std::find(names.begin(), names.end(), p.name) != names.end())
            return static_cast<int>(i);
    }
    return -1;
}

}  // namespace

DossierMaker::DossierMaker(const RunConfiguration& configuration, engine::Engines& engines,
                           const ThreadPool& pool, FluxHistory history, std::string history_missing)
    : configuration_(configuration),
      engines_(engines),
      pool_(pool),
      history_(std::move(history)),
      history_missing_(std::move(history_missing)) {}

std::vector<DossierMaterial> DossierMaker::make(std::vector<SourceData> data,
                                                std::vector<SourceResult> results) const {
    std::vector<DossierMaterial> all(data.size());
    for (std::size_t i = 0; i < all.size(); ++i) {
        all[i].data = std::move(data[i]);
        all[i].result = std::move(results[i]);
        const auto found = history_.find(all[i].result.source.id);
        if (found != history_.end())
            all[i].history = found->second;
        else
            all[i].history_missing = history_missing_.empty()
                                         ? "The table of earlier fluxes has none of this source."
                                         : history_missing_;
    }
    if (configuration_.search_periods) add_periodograms(all);
    pool_.for_each(all.size(), [&](std::size_t i) { add_maps(all[i]); });
    return all;
}

void DossierMaker::add_periodograms(std::vector<DossierMaterial>& all) const {
    std::vector<Wanted> wanted;
    for (std::size_t i = 0; i < all.size(); ++i)
        for (Wanted& item : wanted_of(all[i], i, configuration_.search)) wanted.push_back(std::move(item));
    std::vector<engine::EventTask> event_tasks;
    std::vector<engine::LightCurveTask> curve_tasks;
    std::vector<Wanted*> events, curves;
    for (Wanted& item : wanted) {
        const auto prepare = [&](auto task, auto& tasks, std::vector<Wanted*>& items) {
            task.max_peaks = 1;
            task.band_edges = edges_of(item.grid);
            tasks.push_back(std::move(task));
            items.push_back(&item);
        };
        if (item.events != nullptr) {
            engine::EventTask task = engine::make_task(*item.events, item.grid, configuration_.search);
            task.statistics = {item.statistic};
            prepare(std::move(task), event_tasks, events);
        } else {
            engine::LightCurveTask task =
                engine::make_task(item.bins, item.curve->bin_width, item.grid, configuration_.search);
            task.terms = {item.statistic.harmonics};
            prepare(std::move(task), curve_tasks, curves);
        }
    }
    const auto finish = [&](const auto& tasks, const std::vector<Wanted*>& items) {
        const auto outcomes = engines_.search->search(std::span(tasks));
        for (std::size_t i = 0; i < items.size(); ++i)
            take(*items[i], outcomes[i], tasks[i].band_edges, configuration_.search);
    };
    finish(event_tasks, events);
    finish(curve_tasks, curves);
    for (Wanted& item : wanted) all[item.source].periodograms.push_back(std::move(item.out));
}

namespace {

/// The posterior over the parameters of a map, at every few of its points; none where it was not made or is
/// of others.
std::optional<StatisticMap> posterior_map(const refine::PosteriorMap& from, const StatisticMap& like) {
    constexpr std::size_t every = 4;  // of its points, which are eight a step of the lattice
    const auto named = [](const std::string& full, const StatisticMap::Axis& axis) {
        return full.ends_with('.' + axis.name);
    };
    const bool straight = named(from.x_name, like.x) && named(from.y_name, like.y),
               turned = named(from.x_name, like.y) && named(from.y_name, like.x);
    if (!straight && !turned) return std::nullopt;
    StatisticMap out = like;
    out.posterior = true;
    out.levels = {-2.0 * from.level68, -2.0 * from.level90};
    const auto thinned = [](const std::vector<double>& all) {
        std::vector<double> some;
        for (std::size_t i = 0; i < all.size(); i += every) some.push_back(all[i]);
        return some;
    };
    out.x.value = thinned(straight ? from.x : from.y);
    out.y.value = thinned(straight ? from.y : from.x);
    out.rise.clear();
    for (std::size_t j = 0; j < out.y.value.size(); ++j)
        for (std::size_t i = 0; i < out.x.value.size(); ++i)
            out.rise.push_back(-2.0 * from.log_density[straight ? i * every * from.y.size() + j * every
                                                                : j * every * from.y.size() + i * every]);
    if (out.x.value.size() < 2 || out.y.value.size() < 2) return std::nullopt;
    return out;
}

}  // namespace

void DossierMaker::add_maps(DossierMaterial& material) const {
    const SourceResult& result = material.result;
    const auto missing = [&](const char* why) { material.maps_missing = why; };
    if (result.best_fit < 0)
        return missing(result.fits.empty() ? "No spectrum was fitted."
                                           : "No model is constrained by the spectrum.");
    const SpectralFit& fit = result.fits[static_cast<std::size_t>(result.best_fit)];
    if (fit.statistic != "wstat" && fit.statistic != "cstat")
        return missing("They are drawn for W-stat and C-stat alone.");
    const spectral::FitOptions& options = configuration_.spectra;
    try {
        const auto model =
            std::make_shared<const spectral::ModelDefinition>(spectral::define_model(fit.model, options));
        const int y = free_parameter(*model, {"nH"}), x = free_parameter(*model, {"kT", "PhoIndex"});
        if (x < 0 || y < 0)
            return missing("The preferred model has no free pair of nH and kT or photon index.");
        if (fit.parameters.size() < model->parameters.size())
            return missing("The catalogue does not hold the parameters of the preferred model.");
        const FittedSpectra spectra = spectra_of(fit, material.data, options);
        if (spectra.inputs.empty())
            return missing("The spectrum of the preferred model is not in the survey.");
        std::vector<double> best, factors;
        for (std::size_t i = 0; i < fit.parameters.size(); ++i)
            (i < model->parameters.size() ? best : factors).push_back(fit.parameters[i].estimate.value);
        StatisticMap map;
        map.spectrum = fit.spectrum;
        map.model = fit.model;
        const auto axis = [&](int parameter) {
            const auto at = static_cast<std::size_t>(parameter);
            const spectral::ModelParameter& of = model->parameters[at];
            return StatisticMap::Axis{of.name, of.unit, of.logarithmic, map_values(of, fit.parameters[at]),
                                      best[at]};
        };
        map.x = axis(x);
        map.y = axis(y);
        map.rise = refine::statistic_map(spectra.inputs, model, options.abundance, best, x, map.x.value, y,
                                         map.y.value, factors);
        const double lowest = std::min(fit.stat, *std::min_element(map.rise.begin(), map.rise.end()));
        for (double& rise : map.rise) rise -= lowest;
        material.maps.push_back(std::move(map));
        if (options.posterior)
            if (auto posterior = posterior_map(refine::posterior(spectra.inputs, model, fit, {}, options).map,
                                               material.maps.front()))
                material.maps.push_back(std::move(*posterior));
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::internal) throw;
        missing(error.what());
    }
}

}  // namespace xsift::pipeline
