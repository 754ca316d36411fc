#pragma once
/// @file
/// One cell of the grid likelihood: the profiled statistic of one folded template, for host and device.

#include <cmath>
#include <cstdint>

#include <xsift/core/host_device.hpp>
#include <xsift/engine/grid_likelihood.hpp>
#include <xsift/spectral/profile.hpp>

namespace xsift::engine {

/// Counts of one task as plain pointers (host or device memory).
struct CellData {
    const double* counts = nullptr;                           ///< n_bins
    const double* background = nullptr;                       ///< n_bins; not read for C-stat
    double source_exposure = 0.0, background_exposure = 0.0;  ///< s; background 0: C-stat
    double norm_min = 0.0, norm_max = 0.0;
    std::int64_t n_bins = 0;
};

/// Two sums that are carried together.
struct PairSum {
    double a = 0.0, b = 0.0;
};

/// Statistics are rounded to 1/stat_steps, so that cells which differ only by the rounding of the
/// single-precision fold are ties, on every backend, and the first of them wins.
inline constexpr double stat_steps = 1024.0;

/// Fits the norm of one template to the counts.
/// @param rate count/s in each bin at norm 1
/// @param sum sums a function of the bin (std::int64_t -> PairSum) over all bins; on a device the threads
/// that share
///   a template each take some of the bins and all get the total
template <typename Sum>
XSIFT_HD GridCell fit_cell(std::int64_t index, const CellData& data, const float* rate, const Sum& sum) {
    constexpr double tolerance =
        1e-5;  // on the norm: its square times the counts is what the statistic misses
    const double ts = data.source_exposure, tb = data.background_exposure;
    const auto background = [&](std::int64_t k) { return tb > 0.0 ? data.background[k] : 0.0; };
    const PairSum start = sum([&](std::int64_t k) {
        const double expected_background = tb > 0.0 ? background(k) * ts / tb : 0.0;
        return PairSum{data.counts[k] - expected_background, static_cast<double>(rate[k])};
    });
    const double guess = start.a > 0.0 && start.b > 0.0 ? start.a / (ts * start.b) : data.norm_min;
    const double norm = spectral::profiled_norm(
        [&](double n) {
            const PairSum total = sum([&](std::int64_t k) {
                const spectral::NormSlope term = spectral::norm_slope(data.counts[k], background(k), ts, tb,
                                                                      static_cast<double>(rate[k]), n);
                return PairSum{term.first, term.second};
            });
            return spectral::NormSlope{total.a, total.b};
        },
        data.norm_min, data.norm_max, guess, tolerance);
    const PairSum stat = sum([&](std::int64_t k) {
        return PairSum{spectral::bin_statistic(data.counts[k], background(k), ts, tb,
                                               norm * static_cast<double>(rate[k])),
                       0.0};
    });
    return {index, norm, std::rint(stat.a * stat_steps) / stat_steps};
}

/// Order of the outcome: lowest statistic first, ties by index; what is not a number comes last.
XSIFT_HD inline bool better_cell(const GridCell& a, const GridCell& b) {
    const bool a_valid = a.stat == a.stat, b_valid = b.stat == b.stat;
    if (a_valid != b_valid) return a_valid;
    if (a_valid && a.stat != b.stat) return a.stat < b.stat;
    return a.index < b.index;
}

}  // namespace xsift::engine
