#pragma once
/// @file
/// The bounded Levenberg-Marquardt of the spectral fits.

#include "objective.hpp"

namespace xsift::refine {

/// When a descent ends.
struct DescentEnd {
    double enough = 1e-6;  ///< gain of the statistic a step that is not worth another
    /// A descent that does not promise to come below this is given up.
    double hopeless_above = std::numeric_limits<double>::infinity();
};

/// Descends from one point: Fisher scoring at first, then the observed curvature with a secant estimate of
/// its second-order part (Dennis, Gay & Welsch 1981), which converges superlinearly. Norms are profiled at
/// every point.
/// @param trial scratch; @param held coordinates that stay where they are
/// @return whether it converged
bool descend(Objective& objective, Point& best, Point& trial, const Mask& held = {}, DescentEnd end = {});

/// The same across the kinks of the coordinates: descends between two kinks at a time and goes on beyond one
/// where the statistic falls there too. With `neighbours` it also descends in the intervals on either side of
/// the one where it ended, and so on while that is lower: each may hold a minimum of its own.
/// @param spare more scratch
bool descend_between_kinks(Objective& objective, Point& best, Point& trial, Point& spare, bool neighbours,
                           const Mask& held = {}, DescentEnd end = {});

/// The step that minimises slope x + x curvature x / 2 within the limits: a coordinate that would leave them
/// stops there and the others are solved again. Nothing when the curvature is not positive.
std::optional<Vector> bounded_step(const Coordinates& c, const Vector& x, const Vector& slope,
                                   const Matrix& curvature, Mask free);

/// Coordinates the statistic can be told apart by: crossing the whole range changes it by more than nothing.
Mask sensitive(const Coordinates& coordinates, const Expansion& at);

}  // namespace xsift::refine
