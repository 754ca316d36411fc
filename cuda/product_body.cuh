#pragma once
/// @file
/// The tensor-core search of a block: tiles of photon sums as matrix products, statistics, peaks, bands.

#include "tile_gathering.cuh"

#include <cstdint>

#include <xsift/engine/product_tile.hpp>

namespace xsift::cuda {

using engine::PlainHarmonic;
using engine::ProductFragment;
using engine::tile_columns;
using engine::tile_photons;
using engine::tile_threads;
using engine::tile_warps;
using engine::TileHarmonic;
using engine::TilePhotons;

/// What the threads of a block share.
struct SharedTile {
    TilePhotons photons;
    TileValues values;
    TileGathering<tile_threads> gathering;
};

/// What a thread holds of the products of centres and offsets of a tile.
struct TileSums {
    ProductFragment column[tile_columns];
};

/// The sums of harmonic k over all photons. What a block does with the photons that are in fast memory is a
/// parameter: prepare(unit, lane) makes factors of the offsets, multiply(steps) the products of all threads.
template <typename Ops, typename Prepare, typename Multiply>
__device__ inline void for_all_photons(SharedTile& shared, const ProductTask& task, std::int64_t begin, int k,
                                       int thread, const Prepare& prepare, const Multiply& multiply) {
    const int warp = thread / 32, lane = thread % 32, own = thread % tile_photons,
              part = thread / tile_photons;
    // The photons of the next turn are on their way while this one's are multiplied.
    engine::LoadedPhoton next = engine::load_photon(task, k, 0, own);
    for (std::int32_t from = 0; from < task.n_photons; from += tile_photons) {
        const int left = task.n_photons - from,
                  steps = left < tile_photons ? (left + 15) / 16 : engine::tile_steps;
        __syncthreads();
        engine::place_photon<Ops>(shared.photons, task, begin, next, own, part);
        if (left > tile_photons) next = engine::load_photon(task, k, from + tile_photons, own);
        __syncthreads();
        for (int unit = warp; unit < engine::offset_units(steps); unit += tile_warps) prepare(unit, lane);
        Ops::publish();
        __syncthreads();
        multiply(steps, warp, lane);
    }
    __syncthreads();
}

/// Products by the matrix instruction of a warp.
template <typename Ops>
struct WarpProducts {
    __device__ static void sum_photons(SharedTile& shared, const ProductTask& task, std::int64_t begin, int k,
                                       int thread, TileSums& sums) {
        sums = {};
        for_all_photons<Ops>(
            shared, task, begin, k, thread,
            [&](int unit, int lane) { engine::make_offset_fragments<Ops>(shared.photons, unit, lane); },
            [&](int steps, int warp, int lane) {
                for (int s = 0; s < steps; ++s) {
                    const engine::CentreFragment a =
                        engine::make_centre_fragment<Ops>(shared.photons, warp, lane, s);
#pragma unroll
                    for (int column = 0; column < tile_columns; ++column) {
                        const engine::OffsetFragment b = shared.photons.offset[s][column][lane];
                        ProductFragment& to = sums.column[column];
                        Ops::multiply_add(to.cc, a.cosine, b.cosine);
                        Ops::multiply_add(to.cs, a.cosine, b.sine);
                        Ops::multiply_add(to.sc, a.sine, b.cosine);
                        Ops::multiply_add(to.ss, a.sine, b.sine);
                    }
                }
            });
    }
};

template <bool is_first, bool with_h>
__device__ void add_columns(const PlainHarmonic& harmonic, int warp, int lane, const TileSums& sums,
                            TileValues& values) {
#pragma unroll
    for (int column = 0; column < tile_columns; ++column)
        engine::add_products<is_first, with_h>(harmonic, warp, lane, column, sums.column[column], values);
}

/// Blocks take tiles until none is left. sums: n_tiles x stride.
/// @tparam Products how the sums over photons are made
template <typename Products>
__device__ inline void search_by_product(SharedTile& shared, int thread, const ProductTask* tasks,
                                         const engine::Tile* tiles, unsigned n_tiles, unsigned* next,
                                         double* sums, unsigned stride) {
    const int warp = thread / 32, lane = thread % 32;
    for (;;) {
        const unsigned ticket = take_tile(shared.gathering, thread, next);
        if (ticket >= n_tiles) return;
        const engine::Tile tile = tiles[ticket];
        const ProductTask& task = tasks[tile.task];
        double* const to = sums + static_cast<std::size_t>(ticket) * stride;
        bool with_h = false;
        for (int s = 0; s < task.n_statistics; ++s) with_h = with_h || task.statistic_is_h[s];
        TileSums of_photons;
        for (int k = 1; k <= task.harmonics; ++k) {
            if (tile.plain_harmonics >= 0) {
                if (k <= tile.plain_harmonics) {
                    Products::sum_photons(shared, task, tile.begin, k, thread, of_photons);
                    const PlainHarmonic harmonic(task, k);
                    if (k == 1 && !with_h)
                        add_columns<true, false>(harmonic, warp, lane, of_photons, shared.values);
                    else if (k == 1)
                        add_columns<true, true>(harmonic, warp, lane, of_photons, shared.values);
                    else if (!with_h)
                        add_columns<false, false>(harmonic, warp, lane, of_photons, shared.values);
                    else
                        add_columns<false, true>(harmonic, warp, lane, of_photons, shared.values);
                }
            } else if (const TileHarmonic harmonic(task, tile.begin, k); harmonic.any()) {
                Products::sum_photons(shared, task, tile.begin, k, thread, of_photons);
#pragma unroll
                for (int column = 0; column < tile_columns; ++column)
                    engine::add_rare_products(task, harmonic, warp, lane, column, of_photons.column[column],
                                              shared.photons, shared.values);
            }
            collect_complete(shared.gathering, shared.values, task, tile.begin, k, thread, to);
        }
        __syncthreads();
    }
}

}  // namespace xsift::cuda
