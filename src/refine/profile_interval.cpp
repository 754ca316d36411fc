#include "profile_interval.hpp"

#include "descent.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace xsift::refine {

namespace {

constexpr double lower_minimum = 0.01;

/// One side of the interval.
class Side {
  public:
    Side(TwoScales& scales, const Point& best, const Covariance& covariance, int i, double delta,
         Point& start, Point& scratch, Point& better)
        : scales_(scales),
          objective_(&scales.merged()),
          best_(best),
          direction_(covariance.direction(i)),
          delta_(delta),
          i_(i),
          start_(start),
          scratch_(scratch),
          spare_(objective_->make_point()),
          better_(better) {
        held_[i] = true;
    }

    /// @param sign -1 or 1; @param half first guess of the distance
    /// @return the coordinate of the end, nothing at the limit
    std::optional<double> end(int sign, double half, bool& found, bool& leads_down) {
        constexpr int most_steps = 24;
        constexpr double close =
            0.02;  // of delta: a last step along the secant then leaves 1e-3 of the width
        const Coordinates& c = objective_->coordinates();
        const double at = best_.x[i_], limit = sign > 0 ? c.hi[i_] : c.lo[i_];
        const double room = std::fabs(limit - at);
        if (room <= 0.0) return std::nullopt;
        flank_ = best_.x;
        objective_ = &scales_.merged();
        // the square root of the rise is nearly proportional to the distance
        const double target = std::sqrt(delta_);
        double inside = 0.0, root_inside = 0.0, outside = -1.0, root_outside = 0.0;
        int last_side = 0;
        double distance = std::isfinite(half) && half > 0.0 ? std::min(half, room) : 0.1 * room;
        for (int step = 0; step < most_steps; ++step) {
            double rise = rise_at(at + sign * distance);
            if (std::fabs(rise - delta_) <= close * delta_) rise = lowest_beyond_kinks(rise);
            if (rise < -lower_minimum) {
                leads_down = true;
                return std::nullopt;
            }
            const double root = std::sqrt(std::max(rise, 0.0));
            const bool at_end = std::fabs(rise - delta_) <= close * delta_,
                       at_limit = distance >= room && rise < delta_;
            if ((at_end || (at_limit && rise > 0.5 * delta_)) && objective_ != &scales_.whole() &&
                scales_.disagree(reached_, best_.stat + rise, delta_, spare_)) {
                objective_ = &scales_.whole();
                inside = root_inside = root_outside = 0.0;
                outside = -1.0;
                last_side = 0;
                continue;
            }
            if (at_end) {
                const double near = rise < delta_ && outside > 0.0 ? outside : inside,
                             root_near = rise < delta_ && outside > 0.0 ? root_outside : root_inside;
                const double slope = (root - root_near) / (distance - near);
                const double more = slope > 0.0 ? (target - root) / slope : 0.0;
                return at +
                       sign * std::min(distance + std::clamp(more, -0.02 * distance, 0.02 * distance), room);
            }
            if (rise < delta_) {
                if (distance >= room) return std::nullopt;
                // twice on the same side: the other end of the secant loses weight (Illinois)
                if (last_side < 0) root_outside = target + 0.5 * (root_outside - target);
                last_side = -1;
                inside = distance;
                root_inside = root;
            } else {
                if (last_side > 0) root_inside = target + 0.5 * (root_inside - target);
                last_side = 1;
                outside = distance;
                root_outside = root;
            }
            if (outside < 0.0) {
                const double more = root > 0.0 ? std::clamp(target / root, 1.05, 4.0) : 4.0;
                distance = std::min(more * distance, room);
            } else {
                if (outside - inside <= 1e-3 * outside) {
                    if (target - root_inside < 0.02 * target) return at + sign * outside;
                    // the point outside was not the lowest there: a step higher up on a flat flank
                    outside = -1.0;
                    last_side = 0;
                    distance = std::min(inside * std::clamp(target / root_inside, 1.02, 1.5), room);
                    continue;
                }
                const double share = (target - root_inside) / (root_outside - root_inside);
                distance = inside + std::clamp(share, 0.05, 0.95) * (outside - inside);
            }
        }
        found = false;
        return outside < 0.0 ? std::nullopt : std::optional(at + sign * outside);
    }

