#pragma once
/// @file
/// The grid likelihood on a CUDA device.

#include <memory>

#include <xsift/engine/grid_likelihood.hpp>

namespace xsift::cuda {

/// The engine on the current device.
std::unique_ptr<engine::GridLikelihood> make_grid_engine();

}  // namespace xsift::cuda
