#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>
#include <utility>

#include <xsift/engine/drawn_search.hpp>
#include <xsift/engine/search_tasks.hpp>

namespace xsift::engine {
namespace {

/// Draws made on the host that are searched at once.
constexpr std::int64_t draws_at_once = 64;
/// A single trial as improbable as this may be the read-out of the frames, whose frequency the photons then
/// tell better than the header.
constexpr double log10_frame_significance = -10.0;

double highest_value(const std::vector<timing::Peak>& peaks) {
    double highest = 0.0;
    for (const timing::Peak& peak : peaks) highest = std::max(highest, peak.value);
    return highest;
}

}  // namespace

EventTask draw_search(const DrawTask& task, const timing::DrawnPhotons& photons) {
    EventTask own = task.search;
    own.time = photons.time;
    own.weight = photons.weight;
    // Without good time intervals the photons tell how long they were waited for.
    if (own.gti_start.empty() && !own.time.empty())
        own.min_separation = peak_separation(own.time.back() - own.time.front());
    return own;
}

std::vector<DrawOutcome> search_draws_of_host(
    const DrawTask& task, const std::function<std::vector<SearchOutcome>(std::span<const EventTask>)>& search,
    const ThreadPool* pool) {
    std::vector<DrawOutcome> outcomes;
    for (std::int64_t from = 0; from < task.count; from += draws_at_once) {
        const auto n = static_cast<std::size_t>(std::min(draws_at_once, task.count - from));
        std::vector<timing::DrawnPhotons> photons(n);
        const auto draw = [&](std::size_t i) {
            photons[i] = timing::draw_photons(task.rate, task.search.time.size(), task.search.weight,
                                              task.seed, task.first + static_cast<std::uint64_t>(from) + i);
        };
        if (pool != nullptr)
            pool->for_each(n, draw);
        else
            for (std::size_t i = 0; i < n; ++i) draw(i);
        std::vector<EventTask> tasks;
        for (const timing::DrawnPhotons& of_draw : photons) tasks.push_back(draw_search(task, of_draw));
        for (SearchOutcome& found : search(tasks)) outcomes.push_back({false, {}, std::move(found)});
    }
    return outcomes;
}

std::vector<DrawTask> cut_draws(std::span<const DrawTask> tasks, std::size_t parts) {
    std::vector<DrawTask> cut;
    for (const DrawTask& task : tasks)
        for (std::size_t part = 0; part < parts; ++part) {
            const auto n = static_cast<std::int64_t>(parts), i = static_cast<std::int64_t>(part);
            const std::int64_t begin = task.count * i / n, end = task.count * (i + 1) / n;
            DrawTask& own = cut.emplace_back(task);
            own.first += static_cast<std::uint64_t>(begin);
            own.count = end - begin;
        }
    return cut;
}

timing::Statistic DrawJudge::usable(std::int32_t statistic, double frequency) const {
    timing::Statistic s = task_.search.statistics[static_cast<std::size_t>(statistic)];
    s.harmonics = timing::usable_harmonics(frequency, s.harmonics, task_.search.harmonic_fmax);
    return s;
}

std::optional<std::vector<DrawJudge::Wanted>> DrawJudge::wanted(const SearchOutcome& found) const {
    const timing::FrequencyGrid& grid = task_.search.grid;
    // Peaks of one statistic and as many usable harmonics are as significant as they are high: of each such
    // run only the next has to be judged.
    struct Run {
        timing::Statistic statistic;
        std::vector<timing::Peak> peaks;
        std::vector<timing::Peak> highest_of_bands;
        double log10_fap = 0.0;  ///< of the next peak
        std::size_t next = 0;
    };
    std::map<std::pair<std::int32_t, int>, Run> runs;
    const auto run_of = [&](std::int32_t statistic, const timing::Peak& peak) -> Run& {
        const timing::Statistic s = usable(statistic, grid.frequency(peak.index));
        Run& run = runs[{statistic, s.harmonics}];
        run.statistic = s;
        return run;
    };
    for (std::size_t s = 0; s < found.statistics.size(); ++s) {
        const auto statistic = static_cast<std::int32_t>(s);
        for (const timing::Peak& peak : found.statistics[s].peaks)
            run_of(statistic, peak).peaks.push_back(peak);
        for (const auto& band : found.statistics[s].band_maxima)
            if (!band.empty()) run_of(statistic, band.front()).highest_of_bands.push_back(band.front());
    }
    const auto fap = [&](const Run& run, double value) {
        return timing::log10_found_by_chance(run.statistic, value, task_.extent);
    };
    const auto judge_next = [&](Run& run) {
        if (run.next < run.peaks.size()) run.log10_fap = fap(run, run.peaks[run.next].value);
    };
    for (auto& [key, run] : runs) judge_next(run);
    std::vector<Wanted> chosen;
    const auto known = [&](std::int64_t trial) {
        return std::any_of(chosen.begin(), chosen.end(), [&](const Wanted& w) {
            return std::fabs(grid.frequency(w.trial) - grid.frequency(trial)) < 1.0 / task_.span;
        });
    };
    for (;;) {
        const auto place = [](const auto& entry) {
            const auto& [key, run] = entry;
            const timing::Peak& peak = run.peaks[run.next];
            return std::tuple(run.log10_fap, key.first, -peak.value, peak.index);
        };
        auto best = runs.end();
        for (auto run = runs.begin(); run != runs.end(); ++run)
            if (run->second.next < run->second.peaks.size() &&
                (best == runs.end() || place(*run) < place(*best)))
                best = run;
        if (best == runs.end()) break;
        Run& run = best->second;
        const std::int64_t trial = run.peaks[run.next++].index;
        const bool significant = run.log10_fap <= task_.log10_fap,
                   full = std::ssize(chosen) >= task_.max_maxima;
        if (full && !significant) break;
        judge_next(run);
        if (significant && !(grid.frequency(trial) * task_.span < task_.min_cycles)) return std::nullopt;
        if (known(trial)) continue;
        if (full) return std::nullopt;
        chosen.push_back({best->first.first, trial});
    }
    // The highest of a band is polished too where it is significant, and mostly one of these.
    for (const auto& [key, run] : runs) {
        const double highest = highest_value(run.highest_of_bands);
        if (!(highest > 0.0) || fap(run, highest + timing::screening_tolerance(highest)) > task_.log10_fap)
            continue;
        for (const timing::Peak& peak : run.highest_of_bands)
            if (!known(peak.index) &&
                fap(run, peak.value + timing::screening_tolerance(peak.value)) <= task_.log10_fap)
                return std::nullopt;
    }
    return chosen;
}

std::optional<std::vector<timing::FoundMaximum>> DrawJudge::judged(std::span<const Climbed> climbed) const {
    std::vector<timing::FoundMaximum> all;
    for (const Climbed& c : climbed) {
        const timing::Statistic statistic = usable(c.statistic, c.frequency);
        const double log10_p = timing::log10_single(statistic, c.evidence, task_.extent),
                     fap = timing::log10_found_by_chance(statistic, c.evidence, task_.extent);
        const bool significant = fap <= task_.log10_fap;
        if (significant ? c.may_be_faster : log10_p < log10_frame_significance) return std::nullopt;
        all.push_back({c.statistic, c.harmonics, c.frequency, c.value, log10_p, fap});
    }
    std::stable_sort(all.begin(), all.end(),
                     [](const timing::FoundMaximum& a, const timing::FoundMaximum& b) {
                         return a.log10_fap != b.log10_fap ? a.log10_fap < b.log10_fap : a.value > b.value;
                     });
    std::vector<timing::FoundMaximum> distinct;
    for (const timing::FoundMaximum& m : all)
        if (std::none_of(distinct.begin(), distinct.end(), [&](const timing::FoundMaximum& o) {
                return std::fabs(o.frequency - m.frequency) < 0.5 / task_.span;
            }))
            distinct.push_back(m);
    if (!timing::only_frequencies_veto(distinct, task_.log10_fap, task_.min_cycles, task_.span,
                                       task_.search.harmonic_fmax))
        return std::nullopt;
    return distinct;
}

}  // namespace xsift::engine
