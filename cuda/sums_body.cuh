#pragma once
/// @file
/// Trigonometric sums in double: a thread an index, the photons of a part one after the other. What is added
/// to what depends on nothing but the list.

#include <cstdint>

#include <xsift/engine/direct_sum.hpp>

namespace xsift::cuda {

inline constexpr int sum_threads = 128;

/// Photons of a list, and where their sums go.
struct PartOnDevice {
    const double* time;          ///< s from the origin
    const float* weight;         ///< null: all 1
    const std::uint64_t* index;  ///< multiples of df, Hz
    timing::Complex* sum;        ///< one an index
    double df;
    std::int32_t n_photons, n_indices;
};
/// sum_threads indices of a part, or what is left of them.
struct SumTile {
    std::int32_t part, first;
};
/// Photons that the threads of a block share.
struct SharedPhotons {
    timing::FixedPhase step[sum_threads];
    float weight[sum_threads];
};

__device__ inline void sum_tile(SharedPhotons& shared, int thread, const PartOnDevice* parts, SumTile tile) {
    const PartOnDevice& part = parts[tile.part];
    const std::int32_t own = tile.first + thread;
    const bool any = own < part.n_indices;
    const std::uint64_t index = any ? part.index[own] : 0;
    timing::Complex sum;
    for (std::int32_t from = 0; from < part.n_photons; from += sum_threads) {
        const std::int32_t n = part.n_photons - from < sum_threads ? part.n_photons - from : sum_threads;
        __syncthreads();  // all are done with the photons before
        if (thread < n) {
            shared.step[thread] = timing::fixed_phase(part.df, part.time[from + thread]);
            if (part.weight != nullptr) shared.weight[thread] = part.weight[from + thread];
        }
        __syncthreads();
        if (any)
            sum = sum +
                  engine::direct_sum(shared.step, part.weight != nullptr ? shared.weight : nullptr, n, index);
    }
    if (any) part.sum[own] = sum;
}

}  // namespace xsift::cuda