  private:
    /// Rise of the statistic with the coordinate held at a value and the others at their best. They start
    /// from where the flank was last seen; where that ends far up, also from the best fit.
    double rise_at(double value) {
        constexpr double far = 2.0;  // of delta
        const double left = flank_[i_] - best_.x[i_];
        Vector along = direction_;
        if (left != 0.0)
            for (int j = 0; j < objective_->coordinates().n; ++j) along[j] = (flank_[j] - best_.x[j]) / left;
        double rise = rise_from(flank_, along, value);
        if (left != 0.0 && rise > far * delta_) {
            const Vector reached = reached_;
            const double other = rise_from(best_.x, direction_, value);
            if (other > rise) reached_ = reached;
            rise = std::min(rise, other);
        }
        if (rise < far * delta_) flank_ = reached_;
        return rise;
    }

    /// The lowest rise at the place just reached, when the intervals between kinks around it are looked at
    /// too: each may hold a valley.
    double lowest_beyond_kinks(double rise) {
        constexpr int intervals = 8;  // to either side
        const Coordinates& c = objective_->coordinates();
        Point& p = spare_;
        for (int k = 0; k < c.n; ++k) {
            const auto& kinks = c.kinks[static_cast<std::size_t>(k)];
            if (held_[k] || kinks.size() < 2) continue;
            const auto here = std::upper_bound(kinks.begin(), kinks.end(), reached_[k]) - kinks.begin();
            double lowest = std::numeric_limits<double>::infinity();
            Vector from{};
            for (std::ptrdiff_t j = std::max<std::ptrdiff_t>(1, here - intervals);
                 j < std::min(std::ssize(kinks), here + intervals + 1); ++j) {
                if (j == here) continue;
                Vector x = reached_;
                x[k] = 0.5 * (kinks[static_cast<std::size_t>(j - 1)] + kinks[static_cast<std::size_t>(j)]);
                objective_->evaluate(x, p, held_);
                if (p.stat < lowest) lowest = p.stat, from = p.x;
            }
            // what a descent can gain from the middle of an interval
            constexpr double hope = 3.0;
            if (!(lowest - best_.stat < rise + hope)) continue;
            const Vector reached = reached_;
            const double other = rise_from(from, {}, from[i_]);
            if (other < rise)
                rise = other, flank_ = reached_;
            else
                reached_ = reached;
        }
        return rise;
    }

    double rise_from(const Vector& from, const Vector& along, double value) {
        const Coordinates& c = objective_->coordinates();
        Vector x = from;
        for (int j = 0; j < c.n; ++j) x[j] += along[j] * (value - from[i_]);
        x[i_] = value;
        objective_->evaluate(c.clipped(x), start_, held_);
        DescentEnd end;
        end.enough = 0.001 * delta_;
        descend_between_kinks(*objective_, start_, scratch_, spare_, false, held_, end);
        reached_ = start_.x;
        const double rise = start_.stat - best_.stat;
        if (rise < -lower_minimum && start_.stat < better_.stat) std::swap(start_, better_);
        return rise;
    }

    TwoScales& scales_;
    Objective* objective_;
    const Point& best_;
    Vector direction_, flank_{}, reached_{};
    double delta_;
    int i_;
    Mask held_{};
    Point &start_, &scratch_;
    Point spare_;
    Point& better_;
};

}  // namespace

ProfileEnds profile_interval(TwoScales& scales, const Point& best, const Covariance& covariance, int i,
                             double delta, Point& start, Point& scratch, Point& better) {
    Side side(scales, best, covariance, i, delta, start, scratch, better);
    const double half = covariance.half_width(i, delta);
    ProfileEnds ends;
    ends.lo = side.end(-1, half, ends.found, ends.lo_leads_down);
    ends.hi = side.end(1, half, ends.found, ends.hi_leads_down);
    return ends;
}

}  // namespace xsift::refine
