#pragma once
/// @file
/// Fluxes of a fit and their intervals.

#include "covariance.hpp"
#include "objective.hpp"
#include "two_scales.hpp"

#include <xsift/data/results.hpp>
#include <xsift/spectral/model.hpp>

namespace xsift::refine {

/// Which of a band's two fluxes.
enum class FluxKind { absorbed, unabsorbed };

/// A flux (erg/cm2/s) and its gradient by the coordinates.
struct FluxValue {
    double value = 0.0;
    Vector gradient{};
};
FluxValue flux_at(const Objective& objective, const Vector& x, spectral::FluxBand& band, FluxKind kind);

/// A flux with its interval.
struct FluxInterval {
    Estimate flux;                ///< no lower end: lo is 0; no upper end: hi is NaN
    double error = not_measured;  ///< 1 sigma from the covariance
    bool no_lower_end = false, no_upper_end = false;
    bool profiled = false;  ///< false: the interval is that of the covariance
};

/// The interval of a flux from the covariance, symmetric, cut at 0.
FluxInterval covariance_interval(const FluxValue& flux, const Covariance& covariance, double delta);

/// Replaces an interval by that of the profile: for fluxes on both sides of the best fit's the statistic is
/// minimised over everything that leaves the flux as it is, until it has risen by delta. Left as it is when
/// an end is not found.
/// @param band that gives the flux of the best fit (FluxBand::merged there will do)
/// @param start, scratch two points
/// @param better a lower minimum when one is met: its statistic is below that of best by more than 0.01
void profile_flux(TwoScales& scales, const Point& best, const Covariance& covariance,
                  spectral::FluxBand& band, FluxKind kind, double delta, Point& start, Point& scratch,
                  Point& better, FluxInterval& interval);

}  // namespace xsift::refine
