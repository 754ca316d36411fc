#pragma once
// Composite searches on the CPU.

#include <span>
#include <vector>

#include <xsift/core/parallel.hpp>
#include <xsift/engine/composite_search.hpp>

namespace xsift::engine {

/// Z2 by the non-uniform FFT, epoch folding photon by photon.
std::vector<CompositeOutcome> search_composites(std::span<const CompositeTask> tasks, const ThreadPool& pool);

}  // namespace xsift::engine
