#pragma once
/// @file
/// A model of one norm between the nodes of a lattice of shape parameters, and its fit to counts there, for
/// host and device: what a spectrum needs that is fitted very often with other counts, or several spectra
/// fitted together, with factors between the instruments.
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

inline constexpr int most_lattice_spectra = 3;  ///< fitted together: XMM-Newton has three cameras

/// One of the spectra that are fitted together.
struct LatticeSpectrum {
    std::int64_t n_bins = 0;
    double ratio = 0.0;  ///< of the exposures, background (times BACKSCAL ratio) over source; 0: C-stat
    /// Of the first spectrum's norm, and of the others' factors: what they have times that norm.
    double scale_min = 1e-12, scale_max = 1e12;
};

/// The lattice as plain pointers (host or device memory). Bins are those of one spectrum after the other.
struct RateLattice {
    /// ln of the counts expected of the source at norm 1: bin k of node (row, column) at
    /// [(row * columns + column) * n_bins + k].
    const double* log_counts = nullptr;
    int rows = 1, columns = 1;
    std::int64_t n_bins = 0;
    bool tabulated = false;  ///< between columns the counts are linear, with a kink at each
};

/// Counts of the spectra; bin k of spectrum d at [(place[d] + k) * stride].
struct LatticeCounts {
    const float *counts = nullptr, *background = nullptr;
    std::int64_t stride = 1;
    const LatticeSpectrum* spectrum = nullptr;
    const std::int64_t* place = nullptr;
    int n_spectra = 0;
};

