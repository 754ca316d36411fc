#pragma once
/// @file
/// The bounded Levenberg-Marquardt of the spectral fits.

#include "objective.hpp"

namespace xsift::refine {

/// Descends from one point: Fisher scoring at first, then the observed curvature with a secant estimate of
/// its second-order part (Dennis, Gay & Welsch 1981), which converges superlinearly. Norms are profiled at
/// every point.
/// @param trial scratch; @param held coordinates that stay where they are
/// @return whether it converged
bool descend(Objective& objective, Point& best, Point& trial, const Mask& held = {});

/// Coordinates the statistic can be told apart by: crossing the whole range changes it by more than nothing.
Mask sensitive(const Coordinates& coordinates, const Expansion& at);

}  // namespace xsift::refine
