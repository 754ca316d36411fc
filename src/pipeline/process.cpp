#include "process.hpp"

#include "guarded.hpp"
#include "noise_sums.hpp"
#include "simulated_alarms.hpp"
#include "spectra.hpp"

#include <algorithm>
#include <functional>
#include <optional>

#include <fmt/format.h>

#include <xsift/characterise/variability.hpp>
#include <xsift/core/error.hpp>
#include <xsift/refine/composite_periods.hpp>
#include <xsift/refine/limits.hpp>
#include <xsift/refine/monte_carlo.hpp>
#include <xsift/refine/periods.hpp>
#include <xsift/refine/spectra.hpp>
#include <xsift/timing/fold.hpp>
#include <xsift/timing/light_curve.hpp>
#include <xsift/timing/trials.hpp>

namespace xsift::pipeline {

namespace {

void require_enough_events(const EventList& events, const timing::SearchOptions& options) {
    if (events.size() < static_cast<std::size_t>(options.min_events))
        throw Error(ErrorKind::input, "TOO_FEW_EVENTS",
                    fmt::format("{} has {} events", events.exposure.file, events.size()),
                    fmt::format("a search needs at least {}", options.min_events),
                    "Lower --min-events to search it.");
}

/// One exposure on its way through search and polishing.
struct ExposureWork {
    std::size_t source = 0;             ///< index in the batch
    const EventList* events = nullptr;  ///< either this
    const LightCurve* curve = nullptr;  ///< or this
    timing::UsableBins bins;            ///< of the light curve
    timing::FrequencyGrid grid;
    engine::SearchOutcome outcome;
    timing::DriftGrid drift;                     ///< of the search of drifting frequencies
    std::vector<refine::CompositeStart> starts;  ///< drifting and folded candidates as screened
    std::vector<PeriodCandidate> candidates;
    std::vector<PulsedFractionLimit> limits;
    std::vector<QuarantineRow> quarantine;
    bool usable = false;

    const Exposure& exposure() const { return events != nullptr ? events->exposure : curve->exposure; }
};

/// The event lists of one source, searched together.
struct JointWork {
    std::size_t source = 0;
    std::vector<const EventList*> lists;
    std::vector<refine::JointGroup> groups;
    timing::FrequencyGrid grid;
    std::vector<refine::CompositeStart> starts;
    std::vector<PeriodCandidate> candidates;
};

/// Composite searches of a batch, and where their peaks go.
struct CompositeWork {
    std::vector<engine::CompositeTask> tasks;
    std::vector<std::vector<refine::CompositeStart>*> starts;

