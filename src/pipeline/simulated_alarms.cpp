#include "simulated_alarms.hpp"

#include "noise_sums.hpp"

#include <algorithm>
#include <span>

namespace xsift::pipeline {
namespace {

/// Simulated sources searched at once.
constexpr std::uint64_t draws_at_once = 64;
/// Trials below the fewest cycles that are searched all the same, in 1/T: a peak is one among its neighbours.
constexpr double cycles_below = 2.0;

}  // namespace

std::vector<double> simulated_alarms(const EventList& events, const timing::FrequencyGrid& grid,
                                     const timing::SearchOptions& given, std::uint64_t seed,
                                     engine::PeriodSearch& search, std::mutex& engine,
                                     const ThreadPool& pool) {
    timing::SearchOptions options = given;
    // Where the rate changes, the strongest have few cycles: they are vetoed, and others must be left.
    options.max_candidates = std::min(options.max_candidates, 3) + 3;
    timing::FrequencyGrid searched = grid;
    const double lowest = (options.min_cycles - cycles_below) / timing::time_span(events);
    const auto skipped = static_cast<std::int64_t>(lowest / grid.df) - grid.first;
    if (skipped > 0 && skipped < grid.count) {
        searched.first += skipped;
        searched.count -= skipped;
    }
    const auto draws = static_cast<std::uint64_t>(options.draws);
    std::vector<double> smallest(draws);
    for (std::uint64_t first = 0; first < draws; first += draws_at_once) {
        const std::uint64_t n = std::min(draws_at_once, draws - first);
        std::vector<EventList> lists(n);
        pool.for_each(n,
                      [&](std::size_t i) { lists[i] = refine::simulated_constant(events, seed, first + i); });
        std::vector<engine::EventTask> tasks;
        for (const EventList& list : lists) tasks.push_back(engine::make_task(list, searched, options));
        const auto outcomes = [&] {
            const std::scoped_lock lock(engine);
            return search.search(std::span<const engine::EventTask>(tasks));
        }();
        BatchPolish polish(n);
        pool.for_each(n, [&](std::size_t i) {
            const auto rows = polish.begin(i, {lists[i], searched, outcomes[i].statistics, options});
            if (rows) smallest[first + i] = refine::smallest_log10_fap(*rows);
        });
        {
            const std::scoped_lock lock(engine);
            polish.make_sums(search);
        }
        pool.for_each(n, [&](std::size_t i) {
            if (polish.waits(i)) smallest[first + i] = refine::smallest_log10_fap(polish.finish(i));
        });
    }
    return smallest;
}

}  // namespace xsift::pipeline
