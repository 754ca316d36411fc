#pragma once
// The other hot loops of spectral fits: the terms of all bins of a statistic at once, sums over bins, and
// densities of posteriors.

#include <cstddef>

namespace xsift::refine {

inline constexpr std::size_t statistic_lanes = 8;  ///< bins side by side

/// Bins of W-stat and C-stat side by side, padded to a multiple of statistic_lanes with zeros.
struct BinTable {
    const double *source_exposure, *background_exposure;  ///< s; a background exposure of 0: C-stat
    const double *counts, *background;
    const double *source_scale, *background_scale;  ///< exposure over counts; 0 where there are none
};

/// Elements of a column of BinTable for n bins.
constexpr std::size_t padded_bins(std::size_t n) {
    return (n + statistic_lanes - 1) / statistic_lanes * statistic_lanes;
}
/// An element of its scales.
constexpr double bin_scale(double exposure, double counts) {
    return counts > 0.0 ? exposure / counts : 0.0;
}

/// Where terms go, an element a bin; null: not wanted.
struct BinTerms {
    double* value;           ///< of the statistic
    double *first, *second;  ///< its derivatives by the rate of the source, both or none
    double* expected;        ///< the expected curvature; with derivatives only
};

/// A density with its highest point at mean, where its logarithm has second derivative -1/sigma^2 and, in
/// units of sigma, third derivative -skewness sigma: a normal distribution for skewness 0, that of the
/// logarithm of a gamma variate for 1.
struct SkewedNormal {
    double weight, mean, sigma, skewness;
};

/// What spectral/statistics.hpp has for one bin (wstat, cstat, their derivatives, expected_curvature), for n
/// bins at rates of the source (count/s; below spectral::lowest_rate they count as that), to 1e-14 of the
/// counts. Sums run over lanes. Operations are rounded one by one and in the same order whatever the
/// instruction set, so that results are the same to the last bit.
struct StatisticLanes {
    void (*terms)(const BinTable&, const double* rate, std::size_t n, const BinTerms&);
    double (*sum)(const double*, std::size_t n);
    double (*dot)(const double*, const double*, std::size_t n);
    double (*triple)(const double*, const double*, const double*, std::size_t n);  ///< sum of a b c
    void (*exponentials)(double* x, std::size_t n);                                ///< exp(x) in place
    /// Adds a density at n ascending points.
    void (*add_skewed)(const SkewedNormal&, const double* at, std::size_t n, double* density);
};
extern const StatisticLanes statistic_lanes_baseline, statistic_lanes_avx2, statistic_lanes_avx512;
/// The fastest that this processor runs.
const StatisticLanes& best_statistic_lanes();

}  // namespace xsift::refine