    void add(engine::CompositeTask task, double span, const timing::SearchOptions& options,
             std::vector<refine::CompositeStart>& to) {
        task.max_peaks = std::max(32, 3 * options.max_candidates);
        task.min_separation = 1.5 / span;
        tasks.push_back(std::move(task));
        starts.push_back(&to);
    }
    void search(engine::PeriodSearch& engine) {
        const auto outcomes = engine.search(std::span<const engine::CompositeTask>(tasks));
        for (std::size_t i = 0; i < tasks.size(); ++i)
            for (std::size_t s = 0; s < tasks[i].statistics.size(); ++s)
                for (const engine::CompositePeak& p : outcomes[i].peaks[s])
                    starts[i]->push_back({tasks[i].statistics[s], p.peak.frequency,
                                          tasks[i].drift.fdot(p.drift, p.peak.frequency)});
    }
};

std::vector<timing::Statistic> z2_statistics(const timing::SearchOptions& options) {
    std::vector<timing::Statistic> statistics;
    for (const int n : options.z2_harmonics) statistics.push_back({timing::Statistic::Kind::z2, n});
    return statistics;
}

/// Searches of one exposure beyond a constant frequency and harmonics.
void add_composite_tasks(ExposureWork& item, const timing::SearchOptions& options, CompositeWork& composite) {
    const EventList& events = *item.events;
    engine::CompositeTask task;
    task.grid = item.grid;
    task.members = {{events.time,
                     events.weight,
                     events.gti.start,
                     events.gti.stop,
                     {},
                     timing::confirmable_frequency(events.exposure)}};
    item.drift = refine::make_drift(events, item.grid, options);
    const double span = timing::time_span(events);
    if (options.ef_bins > 0) {
        task.statistics = {{timing::Statistic::Kind::ef, options.ef_bins}};
        composite.add(task, span, options, item.starts);
    }
    if (item.drift.half > 0) {
        task.statistics = z2_statistics(options);
        task.drift = item.drift;
        composite.add(std::move(task), span, options, item.starts);
    }
}

/// Sources of which two event lists or more can be searched, with their tasks.
std::vector<JointWork> joint_work(const std::vector<ExposureWork>& work,
                                  const timing::SearchOptions& options) {
    std::vector<JointWork> joint;
    for (const ExposureWork& item : work) {
        if (!item.usable || item.events == nullptr) continue;
        if (joint.empty() || joint.back().source != item.source) joint.emplace_back().source = item.source;
        joint.back().lists.push_back(item.events);
    }
    std::erase_if(joint, [](const JointWork& j) { return j.lists.size() < 2; });
    for (JointWork& j : joint) {
        j.groups = refine::joint_groups(j.lists);
        j.grid = refine::joint_grid(j.lists, options);
    }
    std::erase_if(joint, [](const JointWork& j) { return j.grid.count < 1; });
    return joint;
}

/// Effective number of independent searches that an exposure got: statistics of the same photons are related.
double searches_of(const ExposureWork& item, const timing::SearchOptions& options) {
    if (item.curve != nullptr) return static_cast<double>(options.gls_terms.size());
    const timing::SearchExtent extent = timing::search_extent(*item.events, item.grid);
    double n = options.monte_carlo ? 1.0  // the simulations searched all of them
                                   : timing::effective_statistics(timing::event_statistics(options),
                                                                  options.log10_fap, extent);
    if (options.ef_bins > 0) n += 1.0;
    if (item.drift.half > 0)
        n += timing::effective_statistics(z2_statistics(options), options.log10_fap, extent);
    return n;
}

void add_joint_task(JointWork& joint, const timing::SearchOptions& options, CompositeWork& composite) {
    engine::CompositeTask task;
    task.grid = joint.grid;
    task.statistics = z2_statistics(options);
    double span = 0.0;
    for (const EventList* list : joint.lists) span = std::max(span, timing::time_span(*list));
    for (const refine::JointGroup& group : joint.groups)
        task.members.push_back(
            {group.time, group.weight, group.gti_start, group.gti_stop, group.gti_rate, group.confirmable});
    composite.add(std::move(task), span, options, joint.starts);
}

}  // namespace

BatchProcessor::BatchProcessor(const RunConfiguration& configuration, engine::Engines& engines,
                               const ThreadPool& pool, Timeline& timeline, std::set<std::string> quarantined)
    : configuration_(configuration),
      engines_(engines),
      pool_(pool),
      timeline_(timeline),
      quarantined_(std::move(quarantined)),
      grids_(configuration.spectra) {}

std::vector<SourceResult> BatchProcessor::process(std::int64_t number, Batch batch) {
    std::vector<SourceResult> results(batch.size());
    for (std::size_t i = 0; i < batch.size(); ++i) {
        results[i].source = batch[i].source;
        results[i].n_exposures =
            static_cast<std::int32_t>(batch[i].events.size() + batch[i].light_curves.size());
        results[i].n_spectra = static_cast<std::int32_t>(batch[i].spectra.size());
    }
    if (configuration_.search_periods) search(number, batch, results);
    if (configuration_.variability.enabled) assess(number, batch, results);
    if (configuration_.fit_spectra) fit(number, batch, results);
    for (std::size_t i = 0; i < batch.size(); ++i) conclude(batch[i], results[i]);
    return results;
}

void BatchProcessor::search(std::int64_t number, Batch batch, std::vector<SourceResult>& results) {
    const timing::SearchOptions& options = configuration_.search;
    const double step_seconds = configuration_.step_seconds;
    std::vector<ExposureWork> work;
    for (std::size_t i = 0; i < batch.size(); ++i) {
        for (const EventList& events : batch[i].events)
            work.emplace_back().events = &events, work.back().source = i;
        for (const LightCurve& curve : batch[i].light_curves)
            work.emplace_back().curve = &curve, work.back().source = i;
    }

    std::optional<Timeline::Stage> stage(std::in_place, timeline_, "search", number);
    std::vector<engine::EventTask> event_tasks;
    std::vector<engine::LightCurveTask> curve_tasks;
    std::vector<ExposureWork*> searched_events, searched_curves;
    for (ExposureWork& item : work) {
        guarded(batch[item.source].source.id, item.exposure().file, "search", item.quarantine, step_seconds,
                [&] {
                    if (item.events != nullptr) {
                        require_enough_events(*item.events, options);
                        item.grid = timing::make_grid(*item.events, options);
                        event_tasks.push_back(engine::make_task(*item.events, item.grid, options));
                        searched_events.push_back(&item);
                    } else {
                        item.bins = timing::usable_bins(*item.curve);
                        item.grid = timing::make_grid(*item.curve, options);
                        curve_tasks.push_back(
                            engine::make_task(item.bins, item.curve->bin_width, item.grid, options));
                        searched_curves.push_back(&item);
                    }
                    item.usable = true;
                });
    }
    auto take = [](std::vector<ExposureWork*>& items, std::vector<engine::SearchOutcome> outcomes) {
        for (std::size_t i = 0; i < items.size(); ++i) items[i]->outcome = std::move(outcomes[i]);
    };
    std::unique_lock engine(search_engine_);
    take(searched_events, engines_.search->search(std::span<const engine::EventTask>(event_tasks)));
    take(searched_curves, engines_.search->search(std::span<const engine::LightCurveTask>(curve_tasks)));
    engine.unlock();
    CompositeWork composite;
    for (ExposureWork& item : work)
        if (item.usable && item.events != nullptr)
            guarded(batch[item.source].source.id, item.exposure().file, "search", item.quarantine,
                    step_seconds, [&] { add_composite_tasks(item, options, composite); });
    std::vector<JointWork> joint;
    if (options.joint) joint = joint_work(work, options);
    for (JointWork& j : joint) add_joint_task(j, options, composite);
    engine.lock();
    composite.search(*engines_.search);
    engine.unlock();
    stage.emplace(timeline_, "polish", number);
    BatchPolish polish(work.size());
    const auto polish_each = [&](const std::function<void(std::size_t, ExposureWork&)>& body) {
        pool_.for_each(work.size(), [&](std::size_t k) {
            ExposureWork& item = work[k];
            if (item.usable)
                guarded(batch[item.source].source.id, item.exposure().file, "search", item.quarantine,
                        step_seconds, [&] { body(k, item); });
        });
    };
    const auto take_rows = [&](ExposureWork& item, std::vector<PeriodCandidate> rows) {
        item.candidates = std::move(rows);
        if (!item.starts.empty())
            item.candidates = refine::add_composite_rows(*item.events, item.grid, item.drift, item.starts,
                                                         std::move(item.candidates), options);
        item.limits = item.events != nullptr
                          ? refine::pulsed_fraction_limits(*item.events, item.grid, item.outcome.statistics,
                                                           item.candidates, options)
                          : refine::pulsed_fraction_limits(*item.curve, item.grid, item.outcome.statistics,
                                                           item.candidates, options);
    };
    polish_each([&](std::size_t k, ExposureWork& item) {
        if (item.events == nullptr)
            return take_rows(
                item, refine::polish_light_curve(*item.curve, item.grid, item.outcome.statistics, options));
        auto rows = polish.begin(k, {*item.events, item.grid, item.outcome.statistics, options});
        if (rows) take_rows(item, std::move(*rows));
    });
    stage.emplace(timeline_, "noise", number);
    engine.lock();
    polish.make_sums(*engines_.search);
    engine.unlock();
    stage.emplace(timeline_, "polish", number);
    polish_each([&](std::size_t k, ExposureWork& item) {
        if (polish.waits(k)) take_rows(item, polish.finish(k));
    });
    if (options.monte_carlo)
        for (ExposureWork& item : work)
            if (item.usable && item.events != nullptr)
                guarded(batch[item.source].source.id, item.exposure().file, "search", item.quarantine,
                        step_seconds, [&] {
                            const std::uint64_t seed =
                                refine::simulation_seed(batch[item.source].source.id, item.exposure());
                            refine::apply_simulated(refine::SimulatedTail(simulated_alarms(
                                                        *item.events, item.grid, options, seed,
                                                        *engines_.search, search_engine_, pool_)),
                                                    item.candidates);
                        });
    pool_.for_each(joint.size(), [&](std::size_t k) {
        JointWork& j = joint[k];
        std::vector<PeriodCandidate> single;
        for (const ExposureWork& item : work)
            if (item.source == j.source)
                single.insert(single.end(), item.candidates.begin(), item.candidates.end());
        j.candidates = refine::joint_rows(j.lists, j.groups, j.grid, j.starts, single, options);
    });
    for (ExposureWork& item : work) {
        SourceResult& result = results[item.source];
        if (item.usable)
            result.n_searches =
                searches_of(item, options) + (result.n_searches > 0.0 ? result.n_searches : 0.0);
        for (PeriodCandidate& candidate : item.candidates) result.candidates.push_back(std::move(candidate));
        for (PulsedFractionLimit& limit : item.limits) result.limits.push_back(std::move(limit));
        for (QuarantineRow& row : item.quarantine) result.quarantine.push_back(std::move(row));
    }
    for (JointWork& j : joint) {
        std::vector<PeriodCandidate>& rows = results[j.source].candidates;
        refine::flag_one_instrument(j.lists, rows, options);
        for (PeriodCandidate& candidate : j.candidates) rows.push_back(std::move(candidate));
        // Related to those of the exposures: counted as if it were not, which errs on the safe side.
        results[j.source].n_searches += timing::effective_statistics(
            z2_statistics(options), options.log10_fap,
            refine::joint_extent(j.lists, j.grid, static_cast<int>(j.groups.size())));
    }
}

void BatchProcessor::assess(std::int64_t number, Batch batch, std::vector<SourceResult>& results) {
    const Timeline::Stage assessing(timeline_, "variability", number);
    const double step_seconds = configuration_.step_seconds;
    pool_.for_each(batch.size(), [&](std::size_t i) {
        SourceResult& result = results[i];
        const auto add = [&](const auto& exposure) {
            guarded(batch[i].source.id, exposure.exposure.file, "variability", result.quarantine,
                    step_seconds, [&] {
                        result.variability.push_back(
                            characterise::assess(exposure, configuration_.variability, result.flares));
                    });
        };
        for (const EventList& events : batch[i].events) add(events);
        for (const LightCurve& curve : batch[i].light_curves) add(curve);
        result.st_log10_p = characterise::combined_log10_p(result.variability);
    });
}

void BatchProcessor::fit(std::int64_t number, Batch batch, std::vector<SourceResult>& results) {
    fit_batch(number, batch, configuration_.spectra, configuration_.step_seconds, grids_, *engines_.grid,
              grid_engine_, pool_, timeline_, results);
}

void BatchProcessor::conclude(const SourceData& data, SourceResult& result) const {
    refine::conclude_period(result, configuration_.search);
    if (result.best_period >= 0) {
        const PeriodCandidate& offered = result.candidates[static_cast<std::size_t>(result.best_period)];
        for (const EventList& events : data.events)
            if (events.exposure.file == offered.exposure && offered.method != "GLS" &&
                result.profiles.empty())
                result.profiles.push_back(timing::fold(events, offered.frequency));
    }
    constexpr std::uint32_t unconstrained =
        fit_nh_unconstrained | fit_parameter_unconstrained | fit_norm_unconstrained | fit_flux_unconstrained;
    if (result.best_fit >= 0 &&
        (result.fits[static_cast<std::size_t>(result.best_fit)].flags & unconstrained))
        result.flags |= source_fit_unconstrained;
    for (const Spectrum& spectrum : data.spectra)
        if (spectrum.flags & spectrum_response_substituted) result.flags |= source_response_substituted;

    const bool quarantined = !result.quarantine.empty() || quarantined_.contains(data.source.id);
    if (quarantined) result.flags |= source_inputs_quarantined;
    const bool usable = result.n_exposures + result.n_spectra > 0;
    result.status = !usable ? "no_data" : quarantined ? "partial" : "ok";
}

}  // namespace xsift::pipeline
