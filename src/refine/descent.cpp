#include "descent.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace xsift::refine {

namespace {

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

/// Limits of the kinked coordinates while a descent stays between two kinks; restores them in the end.
class Interval {
  public:
    Interval(Objective& objective, const Vector& x) : objective_(objective), all_(objective.coordinates()) {
        for (int i = 0; i < all_.n; ++i) {
            const auto& kinks = all_.kinks[static_cast<std::size_t>(i)];
            place_[i] = static_cast<int>(std::upper_bound(kinks.begin(), kinks.end(), x[i]) - kinks.begin());
            restrict(i);
        }
    }
    Interval(const Interval&) = delete;
    Interval& operator=(const Interval&) = delete;
    ~Interval() {
        for (int i = 0; i < all_.n; ++i) objective_.set_limits(i, all_.lo[i], all_.hi[i]);
    }

    bool kinked(int i) const { return !all_.kinks[static_cast<std::size_t>(i)].empty(); }
    /// Which interval a coordinate is in: 0 below the first kink.
    int place(int i) const { return place_[i]; }
    bool can_move(int i, int by) const {
        const int to = place_[i] + by;
        return to >= 0 && to <= static_cast<int>(all_.kinks[static_cast<std::size_t>(i)].size());
    }
    void move(int i, int by) {
        place_[i] += by;
        restrict(i);
    }

  private:
    void restrict(int i) {
        const auto& kinks = all_.kinks[static_cast<std::size_t>(i)];
        if (kinks.empty()) return;
        // at a tabulated value itself the derivative is that of the interval above
        constexpr double below = 1e-9;
        const int at = place_[i];
        objective_.set_limits(
            i, at == 0 ? all_.lo[i] : kinks[static_cast<std::size_t>(at - 1)],
            at == static_cast<int>(kinks.size()) ? all_.hi[i] : kinks[static_cast<std::size_t>(at)] - below);
    }

    Objective& objective_;
    Coordinates all_;
    std::array<int, most_coordinates> place_{};
};

/// Descends in one interval and those that lie downhill of its ends.
bool descend_over(Objective& objective, Interval& interval, Point& best, Point& trial, Point& spare,
                  const Mask& held, const DescentEnd& end) {
    constexpr int most_crossings = 20;
    const Coordinates& c = objective.coordinates();
    bool converged = descend(objective, best, trial, held, end);
    for (int crossing = 0; crossing < most_crossings; ++crossing) {
        bool crossed = false;
        for (int i = 0; i < c.n && !crossed; ++i) {
            const int by = held[i] || !interval.kinked(i) ? 0
                           : c.at_lo(best.x, i)           ? -1
                           : c.at_hi(best.x, i)           ? 1
                                                          : 0;
            if (by == 0 || !interval.can_move(i, by)) continue;
            interval.move(i, by);
            objective.evaluate(c.clipped(best.x), spare, held);
            const double before = spare.stat;
            const bool done = descend(objective, spare, trial, held, end);
            if (spare.stat < std::min(before, best.stat) - end.enough) {
                std::swap(best, spare);
                converged = done;
                crossed = true;
            } else {
                interval.move(i, -by);
            }
        }
        if (!crossed) break;
    }
    return converged;
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

bool descend(Objective& objective, Point& best, Point& trial, const Mask& held, DescentEnd end) {
    constexpr int most_steps = 80;
    const double enough = end.enough;
    constexpr double most_damping = 1e9;
    // in a row: the steps of the tabulated Gaunt factors leave nothing smooth
    constexpr int most_small_gains = 4;
    const double small_gain = std::max(enough, 1e-4);
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
            // parabolas far from a minimum promise too little: one step in any case, then five times as much,
            // and one more
            if (step > 0 && damping <= 0.1 && best.stat - 5.0 * promised - 1.0 > end.hopeless_above)
                return false;
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
            small_gains = gained < small_gain ? small_gains + 1 : 0;
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

bool descend_between_kinks(Objective& objective, Point& best, Point& trial, Point& spare, bool neighbours,
                           const Mask& held, DescentEnd end) {
    const auto& kinks = objective.coordinates().kinks;
    if (!objective.coordinates().kinked()) return descend(objective, best, trial, held, end);
    bool converged = false;
    {
        Interval interval(objective, best.x);
        converged = descend_over(objective, interval, best, trial, spare, held, end);
    }
    constexpr int most_rounds = 10;
    bool lower = neighbours;
    for (int round = 0; lower && round < most_rounds; ++round) {
        lower = false;
        for (int i = 0; i < objective.coordinates().n; ++i) {
            const auto& at = kinks[static_cast<std::size_t>(i)];
            for (const int by : {-1, 1}) {
                Interval interval(objective, best.x);
                if (held[i] || at.empty() || !interval.can_move(i, by)) continue;
                interval.move(i, by);
                const Coordinates& c = objective.coordinates();
                Vector x = best.x;
                // a third into the interval: beyond the rise next to the kink
                x[i] = by > 0 ? c.lo[i] + (c.hi[i] - c.lo[i]) / 3.0 : c.hi[i] - (c.hi[i] - c.lo[i]) / 3.0;
                objective.evaluate(c.clipped(x), spare, held);
                DescentEnd other = end;
                other.hopeless_above = best.stat;
                const bool done = descend(objective, spare, trial, held, other);
                if (!(spare.stat < best.stat - end.enough)) continue;
                std::swap(best, spare);
                converged = done;
                lower = true;
            }
        }
    }
    return converged;
}

}  // namespace xsift::refine
