#pragma once
// The matrix product of the model grids, compiled once per instruction set: each nufft_<isa>.cpp includes
// this file after matrix_kernel.hpp, having said how many rows of templates fit its registers (product_rows)
// beside product_vectors vectors of bins.
//
// Every element is one sum over the energies, in their order: it does not depend on the rows and columns
// computed beside it.

constexpr std::int64_t product_width = product_vectors * matrix_lanes;

/// The bins of a panel, [energy][bin], filled up with zeros, for the energies that reach any of them: a
/// response is mostly empty.
struct Panel {
    std::int64_t first, end;  ///< energies
    const float* values;      ///< of energy `first`
};

static Panel pack_panel(const GridProduct& job, std::int64_t bin, std::int64_t n, float* to) {
    const auto reaches = [&](std::int64_t e) {
        const float* from = job.fold + e * job.n_bins + bin;
        return std::any_of(from, from + n, [](float value) { return value != 0.0f; });
    };
    Panel panel{0, job.n_energies, to};
    while (panel.first < panel.end && !reaches(panel.first)) ++panel.first;
    while (panel.first < panel.end && !reaches(panel.end - 1)) --panel.end;
    for (std::int64_t e = panel.first; e < panel.end; ++e, to += product_width) {
        std::copy_n(job.fold + e * job.n_bins + bin, n, to);
        std::fill(to + n, to + product_width, 0.0f);
    }
    return panel;
}

/// `rows` templates times one panel, of which n columns are kept.
template <unsigned rows>
static inline __attribute__((always_inline)) void product_tile(const GridProduct& job, std::int64_t row,
                                                               const Panel& panel, std::int64_t first,
                                                               std::int64_t n) {
    const float *a = job.templates + row * job.n_energies, *values = panel.values;
    Wide sum[rows][product_vectors] = {};
    for (std::int64_t e = panel.first; e < panel.end; ++e, values += product_width) {
        Wide b[product_vectors];
#pragma GCC unroll 4
        for (unsigned v = 0; v < product_vectors; ++v) b[v] = load_wide(values + v * matrix_lanes);
#pragma GCC unroll 8
        for (unsigned r = 0; r < rows; ++r)
#pragma GCC unroll 4
            for (unsigned v = 0; v < product_vectors; ++v) sum[r][v] += a[r * job.n_energies + e] * b[v];
    }
#pragma GCC unroll 8
    for (unsigned r = 0; r < rows; ++r) {
        float* to = job.rate + (row + r) * job.rate_stride + first;
        if (n == product_width) {
#pragma GCC unroll 4
            for (unsigned v = 0; v < product_vectors; ++v) store_wide(to + v * matrix_lanes, sum[r][v]);
        } else {
            float all[product_width];
            for (unsigned v = 0; v < product_vectors; ++v) store_wide(all + v * matrix_lanes, sum[r][v]);
            std::copy_n(all, n, to);
        }
    }
}

static void run_grid_product(const GridProduct& job, float* space) {
    for (std::int64_t first = 0; first < job.n_bins; first += product_width) {
        const std::int64_t n = std::min(product_width, job.n_bins - first);
        const Panel panel = pack_panel(job, first, n, space);
        std::int64_t row = 0;
        for (; row + static_cast<std::int64_t>(product_rows) <= job.n_templates; row += product_rows)
            product_tile<product_rows>(job, row, panel, first, n);
        for (; row < job.n_templates; ++row) product_tile<1>(job, row, panel, first, n);
    }
}

constexpr double peak_flop = 2.0 * product_rows * product_vectors * matrix_lanes;  ///< of a step

/// Multiplications and additions on registers alone.
static void run_peak(std::int64_t steps, float* out) {
    constexpr unsigned chains = product_rows * product_vectors;
    Wide sum[chains];
    for (unsigned k = 0; k < chains; ++k) sum[k] = Wide{} + out[k % peak_floats];
    const Wide factor = Wide{} + 0.999f, term = Wide{} + 1e-3f;
    for (std::int64_t i = 0; i < steps; ++i)
#pragma GCC unroll 32
        for (unsigned k = 0; k < chains; ++k) sum[k] = sum[k] * factor + term;
    for (unsigned k = 0; k < chains; ++k) out[k % peak_floats] += sum[k][0];
}
