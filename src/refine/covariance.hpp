#pragma once
/// @file
/// Intervals of a fit from the curvature of the statistic at its minimum.

#include "objective.hpp"

#include <xsift/data/results.hpp>

namespace xsift::refine {

/// Curvature of the statistic, second derivatives of the model included: differences of the slope of the
/// profiled statistic for all coordinates but the norms, and of the norms that follow them. The norms are at
/// their best in p; other coordinates may be anywhere.
/// @param at the expansion there; @param wanted coordinates whose row is made; @param above, below scratch
/// @param step_in_sigma half of the distance between slopes, in standard deviations with all else held
Matrix observed_curvature(Objective& objective, const Point& p, const Expansion& at, const Mask& wanted,
                          Point& above, Point& below, double step_in_sigma);

class Covariance {
  public:
    /// @param p the minimum; @param scratch, more_scratch two points
    Covariance(Objective& objective, const Point& p, Point& scratch, Point& more_scratch);

    /// Half-width in the coordinate i where the statistic has risen by delta; NaN when the curvature does not
    /// bound it. At a limit the slope of the statistic there is taken into account.
    double half_width(int i, double delta) const;
    /// Half-width of a function of the coordinates with the given gradient, limits left aside.
    double half_width(const Vector& gradient, double delta) const;
    /// How the other coordinates follow coordinate i to keep the statistic lowest: d x_j / d x_i; 0 where not
    /// known.
    Vector direction(int i) const;
    /// Correlation of two coordinates at the minimum; 0 where it is not defined.
    double correlation(int i, int j) const;
    const Mask& free() const { return free_; }
    const Matrix& curvature() const { return curvature_; }

  private:
    int n_;
    Vector slope_{};
    Matrix curvature_{};
    Mask free_{};
};

}  // namespace xsift::refine
