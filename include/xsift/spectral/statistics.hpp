#pragma once
/// @file
/// Poisson fit statistics of one bin with their derivatives, for host and device.
///
/// The model enters as the source's count rate m (count/s) in the bin; S and B are the counts of the source
/// region and of the background, t_s and t_b the exposures (AREASCAL included; t_b times the BACKSCAL ratio
/// background/source).

#include <cmath>

#include <xsift/core/host_device.hpp>

namespace xsift::spectral {

/// A statistic's term, its derivative and its curvature with respect to m.
struct StatTerm {
    double value = 0.0, first = 0.0, second = 0.0;
};

/// Cash statistic C = 2 [mu - S + S ln(S/mu)] with mu = t_s m (Cash 1979, normalised as in XSPEC's cstat).
XSIFT_HD inline double cstat(double counts, double exposure, double rate) {
    const double mu = exposure * rate;
    return counts > 0.0 ? 2.0 * (mu - counts + counts * std::log(counts / mu)) : 2.0 * mu;
}

/// Derivatives of cstat by m (value is left 0: nothing of it needs the logarithm).
XSIFT_HD inline StatTerm cstat_derivatives(double counts, double exposure, double rate) {
    return {0.0, 2.0 * (exposure - counts / rate), 2.0 * counts / (rate * rate)};
}

/// The background rate f >= 0 that minimises the statistic at source rate m: the positive root of
/// (t_s + t_b) f^2 + b f - B m = 0, b = (t_s + t_b) m - S - B, written without cancellation.
XSIFT_HD inline double profiled_background(double counts, double background, double source_exposure,
                                           double background_exposure, double rate) {
    const double total = source_exposure + background_exposure;
    const double b = total * rate - counts - background;
    const double d = std::sqrt(b * b + 4.0 * total * background * rate);
    if (b >= 0.0) return b + d > 0.0 ? 2.0 * background * rate / (b + d) : 0.0;
    return (d - b) / (2.0 * total);
}

/// W-stat: the C-stat of source and background with the background rate of the bin profiled out
/// (XSPEC manual, appendix B; Wachter, Leach & Kellogg 1979). Rates are positive.
XSIFT_HD inline double wstat(double counts, double background, double source_exposure,
                             double background_exposure, double rate) {
    const double ts = source_exposure, tb = background_exposure;
    if (counts == 0.0) {
        const double tail = background > 0.0 ? -background * std::log(tb / (ts + tb)) : 0.0;
        return 2.0 * (ts * rate + tail);
    }
    if (background == 0.0) {
        if (rate <= counts / (ts + tb)) return 2.0 * (-tb * rate - counts * std::log(ts / (ts + tb)));
        return 2.0 * (ts * rate + counts * (std::log(counts) - std::log(ts * rate) - 1.0));
    }
    const double f = profiled_background(counts, background, ts, tb, rate);
    return 2.0 * (ts * rate + (ts + tb) * f - counts * std::log(ts * (rate + f) / counts) -
                  background * std::log(tb * f / background) - counts - background);
}

/// Derivatives of wstat by m, the background following (value is left 0). W-stat is convex in m.
XSIFT_HD inline StatTerm wstat_derivatives(double counts, double background, double source_exposure,
                                           double background_exposure, double rate) {
    const double ts = source_exposure, tb = background_exposure;
    if (counts == 0.0) return {0.0, 2.0 * ts, 0.0};
    if (background == 0.0) {
        if (rate <= counts / (ts + tb)) return {0.0, -2.0 * tb, 0.0};
        return {0.0, 2.0 * (ts - counts / rate), 2.0 * counts / (rate * rate)};
    }
    const double f = profiled_background(counts, background, ts, tb, rate);
    const double source = counts / ((rate + f) * (rate + f)), back = background / (f * f);
    return {0.0, 2.0 * (ts - counts / (rate + f)), 2.0 * source * back / (source + back)};
}

/// Expected curvature (Fisher information x 2) at source rate m and background rate f: what the second
/// derivative of wstat is on average when counts are as expected. For cstat t_b is infinite: pass f = 0.
XSIFT_HD inline double expected_curvature(double source_exposure, double background_exposure, double rate,
                                          double background_rate) {
    return 2.0 * source_exposure * background_exposure /
           (source_exposure * background_rate + background_exposure * (rate + background_rate));
}

}  // namespace xsift::spectral
