#pragma once
/// @file
/// The grid likelihood on a CUDA device.

#include <memory>

#include <xsift/engine/device_plan.hpp>
#include <xsift/engine/grid_likelihood.hpp>

namespace xsift::cuda {

/// The engine on the current device.
std::unique_ptr<engine::GridLikelihood> make_grid_engine(const engine::DeviceBudget& budget);

}  // namespace xsift::cuda
