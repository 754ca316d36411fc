#pragma once
/// @file
/// Products of a tile by the matrix instruction of a group of four warps, which is the whole block.

#include "product_body.cuh"

#include <cstdint>

#include <xsift/engine/warpgroup_tile.hpp>

namespace xsift::cuda {

/// @tparam Ops beside those of warps: begin(sums) before products, multiply_add(sums, centres, cores), end()
/// after those of a step, wait_for_all_but_one() and finish(sums) until they are there. Products are made
/// while the next centres are; two sets of centres take turns.
template <typename Ops>
struct WarpgroupProducts {
    __device__ static void sum_photons(SharedTile& shared, const ProductTask& task, std::int64_t begin, int k,
                                       int thread, TileSums& sums) {
        sums = {};
        for_all_photons<Ops>(
            shared, task, begin, k, thread,
            [&](int unit, int lane) {
                engine::make_offset_factors<Ops>(
                    shared.photons, unit, lane,
                    [&](int s, int column, const engine::OffsetFragment& fragment) {
                        engine::put_in_cores(shared.photons.cores[s], column, lane, fragment);
                    });
            },
            [&](int steps, int warp, int lane) {
#pragma unroll
                for (int s = 0; s < engine::tile_steps; ++s) {
                    if (s >= steps) break;
                    const engine::CentreFragment a =
                        engine::make_centre_fragment<Ops>(shared.photons, warp, lane, s);
                    Ops::begin(sums);
                    Ops::multiply_add(sums, a, shared.photons.cores[s]);
                    Ops::end();
                    Ops::wait_for_all_but_one();
                }
                Ops::finish(sums);
            });
    }
};

}  // namespace xsift::cuda
