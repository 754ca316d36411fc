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

/// Drops bins without a rate or exposure. The errors of count-rate curves come from the counts of each bin,
/// so a bin without counts claims to know that it is empty and weights of 1/error^2 find periods that are not
/// there. Here no error is taken smaller than that of the mean rate over the bin's exposure, sqrt(mean rate /
/// (width * fractional exposure)). Without a bin width, errors that are missing or zero are replaced by the
/// median error.
UsableBins usable_bins(const LightCurve& curve);

}  // namespace xsift::timing
