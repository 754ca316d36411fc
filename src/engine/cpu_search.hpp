#pragma once
#include <memory>

#include <xsift/core/parallel.hpp>
#include <xsift/engine/period_search.hpp>
#include <xsift/engine/search_costs.hpp>

namespace xsift::engine {

/// The period search on a thread pool, which must outlive it, in single precision.
std::unique_ptr<PeriodSearch> make_cpu_search(const ThreadPool& pool, const SearchCosts& costs);

}  // namespace xsift::engine
