#include "profile_interval.hpp"

#include "descent.hpp"

#include <algorithm>
#include <cmath>

namespace xsift::refine {

namespace {

constexpr double lower_minimum = 0.01;

/// One side of the interval.
class Side {
  public:
    Side(Objective& objective, const Point& best, const Covariance& covariance, int i, double delta,
         Point& start, Point& scratch, Point& better)
        : objective_(objective),
          best_(best),
          delta_(delta),
          i_(i),
          along_(covariance.direction(i)),
          start_(start),
          scratch_(scratch),
          better_(better) {
        held_[i] = true;
    }

    /// @param sign -1 or 1; @param half first guess of the distance
    /// @return the coordinate of the end, nothing at the limit
    std::optional<double> end(int sign, double half, bool& found) {
        constexpr int most_steps = 12;
        constexpr double close = 0.01;  // of delta: half a per cent of the half-width
        const Coordinates& c = objective_.coordinates();
        const double at = best_.x[i_], limit = sign > 0 ? c.hi[i_] : c.lo[i_];
        const double room = std::fabs(limit - at);
        if (room <= 0.0) return std::nullopt;
        // the square root of the rise is nearly proportional to the distance
        const double target = std::sqrt(delta_);
        double inside = 0.0, root_inside = 0.0, outside = -1.0, root_outside = 0.0;
        double distance = std::isfinite(half) && half > 0.0 ? std::min(half, room) : 0.1 * room;
        for (int step = 0; step < most_steps; ++step) {
            const double rise = rise_at(at + sign * distance);
            if (rise < -lower_minimum) return std::nullopt;
            const double root = std::sqrt(std::max(rise, 0.0));
            if (std::fabs(rise - delta_) <= close * delta_) return at + sign * distance;
            if (rise < delta_) {
                if (distance >= room) return std::nullopt;
                inside = distance;
                root_inside = root;
            } else {
                outside = distance;
                root_outside = root;
            }
            if (outside < 0.0) {
                const double more = root > 0.0 ? std::clamp(target / root, 1.1, 4.0) : 4.0;
                distance = std::min(more * distance, room);
            } else {
                if (outside - inside <= 1e-4 * outside) return at + sign * outside;
                const double share = (target - root_inside) / (root_outside - root_inside);
                distance = inside + std::clamp(share, 0.05, 0.95) * (outside - inside);
            }
        }
        found = false;
        return outside < 0.0 ? std::nullopt : std::optional(at + sign * outside);
    }

  private:
    /// Rise of the statistic with the coordinate held at a value. The others start where the curvature sends
    /// them.
    double rise_at(double value) {
        const Coordinates& c = objective_.coordinates();
        Vector x = best_.x;
        for (int j = 0; j < c.n; ++j) x[j] += along_[j] * (value - best_.x[i_]);
        x[i_] = value;
        objective_.evaluate(c.clipped(x), start_, held_);
        descend(objective_, start_, scratch_, held_);
        const double rise = start_.stat - best_.stat;
        if (rise < -lower_minimum && start_.stat < better_.stat) std::swap(start_, better_);
        return rise;
    }

    Objective& objective_;
    const Point& best_;
    double delta_;
    int i_;
    Vector along_;
    Mask held_{};
    Point &start_, &scratch_, &better_;
};

}  // namespace

ProfileEnds profile_interval(Objective& objective, const Point& best, const Covariance& covariance, int i,
                             double delta, Point& start, Point& scratch, Point& better) {
    Side side(objective, best, covariance, i, delta, start, scratch, better);
    const double half = covariance.half_width(i, delta);
    ProfileEnds ends;
    ends.lo = side.end(-1, half, ends.found);
    ends.hi = side.end(1, half, ends.found);
    return ends;
}

}  // namespace xsift::refine
