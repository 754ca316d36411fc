#pragma once
/// @file
/// Posteriors on a device.

#include <memory>
#include <span>
#include <vector>

#include <xsift/engine/device_plan.hpp>
#include <xsift/engine/grid_likelihood.hpp>

namespace xsift::cuda {

/// Integrates on the current device. Keeps its memory from batch to batch.
class Posteriors {
  public:
    explicit Posteriors(const engine::DeviceBudget& budget);
    ~Posteriors();
    std::vector<engine::PosteriorOutcome> evaluate(std::span<const engine::PosteriorTask> tasks);

  private:
    class Device;
    std::unique_ptr<Device> device_;
};

}  // namespace xsift::cuda
