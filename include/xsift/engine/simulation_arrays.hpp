#pragma once
/// @file
/// What a backend makes of a simulation task before it computes.

#include <vector>

#include <xsift/engine/grid_likelihood.hpp>
#include <xsift/engine/simulated_fit.hpp>

namespace xsift::engine {

/// The expected counts of all nodes in single precision, padded as cells want them. The task must outlive it.
struct SimulationArrays {
    explicit SimulationArrays(const SimulationTask& task);

    std::vector<float> node_counts;
    SimulationData data;  ///< of these arrays and those of the task
};

}  // namespace xsift::engine
