#pragma once
// The photon search by tiles with the matrix instruction of a group of four warps, which devices of compute
// capability 9.0 have.

#include "stream.cuh"

#include <xsift/engine/product_tile.hpp>

namespace xsift::cuda {

/// Blocks of it that the current device runs at once; 0 where it does not have the instruction.
unsigned warpgroup_product_blocks();

/// As product_kernel: starts the search of tiles. @param blocks at most warpgroup_product_blocks()
void start_warpgroup_product(unsigned blocks, const engine::ProductTask* tasks, const engine::Tile* tiles,
                             unsigned n_tiles, unsigned* next, double* sums, unsigned stride,
                             const Stream& stream);

}  // namespace xsift::cuda
