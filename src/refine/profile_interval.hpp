#pragma once
/// @file
/// Intervals of a fit where the statistic, minimised over all other coordinates, has risen by a given amount.

#include "covariance.hpp"
#include "objective.hpp"
#include "two_scales.hpp"

#include <optional>

namespace xsift::refine {

/// Ends of an interval in a coordinate. A missing end: the statistic rises by less up to the limit.
struct ProfileEnds {
    std::optional<double> lo, hi;
    bool found = true;  ///< false when an end was not reached in the steps allowed
    bool from_covariance = false;
    bool credible = false;        ///< from a posterior
    bool several_minima = false;  ///< extended over further minima
    /// A lower minimum was met before the end: it is missing, but not for the limit.
    bool lo_leads_down = false, hi_leads_down = false;
    /// Of an interval that was extended over further minima: its ends around the best one.
    std::optional<double> own_lo, own_hi;
};

/// Follows the profiled statistic from the best fit to both sides of coordinate i, behind merged energies;
/// where these turn out not to do at an end, behind the whole response.
/// @param start, scratch two points
/// @param better a lower minimum when one is met: its statistic is below that of best by more than 0.01
ProfileEnds profile_interval(TwoScales& scales, const Point& best, const Covariance& covariance, int i,
                             double delta, Point& start, Point& scratch, Point& better);

}  // namespace xsift::refine
