#pragma once
/// @file
/// chi2 of background-subtracted counts with the variances in use, for host and device.
///
/// As in statistics.hpp: m is the source's rate (count/s) in the bin, S and B the counts of the source region
/// and of the background, t_s and t_b their exposures (t_b times the BACKSCAL ratio; 0: no background).

#include <cmath>

#include <xsift/core/host_device.hpp>
#include <xsift/spectral/statistics.hpp>

namespace xsift::spectral {

/// Net counts of a bin.
XSIFT_HD inline double net_counts(double counts, double background, double source_exposure,
                                  double background_exposure) {
    return background_exposure > 0.0 ? counts - background * source_exposure / background_exposure : counts;
}

/// Variance of N counts after Gehrels (1986, eq. 7): the square of his upper 1 sigma limit less N.
XSIFT_HD inline double gehrels_variance(double counts) {
    const double sigma = 1.0 + std::sqrt(counts + 0.75);
    return sigma * sigma;
}

/// Variance of the net counts from that of the counts of both regions.
XSIFT_HD inline double net_variance(double counts_variance, double background_variance,
                                    double source_exposure, double background_exposure) {
    const double ratio = background_exposure > 0.0 ? source_exposure / background_exposure : 0.0;
    return counts_variance + background_variance * ratio * ratio;
}

/// chi2 of a bin with a fixed variance, and its derivatives by m.
XSIFT_HD inline StatTerm chi2(double net, double variance, double source_exposure, double rate) {
    const double off = net - source_exposure * rate;
    return {off * off / variance, -2.0 * source_exposure * off / variance,
            2.0 * source_exposure * source_exposure / variance};
}

/// chi2 of a bin whose variance is the one the model expects, fixed + t_s m (fixed: background in the source
/// region and variance of its subtraction), and its derivatives by m.
XSIFT_HD inline StatTerm chi2_model_variance(double net, double fixed, double source_exposure, double rate) {
    const double off = net - source_exposure * rate, v = fixed + source_exposure * rate,
                 share = (off + v) / v;
    // off^2/v with off' = -t_s and v' = t_s: off + v does not depend on m
    return {off * off / v, source_exposure * (1.0 - share * share),
            2.0 * source_exposure * source_exposure * share * share / v};
}

}  // namespace xsift::spectral
