#include "covariance.hpp"

#include "descent.hpp"

#include <algorithm>
#include <cmath>

namespace xsift::refine {

Matrix observed_curvature(Objective& objective, const Point& p, const Expansion& at, const Mask& wanted,
                          Point& above, Point& below, double step_in_sigma) {
    const Coordinates& c = objective.coordinates();
    const int n = c.n, first = c.first_norm();
    Matrix h{}, follow{};  // d ln norm / d coordinate
    for (int i = 0; i < first; ++i) {
        if (!wanted[i]) continue;
        const double step = std::min(step_in_sigma * std::sqrt(2.0 / at.expected[i][i]), 1.0);
        Vector up = p.x, down = p.x;
        up[i] += step;
        down[i] -= step;
        up = c.clipped(up);
        down = c.clipped(down);
        if (!(up[i] > down[i])) return at.observed;
        objective.evaluate(up, above);
        objective.evaluate(down, below);
        const Vector slope_up = objective.expand(above).slope, slope_down = objective.expand(below).slope;
        for (int j = 0; j < first; ++j) h[i][j] = (slope_up[j] - slope_down[j]) / (up[i] - down[i]);
        for (int g = first; g < n; ++g) {
            const bool at_limit =
                c.at_lo(above.x, g) || c.at_lo(below.x, g) || c.at_hi(above.x, g) || c.at_hi(below.x, g);
            follow[i][g] = at_limit ? 0.0 : (above.x[g] - below.x[g]) / (up[i] - down[i]);
        }
    }
    for (int i = 0; i < first; ++i)
        for (int j = 0; j < i; ++j) h[i][j] = h[j][i] = 0.5 * (h[i][j] + h[j][i]);
    const Matrix& norms = at.observed;
    for (int i = 0; i < first; ++i) {
        for (int g = first; g < n; ++g) {
            double sum = 0.0;
            for (int f = first; f < n; ++f) sum += norms[g][f] * follow[i][f];
            h[i][g] = h[g][i] = -sum;
        }
        for (int j = 0; j < first; ++j)
            for (int g = first; g < n; ++g) h[i][j] -= h[i][g] * follow[j][g];
    }
    for (int g = first; g < n; ++g)
        for (int f = first; f < n; ++f) h[g][f] = norms[g][f];
    return h;
}

Covariance::Covariance(Objective& objective, const Point& p, Point& scratch, Point& more_scratch)
    : n_(objective.coordinates().n) {
    const Expansion at = objective.expand(p);
    slope_ = at.slope;
    free_ = objective.movable(p.x, slope_);
    const Mask felt = sensitive(objective.coordinates(), at);
    curvature_ = observed_curvature(objective, p, at, felt, scratch, more_scratch, 0.1);
    for (int i = 0; i < n_; ++i) free_[i] = free_[i] && felt[i];
    // not a minimum as differences see it (noise on a flat floor): leave the model's second derivatives out
    if (!solve(curvature_, slope_, free_, n_)) curvature_ = at.observed;
}

double Covariance::half_width(int i, double delta) const {
    Mask mask = free_;
    mask[i] = true;
    Vector unit{};
    unit[i] = 1.0;
    const auto column = solve(curvature_, unit, mask, n_);
    if (!column) return not_measured;
    const double curvature = 1.0 / (*column)[i];
    const double slope = free_[i] ? 0.0 : std::fabs(slope_[i]);
    return (std::sqrt(slope * slope + 2.0 * delta * curvature) - slope) / curvature;
}

double Covariance::half_width(const Vector& gradient, double delta) const {
    const auto column = solve(curvature_, gradient, free_, n_);
    if (!column) return not_measured;
    double variance = 0.0;
    for (int i = 0; i < n_; ++i)
        if (free_[i]) variance += gradient[i] * (*column)[i];
    return std::sqrt(2.0 * delta * variance);
}

Vector Covariance::direction(int i) const {
    Mask mask = free_;
    mask[i] = true;
    Vector unit{};
    unit[i] = 1.0;
    const auto column = solve(curvature_, unit, mask, n_);
    Vector out{};
    if (!column) return out;
    for (int j = 0; j < n_; ++j) out[j] = (*column)[j] / (*column)[i];
    return out;
}

double Covariance::correlation(int i, int j) const {
    if (!free_[i] || !free_[j]) return 0.0;
    Vector unit_i{}, unit_j{};
    unit_i[i] = unit_j[j] = 1.0;
    const auto column_i = solve(curvature_, unit_i, free_, n_),
               column_j = solve(curvature_, unit_j, free_, n_);
    if (!column_i || !column_j) return 0.0;
    return (*column_i)[j] / std::sqrt((*column_i)[i] * (*column_j)[j]);
}

}  // namespace xsift::refine
