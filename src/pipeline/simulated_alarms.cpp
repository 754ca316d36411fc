#include "simulated_alarms.hpp"

#include "noise_sums.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include <xsift/timing/constant_source.hpp>

namespace xsift::pipeline {
namespace {

/// Simulated sources that an engine gets at once, and those that are polished at once.
constexpr std::uint64_t draws_at_once = 1024, polished_at_once = 64;
/// Trials below the fewest cycles that are searched all the same, in 1/T: a peak is one among its neighbours.
constexpr double cycles_below = 2.0;

/// Polishes what an engine has not: the photons of a draw are made again, since none is kept.
class DrawPolish {
  public:
    DrawPolish(const EventList& events, const timing::ConstantSource& source,
               const timing::FrequencyGrid& grid, const timing::SearchOptions& options, std::uint64_t seed)
        : events_(events), source_(source), grid_(grid), options_(options), seed_(seed) {}

    /// @param draws their numbers; smallest and peaks are those of all draws
    void run(std::span<const std::uint64_t> draws, std::uint64_t first_outcome,
             const std::vector<engine::DrawOutcome>& outcomes, engine::PeriodSearch& search,
             std::mutex& engine, const ThreadPool& pool, std::vector<double>& smallest) const {
        std::vector<EventList> lists(draws.size());
        BatchPolish polish(draws.size());
        pool.for_each(draws.size(), [&](std::size_t i) {
            lists[i] = refine::simulated_constant(events_, source_, seed_, draws[i]);
            const engine::SearchOutcome& found = outcomes[draws[i] - first_outcome].peaks;
            refine::EventPolish own(lists[i], grid_, found.statistics, options_);
            if (const auto known = own.smallest_log10_fap())
                smallest[draws[i]] = *known;
            else if (const auto rows = polish.begin(i, std::move(own)))
                smallest[draws[i]] = refine::smallest_log10_fap(*rows);
        });
        {
            const std::scoped_lock lock(engine);
            polish.make_sums(search);
        }
        pool.for_each(draws.size(), [&](std::size_t i) {
            if (polish.waits(i)) smallest[draws[i]] = refine::smallest_log10_fap(polish.finish(i));
        });
    }

  private:
    const EventList& events_;
    const timing::ConstantSource& source_;
    const timing::FrequencyGrid& grid_;
    const timing::SearchOptions& options_;
    std::uint64_t seed_;
};

}  // namespace

std::vector<double> simulated_alarms(const EventList& events, const timing::FrequencyGrid& grid,
                                     const timing::SearchOptions& given, std::uint64_t seed,
                                     engine::PeriodSearch& search, std::mutex& engine,
                                     const ThreadPool& pool) {
    timing::SearchOptions options = given;
    // Where the rate changes, the strongest have few cycles: they are vetoed, and others must be left.
    options.max_candidates = std::min(options.max_candidates, 3) + 3;
    timing::FrequencyGrid searched = grid;
    const double span = timing::time_span(events), lowest = (options.min_cycles - cycles_below) / span;
    const auto skipped = static_cast<std::int64_t>(lowest / grid.df) - grid.first;
    if (skipped > 0 && skipped < grid.count) {
        searched.first += skipped;
        searched.count -= skipped;
    }
    const timing::ConstantSource source(events);
    const DrawPolish polish(events, source, searched, options, seed);
    engine::DrawTask task = engine::make_task(events, source, searched, options, seed);
    const double f_frame = events.exposure.frame_time > 0.0 ? 1.0 / events.exposure.frame_time : not_measured;
    const auto draws = static_cast<std::uint64_t>(options.draws);
    std::vector<double> smallest(draws);
    for (std::uint64_t first = 0; first < draws; first += draws_at_once) {
        task.first = first;
        task.count = static_cast<std::int64_t>(std::min(draws_at_once, draws - first));
        const auto outcomes = [&] {
            const std::scoped_lock lock(engine);
            return search.search(std::span<const engine::DrawTask>(&task, 1)).at(0);
        }();
        std::vector<std::uint64_t> open;
        for (std::size_t i = 0; i < outcomes.size(); ++i)
            if (outcomes[i].maximised)
                smallest[first + i] = refine::smallest_log10_fap(outcomes[i].maxima, f_frame, span, options);
            else
                open.push_back(first + i);
        for (std::size_t from = 0; from < open.size(); from += polished_at_once)
            polish.run(std::span(open).subspan(from, std::min(polished_at_once, open.size() - from)), first,
                       outcomes, search, engine, pool, smallest);
    }
    return smallest;
}

}  // namespace xsift::pipeline
