#pragma once
/// @file
/// The search of a block by non-uniform FFTs in fast memory: long photon lists, and light curves.

#include "tile_gathering.cuh"

#include <cstdint>

#include <xsift/engine/transform_tile.hpp>

namespace xsift::cuda {

using engine::PlainHarmonic;
using engine::Tile;
using engine::TileHarmonic;
using engine::transform_size;
using engine::transform_threads;
using engine::TransformGrid;

struct SharedTransform {
    TransformGrid grid;
    TileValues values;
    TileGathering<transform_threads> gathering;
};

/// Units of the fixed point of each task and harmonic: scale[task * harmonics + k - 1]. Block number `block`
/// makes one.
/// @param photons transform_size, and most: in fast memory
__device__ inline void find_load(std::int32_t* photons, std::int32_t& most, int thread, unsigned block,
                                 const ProductTask* tasks, int harmonics, float* scale) {
    const ProductTask& task = tasks[block / static_cast<unsigned>(harmonics)];
    const int k = static_cast<int>(block % static_cast<unsigned>(harmonics)) + 1;
    if (k > task.harmonics) return;
    for (int c = thread; c < transform_size; c += transform_threads) photons[c] = 0;
    if (thread == 0) most = 0;
    __syncthreads();
    for (std::int32_t j = thread; j < task.n_photons; j += transform_threads)
        atomicAdd(photons + engine::cell_of(task.step[j] * static_cast<timing::FixedPhase>(k)), 1);
    __syncthreads();
    std::int32_t own = 0;
    for (int c = thread; c < transform_size; c += transform_threads) {
        const std::int32_t load = engine::cell_load(photons, c);
        if (load > own) own = load;
    }
    atomicMax(&most, own);
    __syncthreads();
    if (thread == 0) scale[block] = engine::fixed_point_scale(most, task.largest_weight);
}

/// The sums of harmonic k at all frequencies of the tile, in the order of the transform.
template <typename Ops>
__device__ inline void transform_photons(TransformGrid& grid, const ProductTask& task, const float* weight,
                                         std::int64_t begin, int k, float scale, int thread) {
    for (int c = thread; c < transform_size; c += transform_threads) engine::clear_cell(grid, c);
    __syncthreads();
    // Each thread has a run of photons, so that those of a warp are far apart and reach different cells.
    const std::int64_t centre = engine::transform_centre(task, begin);
    const std::int32_t run = (task.n_photons + transform_threads - 1) / transform_threads,
                       first = thread * run,
                       end = first + run < task.n_photons ? first + run : task.n_photons;
    for (std::int32_t j = first; j < end; ++j)
        engine::spread_photon<Ops>(grid, task, weight, centre, k, scale, j);
    __syncthreads();
    for (int c = thread; c < transform_size; c += transform_threads) engine::convert_cell(grid, c);
    for (int pass = 0; pass < engine::transform_passes; ++pass) {
        __syncthreads();
        for (int b = thread; b < transform_size / 4; b += transform_threads)
            engine::transform_butterfly<Ops>(grid, pass, b);
    }
    __syncthreads();
}

template <bool is_first, bool with_h>
__device__ void add_plain(const TransformGrid& grid, const PlainHarmonic& harmonic, const float* correction,
                          float unit, int thread, TileValues& values) {
    for (int at = thread; at < engine::tile_width; at += transform_threads)
        engine::put_power<is_first, with_h>(
            harmonic, engine::tile_slot(at),
            harmonic.power(engine::transformed_sums(grid, correction, unit, at)), values);
}

/// Blocks take tiles until none is left. sums: n_tiles x stride.
template <typename Ops>
__device__ inline void search_by_transform(SharedTransform& shared, int thread, const ProductTask* tasks,
                                           int harmonics, const float* scales, const float* correction,
                                           const Tile* tiles, unsigned n_tiles, unsigned* next, double* sums,
                                           unsigned stride) {
    for (;;) {
        const unsigned ticket = take_tile(shared.gathering, thread, next);
        if (ticket >= n_tiles) return;
        const Tile tile = tiles[ticket];
        const ProductTask& task = tasks[tile.task];
        bool with_h = false;
        for (int s = 0; s < task.n_statistics; ++s) with_h = with_h || task.statistic_is_h[s];
        for (int k = 1; k <= task.harmonics; ++k) {
            const TileHarmonic harmonic(task, tile.begin, k);
            if (harmonic.any()) {
                const float scale = scales[static_cast<std::size_t>(tile.task) * harmonics + k - 1],
                            unit = 1.0f / scale;
                transform_photons<Ops>(shared.grid, task, task.weight, tile.begin, k, scale, thread);
                if (tile.plain_harmonics < 0)
                    for (int at = thread; at < engine::tile_width; at += transform_threads)
                        engine::add_rare(task, harmonic, at,
                                         engine::transformed_sums(shared.grid, correction, unit, at),
                                         shared.values);
                else if (k == 1 && !with_h)
                    add_plain<true, false>(shared.grid, harmonic, correction, unit, thread, shared.values);
                else if (k == 1)
                    add_plain<true, true>(shared.grid, harmonic, correction, unit, thread, shared.values);
                else if (!with_h)
                    add_plain<false, false>(shared.grid, harmonic, correction, unit, thread, shared.values);
                else
                    add_plain<false, true>(shared.grid, harmonic, correction, unit, thread, shared.values);
                __syncthreads();
            }
            collect_complete(shared.gathering, shared.values, task, tile.begin, k, thread,
                             sums + static_cast<std::size_t>(ticket) * stride);
        }
        __syncthreads();
    }
}

/// Light curves: as search_by_transform, with the Lomb-Scargle power as the statistic. waiting: tile_width of
/// the block.
template <typename Ops>
__device__ inline void search_curves(SharedTransform& shared, int thread, const ProductTask* tasks,
                                     const float* scales, const float* correction, engine::CurveSums* waiting,
                                     const Tile* tiles, unsigned n_tiles, unsigned* next, double* sums,
                                     unsigned stride) {
    for (;;) {
        const unsigned ticket = take_tile(shared.gathering, thread, next);
        if (ticket >= n_tiles) return;
        const Tile tile = tiles[ticket];
        const ProductTask& task = tasks[tile.task];
        const TileHarmonic harmonic(task, tile.begin, 1);
        const float *const scale = scales + static_cast<std::size_t>(tile.task) * 2,
                           of_values = scale[0] * (task.largest_weight / task.largest_weighted_value);
        transform_photons<Ops>(shared.grid, task, task.weighted_value, tile.begin, 1, of_values, thread);
        for (int at = thread; at < engine::tile_width; at += transform_threads)
            waiting[at].weighted = engine::transformed_sums(shared.grid, correction, 1.0f / of_values, at);
        __syncthreads();
        transform_photons<Ops>(shared.grid, task, task.weight, tile.begin, 1, scale[0], thread);
        for (int at = thread; at < engine::tile_width; at += transform_threads)
            waiting[at].plain = engine::transformed_sums(shared.grid, correction, 1.0f / scale[0], at);
        __syncthreads();
        transform_photons<Ops>(shared.grid, task, task.weight, tile.begin, 2, scale[1], thread);
        for (int at = thread; at < engine::tile_width; at += transform_threads)
            shared.values.z2[engine::tile_slot(at)] =
                engine::curve_power(harmonic, at, waiting[at],
                                    engine::transformed_sums(shared.grid, correction, 1.0f / scale[1], at));
        __syncthreads();
        collect(shared.gathering, shared.values, task, tile.begin, 0, thread,
                sums + static_cast<std::size_t>(ticket) * stride);
        __syncthreads();
    }
}

}  // namespace xsift::cuda
