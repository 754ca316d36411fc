#pragma once
/// @file
/// Matrix products in single precision on tensor cores. Their factors have 11 bits (tf32), so each number is
/// split in two, x = high + low, and three products are added: low high + high low + high high; what is left
/// out is 2^-22 of a term. The range is that of single precision, so nothing has to be scaled. The sum of one
/// instruction is added to the others by the ordinary units, which round to nearest where tensor cores cut
/// off.

#include <cstdint>
#include <cstring>

namespace xsift::cuda {

inline constexpr int split_rows = 16, split_columns = 8,
                     split_depth = 8;  ///< of one instruction, mma.m16n8k8

/// The two parts of a number, as tf32 in 32 bits. @tparam Ops to_tf32(x), rounded to nearest
template <typename Ops>
__device__ inline void split_number(float x, std::uint32_t& high, std::uint32_t& low) {
    high = Ops::to_tf32(x);
    float first;
    memcpy(&first, &high, sizeof first);
    low = Ops::to_tf32(x - first);
}

/// Adds the product of a matrix of split_rows x depth and one of depth x (split_columns used) to sums. A warp
/// makes it together; of tile t its lane has (row, column) = (lane / 4 + 8 (i / 2), 8 t + 2 (lane % 4) + i %
/// 2) at sums[t][i].
/// @param used tiles wanted, at most `tiles`, the same in all lanes
/// @param left (row, k), right (k, column) -> float: 0 outside of the matrices
template <typename Ops, int tiles, typename Left, typename Right>
__device__ inline void split_product(int lane, std::int64_t depth, int used, const Left& left,
                                     const Right& right, float (&sums)[tiles][4]) {
    const int group = lane / 4, member = lane % 4;
    for (std::int64_t k = 0; k < depth; k += split_depth) {
        std::uint32_t high[4], low[4];
#pragma unroll
        for (int i = 0; i < 4; ++i)
            split_number<Ops>(left(group + 8 * (i % 2), k + member + 4 * (i / 2)), high[i], low[i]);
#pragma unroll
        for (int tile = 0; tile < tiles; ++tile) {
            if (tile >= used) break;
            std::uint32_t right_high[2], right_low[2];
#pragma unroll
            for (int i = 0; i < 2; ++i)
                split_number<Ops>(right(k + member + 4 * i, split_columns * tile + group), right_high[i],
                                  right_low[i]);
            float part[4] = {0.0F, 0.0F, 0.0F, 0.0F};
            Ops::multiply_add(part, low, right_high);
            Ops::multiply_add(part, high, right_low);
            Ops::multiply_add(part, high, right_high);
#pragma unroll
            for (int i = 0; i < 4; ++i) sums[tile][i] += part[i];
        }
    }
}

}  // namespace xsift::cuda
