#pragma once
/// @file
/// What the evaluators of the photon search cost on this machine: measured, written to a file, read by a run.

#include <string>

#include <xsift/engine/search_costs.hpp>

namespace xsift::pipeline {

/// Measures the evaluators of the CPU on one thread. `scale` is that of the grids, for quick looks.
engine::SearchCosts measure_search_costs(int repeats, double scale);

/// The costs with machine and version as JSON.
std::string search_costs_json(const engine::SearchCosts& costs);
/// Reads such a file. @throws Error (usage, "BAD_SETTING") when it is no such file or a cost is not above 0.
engine::SearchCosts read_search_costs(const std::string& path);

}  // namespace xsift::pipeline
