#pragma once
/// @file
/// What the evaluators of the photon search cost on this machine: measured, written to a file, read by a run.

#include <optional>
#include <string>

#include <xsift/engine/device_plan.hpp>
#include <xsift/engine/period_search.hpp>
#include <xsift/engine/search_costs.hpp>

namespace xsift::pipeline {

/// Of the CPU and, where there is one, of a device.
struct MeasuredCosts {
    engine::SearchCosts cpu;
    std::optional<engine::DeviceCosts> device;
};

/// Measures the evaluators of the CPU on one thread. `scale` is that of the grids, for quick looks.
engine::SearchCosts measure_search_costs(int repeats, double scale);

/// What a tile costs, from searches by engines that do all by the product and by the transform.
engine::DeviceCosts measure_device_costs(engine::PeriodSearch& by_product, engine::PeriodSearch& by_transform,
                                         int repeats, double scale);
/// The same on the devices that can be used; nothing without one.
std::optional<engine::DeviceCosts> measure_device_costs(int repeats, double scale);

/// The costs with machine, device and version as JSON.
std::string search_costs_json(const MeasuredCosts& costs);
/// Reads such a file. @throws Error (usage, "BAD_SETTING") when it is no such file or a cost is not above 0.
MeasuredCosts read_search_costs(const std::string& path);

}  // namespace xsift::pipeline
