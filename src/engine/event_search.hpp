#pragma once
// The photon search on the CPU: trigonometric sums by one of three evaluators, statistics over runs of
// trials.

#include "nufft.hpp"

#include <cstdint>

#include <xsift/core/parallel.hpp>
#include <xsift/engine/period_search.hpp>
#include <xsift/engine/search_costs.hpp>

namespace xsift::engine {

/// Searches one task on a pool. The outcome depends on the task, the plan and the evaluator alone.
SearchOutcome search_events(const EventTask& task, const NufftPlan& plan, Evaluator evaluator,
                            const ThreadPool& pool);

/// The cheapest evaluator for a task.
Evaluator choose_evaluator(const EventTask& task, const NufftPlan& plan, const SearchCosts& costs);

/// The last grid index for which the powers of a task should be kept, so that harmonic k of trial m is read
/// at index k m instead of being computed again; below the first trial when keeping them saves nothing.
std::int64_t last_kept_power(const EventTask& task);

}  // namespace xsift::engine
