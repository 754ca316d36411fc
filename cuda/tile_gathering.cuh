#pragma once
/// @file
/// What the searches by tiles share on a device: peaks, sums and bands of the statistics of a tile. Compiled
/// for a block of threads of a device, and in tests for one of the host.

#include <cstdint>

#include <xsift/engine/product_tile.hpp>

namespace xsift::cuda {

using engine::ProductTask;
using engine::TilePeak;
using engine::TileValues;

/// What the threads of a block share while they gather.
template <int threads>
struct TileGathering {
    float highest[threads];
    double sum[threads / 32];
    float least;
    unsigned ticket;
};

/// The number of the next tile for the block, n_tiles or more when none is left. @param next of all blocks
template <int threads>
__device__ unsigned take_tile(TileGathering<threads>& shared, int thread, unsigned* next) {
    if (thread == 0) shared.ticket = atomicAdd(next, 1u);
    __syncthreads();
    return shared.ticket;
}

/// The trials of a tile that may be among the highest of their bands.
template <int threads>
__device__ void collect_bands(TileGathering<threads>& shared, const TileValues& values,
                              const ProductTask& task, std::int64_t begin, int s, int thread, float highest) {
    const engine::TileBands bands(task, begin);
    if (!bands.any()) return;
    unsigned long long* const slots =
        task.band_trials + static_cast<std::int64_t>(s) * task.bands * engine::band_depth;
    const auto lowest_of = [&](int band) {
        return __ldcg(slots + (band + 1) * engine::band_depth - 1);  // past what this processor has cached
    };
    float least = 0.0f;
    if (bands.one()) {
        // What is in the band already only rises: below it nothing can enter, and soon hardly a tile has
        // more.
        least = engine::value_of_packed(lowest_of(bands.low));
        if (__syncthreads_count(highest > 0.0f && highest >= least) > engine::band_depth) {
            // The highest of as many threads as there are places are at least this high.
            shared.highest[thread] = highest;
            __syncthreads();
            int above = 0;
            for (int i = 0; i < threads; ++i)
                above += shared.highest[i] > highest || (shared.highest[i] == highest && i < thread) ? 1 : 0;
            if (above == engine::band_depth - 1) shared.least = highest;
            __syncthreads();
            least = fmaxf(least, shared.least);
        }
        if (!(highest >= least)) return;
    }
    engine::offer_bands(
        task, begin, s, bands, values, thread, threads, least, [&](int band, std::uint64_t trial) {
            if (trial > lowest_of(band))
                engine::keep_in_band(slots + band * engine::band_depth, trial,
                                     [](unsigned long long* slot, std::uint64_t t) {
                                         return static_cast<std::uint64_t>(
                                             atomicMax(slot, static_cast<unsigned long long>(t)));
                                     });
        });
}

/// Peaks, sum and the highest of the bands of statistic s.
template <int threads>
__device__ void collect(TileGathering<threads>& shared, const TileValues& values, const ProductTask& task,
                        std::int64_t begin, int s, int thread, double* sum) {
    const engine::TileShare share =
        engine::scan_values(task, begin, s, values, thread, threads, [&](const TilePeak& peak) {
            const std::uint32_t slot = atomicAdd(task.n_peaks + s, 1u);
            if (slot < engine::tile_peaks) task.peaks[s * engine::tile_peaks + slot] = peak;
        });
    double part = static_cast<double>(share.sum);
    for (int distance = 16; distance > 0; distance /= 2) part += __shfl_xor_sync(0xffffffffu, part, distance);
    if (thread % 32 == 0) shared.sum[thread / 32] = part;
    __syncthreads();
    if (thread == 0) {
        *sum = 0.0;
        for (const double of_warp : shared.sum) *sum += of_warp;
    }
    if (task.bands > 0) collect_bands(shared, values, task, begin, s, thread, share.highest);
    __syncthreads();
}

/// The statistics that are complete with harmonic k.
template <int threads>
__device__ void collect_complete(TileGathering<threads>& shared, const TileValues& values,
                                 const ProductTask& task, std::int64_t begin, int k, int thread,
                                 double* sums) {
    for (int s = 0; s < task.n_statistics; ++s) {
        if (task.statistic_harmonics[s] != k) continue;
        __syncthreads();
        collect(shared, values, task, begin, s, thread, sums + s);
    }
}

}  // namespace xsift::cuda
