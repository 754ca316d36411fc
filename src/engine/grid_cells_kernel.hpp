#pragma once
// The statistic of folded templates, compiled once per instruction set: each nufft_<isa>.cpp includes this
// file. Vectors hold eight bins: divisions and roots of sixteen take twice as long. Sums stay in their lanes
// until the last bin.

constexpr unsigned cell_lanes = 8;
using BinVector = float __attribute__((vector_size(4 * cell_lanes)));
using BinIntegers = std::int32_t __attribute__((vector_size(4 * cell_lanes)));
using LooseBinVector = float __attribute__((vector_size(4 * cell_lanes), aligned(4)));

static inline __attribute__((always_inline)) BinVector load_bins(const float* from) {
    return *reinterpret_cast<const LooseBinVector*>(from);
}

/// The arithmetic, of this file alone: what is made from it belongs to this instruction set.
struct LaneOps {
    using Real = BinVector;
    static inline __attribute__((always_inline)) BinVector root(BinVector x) {
        BinVector out = x;
        for (unsigned l = 0; l < cell_lanes; ++l) out[l] = __builtin_sqrtf(x[l]);
        return out;
    }
    static inline __attribute__((always_inline)) BinVector quotient(BinVector a, BinVector b) {
        return a / b;
    }
    static inline __attribute__((always_inline)) BinVector choose(BinIntegers condition, BinVector a,
                                                                  BinVector b) {
        return condition ? a : b;
    }
    static inline __attribute__((always_inline)) BinVector split(BinVector x, BinVector& exponent) {
        const auto bits = reinterpret_cast<BinIntegers>(x);
        const BinIntegers power = (bits - 0x3f3504f3) >> 23;
        exponent = __builtin_convertvector(power, BinVector);
        return reinterpret_cast<BinVector>(bits - (power << 23));
    }
};

struct LaneBins {
    const CellData* data;
    const float* rate;

    template <bool with_statistic>
    BinSums sums(double norm) const {
        BinVector half = {}, first = {}, second = {};
        const auto scale = static_cast<float>(norm * data->exposure);
        const float ratio = data->ratio;
        for (std::int64_t k = 0; k < data->n_bins; k += cell_lanes) {
            const BinVector s = load_bins(data->counts + k), b = load_bins(data->background + k),
                            m = scale * load_bins(rate + k), least = BinVector{} + least_expected;
            const BinVector mu = m > least ? m : least;
            const BinVector phi = expected_background<LaneOps>(s, b, ratio, mu);
            const BinSlope<BinVector> slope = bin_slope<LaneOps>(s, b, mu, phi);
            first += slope.first;
            second += slope.second;
            if constexpr (with_statistic) half += bin_half<LaneOps>(s, b, ratio, mu, phi);
        }
        return {total_of(half), total_of(first), total_of(second)};
    }
    double total() const {
        BinVector sum = {};
        for (std::int64_t k = 0; k < data->n_bins; k += cell_lanes) sum += load_bins(rate + k);
        return total_of(sum);
    }
    static double total_of(BinVector lanes) {
        double sum = 0.0;
        for (unsigned l = 0; l < cell_lanes; ++l) sum += static_cast<double>(lanes[l]);
        return sum;
    }
};

static void run_grid_cells(const GridCells& job) {
    double share = 0.0;
    for (std::int64_t i = 0; i < job.count; ++i)
        job.cells[i] =
            fit_cell(job.first + i, job.data, LaneBins{&job.data, job.rate + i * job.rate_stride}, share);
}
