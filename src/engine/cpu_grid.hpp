#pragma once
/// @file
/// The grid likelihood on the CPU.

#include <memory>

#include <xsift/core/parallel.hpp>
#include <xsift/engine/grid_likelihood.hpp>

namespace xsift::engine {

/// Single-precision matrix products, the statistic in double behind them; parallel
/// over blocks of templates. Outcomes do not depend on the number of threads. The pool must outlive the
/// engine.
std::unique_ptr<GridLikelihood> make_cpu_grid(const ThreadPool& pool);

}  // namespace xsift::engine
