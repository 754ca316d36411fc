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

std::optional<double> inverse_diagonal(const Matrix& curvature, int i, const Mask& mask, int n) {
    Vector unit{};
    unit[i] = 1.0;
    const auto column = solve(curvature, unit, mask, n);
    if (!column || !((*column)[i] > 0.0)) return std::nullopt;
    return (*column)[i];
}

}  // namespace xsift::refine
