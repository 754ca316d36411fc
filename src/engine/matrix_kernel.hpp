#pragma once
// The trigonometric sums of few photons as a matrix product, compiled once per instruction set: each
// nufft_<isa>.cpp includes this file after nufft_kernel.hpp, having said how wide its vectors are
// (matrix_lanes) and how many rows of centres fit its registers (matrix_rows).
//
// Frequencies lie symmetrically about centres, f = f_c +- (j + 1/2) df. With a = w exp(2 pi i f_c t) and b =
// exp(2 pi i (j + 1/2) df t) the sums of a b and of a conj(b) share their four products: four multiplications
// and additions a photon give two frequencies.

using Wide = float __attribute__((vector_size(4 * matrix_lanes)));
using WidePhases = std::uint32_t __attribute__((vector_size(4 * matrix_lanes)));
using LooseWide = float __attribute__((vector_size(4 * matrix_lanes), aligned(4)));

struct WidePair {
    Wide re, im;
};

static inline __attribute__((always_inline)) Wide load_wide(const float* from) {
    return *reinterpret_cast<const LooseWide*>(from);
}
static inline __attribute__((always_inline)) void store_wide(float* to, Wide v) {
    *reinterpret_cast<LooseWide*>(to) = v;
}
template <int... lane>
static inline __attribute__((always_inline)) Wide reversed_lanes(Wide v,
                                                                 std::integer_sequence<int, lane...>) {
    return __builtin_shufflevector(v, v, (static_cast<int>(matrix_lanes) - 1 - lane)...);
}
static inline __attribute__((always_inline)) Wide reversed_wide(Wide v) {
    return reversed_lanes(v, std::make_integer_sequence<int, static_cast<int>(matrix_lanes)>());
}

/// Factors of the photons: centre[photon][2][n_centres] with the weights, offset[panel][photon][2][lanes].
static void matrix_factors(const MatrixJob& job, std::int64_t padded_centres, float* centre, float* offset) {
    WidePhases lane = {};
    for (unsigned l = 0; l < matrix_lanes; ++l) lane[l] = l;
    for (std::int64_t i = 0; i < job.n; ++i) {
        const std::uint64_t step = job.step[i] * job.harmonic;
        // Half a step, of a turn taken as signed: twice it is the step again, modulo one turn.
        const auto half = static_cast<std::uint64_t>(static_cast<std::int64_t>(step) >> 1);
        const float w = job.weight ? job.weight[i] : 1.0f;
        const std::uint64_t between = step * static_cast<std::uint64_t>(2 * matrix_half_width);
        const std::uint64_t first = step * (job.first + matrix_half_width - 1) + half;
        float* to = centre + 2 * i * padded_centres;
        for (std::int64_t c = 0; c < padded_centres; c += matrix_lanes) {
            const auto base =
                static_cast<std::uint32_t>((first + static_cast<std::uint64_t>(c) * between) >> 32);
            const WidePair a = phasor_of<WidePair>(base + lane * static_cast<std::uint32_t>(between >> 32));
            store_wide(to + c, w * a.re);
            store_wide(to + padded_centres + c, w * a.im);
        }
        WidePair b = phasor_of<WidePair>(static_cast<std::uint32_t>(half >> 32) +
                                         lane * static_cast<std::uint32_t>(step >> 32));
        const WidePair turn =
            phasor_of<WidePair>(WidePhases{} + static_cast<std::uint32_t>((step * matrix_lanes) >> 32));
        for (std::int64_t panel = 0; panel < matrix_half_width / matrix_lanes; ++panel) {
            float* at = offset + 2 * (panel * job.n + i) * matrix_lanes;
            store_wide(at, b.re);
            store_wide(at + matrix_lanes, b.im);
            b = {b.re * turn.re - b.im * turn.im, b.re * turn.im + b.im * turn.re};
        }
    }
}

/// The outputs of `rows` centres and one panel of offsets; `first` is the output of the lowest frequency.
template <unsigned rows>
static inline __attribute__((always_inline)) void matrix_tile(const MatrixJob& job, const float* centre,
                                                              std::int64_t padded_centres,
                                                              const float* offset, std::int64_t first,
                                                              std::int64_t panel) {
    Wide cc[rows] = {}, cs[rows] = {}, sc[rows] = {}, ss[rows] = {};
    for (std::int64_t i = 0; i < job.n; ++i) {
        const Wide bc = load_wide(offset + 2 * i * matrix_lanes),
                   bs = load_wide(offset + (2 * i + 1) * matrix_lanes);
        const float* a = centre + 2 * i * padded_centres;
#pragma GCC unroll 8
        for (unsigned r = 0; r < rows; ++r) {
            cc[r] += a[r] * bc;
            cs[r] += a[r] * bs;
            sc[r] += a[padded_centres + r] * bc;
            ss[r] += a[padded_centres + r] * bs;
        }
    }
#pragma GCC unroll 8
    for (unsigned r = 0; r < rows; ++r) {
        const Wide re_above = cc[r] - ss[r], im_above = cs[r] + sc[r], re_below = cc[r] + ss[r],
                   im_below = sc[r] - cs[r];
        const std::int64_t above = first + static_cast<std::int64_t>(r) * 2 * matrix_half_width +
                                   matrix_half_width + panel * static_cast<std::int64_t>(matrix_lanes),
                           below = first + static_cast<std::int64_t>(r) * 2 * matrix_half_width +
                                   matrix_half_width - (panel + 1) * static_cast<std::int64_t>(matrix_lanes);
        if (job.re) {
            store_wide(job.re + above, re_above);
            store_wide(job.im + above, im_above);
            store_wide(job.re + below, reversed_wide(re_below));
            store_wide(job.im + below, reversed_wide(im_below));
        } else {
            store_wide(job.power + above, job.scale * (re_above * re_above + im_above * im_above));
            store_wide(job.power + below,
                       reversed_wide(job.scale * (re_below * re_below + im_below * im_below)));
        }
    }
}

/// All outputs of `rows` centres from number c.
template <unsigned rows>
static void matrix_rows_of(const MatrixJob& job, const float* centre, std::int64_t padded_centres,
                           const float* offset, std::int64_t c) {
    for (std::int64_t panel = 0; panel < matrix_half_width / matrix_lanes; ++panel)
        matrix_tile<rows>(job, centre, padded_centres, offset + 2 * panel * job.n * matrix_lanes,
                          c * 2 * matrix_half_width, panel);
}

static void run_matrix(const MatrixJob& job, float* space) {
    const std::int64_t centres = job.count / (2 * matrix_half_width);
    const std::int64_t padded = matrix_padded_centres(job.count);
    float *centre = space, *offset = space + 2 * job.n * padded;
    matrix_factors(job, padded, centre, offset);
    std::int64_t c = 0;
    for (; c + static_cast<std::int64_t>(matrix_rows) <= centres; c += matrix_rows)
        matrix_rows_of<matrix_rows>(job, centre + c, padded, offset, c);
    for (; c < centres; ++c) matrix_rows_of<1>(job, centre + c, padded, offset, c);
}
