#pragma once
/// @file
/// Simulated fits on a device.

#include <memory>
#include <span>
#include <vector>

#include <xsift/engine/device_plan.hpp>
#include <xsift/engine/grid_likelihood.hpp>

namespace xsift::cuda {

/// Draws and fits on the current device. Keeps its memory from batch to batch.
class Simulations {
  public:
    explicit Simulations(const engine::DeviceBudget& budget);
    ~Simulations();
    std::vector<engine::SimulationOutcome> evaluate(std::span<const engine::SimulationTask> tasks);

  private:
    class Device;
    std::unique_ptr<Device> device_;
};

}  // namespace xsift::cuda
