#pragma once
/// @file
/// Two components under what they share, for every pair of their templates: the norms at which the
/// statistic's parabola around the best single template is lowest. The parabola's matrix holds scalar
/// products of folded rates, so all pairs of a place are one matrix product. For host and device.

#include <cmath>
#include <cstdint>

#include <xsift/core/host_device.hpp>
#include <xsift/engine/grid_cell.hpp>
#include <xsift/spectral/pairs.hpp>

namespace xsift::engine {

using spectral::PairEntry;
using spectral::PairShape;

/// The statistic's parabola in the rate of one bin, but for a constant: weight rate^2 / 2 - target rate
/// (expected curvature).
struct PairBin {
    double weight = 0.0, target = 0.0;
};

/// Around a rate (count/s) in bin k.
XSIFT_HD inline PairBin pair_bin(const CellData& d, std::int64_t k, double rate) {
    const auto s = static_cast<double>(d.counts[k]), b = static_cast<double>(d.background[k]);
    const double ts = d.exposure, tb = ts * static_cast<double>(d.ratio),
                 m = rate > spectral::lowest_rate ? rate : spectral::lowest_rate;
    const bool wstat = tb > 0.0;
    const double slope = wstat ? spectral::wstat_derivatives(s, b, ts, tb, m).first
                               : spectral::cstat_derivatives(s, ts, m).first,
                 weight = wstat ? spectral::expected_curvature(ts, tb, m,
                                                               spectral::profiled_background(s, b, ts, tb, m))
                                : 2.0 * ts / m;
    return {weight, weight * m - slope};
}

/// Of one template: the sums over bins of weight x rate^2 and of target x rate.
struct PairSums {
    double square = 0.0, right = 0.0;
};

/// @param rate of bin k at rate[k * stride]; weight, target of each bin
XSIFT_HD inline PairSums pair_sums(const float* rate, std::int64_t stride, std::int64_t n_bins,
                                   const float* weight, const float* target) {
    PairSums out;
    for (std::int64_t k = 0; k < n_bins; ++k) {
        const auto r = static_cast<double>(rate[k * stride]);
        out.square += static_cast<double>(weight[k]) * r * r;
        out.right += static_cast<double>(target[k]) * r;
    }
    return out;
}

/// The pair of two templates, its value in steps of 1/stat_steps.
/// @param cross the scalar product of the two templates, in single precision
/// @param most highest norms
XSIFT_HD inline PairEntry pair_entry(const PairSums& a, const PairSums& b, double cross,
                                     const double (&most)[2]) {
    constexpr double apart = 1e-5;  // what single precision can tell from the same shape
    const spectral::PairNorms best =
        spectral::best_pair_norms({a.square, cross, b.square, a.right, b.right}, most, apart);
    return {std::rint(best.value * stat_steps) / stat_steps,
            {static_cast<float>(best.norm[0]), static_cast<float>(best.norm[1])}};
}

/// The statistic at the sum of two templates at given norms. @param first, second rates of bin k at
/// [k * stride]
template <typename Ops>
XSIFT_HD double pair_statistic(const CellData& d, const float* first, const float* second,
                               std::int64_t stride, const float (&norm)[2]) {
    double half = 0.0;
    for (std::int64_t k = 0; k < d.n_bins; ++k) {
        const float m =
            static_cast<float>(d.exposure) * (norm[0] * first[k * stride] + norm[1] * second[k * stride]);
        const float mu = m > least_expected ? m : least_expected;
        const float phi = expected_background<Ops>(d.counts[k], d.background[k], d.ratio, mu);
        half += static_cast<double>(bin_half<Ops>(d.counts[k], d.background[k], d.ratio, mu, phi));
    }
    return std::rint(2.0 * half * stat_steps) / stat_steps;
}

}  // namespace xsift::engine
