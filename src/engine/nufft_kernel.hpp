#pragma once
// The hot loops of the blocked non-uniform FFT, written once and compiled once per instruction set: each
// nufft_<isa>.cpp includes this file inside its own namespace. Nothing of the standard library may be used
// inside (an inline function compiled for AVX2 could be the one that the linker keeps for everybody).
//
// Eight blocks of frequencies are processed together, one SIMD lane a block, so that no step needs a shuffle:
// a photon is modulated by the centre of each lane's block, spread with the same kernel weights, and all
// lanes run through the same FFT.

using Lanes = float __attribute__((vector_size(4 * nufft_lanes)));
using Phases = std::uint32_t __attribute__((vector_size(4 * nufft_lanes)));
using Integers = std::int32_t __attribute__((vector_size(4 * nufft_lanes)));

struct LanePair {
    Lanes re, im;
};

/// cos and sin of phases given as 32-bit fractions of a turn, to float precision, for vectors of any width.
/// @tparam Pair two vectors of floats, re and im
template <typename Pair, typename Unsigned>
static inline __attribute__((always_inline)) Pair phasor_of(Unsigned phase) {
    using Floats = decltype(Pair::re);
    using Signed = decltype(phase > phase);
    const Unsigned quarter = (phase + 0x20000000u) >> 30;
    const Floats x = __builtin_convertvector(reinterpret_cast<Signed>(phase - (quarter << 30)), Floats) *
                     1.4629180792671596e-09f;
    const Floats q = x * x;
    const Floats s = x * (1.0f + q * (-1.6666667e-1f + q * (8.3333310e-3f + q * -1.9840874e-4f)));
    const Floats c = 1.0f + q * (-0.5f + q * (4.16666456e-2f + q * (-1.3887316e-3f + q * 2.4433157e-5f)));
    const Unsigned odd = reinterpret_cast<Unsigned>(reinterpret_cast<Signed>(quarter << 31) >> 31);
    const Unsigned flip_re = ((quarter + 1u) & 2u) << 30, flip_im = (quarter & 2u) << 30;
    const Unsigned sb = reinterpret_cast<Unsigned>(s), cb = reinterpret_cast<Unsigned>(c);
    return {reinterpret_cast<Floats>(((sb & odd) | (cb & ~odd)) ^ flip_re),
            reinterpret_cast<Floats>(((cb & odd) | (sb & ~odd)) ^ flip_im)};
}

/// Spreads the photons of one block group onto the periodic grid of `size` cells (zeroed here).
static void spread(const NufftSpread& job, LanePair* grid) {
    const Lanes zero = {};
    for (int i = 0; i < job.size; ++i) grid[i] = {zero, zero};
    Phases lane = {};
    for (unsigned l = 0; l < nufft_lanes; ++l) lane[l] = l;
    const unsigned mask = static_cast<unsigned>(job.size - 1);
    const float cell_fraction = 1.0f / 4294967296.0f * nufft_table_rows;
    for (std::int64_t j = 0; j < job.n; ++j) {
        // Position on the grid as a 64-bit fraction: the top bits are the cell, the rest the offset within
        // it.
        const std::uint64_t step = job.step[j] * job.harmonic;
        const unsigned cell = static_cast<unsigned>(step >> (64 - job.log2_size));
        const std::uint32_t offset = static_cast<std::uint32_t>((step << job.log2_size) >> 32);
        const std::uint64_t offset_phase = job.offset ? job.offset[j] * job.harmonic : 0;
        const std::uint32_t base = static_cast<std::uint32_t>((step * job.centre + offset_phase) >> 32);
        const std::uint32_t stride = static_cast<std::uint32_t>((step * job.stride) >> 32);
        LanePair value = phasor_of<LanePair>(base + lane * stride);
        if (job.weight) {
            value.re *= job.weight[j];
            value.im *= job.weight[j];
        }
        const float position = static_cast<float>(offset) * cell_fraction;
        int row = static_cast<int>(position);
        if (row > nufft_table_rows - 1) row = nufft_table_rows - 1;
        const float blend = position - static_cast<float>(row);
        const float* low = job.table + row * nufft_width;
        const unsigned first = cell - (nufft_width / 2 - 1);
        for (unsigned i = 0; i < nufft_width; ++i) {
            const float tap = low[i] + blend * (low[i + nufft_width] - low[i]);
            LanePair& target = grid[(first + i) & mask];
            target.re += tap * value.re;
            target.im += tap * value.im;
        }
    }
}

