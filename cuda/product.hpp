#pragma once
// The photon search by tiles: on tensor cores, of long lists by transforms. Plain C++.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <xsift/engine/device_plan.hpp>
#include <xsift/engine/period_search.hpp>

namespace xsift::cuda {

/// A draw of a task.
struct DrawOf {
    const engine::DrawTask* task = nullptr;
    std::uint64_t index = 0;
};

class ProductSearch {
  public:
    /// @param group_bytes device memory that one group of tasks in flight may use
    /// @param costs decide which tasks get the transform
    /// @param warpgroups products by groups of four warps, where the device has their instruction
    ProductSearch(std::int64_t group_bytes, const engine::DeviceCosts& costs, bool warpgroups);
    ~ProductSearch();
    ProductSearch(const ProductSearch&) = delete;
    ProductSearch& operator=(const ProductSearch&) = delete;

    /// One outcome a task; none for those that need another way: peaks further apart than a tile holds, no
    /// photons, too much for the memory of a group, a device without tensor cores.
    std::vector<std::optional<engine::SearchOutcome>> search(std::span<const engine::EventTask> tasks);

    /// The same for light curves; none also for those with several terms.
    std::vector<std::optional<engine::SearchOutcome>> search(std::span<const engine::LightCurveTask> curves);

    /// The same for one event list with drifting frequencies; none also for what is folded or added up.
    std::vector<std::optional<engine::CompositeOutcome>> search(
        std::span<const engine::CompositeTask> composites);

    /// The same for simulated sources: one list of outcomes a task; none also without good time intervals.
    std::vector<std::optional<std::vector<engine::DrawOutcome>>> search(
        std::span<const engine::DrawTask> tasks);

  private:
    struct Implementation;
    /// What tasks of a call have beside their photons: one each, or none at all.
    struct Extras {
        std::span<const std::span<const float>> weighted_values{};  ///< of light curves; none: photons
        std::span<const timing::DriftTrial> drifts{};               ///< none: constant frequencies
        /// Photons are these draws, in place of the tasks' own; none: they are not.
        std::span<const DrawOf> draws{};
        std::vector<std::optional<engine::DrawOutcome>>* drawn = nullptr;  ///< where the draws' outcomes go
    };
    std::vector<std::optional<engine::SearchOutcome>> search(std::span<const engine::EventTask> tasks,
                                                             const Extras& extras);
    bool has_transform();

    std::int64_t group_bytes_;
    engine::DeviceCosts costs_;
    bool warpgroups_;
    std::vector<std::unique_ptr<Implementation>> workers_;  ///< each with a stream
};

}  // namespace xsift::cuda
