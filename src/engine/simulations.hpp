#pragma once
// Simulated fits on the CPU.

#include "nufft.hpp"

#include <span>
#include <vector>

#include <xsift/core/parallel.hpp>
#include <xsift/engine/grid_likelihood.hpp>

namespace xsift::engine {

std::vector<SimulationOutcome> simulate_on(const ThreadPool& pool, std::span<const SimulationTask> tasks,
                                           const NufftKernel& kernel = nufft_best());

}  // namespace xsift::engine
