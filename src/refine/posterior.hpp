#pragma once
/// @file
/// Posterior around a minimum.

#include "objective.hpp"
#include "posterior_axis.hpp"

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

/// What an integration finds of each quantity.
struct Integrated {
    struct Shape {
        Summary summary;
        bool open_lo = false, open_hi = false;  ///< see CredibleInterval
    };
    double log_evidence = not_measured;
    std::vector<Shape> shape;  ///< the shape parameters that are free
    Summary norm;
    std::vector<Summary> factors;
    std::vector<Summary> fluxes;  ///< of each band the absorbed, then the unabsorbed flux, erg/cm2/s
};

struct PosteriorAround : ModelPosterior {
    explicit PosteriorAround(const Objective& objective);
    PosteriorAround(const Objective& objective, const Integrated& found);

    std::vector<CredibleInterval> intervals;             ///< as parameters
    std::vector<CredibleInterval> absorbed, unabsorbed;  ///< fluxes of each band, erg/cm2/s
};

/// Probability beyond each end of the intervals that options.confidence_delta asks for.
double credible_tail(const spectral::FitOptions& options);

/// Whether the model is one that posteriors are made of: see posterior().
bool has_posterior(const Objective& objective);

/// Of the starting points those where the statistic, its norm profiled, matters beside the best.
std::vector<Vector> others_that_matter(Objective& objective, const Point& best,
                                       std::span<const StartingPoint> starts);

/// How skewed the likelihood is in ln norm, as its third over its second derivative: 1 when all counts are
/// the source's, towards 3 where the background outweighs it (a Gaussian in the norm itself).
/// @param sigma of ln norm
double norm_skewness(Objective& objective, const Vector& best, double sigma);

/// ln of the product of the prior densities of norms and factors, which are constant.
double log_linear_prior(const Coordinates& coordinates);

/// See posterior(). @param best the minimum; @param bands whose fluxes are wanted; @param with_map also the
/// contours
PosteriorAround posterior_around(Objective& objective, const Point& best,
                                 std::span<const StartingPoint> starts, const spectral::FitOptions& options,
                                 std::span<spectral::FluxBand> bands, bool with_map);

}  // namespace xsift::refine
