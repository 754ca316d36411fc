#pragma once
// The matrix product of the model grids, compiled once per instruction set: each nufft_<isa>.cpp includes
// this file after matrix_kernel.hpp, having said how many rows of templates fit its registers (product_rows)
// beside product_vectors vectors of bins.
//
// Every element is one sum over the energies, in their order: it does not depend on the rows and columns
// computed beside it.

constexpr std::int64_t product_width = product_vectors * matrix_lanes;

/// fold as panels of product_width bins, [panel][energy][bin], the last one filled up with zeros.
static void pack_panels(const GridProduct& job, float* panels) {
    for (std::int64_t first = 0; first < job.n_bins; first += product_width) {
        const std::int64_t n = std::min(product_width, job.n_bins - first);
        for (std::int64_t e = 0; e < job.n_energies; ++e, panels += product_width) {
            std::copy_n(job.fold + e * job.n_bins + first, n, panels);
            std::fill(panels + n, panels + product_width, 0.0f);
        }
    }
}

/// `rows` templates times one panel, of which n columns are kept.
template <unsigned rows>
static inline __attribute__((always_inline)) void product_tile(const GridProduct& job, std::int64_t row,
                                                               const float* panel, std::int64_t first,
                                                               std::int64_t n) {
    const float* a = job.templates + row * job.n_energies;
    Wide sum[rows][product_vectors] = {};
    for (std::int64_t e = 0; e < job.n_energies; ++e, panel += product_width) {
        Wide b[product_vectors];
#pragma GCC unroll 4
        for (unsigned v = 0; v < product_vectors; ++v) b[v] = load_wide(panel + v * matrix_lanes);
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

static void run_grid_product(const GridProduct& job, float* panels) {
    pack_panels(job, panels);
    for (std::int64_t first = 0; first < job.n_bins; first += product_width) {
        const std::int64_t n = std::min(product_width, job.n_bins - first);
        std::int64_t row = 0;
        for (; row + static_cast<std::int64_t>(product_rows) <= job.n_templates; row += product_rows)
            product_tile<product_rows>(job, row, panels, first, n);
        for (; row < job.n_templates; ++row) product_tile<1>(job, row, panels, first, n);
        panels += job.n_energies * product_width;
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
