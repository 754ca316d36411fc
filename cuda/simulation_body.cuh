#pragma once
/// @file
/// What a block of simulated fits does: each thread draws and fits one spectrum after another. Compiled for a
/// block of threads of a device, and in tests for one of the host.

#include "items.cuh"

#include <cstdint>

#include <xsift/engine/simulated_fit.hpp>

namespace xsift::cuda {

inline constexpr int simulation_threads = 64;  ///< of a block, and draws of an item

/// A task in device memory.
struct SimulationJob {
    engine::SimulationData data;
    std::int64_t n_draws;
    spectral::LatticeMinimum* fits;  ///< n_draws
};

/// simulation_threads draws of a job, from `first` on.
struct SimulationItem {
    std::int32_t job;
    std::int64_t first;
};

/// Blocks take items until none is left.
/// @param ticket shared by the block; next of all blocks
/// @param own room of the block for counts: twice simulation_threads x places of the largest job
/// @tparam spectra a job has at most so many: 1, or most_lattice_spectra
template <typename Ops, int spectra>
__device__ inline void simulate_items(unsigned& ticket, int thread, const SimulationJob* jobs,
                                      const SimulationItem* items, unsigned n_items, unsigned* next,
                                      float* own) {
    take_items(ticket, thread, items, n_items, next, [&](const SimulationItem& item) {
        const SimulationJob& job = jobs[item.job];
        const std::int64_t draw = item.first + thread;
        if (draw < job.n_draws)
            job.fits[draw] = engine::simulated_fit<Ops, spectra>(
                job.data, draw, own + thread, own + simulation_threads * job.data.n_places + thread,
                simulation_threads);
    });
}

}  // namespace xsift::cuda
