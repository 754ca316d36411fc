#pragma once
/// @file
/// What blocks of posteriors do: threads take nodes, then a block adds up the nodes of a task. Compiled for a
/// block of threads of a device, and in tests for one of the host.

#include "items.cuh"

#include <cstdint>

#include <xsift/spectral/posterior_integral.hpp>

namespace xsift::cuda {

inline constexpr int node_threads = 64;  ///< of a block, and nodes of an item
inline constexpr int integral_threads = 128;

/// A task in device memory.
struct PosteriorJob {
    spectral::PosteriorData data;
    const spectral::PosteriorFluxData* fluxes;  ///< data.n_fluxes
    spectral::PosteriorNode* nodes;
    double* log_unit;  ///< data.n_fluxes x nodes
    double* weights;   ///< a node
    spectral::PosteriorIntegral* integral;
    spectral::DensitySummary* flux_summaries;  ///< data.n_fluxes
};

/// node_threads nodes of a job, from `first` on.
struct PosteriorItem {
    std::int32_t job, first;
};

/// Blocks take items until none is left.
/// @param ticket shared by the block; next of all blocks
/// @param own room of the block for rates: node_threads x bins of the largest job
__device__ inline void evaluate_nodes(unsigned& ticket, int thread, const PosteriorJob* jobs,
                                      const PosteriorItem* items, unsigned n_items, unsigned* next,
                                      double* own) {
    take_items(ticket, thread, items, n_items, next, [&](const PosteriorItem& item) {
        const PosteriorJob& job = jobs[item.job];
        const int node = item.first + thread;
        if (node >= job.data.nodes()) return;
        job.nodes[node] = spectral::posterior_node(job.data, node, own + thread, node_threads);
        for (int b = 0; b < job.data.n_fluxes; ++b)
            job.log_unit[b * job.data.nodes() + node] =
                spectral::log_unit_flux(job.data, job.fluxes[b], node);
    });
}

/// The threads of a block of a device.
struct DeviceBlock {
    int thread, threads;
    __device__ void synchronize() const { __syncthreads(); }
};

__device__ inline void integrate_job(spectral::PosteriorRoom& room, int thread, int threads,
                                     const PosteriorJob& job) {
    spectral::integrate_posterior(job.data, job.nodes, job.log_unit, job.weights, room,
                                  DeviceBlock{thread, threads}, *job.integral, job.flux_summaries);
}

}  // namespace xsift::cuda
