#include "descent.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace xsift::refine {

namespace {

/// The step that minimises slope x + x curvature x / 2 within the limits: a coordinate that would leave them
/// stops there and the others are solved again. Nothing when the curvature is not positive.
std::optional<Vector> bounded_step(const Coordinates& c, const Vector& x, const Vector& slope,
                                   const Matrix& curvature, Mask free) {
    Vector stopped{};
    for (;;) {
        Vector downhill = product(curvature, stopped, c.n);
        for (int i = 0; i < c.n; ++i) downhill[i] = -slope[i] - downhill[i];
        auto move = solve(curvature, downhill, free, c.n);
        if (!move) return move;
        bool inside = true;
        for (int i = 0; i < c.n; ++i) {
            if (!free[i]) {
                (*move)[i] = stopped[i];
                continue;
            }
            const double target = x[i] + (*move)[i];
            if (target >= c.lo[i] && target <= c.hi[i]) continue;
            stopped[i] = std::clamp(target, c.lo[i], c.hi[i]) - x[i];
            free[i] = inside = false;
        }
        if (inside) return move;
    }
}

/// Secant estimate of what the second derivatives of the model add to the curvature.
/// @param step, slope_change between two points; @param bend Objective::bending between them
void update_second_order(Matrix& second_order, const Vector& step, const Vector& slope_change,
                         const Vector& bend, int n) {
    const double along = dot(slope_change, step, n);
    if (!(along > 0.0)) return;
    const double had = dot(step, product(second_order, step, n), n), has = dot(step, bend, n);
    if (std::fabs(had) > std::fabs(has))
        for (Vector& row : second_order)
            for (double& value : row) value *= std::fabs(has / had);
    Vector missing = product(second_order, step, n);
    for (int i = 0; i < n; ++i) missing[i] = bend[i] - missing[i];
    const double square = dot(missing, step, n) / (along * along);
    for (int i = 0; i < n; ++i)
        for (int j = 0; j < n; ++j)
            second_order[i][j] += (missing[i] * slope_change[j] + slope_change[i] * missing[j]) / along -
                                  square * slope_change[i] * slope_change[j];
}

}  // namespace

Mask sensitive(const Coordinates& c, const Expansion& at) {
    constexpr double nothing = 1e-9;  // of the statistic
    Mask out{};
    for (int i = 0; i < c.n; ++i) {
        const double range = c.hi[i] - c.lo[i];
        out[i] = at.expected[i][i] * range * range > nothing;
    }
    return out;
}

bool descend(Objective& objective, Point& best, Point& trial, const Mask& held) {
    constexpr int most_steps = 80;
    constexpr double enough = 1e-6;  // of the statistic
    constexpr double most_damping = 1e9;
    constexpr int most_small_gains =
        4;  // in a row: the steps of the tabulated Gaunt factors leave nothing smooth
    const Coordinates& c = objective.coordinates();
    const int n = c.n;
    int small_gains = 0;
    double damping = 1e-3;
    Expansion at = objective.expand(best);
    Matrix second_order = sum(at.expected, at.observed, -1.0, n);
    for (int step = 0; step < most_steps; ++step) {
        Mask free = objective.movable(best.x, at.slope);
        const Mask felt = sensitive(c, at);
        for (int i = 0; i < n; ++i) free[i] = free[i] && felt[i] && !held[i];
        const Matrix curvature = sum(at.observed, second_order, 1.0, n);
        Matrix damped = curvature;
        for (int i = 0; i < n; ++i) damped[i][i] += damping * at.expected[i][i];
        const auto move = bounded_step(c, best.x, at.slope, damped, free);
        double gained = -1.0, promised = 0.0;
        if (move) {
            promised = -dot(at.slope, *move, n) - 0.5 * dot(*move, product(curvature, *move, n), n);
            if (promised >= 0.0 && promised < 0.1 * enough && damping <= 1.0) return true;
        }
        if (promised > 0.0) {  // a step cut at the limits may point uphill: shorten it
            Vector x = best.x;
            for (int i = 0; i < n; ++i) x[i] += (*move)[i];
            objective.evaluate(c.clipped(x), trial, held);
            gained = best.stat - trial.stat;
        }
        if (gained > 0.0) {
            const Expansion next = objective.expand(trial);
            Vector walked{}, slope_change{};
            for (int i = 0; i < n; ++i) {
                walked[i] = trial.x[i] - best.x[i];
                slope_change[i] = next.slope[i] - at.slope[i];
            }
            update_second_order(second_order, walked, slope_change, objective.bending(best, trial), n);
            std::swap(best, trial);
            at = next;
            small_gains = gained < 100.0 * enough ? small_gains + 1 : 0;
            if (small_gains == most_small_gains) return true;
            if (gained < enough && promised < 10.0 * enough && damping <= 1.0) return true;
            damping = std::max(gained > 0.5 * promised ? 0.1 * damping : damping, 1e-9);
        } else {
            // a flat floor, or a step of the Gaunt factors, ends the descent
            if (damping > most_damping) return true;
            damping = std::max(10.0 * damping, 1e-6);
        }
    }
    return false;
}

}  // namespace xsift::refine
