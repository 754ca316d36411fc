#pragma once
/// @file
/// How blocks share a list of items of unequal cost.

namespace xsift::cuda {

/// Blocks take items until none is left; all threads of a block get the same.
/// @param ticket shared by the block; next of all blocks
template <typename Item, typename Visit>
__device__ inline void take_items(unsigned& ticket, int thread, const Item* items, unsigned n_items,
                                  unsigned* next, const Visit& visit) {
    for (;;) {
        if (thread == 0) ticket = atomicAdd(next, 1u);
        __syncthreads();
        if (ticket >= n_items) return;
        const Item item = items[ticket];
        __syncthreads();
        visit(item);
    }
}

}  // namespace xsift::cuda
