#pragma once
/// @file
/// Event lists whose simulated false alarms are known: each draw polished whole, on the host.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include <xsift/core/random.hpp>
#include <xsift/engine/drawn_search.hpp>
#include <xsift/engine/factory.hpp>
#include <xsift/refine/monte_carlo.hpp>
#include <xsift/refine/periods.hpp>

namespace xsift::test {

/// A list in two intervals. @param slope how much fewer photons there are at the end; 0: constant
inline EventList list_in_gaps(std::size_t n, double slope, bool weighted, std::uint64_t seed) {
    EventList list;
    list.exposure.frame_time = 10.0;
    list.gti = {{100.0, 9000.0}, {6100.0, 20'100.0}};
    RandomStream random(seed, n);
    while (list.time.size() < n) {
        const double t = 100.0 + 20'000.0 * random.uniform();
        if ((t > 6100.0 && t < 9000.0) || random.uniform() < slope * (t - 100.0) / 20'000.0) continue;
        list.time.push_back(t);
        if (weighted) list.weight.push_back(static_cast<float>(0.2 + random.uniform()));
    }
    std::sort(list.time.begin(), list.time.end());
    return list;
}

/// Searches of the draws of a list, and what a draw amounts to.
struct DrawnSources {
    EventList list;
    timing::SearchOptions options;
    timing::FrequencyGrid grid;
    timing::ConstantSource source;
    engine::DrawTask task;

    DrawnSources(EventList events, const timing::SearchOptions& given, std::uint64_t seed)
        : list(std::move(events)),
          options(given),
          grid(timing::make_grid(list, options)),
          source(list),
          task(engine::make_task(list, source, grid, options, seed)) {}
    DrawnSources(const DrawnSources&) = delete;
    DrawnSources& operator=(const DrawnSources&) = delete;

    EventList draw(std::uint64_t index) const {
        return refine::simulated_constant(list, source, task.seed, index);
    }
    double f_frame() const {
        return list.exposure.frame_time > 0.0 ? 1.0 / list.exposure.frame_time : not_measured;
    }
    /// The search of a draw as of any list.
    engine::SearchOutcome found_in(const EventList& drawn, engine::PeriodSearch& search) const {
        const engine::EventTask own = engine::make_task(drawn, grid, options);
        return search.search(std::span(&own, 1)).at(0);
    }
    /// From the peaks of a draw, polished.
    double polished(std::uint64_t index, const engine::SearchOutcome& found) const {
        return refine::smallest_log10_fap(
            refine::polish_events(draw(index), grid, found.statistics, options));
    }
    /// The same for any outcome.
    double alarm(std::uint64_t index, const engine::DrawOutcome& outcome) const {
        return outcome.maximised ? refine::smallest_log10_fap(outcome.maxima, f_frame(), task.span, options)
                                 : polished(index, outcome.peaks);
    }
    /// From found_in().
    double truth(std::uint64_t index, engine::PeriodSearch& search) const {
        return polished(index, found_in(draw(index), search));
    }
};

}  // namespace xsift::test
