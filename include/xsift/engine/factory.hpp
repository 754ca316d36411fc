#pragma once
/// @file
/// Making engines by backend name.

#include <memory>
#include <string>

#include <xsift/core/parallel.hpp>
#include <xsift/engine/grid_likelihood.hpp>
#include <xsift/engine/period_search.hpp>
#include <xsift/engine/search_costs.hpp>

namespace xsift::engine {

/// The two engines of one backend.
struct Engines {
    std::string backend;      ///< "cpu" or "cuda"
    std::string description;  ///< e.g. "cpu (2 threads)", "cuda (NVIDIA H200)"
    std::unique_ptr<PeriodSearch> search;
    std::unique_ptr<GridLikelihood> grid;
};

/// The CPU engines on a pool (which must outlive them). The costs decide how photons are searched, not what
/// is found.
Engines make_cpu_engines(const ThreadPool& pool, const SearchCosts& costs = {});

}  // namespace xsift::engine