static inline __attribute__((always_inline)) LanePair add(LanePair a, LanePair b) {
    return {a.re + b.re, a.im + b.im};
}
static inline __attribute__((always_inline)) LanePair subtract(LanePair a, LanePair b) {
    return {a.re - b.re, a.im - b.im};
}
static inline __attribute__((always_inline)) LanePair times_i(LanePair a) {
    return {-a.im, a.re};
}
static inline __attribute__((always_inline)) LanePair times(LanePair a, float re, float im) {
    return {a.re * re - a.im * im, a.re * im + a.im * re};
}

/// In-place transform sum_g x_g exp(+2 pi i l g / size), decimation in frequency: radix 4, and one radix-2
/// pass when log2(size) is odd. Outputs stay in digit-reversed order. twiddle[2k], twiddle[2k+1] = exp(2 pi i
/// k / size).
static void transform(LanePair* x, int size, const float* twiddle) {
    int length = size;
    for (; length >= 4; length /= 4) {
        const int quarter = length / 4, step = size / length;
        for (int start = 0; start < size; start += length) {
            LanePair *a = x + start, *b = a + quarter, *c = b + quarter, *d = c + quarter;
            for (int k = 0; k < quarter; ++k) {
                const float *w1 = twiddle + 2 * k * step, *w2 = w1 + 2 * k * step, *w3 = w2 + 2 * k * step;
                const LanePair s02 = add(a[k], c[k]), d02 = subtract(a[k], c[k]);
                const LanePair s13 = add(b[k], d[k]), d13 = times_i(subtract(b[k], d[k]));
                a[k] = add(s02, s13);
                b[k] = times(add(d02, d13), w1[0], w1[1]);
                c[k] = times(subtract(s02, s13), w2[0], w2[1]);
                d[k] = times(subtract(d02, d13), w3[0], w3[1]);
            }
        }
    }
    if (length == 2)
        for (int start = 0; start < size; start += 2) {
            const LanePair a = x[start], b = x[start + 1];
            x[start] = add(a, b);
            x[start + 1] = subtract(a, b);
        }
}

/// Output l of the block is grid[order[l]] * correction[l]; its lanes go to sums.
static void gather(const NufftGather& job, const LanePair* grid, LanePair* sums) {
    for (int l = 0; l < job.n; ++l) {
        const LanePair v = grid[job.order[l]];
        sums[l] = {v.re * job.correction[l], v.im * job.correction[l]};
    }
}

static void run_spread(const NufftSpread& job, float* grid) {
    spread(job, reinterpret_cast<LanePair*>(grid));
}

static void run_transform(float* grid, int size, const float* twiddle) {
    transform(reinterpret_cast<LanePair*>(grid), size, twiddle);
}

static void run_gather(const NufftGather& job, const float* grid, float* sums) {
    gather(job, reinterpret_cast<const LanePair*>(grid), reinterpret_cast<LanePair*>(sums));
}

/// A row of values that need not be aligned.
using LooseLanes = float __attribute__((vector_size(4 * nufft_lanes), aligned(4)));

static inline __attribute__((always_inline)) Lanes load(const float* from) {
    return *reinterpret_cast<const LooseLanes*>(from);
}
static inline __attribute__((always_inline)) void store(float* to, Lanes v) {
    *reinterpret_cast<LooseLanes*>(to) = v;
}

