#pragma once
// Posteriors on the CPU.

#include <span>
#include <vector>

#include <xsift/core/parallel.hpp>
#include <xsift/engine/grid_likelihood.hpp>

namespace xsift::engine {

std::vector<PosteriorOutcome> integrate_on(const ThreadPool& pool, std::span<const PosteriorTask> tasks);

}  // namespace xsift::engine
