#pragma once
/// @file
/// Several sets of engines, one a device, that share the tasks of a batch.

#include <functional>
#include <vector>

#include <xsift/engine/factory.hpp>

namespace xsift::engine {

/// The engines of one device.
struct EngineShare {
    Engines engines;
    std::function<void()> enter;  ///< called on the thread that is about to use them; may be empty
    /// What that thread keeps to while it does, of what it may use: those next to the device. None: all.
    std::vector<int> processors = {};
};

/// Engines that give each set a run of consecutive tasks of about equal cost and let all work at once, each
/// on a thread of its own. Outcomes are those of one set alone, in the order of the tasks.
/// @param shares at least one; `backend` is that of the first
Engines spread_over(std::vector<EngineShare> shares);

/// Ends of `parts` runs of consecutive tasks whose costs are as equal as whole tasks allow; the last end is
/// the number of tasks, runs may be empty.
std::vector<std::size_t> equal_runs(const std::vector<double>& costs, std::size_t parts);

}  // namespace xsift::engine
