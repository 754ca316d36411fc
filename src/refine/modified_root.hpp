#pragma once
/// @file
/// Estimates without bias at few counts: the modified signed root of the likelihood ratio.

#include "objective.hpp"
#include "rate_slopes.hpp"

#include <optional>
#include <span>
#include <vector>

#include <xsift/refine/spectra.hpp>

namespace xsift::refine {

/// The signed root r = sign(best - value) sqrt(STAT(value) - STAT(best)) of a coordinate, all others at
/// their best, has a standard normal distribution when the coordinate's true value is `value`, but for
/// terms of the order 1/sqrt(counts): these are the bias of the best fit. The modified root
/// r* = r + ln(u / r) / r (Barndorff-Nielsen 1986), u after Skovgaard (1996, Bernoulli 2, 145), leaves terms
/// of the order 1/counts; where it is 0 half of all repetitions of the observation lie on either side.
///
/// u = [S^-1 q]_i |j|^(1/2) |S| / (|k| |j'|^(1/2)): at the best fit j is the observed and k the expected
/// information; j' is the observed information of all coordinates but i at `value`; S and q are the
/// covariances, expected at the best fit, of its scores with the scores at `value` and with the difference of
/// both log-likelihoods. Counts of source and background are Poisson's in each bin, and the background's rate
/// in a bin is one of the parameters: sums over bins with these eliminated.
///
/// For W-stat and C-stat of a model of one free norm. Coordinates that are at a limit in the best fit count
/// as known.
class ModifiedRoot {
  public:
    /// @param objective of the spectra; @param best a minimum within its limits
    ModifiedRoot(std::span<const FitInput> spectra, Objective& objective, spectral::Abundance abundance,
                 const Point& best);

    /// The coordinate where its modified root is 0, between its limits; a coordinate at a limit stays there.
    /// NaN where it is not found: the likelihood has other minima or no curvature.
    double median_unbiased(int i);

    struct Root {
        double r = 0.0, modified = 0.0;
    };
    /// Both roots at a value of coordinate i that differs from the best; nothing where they are not defined.
    std::optional<Root> at(int i, double value);

  private:
    /// Rates (count/s) of all bins of all spectra, their derivatives by the coordinates, and the rates of the
    /// background that go with them.
    struct Bins {
        std::vector<double> rate, background;
        std::vector<Vector> by;
    };
    Bins bins(const Vector& x);
    Bins rates(const Vector& x);
    /// S, and q when wanted.
    Matrix score_covariance(const Bins& there, Vector* q) const;
    /// What the backgrounds contribute to the logarithm of u.
    double background_share(const Bins& there) const;
    /// Half of the curvature of the statistic.
    Matrix information(const Point& p, const Mask& wanted);

    Objective& objective_;
    const Point& best_;
    int n_;
    std::span<const FitInput> spectra_;
    RateSlopes slopes_;
    double slope_step_ = 0.0;  ///< of observed_curvature
    Vector kink_step_{};       ///< over which derivatives by kinked coordinates are taken, to either side; 0:
                               ///< analytic
    Mask known_{}, counted_{};  ///< coordinates at a limit, and the others
    Point there_, scratch_, more_scratch_, spare_;
    Bins at_best_;
    Matrix inverse_{};        ///< rows of j^-1
    double log_scale_ = 0.0;  ///< ln(|j|^(1/2) / |k|)
    bool regular_ = false;    ///< j and k have determinants
};

/// Median-unbiased coordinates of a fit, clipped to their limits; NaN where one is not found. Columns of
/// absorption are followed below 0: whoever cuts them off there on the way pushes what goes with them
/// (index, temperature) to one side, while a clipped estimate keeps its median.
/// @param best a minimum; @return a value in coordinates for each, none when the objective is not one for
/// ModifiedRoot
std::vector<double> median_unbiased(std::span<const FitInput> spectra, Objective& objective,
                                    spectral::Abundance abundance, const Point& best);

}  // namespace xsift::refine
