#pragma once
/// @file
/// A model of one norm between the nodes of a lattice of shape parameters, and its fit to counts there, for
/// host and device: what a spectrum needs that is fitted very often with other counts.
///
/// The logarithm of the counts expected in a bin is interpolated, by cubics through the four nearest nodes
/// along each axis: it is nearly linear in a column density or a photon index. Columns that are the values a
/// table model is given at are another matter: between them the counts themselves are linear, by definition.

#include <cmath>
#include <cstdint>

#include <xsift/core/host_device.hpp>
#include <xsift/spectral/statistics.hpp>

namespace xsift::spectral {

/// Weights of the nodes from `first` on, and their derivatives by the position (in nodes).
struct NodeWeights {
    static constexpr int most = 4;
    int first = 0, n = 1;
    double value[most] = {}, slope[most] = {}, bend[most] = {};
};

/// Lagrange's polynomials through the nodes around a position (fewer than four when the axis has fewer).
XSIFT_HD inline NodeWeights node_weights(double at, int n_nodes) {
    NodeWeights w;
    w.n = n_nodes < NodeWeights::most ? n_nodes : NodeWeights::most;
    int cell = static_cast<int>(std::floor(at));
    cell = cell < 1 ? 1 : cell;
    w.first = cell - 1 > n_nodes - w.n ? n_nodes - w.n : cell - 1;
    const double x = at - w.first;
    for (int i = 0; i < w.n; ++i) {
        double value = 1.0, slope = 0.0, bend = 0.0;
        for (int j = 0; j < w.n; ++j) {
            if (j == i) continue;
            const double inverse = 1.0 / (i - j), factor = (x - j) * inverse;
            bend = bend * factor + 2.0 * slope * inverse;
            slope = slope * factor + value * inverse;
            value *= factor;
        }
        w.value[i] = value;
        w.slope[i] = slope;
        w.bend[i] = bend;
    }
    return w;
}

/// Weights of the tabulated columns around a position. @param cell the column below; there is one above
XSIFT_HD inline NodeWeights linear_weights(double at, int cell) {
    NodeWeights w;
    w.first = cell;
    w.n = 2;
    w.value[0] = 1.0 - (at - cell);
    w.value[1] = at - cell;
    w.slope[0] = -1.0;
    w.slope[1] = 1.0;
    return w;
}

/// The lattice as plain pointers (host or device memory).
struct RateLattice {
    /// ln of the counts expected of the source at norm 1: bin k of node (row, column) at
    /// [(row * columns + column) * n_bins + k].
    const double* log_counts = nullptr;
    int rows = 1, columns = 1;
    std::int64_t n_bins = 0;
    bool tabulated = false;  ///< between columns the counts are linear, with a kink at each
};

/// Counts of one spectrum; bin k at [k * stride].
struct LatticeCounts {
    const float *counts = nullptr, *background = nullptr;
    std::int64_t stride = 1;
    double ratio = 0.0;  ///< of the exposures, background over source; 0: C-stat
};

/// A place between the nodes, with a norm.
struct LatticePlace {
    double row = 0.0, column = 0.0, log_norm = 0.0;
};

/// Where the statistic is lowest.
struct LatticeMinimum {
    LatticePlace at;
    double stat = 0.0;
    bool converged = false;
};

/// The nodes around a place.
struct LatticeCell {
    NodeWeights row, column;
    const double* corner;  ///< first bin of the first of these nodes
};

/// @param column_below of a tabulated lattice with several columns: where the place is at a column, it
/// belongs to the interval above this
XSIFT_HD inline LatticeCell cell_at(const RateLattice& lattice, double row, double column, int column_below) {
    LatticeCell cell{node_weights(row, lattice.rows),
                     lattice.tabulated && lattice.columns > 1 ? linear_weights(column, column_below)
                                                              : node_weights(column, lattice.columns),
                     nullptr};
    cell.corner =
        lattice.log_counts +
        (static_cast<std::int64_t>(cell.row.first) * lattice.columns + cell.column.first) * lattice.n_bins;
    return cell;
}

/// ln of the counts of a bin at norm 1, and its derivatives by row (u) and column (v), in nodes.
struct LogCounts {
    double value = 0.0, u = 0.0, v = 0.0, uu = 0.0, uv = 0.0, vv = 0.0;
};

/// Bin k at a place of a lattice.
XSIFT_HD inline LogCounts log_counts_at(const RateLattice& lattice, const LatticeCell& cell, std::int64_t k) {
    const NodeWeights &row = cell.row, &column = cell.column;
    const auto node = [&](int i, int j) {
        return cell.corner[(static_cast<std::int64_t>(i) * lattice.columns + j) * lattice.n_bins + k];
    };
    LogCounts out;
    if (!lattice.tabulated || column.n < 2) {
        for (int i = 0; i < row.n; ++i) {
            double a = 0.0, av = 0.0, avv = 0.0;
            for (int j = 0; j < column.n; ++j) {
                const double value = node(i, j);
                a += column.value[j] * value;
                av += column.slope[j] * value;
                avv += column.bend[j] * value;
            }
            out.value += row.value[i] * a;
            out.u += row.slope[i] * a;
            out.uu += row.bend[i] * a;
            out.v += row.value[i] * av;
            out.uv += row.slope[i] * av;
            out.vv += row.value[i] * avv;
        }
        return out;
    }
    double below = 0.0, below_u = 0.0, below_uu = 0.0, above = 0.0, above_u = 0.0, above_uu = 0.0;
    for (int i = 0; i < row.n; ++i) {
        const double b = node(i, 0), a = node(i, 1);
        below += row.value[i] * b;
        below_u += row.slope[i] * b;
        below_uu += row.bend[i] * b;
        above += row.value[i] * a;
        above_u += row.slope[i] * a;
        above_uu += row.bend[i] * a;
    }
    // in units of the counts of the column below
    const double ratio = std::exp(above - below), sum = column.value[0] + column.value[1] * ratio,
                 of_above = column.value[1] * ratio / sum, of_below = 1.0 - of_above;
    out.value = below + std::log(sum);
    out.u = of_below * below_u + of_above * above_u;
    out.v = (ratio - 1.0) / sum;
    out.uu =
        of_below * (below_uu + below_u * below_u) + of_above * (above_uu + above_u * above_u) - out.u * out.u;
    out.uv = (ratio * above_u - below_u) / sum - out.u * out.v;
    out.vv = -out.v * out.v;
    return out;
}

namespace lattice_detail {

inline constexpr int n = 3;  ///< coordinates: row, column, ln norm

/// Where a descent may go.
struct Box {
    double lo[n], hi[n];
    int column_below;  ///< as of cell_at()
};

struct Expansion {
    double slope[n] = {}, observed[n][n] = {}, expected[n][n] = {};
};

/// Slope and curvature of the statistic.
XSIFT_HD inline Expansion expand(const RateLattice& lattice, const LatticeCounts& data, const double (&x)[n],
                                 int column_below) {
    const LatticeCell cell = cell_at(lattice, x[0], x[1], column_below);
    Expansion out;
    for (std::int64_t k = 0; k < lattice.n_bins; ++k) {
        const LogCounts f = log_counts_at(lattice, cell, k);
        const double mu = std::exp(f.value + x[2]);
        const auto s = static_cast<double>(data.counts[k * data.stride]);
        double first, second, expected;  // by ln mu
        if (data.ratio > 0.0) {
            const auto b = static_cast<double>(data.background[k * data.stride]);
            const StatTerm term = wstat_derivatives(s, b, 1.0, data.ratio, mu);
            first = mu * term.first;
            second = mu * mu * term.second + first;
            expected =
                mu * mu *
                expected_curvature(1.0, data.ratio, mu, profiled_background(s, b, 1.0, data.ratio, mu));
        } else {
            first = 2.0 * (mu - s);
            second = expected = 2.0 * mu;
        }
        const double by[n] = {f.u, f.v, 1.0};
        for (int i = 0; i < n; ++i) {
            out.slope[i] += first * by[i];
            for (int j = 0; j <= i; ++j) {
                out.observed[i][j] += second * by[i] * by[j];
                out.expected[i][j] += expected * by[i] * by[j];
            }
        }
        out.observed[0][0] += first * f.uu;
        out.observed[1][0] += first * f.uv;
        out.observed[1][1] += first * f.vv;
    }
    return out;
}

/// The statistic.
XSIFT_HD inline double statistic(const RateLattice& lattice, const LatticeCounts& data, const double (&x)[n],
                                 int column_below) {
    const LatticeCell cell = cell_at(lattice, x[0], x[1], column_below);
    double sum = 0.0;
    for (std::int64_t k = 0; k < lattice.n_bins; ++k) {
        const double mu = std::exp(x[2] + log_counts_at(lattice, cell, k).value);
        const auto s = static_cast<double>(data.counts[k * data.stride]);
        sum += data.ratio > 0.0
                   ? wstat(s, static_cast<double>(data.background[k * data.stride]), 1.0, data.ratio, mu)
                   : cstat(s, 1.0, mu);
    }
    return sum;
}

/// The step -(curvature)^-1 slope of the free coordinates (Cholesky). @param curvature its lower half
/// @return whether the curvature is positive
XSIFT_HD inline bool newton_step(const double (&curvature)[n][n], const double (&added)[n],
                                 const double (&slope)[n], const bool (&free)[n], double (&step)[n]) {
    double l[n][n] = {}, y[n] = {};
    for (int i = 0; i < n; ++i) {
        step[i] = 0.0;
        if (!free[i]) continue;
        double rest = -slope[i];
        for (int j = 0; j <= i; ++j) {
            if (!free[j]) continue;
            double sum = curvature[i][j] + (i == j ? added[i] : 0.0);
            for (int m = 0; m < j; ++m) sum -= l[i][m] * l[j][m];
            if (i > j) {
                l[i][j] = sum / l[j][j];
                rest -= l[i][j] * y[j];
            } else {
                if (!(sum > 1e-12 * curvature[i][i])) return false;
                l[i][i] = std::sqrt(sum);
            }
        }
        y[i] = rest / l[i][i];
    }
    for (int i = n - 1; i >= 0; --i) {
        if (!free[i]) continue;
        double rest = y[i];
        for (int m = i + 1; m < n; ++m) rest -= l[m][i] * step[m];
        step[i] = rest / l[i][i];
    }
    return true;
}

/// Descends to the nearest minimum of the statistic in a box: Newton steps, shortened where the slope along a
/// step has changed its sign by much. @param start in the box
XSIFT_HD inline LatticeMinimum descend(const RateLattice& lattice, const LatticeCounts& data,
                                       const double (&start)[n], const Box& box) {
    constexpr int most_steps = 60;
    constexpr double enough = 1e-8;   // gain of the statistic that is not worth a step
    constexpr double farthest = 1.0;  // nodes, or e-folds of the norm, a step
    const double(&lo)[n] = box.lo;
    const double(&hi)[n] = box.hi;
    double x[n] = {start[0], start[1], start[2]};
    Expansion at = expand(lattice, data, x, box.column_below);
    double damping = 0.0;
    LatticeMinimum out;
    for (int taken = 0; taken < most_steps; ++taken) {
        bool free[n];
        for (int i = 0; i < n; ++i)
            free[i] = hi[i] > lo[i] && at.expected[i][i] > 0.0 && !(x[i] <= lo[i] && at.slope[i] >= 0.0) &&
                      !(x[i] >= hi[i] && at.slope[i] <= 0.0);
        double step[n], added[n];
        for (bool again = true; again;) {  // a coordinate at its limit that a step would take beyond it stays
            for (int i = 0; i < n; ++i) added[i] = damping * at.expected[i][i];
            if (!newton_step(at.observed, added, at.slope, free, step)) {
                for (int i = 0; i < n; ++i) added[i] = (damping + 1e-9) * at.expected[i][i];
                if (!newton_step(at.expected, added, at.slope, free, step))
                    for (int i = 0; i < n; ++i)
                        step[i] = free[i] ? -at.slope[i] / at.expected[i][i] / (1.0 + damping) : 0.0;
            }
            again = false;
            for (int i = 0; i < n; ++i)
                if (free[i] && ((x[i] <= lo[i] && step[i] < 0.0) || (x[i] >= hi[i] && step[i] > 0.0))) {
                    free[i] = false;
                    again = true;
                }
        }
        double longest = 0.0, promised = 0.0;
        for (int i = 0; i < n; ++i) {
            longest = std::fmax(longest, std::fabs(step[i]));
            promised -= 0.5 * at.slope[i] * step[i];
        }
        if (promised < enough) {
            for (int i = 0; i < n; ++i) x[i] = std::fmin(std::fmax(x[i] + step[i], lo[i]), hi[i]);
            out.converged = true;
            break;
        }
        const double scale = longest > farthest ? farthest / longest : 1.0;
        double next[n], before = 0.0, after = 0.0;
        for (int i = 0; i < n; ++i) next[i] = std::fmin(std::fmax(x[i] + scale * step[i], lo[i]), hi[i]);
        const Expansion there = expand(lattice, data, next, box.column_below);
        for (int i = 0; i < n; ++i) {
            before -= at.slope[i] * (next[i] - x[i]);
            after += there.slope[i] * (next[i] - x[i]);
        }
        if (after > 0.5 * before) {  // too far
            damping = std::fmax(4.0 * damping, 1.0);
            continue;
        }
        for (int i = 0; i < n; ++i) x[i] = next[i];
        at = there;
        damping = damping > 0.1 ? 0.25 * damping : 0.0;
    }
    out.at = {x[0], x[1], x[2]};
    out.stat = statistic(lattice, data, x, box.column_below);
    return out;
}

/// The minimum between two neighbouring columns of a tabulated lattice, from a third of their distance away
/// from the one that a descent comes from: next to a column the statistic may rise at first.
XSIFT_HD inline LatticeMinimum between_columns(const RateLattice& lattice, const LatticeCounts& data,
                                               const LatticePlace& from, Box box, int below) {
    box.lo[1] = below;
    box.hi[1] = below + 1.0;
    box.column_below = below;
    const double start[n] = {from.row, from.column > below ? below + 2.0 / 3.0 : below + 1.0 / 3.0,
                             from.log_norm};
    return descend(lattice, data, start, box);
}

}  // namespace lattice_detail

/// Descends to the nearest minimum of the statistic on the lattice (its edges are limits) and within those of
/// ln norm. Of a tabulated one: to a minimum that is lower than those in the intervals on either side of its
/// own.
/// @param start a place on the lattice; of a tabulated one, a column
XSIFT_HD inline LatticeMinimum fit_on_lattice(const RateLattice& lattice, const LatticeCounts& data,
                                              const LatticePlace& start, double log_norm_min,
                                              double log_norm_max) {
    using namespace lattice_detail;
    const Box box{{0.0, 0.0, log_norm_min}, {lattice.rows - 1.0, lattice.columns - 1.0, log_norm_max}, 0};
    const LatticePlace from{start.row, start.column,
                            std::fmin(std::fmax(start.log_norm, log_norm_min), log_norm_max)};
    if (!lattice.tabulated || lattice.columns < 2)
        return descend(lattice, data, {from.row, from.column, from.log_norm}, box);
    const int last_interval = lattice.columns - 2;
    int at = static_cast<int>(from.column);
    at = at > last_interval ? last_interval : at;
    LatticeMinimum best = between_columns(lattice, data, from, box, at);
    for (int first = at, last = at;;) {  // intervals that were looked at
        const int next = at == first && first > 0             ? --first
                         : at == last && last < last_interval ? ++last
                                                              : -1;
        if (next < 0) return best;
        const LatticeMinimum found = between_columns(lattice, data, best.at, box, next);
        if (!(found.stat < best.stat)) continue;
        best = found;
        at = next;
    }
}

}  // namespace xsift::spectral
