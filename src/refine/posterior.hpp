#pragma once
/// @file
/// Posterior around a minimum.

#include "objective.hpp"

#include <span>
#include <vector>

#include <xsift/refine/posterior.hpp>
#include <xsift/spectral/model.hpp>

namespace xsift::refine {

/// An equal-tailed interval, of the confidence of options.confidence_delta.
struct CredibleInterval {
    double lo = not_measured, hi = not_measured;
    /// The statistic has risen by less than options.confidence_delta where a parameter is at its limit: that
    /// side has no end.
    bool open_lo = false, open_hi = false;
};

struct PosteriorAround : ModelPosterior {
    std::vector<CredibleInterval> intervals;             ///< as parameters
    std::vector<CredibleInterval> absorbed, unabsorbed;  ///< fluxes of each band, erg/cm2/s
};

/// See posterior(). @param best the minimum; @param bands whose fluxes are wanted; @param with_map also the
/// contours
PosteriorAround posterior_around(Objective& objective, const Point& best,
                                 std::span<const StartingPoint> starts, const spectral::FitOptions& options,
                                 std::span<spectral::FluxBand> bands, bool with_map);

}  // namespace xsift::refine
