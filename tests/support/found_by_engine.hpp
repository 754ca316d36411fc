#pragma once
/// @file
/// What an engine finds on the lattice of a fit's simulations.

#include <vector>

#include <xsift/engine/grid_likelihood.hpp>
#include <xsift/refine/simulations.hpp>

namespace xsift::test {

/// Empty without a lattice.
inline std::vector<spectral::LatticeMinimum> found_by_engine(const refine::Simulations& simulations,
                                                             engine::GridLikelihood& engine) {
    const auto task = simulations.task();
    if (!task) return {};
    return engine.evaluate(std::span(&*task, 1)).at(0).fits;
}

}  // namespace xsift::test