/// Transposes eight rows and writes row l to out + l * stride.
static inline __attribute__((always_inline)) void store_transposed(const Lanes* r, float* out,
                                                                   std::int64_t stride) {
    Lanes a[nufft_lanes], b[nufft_lanes];
    for (unsigned i = 0; i < nufft_lanes; i += 2) {
        a[i] = __builtin_shufflevector(r[i], r[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
        a[i + 1] = __builtin_shufflevector(r[i], r[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
    }
    for (unsigned i = 0; i < nufft_lanes; i += 4)
        for (unsigned h = 0; h < 2; ++h) {
            b[i + 2 * h] = __builtin_shufflevector(a[i + h], a[i + h + 2], 0, 1, 8, 9, 4, 5, 12, 13);
            b[i + 2 * h + 1] = __builtin_shufflevector(a[i + h], a[i + h + 2], 2, 3, 10, 11, 6, 7, 14, 15);
        }
    for (unsigned i = 0; i < nufft_lanes / 2; ++i) {
        store(out + i * stride, __builtin_shufflevector(b[i], b[i + 4], 0, 1, 2, 3, 8, 9, 10, 11));
        store(out + (i + 4) * stride, __builtin_shufflevector(b[i], b[i + 4], 4, 5, 6, 7, 12, 13, 14, 15));
    }
}

static void run_powers(const NufftGather& job, const float* rows, float scale, float* out) {
    const LanePair* in = reinterpret_cast<const LanePair*>(rows);
    for (int l = 0; l < job.n; l += nufft_lanes) {
        Lanes power[nufft_lanes];
        for (unsigned i = 0; i < nufft_lanes; ++i) {
            const LanePair v = in[job.order ? job.order[l + i] : l + i];
            const float c = job.correction ? scale * job.correction[l + i] * job.correction[l + i] : scale;
            power[i] = c * (v.re * v.re + v.im * v.im);
        }
        store_transposed(power, out + l, job.n);
    }
}

template <bool with_h>
static void add_terms(const NufftTerms& job, float* cumulative, float* h, float* best) {
    const auto step = [&](std::int64_t i, Lanes term) __attribute__((always_inline)) {
        const Lanes z = load(cumulative + i) + term;
        store(cumulative + i, z);
        if constexpr (with_h) {
            const Lanes trial = z - job.penalty, old = load(h + i);
            const Integers better = trial > old;
            store(h + i, better ? trial : old);
            store(best + i, better ? Lanes{} + static_cast<float>(job.harmonic) : load(best + i));
        }
    };
    std::int64_t i = 0;
    if (job.stride == 1)
        for (; i + nufft_lanes <= job.n; i += nufft_lanes) step(i, load(job.term + i));
    else
        for (; i + nufft_lanes <= job.n; i += nufft_lanes) {
            const float* t = job.term + i * job.stride;
            const std::int64_t k = job.stride;
            step(i, Lanes{t[0], t[k], t[2 * k], t[3 * k], t[4 * k], t[5 * k], t[6 * k], t[7 * k]});
        }
    for (; i < job.n; ++i) {
        cumulative[i] += job.term[i * job.stride];
        if constexpr (with_h)
            if (cumulative[i] - job.penalty > h[i]) {
                h[i] = cumulative[i] - job.penalty;
                best[i] = static_cast<float>(job.harmonic);
            }
    }
}

static void run_add(const NufftTerms& job, float* cumulative, float* h, float* best) {
    h ? add_terms<true>(job, cumulative, h, best) : add_terms<false>(job, cumulative, h, best);
}

static void run_scan(const float* values, std::int64_t n, float* highest, float* sum) {
    for (std::int64_t from = 0; from < n; from += nufft_chunk, ++highest, ++sum) {
        float top = 0.0f, total = 0.0f;
        std::int64_t i = from;
        const std::int64_t to = from + nufft_chunk < n ? from + nufft_chunk : n;
        if (i + nufft_lanes <= to) {
            Lanes tops = load(values + i), totals = tops;
            for (i += nufft_lanes; i + nufft_lanes <= to; i += nufft_lanes) {
                const Lanes v = load(values + i);
                tops = v > tops ? v : tops;
                totals += v;
            }
            for (unsigned l = 0; l < nufft_lanes; ++l) {
                top = tops[l] > top ? tops[l] : top;
                total += totals[l];
            }
        }
        for (; i < to; ++i) {
            top = values[i] > top ? values[i] : top;
            total += values[i];
        }
        *highest = top;
        *sum = total;
    }
}
