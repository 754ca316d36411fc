#pragma once
/// @file
/// Axes of the lattices that posteriors are integrated on.

#include "objective.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <vector>

#include <xsift/data/results.hpp>
#include <xsift/spectral/options.hpp>
#include <xsift/spectral/posterior_integral.hpp>

namespace xsift::refine {

inline constexpr double lattice_step = 1.4;  ///< in conditional standard deviations
/// Rise of the statistic up to which neighbours are looked at.
inline constexpr double matters = spectral::posterior_reach;

/// Where an axis has its points: over a shape parameter's coordinate x, or the single point of an axis that
/// is not there. The column density has its points in u = ln(x + shift): its errors are equal steps in x near
/// 0 and in ln x far from it, for most sources. For others u = x.
struct Axis {
    int coordinate = -1;
    double shift = 0.0;  ///< 0: u = x
    double origin = 0.0, step = 1.0, lo = 0.0, hi = 0.0;

    double to_u(double x) const { return shift > 0.0 ? std::log(x + shift) : x; }
    double to_x(double u) const { return shift > 0.0 ? std::exp(u) - shift : u; }
    /// ln of dx/du.
    double log_stretch(double u) const { return shift > 0.0 ? u : 0.0; }

    /// Position (u) of a lattice index; the limits end the lattice.
    double at(int index) const { return coordinate < 0 ? 0.0 : std::clamp(origin + step * index, lo, hi); }
    /// The last index before or at the limit on either side.
    int first() const {
        return coordinate < 0 ? 0 : static_cast<int>(std::ceil((lo - origin) / step - 1e-9)) - 1;
    }
    int last() const {
        return coordinate < 0 ? 0 : static_cast<int>(std::floor((hi - origin) / step + 1e-9)) + 1;
    }
    /// Whether two neighbours are two points: a limit can make them nearly one.
    bool apart(int a, int b) const { return std::fabs(at(a) - at(b)) >= nearly_one * step; }
    /// Whether an index is the last before a limit (lo, hi), or that limit.
    bool meets(int index, double limit) const { return std::fabs(at(index) - limit) < nearly_one * step; }
    static constexpr double nearly_one = 0.05;
    /// Moves a point of the fit to a place on the axis.
    void put(Vector& x, double u) const {
        if (coordinate >= 0) x[coordinate] = to_x(u);
    }
};

/// Calls visit(neighbour) for the points of a lattice one step away along one axis: those within the limits,
/// and not where a limit makes two points nearly one.
template <std::size_t n, typename Visit>
void for_each_neighbour(const std::array<Axis, n>& axes, const std::array<int, n>& index,
                        const Visit& visit) {
    for (std::size_t a = 0; a < n; ++a)
        for (const int step : {-1, 1}) {
            std::array<int, n> next = index;
            next[a] += step;
            if (axes[a].coordinate < 0 || next[a] < axes[a].first() || next[a] > axes[a].last()) continue;
            if (axes[a].apart(next[a], index[a])) visit(next);
        }
}

/// How far along an axis, all other shape parameters held, the statistic stays within what matters.
/// @param sign towards larger or smaller coordinates; @param sigma first guess of the standard deviation, in
/// u; @param p scratch
double conditional_reach(Objective& objective, const Point& best, const Axis& axis, int sign, double sigma,
                         Point& p);

/// An axis over shape parameter i, with a step that resolves the statistic while all else is held.
/// @param best, at where it starts, and the statistic's expansion there; @param scratch a point
Axis make_axis(Objective& objective, const Point& best, const Expansion& at, int i, Point& scratch);

/// Lets the lattice meet a lower limit that is near.
void meet_limit(Axis& axis);

/// ln of the prior density of a coordinate of the fit (see posterior() for the priors).
double log_prior(const spectral::ModelParameter& parameter, double coordinate,
                 const spectral::FitOptions& options);

/// ln of the prior density in the positions of an axis; 0 for one that is not there.
double log_prior_on(const Objective& objective, const Axis& axis, double at,
                    const spectral::FitOptions& options);
/// The prior's share (of any scale) of the cell around a lattice index: the prior of nH is steep at 0.
double prior_mass(const Objective& objective, const Axis& axis, int index,
                  const spectral::FitOptions& options);
/// Value of the parameter at a position.
double value_on(const Coordinates& coordinates, const Axis& axis, double at);

/// Diagonal element i of the inverse of the masked part of a curvature.
std::optional<double> inverse_diagonal(const Matrix& curvature, int i, const Mask& mask, int n);

/// Fine points of an axis with their weights and the cubic interpolation from the nodes of a lattice.
struct FineAxis {
    std::vector<double> at, weight;
    std::vector<std::int32_t> first;  ///< the first of (up to) four nodes, counted from the first used
    std::vector<double> share;        ///< four a point: of those nodes

    /// @param lo, hi first and last index of the nodes
    FineAxis(const Axis& axis, int lo, int hi);

  private:
    /// Lagrange's polynomial through n nodes.
    void add_share(const Axis& axis, int lo, int from, int n, double u);
};

/// A posterior, and its equal-tailed interval of the confidence asked for.
struct Summary {
    Posterior posterior;
    double lo = not_measured, hi = not_measured;
};

/// @param value maps a position of the density
template <typename Value>
Summary summary_of(const spectral::DensitySummary& of, const Value& value) {
    const auto at = [&](int quantile) { return value(of.quantile[quantile]); };
    return {{of.mean, at(0), at(1), at(2), at(3), at(4)}, at(5), at(6)};
}

/// Mean, median and equal-tailed intervals of a density on ascending points; value maps a point.
/// @param tail probability beyond each end of the interval asked for
template <typename Value>
Summary summarise(const std::vector<double>& at, const std::vector<double>& density, const Value& value,
                  double tail = 0.05) {
    std::vector<double> cumulative(at.size());
    return summary_of(
        spectral::summarise_density(
            at.data(), density.data(), static_cast<int>(at.size()),
            [&](int i) { return value(at[static_cast<std::size_t>(i)]); }, tail, cumulative.data()),
        value);
}

}  // namespace xsift::refine
