#pragma once
// The statistic of folded templates, compiled once per instruction set: each nufft_<isa>.cpp includes this
// file after matrix_kernel.hpp. A vector holds as many bins as the matrix kernel's; sums stay in their lanes
// until the last bin.

/// The arithmetic, of this file alone: what is made from it belongs to this instruction set.
struct LaneOps {
    using Real = Wide;
    static inline __attribute__((always_inline)) Wide root(Wide x) {
        Wide out = x;
        for (unsigned l = 0; l < matrix_lanes; ++l) out[l] = __builtin_sqrtf(x[l]);
        return out;
    }
    static inline __attribute__((always_inline)) Wide quotient(Wide a, Wide b) { return a / b; }
    static inline __attribute__((always_inline)) Wide choose(WideIntegers condition, Wide a, Wide b) {
        return condition ? a : b;
    }
    static inline __attribute__((always_inline)) Wide split(Wide x, Wide& exponent) {
        const auto bits = reinterpret_cast<WideIntegers>(x);
        const WideIntegers power = (bits - 0x3f3504f3) >> 23;
        exponent = __builtin_convertvector(power, Wide);
        return reinterpret_cast<Wide>(bits - (power << 23));
    }
};

struct LaneBins {
    const CellData* data;
    const float* rate;

    template <bool with_statistic>
    BinSums sums(double norm) const {
        Wide half = {}, first = {}, second = {};
        const auto scale = static_cast<float>(norm * data->exposure);
        const float ratio = data->ratio;
        for (std::int64_t k = 0; k < data->n_bins; k += matrix_lanes) {
            const Wide s = load_wide(data->counts + k), b = load_wide(data->background + k),
                       m = scale * load_wide(rate + k), least = Wide{} + least_expected;
            const Wide mu = m > least ? m : least;
            const Wide phi = expected_background<LaneOps>(s, b, ratio, mu);
            const BinSlope<Wide> slope = bin_slope<LaneOps>(s, b, mu, phi);
            first += slope.first;
            second += slope.second;
            if constexpr (with_statistic) half += bin_half<LaneOps>(s, b, ratio, mu, phi);
        }
        return {total_of(half), total_of(first), total_of(second)};
    }
    double total() const {
        Wide sum = {};
        for (std::int64_t k = 0; k < data->n_bins; k += matrix_lanes) sum += load_wide(rate + k);
        return total_of(sum);
    }
    static double total_of(Wide lanes) {
        double sum = 0.0;
        for (unsigned l = 0; l < matrix_lanes; ++l) sum += static_cast<double>(lanes[l]);
        return sum;
    }
};

static void run_grid_cells(const GridCells& job) {
    double share = 0.0;
    for (std::int64_t i = 0; i < job.count; ++i)
        job.cells[i] =
            fit_cell(job.first + i, job.data, LaneBins{&job.data, job.rate + i * job.rate_stride}, share);
}
