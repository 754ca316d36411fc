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

/// cos and sin of phases given as 32-bit fractions of a turn, to float precision.
static inline __attribute__((always_inline)) LanePair lane_phasor(Phases phase) {
    const Phases quarter = (phase + 0x20000000u) >> 30;
    const Lanes x = __builtin_convertvector(reinterpret_cast<Integers>(phase - (quarter << 30)), Lanes) *
                    1.4629180792671596e-09f;
    const Lanes q = x * x;
    const Lanes s = x * (1.0f + q * (-1.6666667e-1f + q * (8.3333310e-3f + q * -1.9840874e-4f)));
    const Lanes c = 1.0f + q * (-0.5f + q * (4.16666456e-2f + q * (-1.3887316e-3f + q * 2.4433157e-5f)));
    const Integers odd = reinterpret_cast<Integers>((quarter & 1u) << 31) >> 31;
    const Phases flip_re = ((quarter + 1u) & 2u) << 30, flip_im = (quarter & 2u) << 30;
    const Phases sb = reinterpret_cast<Phases>(s), cb = reinterpret_cast<Phases>(c);
    const Phases mask = reinterpret_cast<Phases>(odd);
    return {reinterpret_cast<Lanes>(((sb & mask) | (cb & ~mask)) ^ flip_re),
            reinterpret_cast<Lanes>(((cb & mask) | (sb & ~mask)) ^ flip_im)};
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
        LanePair value = lane_phasor(base + lane * stride);
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

static void run_nufft(const NufftSpread& job, const NufftGather& out, const float* twiddle, float* grid,
                      float* sums) {
    LanePair* cells = reinterpret_cast<LanePair*>(grid);
    spread(job, cells);
    transform(cells, job.size, twiddle);
    gather(out, cells, reinterpret_cast<LanePair*>(sums));
}

/// cumulative += scale * |sum|^2; h = max(h, cumulative - penalty), remembering the harmonic.
static void run_accumulate(const float* sums, int n, float scale, float penalty, int harmonic,
                           float* cumulative, float* h, float* best) {
    const LanePair* in = reinterpret_cast<const LanePair*>(sums);
    Lanes *z = reinterpret_cast<Lanes*>(cumulative), *hm = reinterpret_cast<Lanes*>(h),
          *bm = reinterpret_cast<Lanes*>(best);
    const Lanes m = Lanes{} + static_cast<float>(harmonic);
    for (int l = 0; l < n; ++l) {
        z[l] += scale * (in[l].re * in[l].re + in[l].im * in[l].im);
        if (!h) continue;
        const Lanes trial = z[l] - penalty;
        const Integers better = trial > hm[l];
        hm[l] = better ? trial : hm[l];
        bm[l] = better ? m : bm[l];
    }
}
