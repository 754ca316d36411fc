// What the search by tiles is asked for, as event tasks: draws of sources, drifting frequencies, light
// curves.
#include "product.hpp"

#include <algorithm>
#include <utility>

#include <xsift/engine/search_tasks.hpp>

namespace xsift::cuda {

using engine::EventTask;

std::vector<std::optional<engine::SearchOutcome>> ProductSearch::search(
    std::span<const engine::EventTask> tasks) {
    return search(tasks, Extras{});
}

std::vector<std::optional<std::vector<engine::DrawOutcome>>> ProductSearch::search(
    std::span<const engine::DrawTask> tasks) {
    // A task a draw; the list's own photons stand for those that will be drawn.
    std::vector<EventTask> searches;
    std::vector<DrawOf> draws;
    const auto holds = [](const engine::DrawTask& task) { return !task.search.gti_start.empty(); };
    for (const engine::DrawTask& task : tasks)
        for (std::int64_t i = 0; holds(task) && i < task.count; ++i) {
            searches.push_back(task.search);
            draws.push_back({&task, task.first + static_cast<std::uint64_t>(i)});
        }
    std::vector<std::optional<engine::DrawOutcome>> drawn(searches.size());
    Extras extras;
    extras.draws = draws;
    extras.drawn = &drawn;
    search(searches, extras);
    std::vector<std::optional<std::vector<engine::DrawOutcome>>> outcomes(tasks.size());
    auto next = drawn.begin();
    for (std::size_t t = 0; t < tasks.size(); ++t) {
        if (!holds(tasks[t])) continue;
        const auto end = next + tasks[t].count;
        if (std::all_of(next, end, [](const auto& outcome) { return outcome.has_value(); })) {
            auto& all = outcomes[t].emplace();
            for (auto outcome = next; outcome != end; ++outcome) all.push_back(std::move(**outcome));
        }
        next = end;
    }
    return outcomes;
}

std::vector<std::optional<engine::CompositeOutcome>> ProductSearch::search(
    std::span<const engine::CompositeTask> composites) {
    // A task a trial of the drift, all of the same photons.
    std::vector<EventTask> tasks;
    std::vector<timing::DriftTrial> drifts;
    for (const engine::CompositeTask& composite : composites)
        for (std::int64_t d = 0; engine::drifts_alone(composite) && d < composite.drift.count(); ++d) {
            tasks.push_back(engine::event_task(composite));
            drifts.push_back(composite.drift.trial(d));
        }
    Extras extras;
    extras.drifts = drifts;
    const auto found = search(tasks, extras);
    std::vector<std::optional<engine::CompositeOutcome>> outcomes(composites.size());
    auto next = found.begin();
    for (std::size_t c = 0; c < composites.size(); ++c) {
        const engine::CompositeTask& composite = composites[c];
        if (!engine::drifts_alone(composite)) continue;
        const auto first = next;
        next += composite.drift.count();
        if (!std::all_of(first, next, [](const auto& outcome) { return outcome.has_value(); })) continue;
        auto& peaks = outcomes[c].emplace().peaks;
        for (std::size_t s = 0; s < composite.statistics.size(); ++s) {
            std::vector<engine::CompositePeak> all;
            for (std::int64_t d = 0; d < composite.drift.count(); ++d)
                for (const timing::Peak& peak : first[d]->statistics[s].peaks) all.push_back({peak, d});
            peaks.push_back(engine::merge_drift_peaks(std::move(all), composite));
        }
    }
    return outcomes;
}

std::vector<std::optional<engine::SearchOutcome>> ProductSearch::search(
    std::span<const engine::LightCurveTask> curves) {
    std::vector<std::optional<engine::SearchOutcome>> outcomes(curves.size());
    std::vector<engine::PreparedLightCurve> prepared;
    std::vector<std::size_t> number;
    for (std::size_t c = 0; c < curves.size(); ++c)
        if (curves[c].terms == std::vector<int>{1}) {
            prepared.emplace_back(curves[c]);
            number.push_back(c);
        }
    if (number.empty() || !has_transform()) return outcomes;
    std::vector<EventTask> tasks(number.size());
    std::vector<std::span<const float>> weighted_values;
    for (std::size_t i = 0; i < number.size(); ++i) {
        const engine::LightCurveTask& curve = curves[number[i]];
        tasks[i].time = curve.time;
        tasks[i].weight = prepared[i].weight;
        tasks[i].grid = curve.grid;
        tasks[i].statistics = engine::statistics_of(curve);
        tasks[i].max_peaks = curve.max_peaks;
        tasks[i].min_separation = curve.min_separation;
        tasks[i].band_edges = curve.band_edges;
        weighted_values.push_back(prepared[i].weighted_value);
    }
    Extras extras;
    extras.weighted_values = weighted_values;
    auto found = search(tasks, extras);
    for (std::size_t i = 0; i < number.size(); ++i) outcomes[number[i]] = std::move(found[i]);
    return outcomes;
}

}  // namespace xsift::cuda
