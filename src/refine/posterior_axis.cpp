#include "posterior_axis.hpp"

namespace xsift::refine {

using spectral::ModelParameter;

double conditional_reach(Objective& objective, const Point& best, const Axis& axis, int sign, double sigma,
                         Point& p) {
    constexpr int most_steps = 12;
    const double room = sign > 0 ? axis.hi - axis.origin : axis.origin - axis.lo;
    if (!(room > 0.0)) return 0.0;
    double distance = std::min(room, std::sqrt(matters) * sigma);
    for (int step = 0; step < most_steps; ++step) {
        Vector x = best.x;
        axis.put(x, axis.origin + sign * distance);
        objective.evaluate_linear(objective.coordinates().clipped(x), p);
        const double rise = p.stat - best.stat;
        if (rise < 0.5 * matters) {
            if (distance >= room) return room;
            distance =
                std::min(room, distance * std::clamp(std::sqrt(matters / std::max(rise, 0.1)), 1.2, 3.0));
        } else if (rise > 2.0 * matters) {
            distance *= std::clamp(std::sqrt(matters / rise), 0.3, 0.8);
        } else {
            return std::min(room, distance * std::sqrt(matters / rise));
        }
    }
    return distance;
}

Axis make_axis(Objective& objective, const Point& best, const Expansion& at, int i, Point& scratch) {
    const Coordinates& c = objective.coordinates();
    Axis axis;
    axis.coordinate = i;
    const ModelParameter& of = objective.model().parameters[static_cast<std::size_t>(c.parameter[i])];
    if (of.name == "nH" && !of.logarithmic && c.lo[i] >= 0.0) axis.shift = spectral::nh_prior_scale;
    axis.origin = axis.to_u(best.x[i]);
    axis.lo = axis.to_u(c.lo[i]);
    axis.hi = axis.to_u(c.hi[i]);
    Mask linear{};
    for (int j = c.first_factor(); j < c.n; ++j) linear[j] = true;
    linear[i] = true;
    const double range = axis.hi - axis.lo;
    const double sigma =
        std::sqrt(2.0 * inverse_diagonal(at.expected, i, linear, c.n).value_or(range * range)) *
        std::exp(-axis.log_stretch(axis.origin));
    const double guess = std::clamp(sigma, 1e-6 * range, 0.1 * range);
    const double below = conditional_reach(objective, best, axis, -1, guess, scratch),
                 above = conditional_reach(objective, best, axis, 1, guess, scratch);
    // a side that ends at its limit does not tell how fast the statistic rises
    const bool to_lo = axis.origin - below <= axis.lo, to_hi = axis.origin + above >= axis.hi;
    const double reach = to_lo && to_hi ? std::max(below, above)
                         : to_lo        ? above
                         : to_hi        ? below
                                        : 0.5 * (below + above);
    axis.step = std::clamp(lattice_step / std::sqrt(matters) * reach, 1e-6 * range, 0.05 * range);
    return axis;
}

void meet_limit(Axis& axis) {
    constexpr double near = 12.0;  // steps
    const double room = axis.origin - axis.lo;
    if (room > 0.0 && room < near * axis.step) axis.step = room / std::ceil(room / axis.step);
}

double log_prior(const ModelParameter& p, double coordinate, const spectral::FitOptions& options) {
    if (p.logarithmic) return -std::log(std::log(p.hi / p.lo));
    if (p.name == "nH" && options.nh_prior == spectral::NhPrior::logarithmic) {
        const double scale = spectral::nh_prior_scale;
        return -std::log((coordinate + scale) * std::log((p.hi + scale) / (p.lo + scale)));
    }
    return -std::log(p.hi - p.lo);
}

namespace {

const ModelParameter& parameter_on(const Objective& objective, const Axis& axis) {
    const int index = objective.coordinates().parameter[static_cast<std::size_t>(axis.coordinate)];
    return objective.model().parameters[static_cast<std::size_t>(index)];
}

}  // namespace

double log_prior_on(const Objective& objective, const Axis& axis, double at,
                    const spectral::FitOptions& options) {
    if (axis.coordinate < 0) return 0.0;
    return log_prior(parameter_on(objective, axis), axis.to_x(at), options) + axis.log_stretch(at);
}

double prior_mass(const Objective& objective, const Axis& axis, int k, const spectral::FitOptions& options) {
    const double lo = axis.to_x(0.5 * (axis.at(k - 1) + axis.at(k))),
                 hi = axis.to_x(0.5 * (axis.at(k) + axis.at(k + 1)));
    const ModelParameter& of = parameter_on(objective, axis);
    const double scale = spectral::nh_prior_scale;
    return !of.logarithmic && of.name == "nH" && options.nh_prior == spectral::NhPrior::logarithmic
               ? std::log((hi + scale) / (lo + scale))
               : hi - lo;
}

double value_on(const Coordinates& c, const Axis& axis, double at) {
    return c.logarithmic[static_cast<std::size_t>(axis.coordinate)] ? std::exp(at) : axis.to_x(at);
}

FineAxis::FineAxis(const Axis& axis, int lo, int hi) {
    if (axis.coordinate < 0 || lo == hi) {
        at = {axis.at(lo)};
        weight = {1.0};
        first = {0};
        share = {1.0, 0.0, 0.0, 0.0};
        return;
    }
    constexpr int subdivisions = spectral::lattice_subdivisions;
    for (int k = lo; k < hi; ++k)
        for (int j = 0; j < subdivisions + (k + 1 == hi ? 1 : 0); ++j) {
            const double u = axis.at(k) + (axis.at(k + 1) - axis.at(k)) * j / subdivisions;
            at.push_back(u);
            add_share(axis, lo, std::clamp(k - 1, lo, std::max(lo, hi - 3)), std::min(4, hi - lo + 1), u);
        }
    weight.assign(at.size(), 0.0);
    for (std::size_t i = 0; i + 1 < at.size(); ++i) {
        weight[i] += 0.5 * (at[i + 1] - at[i]);
        weight[i + 1] += 0.5 * (at[i + 1] - at[i]);
    }
}

void FineAxis::add_share(const Axis& axis, int lo, int from, int n, double u) {
    std::array<double, 4> out{};
    for (int i = 0; i < n; ++i) {
        out[i] = 1.0;
        for (int j = 0; j < n; ++j)
            if (j != i) out[i] *= (u - axis.at(from + j)) / (axis.at(from + i) - axis.at(from + j));
    }
    first.push_back(from - lo);
    share.insert(share.end(), out.begin(), out.end());
}

std::optional<double> inverse_diagonal(const Matrix& curvature, int i, const Mask& mask, int n) {
    Vector unit{};
    unit[i] = 1.0;
    const auto column = solve(curvature, unit, mask, n);
    if (!column || !((*column)[i] > 0.0)) return std::nullopt;
    return (*column)[i];
}

}  // namespace xsift::refine
