#pragma once
/// @file
/// One draw: the counts of a spectrum, or of several that are fitted together, compared with every node of a
/// lattice, then fitted between them. For host and device.

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
    int n_spectra = 0;
    spectral::LatticeSpectrum spectrum[spectral::most_lattice_spectra];
    /// Of the first bin of a spectrum in arrays of counts, and how many there are for each draw: those of a
    /// spectrum are padded as cells want them.
    std::int64_t place[spectral::most_lattice_spectra] = {}, n_places = 0;
    /// exp of the lattice's log_counts of a spectrum; bin k of node i at [i * node_stride + k].
    const float* node_counts[spectral::most_lattice_spectra] = {};
    std::int64_t node_stride[spectral::most_lattice_spectra] = {};
    const double *expected = nullptr, *expected_background = nullptr;  ///< n_bins
    std::uint64_t seed = 0;

    XSIFT_HD std::int64_t n_nodes() const {
        return static_cast<std::int64_t>(lattice.rows) * lattice.columns;
    }
};

/// Draws the spectra. The n-th of a seed is the same on every backend, and that which
/// refine::simulate_fits draws.
/// @param counts, background place k at [k * stride]; background is 0 for C-stat
/// @param cells a spectrum: its counts with their totals, as cells want them
XSIFT_HD inline void draw_counts(const SimulationData& of, std::int64_t draw, float* counts,
                                 float* background, std::int64_t stride, CellData* cells) {
    RandomStream random(of.seed, static_cast<std::uint64_t>(draw));
    std::int64_t first_bin = 0;
    for (int d = 0; d < of.n_spectra; ++d) {
        const spectral::LatticeSpectrum& spectrum = of.spectrum[d];
        CellData& out = cells[d];
        out = {};
        out.counts = counts + of.place[d] * stride;
        out.background = background + of.place[d] * stride;
        out.n_bins = spectrum.n_bins;
        out.exposure = 1.0;
        out.ratio = static_cast<float>(spectrum.ratio);
        out.norm_min = (d > 0 ? of.spectrum[0].scale_min : 1.0) * spectrum.scale_min;
        out.norm_max = (d > 0 ? of.spectrum[0].scale_max : 1.0) * spectrum.scale_max;
        const bool wstat = spectrum.ratio > 0.0;
        for (std::int64_t k = 0; k < spectrum.n_bins; ++k) {
            const auto s = static_cast<double>(random.poisson(of.expected[first_bin + k]));
            const auto b =
                wstat ? static_cast<double>(random.poisson(of.expected_background[first_bin + k])) : 0.0;
            counts[(of.place[d] + k) * stride] = static_cast<float>(s);
            background[(of.place[d] + k) * stride] = static_cast<float>(b);
            out.total += s;
            out.net += s - (wstat ? b / spectrum.ratio : 0.0);
        }
        first_bin += spectrum.n_bins;
    }
}

/// Spectra at a node: the sum of their statistics, each with the norm that is best for it.
struct NodeFit {
    GridCell sum;  ///< with the norm of the first
    double norm[spectral::most_lattice_spectra] = {};

    /// @param cell_of(d) of a spectrum
    template <typename CellOf>
    XSIFT_HD static NodeFit of(int n_spectra, const CellOf& cell_of) {
        NodeFit out;
        for (int d = 0; d < n_spectra; ++d) {
            const GridCell cell = cell_of(d);
            if (d == 0)
                out.sum = cell;
            else
                out.sum.stat += cell.stat;
            out.norm[d] = cell.norm;
        }
        return out;
    }
};

/// Nodes, e-folds and statistics of outcomes are multiples of 1 over this, so that they do not depend on the
/// rounding of the single precision in which the first node was found.
inline constexpr double minimum_steps = 0x1p20;

/// Fits drawn counts from their best node on. @param counts, background as of draw_counts()
template <int spectra>
XSIFT_HD spectral::LatticeMinimum fit_from_node(const SimulationData& of, const float* counts,
                                                const float* background, std::int64_t stride,
                                                const NodeFit& best) {
    constexpr double norm_steps = 64.0;
    const auto rounded = [](double x, double steps) { return std::rint(x * steps) / steps; };
    spectral::LatticePlace start;
    start.row = static_cast<double>(best.sum.index / of.lattice.columns);
    start.column = static_cast<double>(best.sum.index % of.lattice.columns);
    for (int d = 0; d < of.n_spectra; ++d)
        start.log_scale[d] = rounded(std::log(best.norm[d]), norm_steps) - (d > 0 ? start.log_scale[0] : 0.0);
    spectral::LatticeMinimum found = spectral::fit_on_lattice<spectra>(
        of.lattice, {counts, background, stride, of.spectrum, of.place, of.n_spectra}, start);
    found.at.row = rounded(found.at.row, minimum_steps);
    found.at.column = rounded(found.at.column, minimum_steps);
    for (int d = 0; d < of.n_spectra; ++d)
        found.at.log_scale[d] = rounded(found.at.log_scale[d], minimum_steps);
    found.stat = rounded(found.stat, minimum_steps);
    return found;
}

/// Fits drawn counts from their best node on, and on a tabulated lattice also from the best of those that lie
/// in another valley: plasmas have a hot minimum and a cold one behind a large column.
/// @param node_of(i) the NodeFit of a node
template <int spectra, typename NodeOf>
XSIFT_HD spectral::LatticeMinimum fit_from_nodes(const SimulationData& of, const float* counts,
                                                 const float* background, std::int64_t stride,
                                                 const NodeOf& node_of) {
    constexpr std::int64_t apart = 3;  // columns
    constexpr double hopeless = 4.0;   // above the best: a node of a valley that has no lower minimum
    spectral::LatticeMinimum found;
    NodeFit best;
    for (int valley = 0; valley < 2; ++valley) {
        NodeFit lowest;
        bool any = false;
        for (std::int64_t i = 0; i < of.n_nodes(); ++i) {
            const std::int64_t columns = i % of.lattice.columns - best.sum.index % of.lattice.columns;
            if (valley > 0 && columns < apart && columns > -apart) continue;
            const NodeFit node = node_of(i);
            if (valley > 0 && !(node.sum.stat < best.sum.stat + hopeless)) continue;
            if (!any || better_cell(node.sum, lowest.sum)) lowest = node;
            any = true;
        }
        if (!any) break;
        const spectral::LatticeMinimum minimum =
            fit_from_node<spectra>(of, counts, background, stride, lowest);
        if (valley == 0 || minimum.stat < found.stat) found = minimum;
        if (!of.lattice.tabulated) break;
        best = lowest;
    }
    return found;
}

/// All of it by one thread. @param counts, background scratch: place k at [k * stride]
/// @tparam spectra the task has at most so many: 1, or most_lattice_spectra
template <typename Ops, int spectra>
XSIFT_HD spectral::LatticeMinimum simulated_fit(const SimulationData& of, std::int64_t draw, float* counts,
                                                float* background, std::int64_t stride) {
    CellData drawn[spectra];
    draw_counts(of, draw, counts, background, stride, drawn);
    double share[spectra] = {};
    return fit_from_nodes<spectra>(of, counts, background, stride, [&](std::int64_t i) {
        return NodeFit::of(of.n_spectra, [&](int d) {
            return fit_cell(i, drawn[d],
                            SerialBins<Ops>{&drawn[d], of.node_counts[d] + i * of.node_stride[d], 1, stride},
                            share[d]);
        });
    });
}

}  // namespace xsift::engine
