#pragma once
/// @file
/// Composite searches on the current device.

#include <span>
#include <vector>

#include <xsift/engine/composite_search.hpp>

namespace xsift::cuda {

std::vector<engine::CompositeOutcome> search_composites(std::span<const engine::CompositeTask> tasks);

}  // namespace xsift::cuda
