#pragma once
/// @file
/// The CUDA period search.

#include <memory>

#include <xsift/engine/device_plan.hpp>
#include <xsift/engine/period_search.hpp>

namespace xsift::cuda {

/// The period search on the current device: direct sums with exact phases, statistics and peaks on the
/// device.
/// @param warpgroups as DeviceOptions::warpgroups
std::unique_ptr<engine::PeriodSearch> make_search_engine(const engine::DeviceBudget& budget,
                                                         const engine::DeviceCosts& costs, bool warpgroups);

}  // namespace xsift::cuda
