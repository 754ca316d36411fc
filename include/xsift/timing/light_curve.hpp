#pragma once
/// @file
/// Bins of a light curve that a Lomb-Scargle search may use, and the weights that it may trust.

#include <vector>

#include <xsift/data/events.hpp>

namespace xsift::timing {

/// Usable bins: times (s), rates (count/s), weights (1/sigma^2).
struct UsableBins {
    std::vector<double> time, value, weight;

    std::size_t size() const { return time.size(); }
};

/// Drops bins without a rate or exposure. The errors of count-rate curves come from the counts of each bin:
/// a bin that happens to have few claims to know it well, and weights of 1/error^2 both find periods that are
/// not there and take power from all others (a sixth of it at 6 counts a bin, most of it at one). So what the
/// squared errors (at full exposure) owe to the bin's own rate, their slope against it times its distance
/// from the mean (of three standard deviations at most: what is further away is bright indeed), is taken out;
/// what else they know, as of the background, stays. None is smaller than that
/// of the mean rate over the bin's exposure, sqrt(mean rate / (width * fractional exposure)). Without a bin
/// width, errors that are missing or zero are replaced by the median error.
UsableBins usable_bins(const LightCurve& curve);

}  // namespace xsift::timing
