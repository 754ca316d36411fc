#pragma once
// The null distribution of the maximum of a search, for one event list.

#include <cstdint>
#include <mutex>
#include <vector>

#include <xsift/core/parallel.hpp>
#include <xsift/engine/period_search.hpp>
#include <xsift/refine/monte_carlo.hpp>

namespace xsift::pipeline {

/// The smallest LOG10_FAP_WHITE of each of options.draws sources like the list that do not pulsate
/// (refine::simulated_constant), each searched and polished as the list was. They depend on the list, the
/// grid, the options and the seed alone.
/// @param engine held while the search is used
std::vector<double> simulated_alarms(const EventList& events, const timing::FrequencyGrid& grid,
                                     const timing::SearchOptions& options, std::uint64_t seed,
                                     engine::PeriodSearch& search, std::mutex& engine,
                                     const ThreadPool& pool);

}  // namespace xsift::pipeline