/// A place between the nodes, with ln of the norm of the first spectrum and of the factors of others.
struct LatticePlace {
    double row = 0.0, column = 0.0, log_scale[most_lattice_spectra] = {};
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

/// Coordinates are row, column, ln norm, and ln of the factor of each spectrum after the first.
inline constexpr int first_norm = 2;

/// Spectra whose coordinates are at most `most`: a device keeps those of a single one in registers; several
/// are counted at run time, so that loops over them stay loops beside those over bins, which take the
/// registers.
template <int most>
XSIFT_HD constexpr int spectra_of(int n_spectra) {
    return most == first_norm + 1 ? 1 : n_spectra;
}

/// Where a descent may go.
template <int most>
struct Box {
    double lo[most] = {}, hi[most] = {};
    int column_below = 0;  ///< as of cell_at()
};

template <int n>
struct Expansion {
    double slope[n] = {}, observed[n][n] = {}, expected[n][n] = {};
};

/// ln of a spectrum's own norm.
template <int most>
XSIFT_HD double log_norm_of(int spectrum, const double (&x)[most]) {
    if constexpr (most == first_norm + 1)
        return x[first_norm];
    else
        return x[first_norm] + (spectrum > 0 ? x[first_norm + spectrum] : 0.0);
}

/// Slope and curvature of the statistic (the lower half of the latter).
template <int most>
XSIFT_HD Expansion<most> expand(const RateLattice& lattice, const LatticeCounts& data,
                                const double (&x)[most], int column_below) {
    constexpr int own = first_norm + 1;  // what the bins of a spectrum depend on
    const LatticeCell cell = cell_at(lattice, x[0], x[1], column_below);
    Expansion<most> out;
    std::int64_t first_bin = 0;
    const int n_spectra = spectra_of<most>(data.n_spectra);
    for (int d = 0; d < n_spectra; ++d) {
        const LatticeSpectrum& spectrum = data.spectrum[d];
        const double log_norm = log_norm_of(d, x);
        Expansion<own> sum;
        for (std::int64_t k = 0; k < spectrum.n_bins; ++k) {
            const LogCounts f = log_counts_at(lattice, cell, first_bin + k);
            const double mu = std::exp(f.value + log_norm);
            const std::int64_t at = (data.place[d] + k) * data.stride;
            const auto s = static_cast<double>(data.counts[at]);
            double first, second, expected;  // by ln mu
            if (spectrum.ratio > 0.0) {
                const auto b = static_cast<double>(data.background[at]);
                const StatTerm term = wstat_derivatives(s, b, 1.0, spectrum.ratio, mu);
                first = mu * term.first;
                second = mu * mu * term.second + first;
                expected = mu * mu *
                           expected_curvature(1.0, spectrum.ratio, mu,
                                              profiled_background(s, b, 1.0, spectrum.ratio, mu));
            } else {
                first = 2.0 * (mu - s);
                second = expected = 2.0 * mu;
            }
            const double by[own] = {f.u, f.v, 1.0};
            for (int i = 0; i < own; ++i) {
                sum.slope[i] += first * by[i];
                for (int j = 0; j <= i; ++j) {
                    sum.observed[i][j] += second * by[i] * by[j];
                    sum.expected[i][j] += expected * by[i] * by[j];
                }
            }
            sum.observed[0][0] += first * f.uu;
            sum.observed[1][0] += first * f.uv;
            sum.observed[1][1] += first * f.vv;
        }
        first_bin += spectrum.n_bins;
        if constexpr (most == own) {
            out = sum;
        } else {  // its norm is that of all, and from the second on its factor as well
            for (int i = 0; i < (d > 0 ? own + 1 : own); ++i) {
                const int to = i < own ? i : first_norm + d, of = i < own ? i : first_norm;
                out.slope[to] += sum.slope[of];
                for (int j = 0; j <= i; ++j) {
                    const int with = j < own ? j : first_norm + d, row = j < own ? j : first_norm;
                    out.observed[to][with] += sum.observed[of][row];
                    out.expected[to][with] += sum.expected[of][row];
                }
            }
        }
    }
    return out;
}

/// The statistic.
template <int most>
XSIFT_HD double statistic(const RateLattice& lattice, const LatticeCounts& data, const double (&x)[most],
                          int column_below) {
    const LatticeCell cell = cell_at(lattice, x[0], x[1], column_below);
    double sum = 0.0;
    std::int64_t first_bin = 0;
    const int n_spectra = spectra_of<most>(data.n_spectra);
    for (int d = 0; d < n_spectra; ++d) {
        const LatticeSpectrum& spectrum = data.spectrum[d];
        const double log_norm = log_norm_of(d, x);
        for (std::int64_t k = 0; k < spectrum.n_bins; ++k) {
            const double mu = std::exp(log_norm + log_counts_at(lattice, cell, first_bin + k).value);
            const std::int64_t at = (data.place[d] + k) * data.stride;
            const auto s = static_cast<double>(data.counts[at]);
            sum += spectrum.ratio > 0.0
                       ? wstat(s, static_cast<double>(data.background[at]), 1.0, spectrum.ratio, mu)
                       : cstat(s, 1.0, mu);
        }
        first_bin += spectrum.n_bins;
    }
    return sum;
}

/// The step -(curvature)^-1 slope of the free ones of n coordinates (Cholesky).
/// @param curvature its lower half
/// @return whether the curvature is positive
template <int most>
XSIFT_HD bool newton_step(int n, const double (&curvature)[most][most], const double (&added)[most],
                          const double (&slope)[most], const bool (&free)[most], double (&step)[most]) {
    double l[most][most] = {}, y[most] = {};
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
template <int most>
XSIFT_HD LatticeMinimum descend(const RateLattice& lattice, const LatticeCounts& data,
                                const double (&start)[most], const Box<most>& box) {
    const int n = first_norm + spectra_of<most>(data.n_spectra);
    constexpr int most_steps = 60;
    constexpr double enough = 1e-8;   // gain of the statistic that is not worth a step
    constexpr double farthest = 1.0;  // nodes, or e-folds of the norm, a step
    const double(&lo)[most] = box.lo;
    const double(&hi)[most] = box.hi;
    double x[most] = {};
    for (int i = 0; i < n; ++i) x[i] = start[i];
    Expansion<most> at = expand(lattice, data, x, box.column_below);
    double damping = 0.0;
    LatticeMinimum out;
    for (int taken = 0; taken < most_steps; ++taken) {
        bool free[most];
        for (int i = 0; i < n; ++i)
            free[i] = hi[i] > lo[i] && at.expected[i][i] > 0.0 && !(x[i] <= lo[i] && at.slope[i] >= 0.0) &&
                      !(x[i] >= hi[i] && at.slope[i] <= 0.0);
        double step[most], added[most];
        for (bool again = true; again;) {  // a coordinate at its limit that a step would take beyond it stays
            bool positive = false;
            for (int way = 0; way < 2 && !positive; ++way) {
                for (int i = 0; i < n; ++i)
                    added[i] = (damping + (way == 0 ? 0.0 : 1e-9)) * at.expected[i][i];
                // a number that the compiler does not know: unrolled, this loop would take all registers
                positive = newton_step(first_norm + data.n_spectra, way == 0 ? at.observed : at.expected,
                                       added, at.slope, free, step);
            }
            for (int i = 0; i < n && !positive; ++i)
                step[i] = free[i] ? -at.slope[i] / at.expected[i][i] / (1.0 + damping) : 0.0;
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
        double next[most] = {}, before = 0.0, after = 0.0;
        for (int i = 0; i < n; ++i) next[i] = std::fmin(std::fmax(x[i] + scale * step[i], lo[i]), hi[i]);
        const Expansion<most> there = expand(lattice, data, next, box.column_below);
        for (int i = 0; i < n; ++i) {
            before -= at.slope[i] * (next[i] - x[i]);
            after += there.slope[i] * (next[i] - x[i]);
        }
        if (after > 0.5 * before) {  // too far
            damping = std::fmax(10.0 * damping, 1e-3);
            continue;
        }
        for (int i = 0; i < n; ++i) x[i] = next[i];
        at = there;
        damping = damping > 1e-3 ? 0.2 * damping : 0.0;
    }
    out.at.row = x[0];
    out.at.column = x[1];
    for (int i = first_norm; i < n; ++i) out.at.log_scale[i - first_norm] = x[i];
    out.stat = statistic(lattice, data, x, box.column_below);
    return out;
}

}  // namespace lattice_detail

/// Descends to the nearest minimum of the statistic on the lattice (its edges are limits) and within those of
/// norm and factors. Of a tabulated one: to a minimum that is lower than those in the intervals on either
/// side of its own.
/// @tparam spectra at most so many: 1, or most_lattice_spectra
/// @param from a place on the lattice; of a tabulated one, a column
template <int spectra>
XSIFT_HD LatticeMinimum fit_on_lattice(const RateLattice& lattice, const LatticeCounts& data,
                                       const LatticePlace& from) {
    using namespace lattice_detail;
    constexpr int most = first_norm + spectra;
    const int n_spectra = spectra_of<most>(data.n_spectra);
    Box<most> box;
    box.hi[0] = lattice.rows - 1.0;
    box.hi[1] = lattice.columns - 1.0;
    double start[most] = {from.row, from.column};
    for (int d = 0; d < n_spectra; ++d) {
        const int i = first_norm + d;
        box.lo[i] = std::log(data.spectrum[d].scale_min);
        box.hi[i] = std::log(data.spectrum[d].scale_max);
        start[i] = std::fmin(std::fmax(from.log_scale[d], box.lo[i]), box.hi[i]);
    }
    const bool intervals = lattice.tabulated && lattice.columns > 1;
    const int last_interval = lattice.columns - 2;
    int next = static_cast<int>(from.column);
    next = next > last_interval ? last_interval : next;
    LatticeMinimum best;
    // One interval after the other, each from a third of its width away from the side that is known: next to
    // a column the statistic may rise at first. (In one place: a device has no registers for a descent in
    // two.)
    for (int at = next, first = next, last = next, tries = 0;; ++tries) {
        if (intervals) {
            box.lo[1] = next;
            box.hi[1] = next + 1.0;
            box.column_below = next;
            start[1] = next + (start[1] > next ? 2.0 : 1.0) / 3.0;
        }
        const LatticeMinimum found = descend(lattice, data, start, box);
        if (tries == 0 || found.stat < best.stat) {
            best = found;
            at = next;
        }
        if (!intervals) return best;
        next = at == first && first > 0 ? --first : at == last && last < last_interval ? ++last : -1;
        if (next < 0) return best;
        start[0] = best.at.row;
        start[1] = best.at.column;
        for (int d = 0; d < n_spectra; ++d) start[first_norm + d] = best.at.log_scale[d];
    }
}

}  // namespace xsift::spectral
