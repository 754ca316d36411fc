#pragma once
/// @file
/// One simulated spectrum: its counts drawn, fitted on every node of a lattice, then between them. For host
/// and device.

#include <cmath>
#include <cstdint>

#include <xsift/core/host_device.hpp>
#include <xsift/core/random.hpp>
#include <xsift/engine/grid_cell.hpp>
#include <xsift/spectral/rate_lattice.hpp>

namespace xsift::engine {

/// A simulation task as plain pointers (host or device memory).
struct SimulationData {
    spectral::RateLattice lattice;
    const float* node_counts = nullptr;  ///< exp of the lattice's log_counts; bin k of node i at [i * n + k]
    std::int64_t node_stride = 0;        ///< n
    const double *expected = nullptr, *expected_background = nullptr;  ///< n_bins; the latter null: C-stat
    double ratio = 0.0, norm_min = 0.0, norm_max = 0.0;
    std::uint64_t seed = 0;
};

/// Draws a spectrum. The n-th of a seed is the same on every backend, and that which
/// refine::simulate_fits draws.
/// @param counts, background bin k at [k * stride]; background is 0 for C-stat
/// @return totals of counts, as cells want them
XSIFT_HD inline CellData draw_counts(const SimulationData& of, std::int64_t draw, float* counts,
                                     float* background, std::int64_t stride) {
    RandomStream random(of.seed, static_cast<std::uint64_t>(draw));
    CellData out;
    out.counts = counts;
    out.background = background;
    out.n_bins = of.lattice.n_bins;
    out.exposure = 1.0;
    out.ratio = static_cast<float>(of.ratio);
    out.norm_min = of.norm_min;
    out.norm_max = of.norm_max;
    const bool wstat = of.expected_background != nullptr;
    for (std::int64_t k = 0; k < of.lattice.n_bins; ++k) {
        const auto s = static_cast<double>(random.poisson(of.expected[k]));
        const auto b = wstat ? static_cast<double>(random.poisson(of.expected_background[k])) : 0.0;
        counts[k * stride] = static_cast<float>(s);
        background[k * stride] = static_cast<float>(b);
        out.total += s;
        out.net += s - (wstat ? b / of.ratio : 0.0);
    }
    return out;
}

/// Nodes, e-folds and statistics of outcomes are multiples of 1 over this, so that they do not depend on the
/// rounding of the single precision in which the first node was found.
inline constexpr double minimum_steps = 0x1p20;

/// Fits drawn counts from their best node on.
XSIFT_HD inline spectral::LatticeMinimum fit_from_node(const SimulationData& of, const CellData& drawn,
                                                       std::int64_t stride, const GridCell& best) {
    constexpr double norm_steps = 64.0;
    const auto rounded = [](double x, double steps) { return std::rint(x * steps) / steps; };
    const std::int64_t row = best.index / of.lattice.columns, column = best.index % of.lattice.columns;
    spectral::LatticeMinimum found = spectral::fit_on_lattice(
        of.lattice, {drawn.counts, drawn.background, stride, of.ratio},
        {static_cast<double>(row), static_cast<double>(column), rounded(std::log(best.norm), norm_steps)},
        std::log(of.norm_min), std::log(of.norm_max));
    found.at = {rounded(found.at.row, minimum_steps), rounded(found.at.column, minimum_steps),
                rounded(found.at.log_norm, minimum_steps)};
    found.stat = rounded(found.stat, minimum_steps);
    return found;
}

/// All of it by one thread. @param counts, background scratch: bin k at [k * stride]
template <typename Ops>
XSIFT_HD spectral::LatticeMinimum simulated_fit(const SimulationData& of, std::int64_t draw, float* counts,
                                                float* background, std::int64_t stride) {
    const CellData drawn = draw_counts(of, draw, counts, background, stride);
    const std::int64_t nodes = static_cast<std::int64_t>(of.lattice.rows) * of.lattice.columns;
    double share = 0.0;
    GridCell best;
    for (std::int64_t i = 0; i < nodes; ++i) {
        const GridCell cell = fit_cell(
            i, drawn, SerialBins<Ops>{&drawn, of.node_counts + i * of.node_stride, 1, stride}, share);
        if (i == 0 || better_cell(cell, best)) best = cell;
    }
    return fit_from_node(of, drawn, stride, best);
}

}  // namespace xsift::engine
