#pragma once
/// @file
/// The tiled matrix product of the device, as a body that the host can run too.

#include <cstdint>

#include <xsift/core/host_device.hpp>

namespace xsift::engine {

/// Side of a square tile: one thread an element.
inline constexpr int fold_tile_side = 16;

/// Two tiles in fast memory, shared by the threads of a block.
struct FoldTiles {
    float templates[fold_tile_side][fold_tile_side];
    float fold[fold_tile_side][fold_tile_side];
};

/// Sizes of rate (n_templates x n_bins) = templates (n_templates x n_energies) times fold (n_energies x
/// n_bins).
struct FoldShape {
    std::int64_t n_templates = 0, n_energies = 0, n_bins = 0;
};

/// Loads element (row, column) of both tiles of step `step` for the block at (block_row, block_column); 0
/// outside.
XSIFT_HD inline void load_fold_tiles(FoldTiles& tiles, const FoldShape& shape, const float* templates,
                                     const float* fold, std::int64_t block_row, std::int64_t block_column,
                                     std::int64_t step, int row, int column) {
    const std::int64_t t = block_row * fold_tile_side + row, k = block_column * fold_tile_side + column;
    const std::int64_t e_template = step * fold_tile_side + column, e_fold = step * fold_tile_side + row;
    tiles.templates[row][column] = t < shape.n_templates && e_template < shape.n_energies
                                       ? templates[t * shape.n_energies + e_template]
                                       : 0.0F;
    tiles.fold[row][column] =
        e_fold < shape.n_energies && k < shape.n_bins ? fold[e_fold * shape.n_bins + k] : 0.0F;
}

/// What the two tiles add to element (row, column) of the product.
XSIFT_HD inline float fold_tile_product(const FoldTiles& tiles, int row, int column, float sum) {
    for (int e = 0; e < fold_tile_side; ++e) sum += tiles.templates[row][e] * tiles.fold[e][column];
    return sum;
}

/// Steps over the energies, and blocks over a dimension.
XSIFT_HD inline std::int64_t fold_tile_count(std::int64_t n) {
    return (n + fold_tile_side - 1) / fold_tile_side;
}

}  // namespace xsift::engine
