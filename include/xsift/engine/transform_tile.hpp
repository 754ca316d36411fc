#pragma once
/// @file
/// A tile of the photon search as a non-uniform FFT in fast memory: what one thread of a block does, on host
/// and device alike. Its cost hardly depends on the photons, so long lists get it; tiles, tasks and
/// statistics are those of the matrix product (product_tile.hpp).
///
/// Photons are turned to the tile's middle frequency and spread over a grid of twice as many cells as the
/// tile has frequencies, in fixed point: integers can be added in any order by any thread with the same sum.
/// The transform is one of radix 4 in place; its outputs are read where it leaves them.
///
/// What differs between host and device is a parameter, Ops: `turn` as of product_tile.hpp; `exponential`,
/// `root`; `rounded(x)` the nearest integer; `add(cell, value)` adds to an integer that other threads add to.

#include <cstdint>
#include <vector>

#include <xsift/engine/product_tile.hpp>
#include <xsift/engine/spreading.hpp>

namespace xsift::engine {

inline constexpr int transform_threads = 512;
inline constexpr int transform_log2_size = 14, transform_size = 1 << transform_log2_size;  ///< cells
inline constexpr int transform_passes = transform_log2_size / 2;
static_assert(transform_size == 2 * tile_width && transform_log2_size % 2 == 0);
inline constexpr SpreadingKernel transform_spreading{6};
inline constexpr auto transform_beta = static_cast<float>(transform_spreading.beta());

/// Where a cell stands: gaps after every 16 and every 1,024, so that neither butterflies of neighbouring
/// threads nor outputs of neighbouring frequencies share banks.
XSIFT_HD inline constexpr int transform_place(int cell) {
    return cell + (cell >> 4) + (cell >> 10);
}

/// The cells, in fixed point while photons are spread, then as numbers.
struct TransformGrid {
    struct Fixed {
        std::int32_t re, im;
    };
    union {
        Fixed fixed[transform_place(transform_size - 1) + 1];
        SumPair sum[transform_place(transform_size - 1) + 1];
    };
};

/// What the sums are multiplied by for the spreading, by distance from the middle of the tile: 0 to
/// tile_width / 2.
inline std::vector<float> transform_correction() {
    std::vector<float> correction;
    for (int l = 0; l <= tile_width / 2; ++l)
        correction.push_back(
            static_cast<float>(1.0 / transform_spreading.transform(static_cast<double>(l) / transform_size)));
    return correction;
}

/// The cell of a photon, given its phase a grid step, and where in it (0 to 1).
XSIFT_HD inline int cell_of(timing::FixedPhase step) {
    return static_cast<int>(step >> (64 - transform_log2_size));
}
XSIFT_HD inline float place_in_cell(timing::FixedPhase step) {
    return static_cast<float>(static_cast<std::uint32_t>((step << transform_log2_size) >> 32)) * 0x1p-32f;
}

/// Photons that can reach cell c, given how many lie in each.
XSIFT_HD inline std::int32_t cell_load(const std::int32_t* photons, int c) {
    std::int32_t sum = 0;
    for (int i = 0; i < transform_spreading.width; ++i)
        sum += photons[(c + i - transform_spreading.width / 2) & (transform_size - 1)];
    return sum;
}
/// Units a photon of weight 1 when no cell is reached by more than `load` of them, of weights up to
/// `largest_weight`.
XSIFT_HD inline float fixed_point_scale(std::int32_t load, float largest_weight) {
    return 0x1p30f /
           (static_cast<float>(load > 0 ? load : 1) * (largest_weight > 0.0f ? largest_weight : 1.0f));
}

/// Index of the tile's middle frequency.
XSIFT_HD inline std::int64_t transform_centre(const ProductTask& task, std::int64_t tile_begin) {
    return task.first + tile_begin - task.halo + tile_width / 2;
}

/// Spreads photon (or bin) j for harmonic k.
/// @param weight of all; null: all 1
template <typename Ops>
XSIFT_HD inline void spread_photon(TransformGrid& grid, const ProductTask& task, const float* weight,
                                   std::int64_t centre, int k, float scale, std::int32_t j) {
    constexpr int width = transform_spreading.width;
    const timing::FixedPhase step = task.step[j] * static_cast<timing::FixedPhase>(k);
    const timing::FixedPhase offset = task.offset ? task.offset[j] * static_cast<timing::FixedPhase>(k) : 0;
    SinglePhasor turn = Ops::turn(
        static_cast<std::uint32_t>((step * static_cast<timing::FixedPhase>(centre) + offset) >> 32));
    const float w = weight ? scale * weight[j] : scale;
    turn = {w * turn.cosine, w * turn.sine};
    const int first = cell_of(step) - (width / 2 - 1);
    const float within = place_in_cell(step);
    for (int i = 0; i < width; ++i) {
        const float z = (static_cast<float>(i - (width / 2 - 1)) - within) * (2.0f / width),
                    tap = SpreadingKernel::bell<Ops>(transform_beta, z);
        TransformGrid::Fixed& to = grid.fixed[transform_place((first + i) & (transform_size - 1))];
        Ops::add(&to.re, Ops::rounded(tap * turn.cosine));
        Ops::add(&to.im, Ops::rounded(tap * turn.sine));
    }
}

XSIFT_HD inline void clear_cell(TransformGrid& grid, int cell) {
    grid.fixed[transform_place(cell)] = {0, 0};
}
/// From fixed point to numbers.
XSIFT_HD inline void convert_cell(TransformGrid& grid, int cell) {
    const TransformGrid::Fixed fixed = grid.fixed[transform_place(cell)];
    grid.sum[transform_place(cell)] = {static_cast<float>(fixed.re), static_cast<float>(fixed.im)};
}

/// Butterfly b (0 <= b < transform_size / 4) of pass `pass` of the transform sum_c x_c exp(+2 pi i l c /
/// size), decimation in frequency.
template <typename Ops>
XSIFT_HD inline void transform_butterfly(TransformGrid& grid, int pass, int b) {
    const int quarter = transform_size >> (2 * pass + 2), groups = 1 << (2 * pass);
    // Neighbouring threads take neighbouring elements of a group, or where groups are short, the same element
    // of neighbouring groups.
    const int k = quarter >= 16 ? b % quarter : b / groups,
              start = (quarter >= 16 ? b / quarter : b % groups) * 4 * quarter;
    SumPair* const at[4] = {grid.sum + transform_place(start + k),
                            grid.sum + transform_place(start + k + quarter),
                            grid.sum + transform_place(start + k + 2 * quarter),
                            grid.sum + transform_place(start + k + 3 * quarter)};
    const SinglePhasor one = Ops::turn(static_cast<std::uint32_t>(k) *
                                       (0x40000000u / static_cast<std::uint32_t>(quarter))),
                       two = one * one, three = two * one;
    const SumPair x0 = *at[0], x1 = *at[1], x2 = *at[2], x3 = *at[3];
    const SinglePhasor s02{x0.re + x2.re, x0.im + x2.im}, d02{x0.re - x2.re, x0.im - x2.im},
        s13{x1.re + x3.re, x1.im + x3.im}, d13{x3.im - x1.im, x1.re - x3.re};  // d13: times i
    const auto store = [](SumPair* to, SinglePhasor x) { *to = {x.cosine, x.sine}; };
    store(at[0], {s02.cosine + s13.cosine, s02.sine + s13.sine});
    store(at[1], SinglePhasor{d02.cosine + d13.cosine, d02.sine + d13.sine} * one);
    store(at[2], SinglePhasor{s02.cosine - s13.cosine, s02.sine - s13.sine} * two);
    store(at[3], SinglePhasor{d02.cosine - d13.cosine, d02.sine - d13.sine} * three);
}

/// Where the transform leaves output l: the digits of four in reverse.
XSIFT_HD inline int transform_output(int l) {
    int reversed = 0;
    for (int digit = 0; digit < transform_passes; ++digit) {
        reversed = 4 * reversed + l % 4;
        l /= 4;
    }
    return transform_place(reversed);
}

/// The sums at a position of the tile. @param unit 1 / scale of the fixed point
XSIFT_HD inline SumPair transformed_sums(const TransformGrid& grid, const float* correction, float unit,
                                         int at) {
    const int l = at - static_cast<int>(tile_width) / 2;
    const SumPair sum = grid.sum[transform_output(l & (transform_size - 1))];
    const float factor = unit * correction[l < 0 ? -l : l];
    return {factor * sum.re, factor * sum.im};
}

/// A light curve's sums come from three transforms, of which the first two wait in memory of the block.
struct CurveSums {
    SumPair weighted, plain;  ///< sums of w y and of w at the frequency
};

/// Lomb-Scargle power at a position of the tile, given the sums of w at twice the frequency; 0 at positions
/// that are no trial.
XSIFT_HD inline float curve_power(const TileHarmonic& harmonic, int at, const CurveSums& one, SumPair two) {
    if (at < harmonic.low || at >= harmonic.high) return 0.0f;
    timing::LombScargleSums<float> sums;
    sums.yy = 1.0f;
    sums.yc = one.weighted.re;
    sums.ys = one.weighted.im;
    sums.c = one.plain.re;
    sums.s = one.plain.im;
    sums.c2 = two.re;
    sums.s2 = two.im;
    return timing::lomb_scargle_power(sums);
}

}  // namespace xsift::engine
