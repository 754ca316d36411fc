#pragma once
/// @file
/// Where fits start that no model grid gave starting points.

#include "objective.hpp"

#include <vector>

namespace xsift::refine {

/// Starts that a fit follows.
inline constexpr int most_starts = 8;

/// The product of a few values of each free shape parameter, at most a few hundred.
std::vector<Vector> coarse_starts(const Objective& objective);

/// Starting points of a model of two norms with shape parameters of their own: both components are folded at
/// a few values of their first shape parameter and of what they share (the column density), and every pair is
/// judged by the statistic's parabola around the best single component (expected curvature, norms not
/// negative): a matrix of scalar products a column density. The best few pairs that are not neighbours,
/// lowest statistic first; empty when the model is not of this kind.
std::vector<Vector> paired_starts(Objective& objective, Point& scratch);

}  // namespace xsift::refine
