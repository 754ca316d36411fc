#pragma once
/// @file
/// Making engines by backend name.

#include <memory>
#include <string>

#include <xsift/core/parallel.hpp>
#include <xsift/engine/grid_likelihood.hpp>
#include <xsift/engine/period_search.hpp>

namespace xsift::engine {

/// The two engines of one backend.
struct Engines {
    std::string backend;      ///< "cpu" or "cuda"
    std::string description;  ///< e.g. "cpu (2 threads)", "cuda (NVIDIA H200)"
    std::unique_ptr<PeriodSearch> search;
    std::unique_ptr<GridLikelihood> grid;
};

/// The CPU engines on a pool (which must outlive them).
Engines make_cpu_engines(const ThreadPool& pool);

}  // namespace xsift::engine
