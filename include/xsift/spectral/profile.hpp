#pragma once
/// @file
/// The normalisation that minimises a statistic for a given model shape, for host and device.

#include <cmath>

#include <xsift/core/host_device.hpp>
#include <xsift/spectral/statistics.hpp>

namespace xsift::spectral {

/// Model rates below this (count/s) count as this: a bin with counts and no model stays finite.
inline constexpr double lowest_rate = 1e-20;

/// Slope and curvature of a statistic as a function of the norm, summed over the bins.
struct NormSlope {
    double first = 0.0, second = 0.0;
};

/// Term of a bin in NormSlope. @param unit_rate count/s at norm 1; background_exposure 0 means C-stat.
XSIFT_HD inline NormSlope norm_slope(double counts, double background, double source_exposure,
                                     double background_exposure, double unit_rate, double norm) {
    const double rate = std::fmax(norm * unit_rate, lowest_rate);
    const StatTerm term = background_exposure > 0.0 ? wstat_derivatives(counts, background, source_exposure,
                                                                        background_exposure, rate)
                                                    : cstat_derivatives(counts, source_exposure, rate);
    return {term.first * unit_rate, term.second * unit_rate * unit_rate};
}

/// Statistic of a bin. background_exposure 0 means C-stat.
XSIFT_HD inline double bin_statistic(double counts, double background, double source_exposure,
                                     double background_exposure, double rate) {
    const double positive = std::fmax(rate, lowest_rate);
    return background_exposure > 0.0
               ? wstat(counts, background, source_exposure, background_exposure, positive)
               : cstat(counts, source_exposure, positive);
}

/// Norm in [lo, hi] at which slope(norm).first vanishes, or the limit nearest to that. The statistic is
/// convex in the norm, so there is one. Newton steps on norm x slope, which is a straight line for C-stat,
/// kept in a bracket.
/// @param slope callable double -> NormSlope; @param tolerance relative, on the norm
template <typename Slope>
XSIFT_HD double profiled_norm(const Slope& slope, double lo, double hi, double start, double tolerance) {
    constexpr int most_steps = 100;
    double below = lo, above = hi, norm = std::fmin(std::fmax(start, lo), hi);
    bool lo_tried = false, hi_tried = false;
    for (int step = 0; step < most_steps; ++step) {
        const NormSlope at = slope(norm);
        if (at.first > 0.0) {
            if (norm <= lo) return lo;
            above = norm;
        } else {
            if (norm >= hi) return hi;
            below = norm;
        }
        const double gain = at.first + norm * at.second;
        double next = gain > 0.0 ? norm - norm * at.first / gain : (at.first > 0.0 ? lo : hi);
        if (std::fabs(next - norm) <= tolerance * norm) return std::fmin(std::fmax(next, lo), hi);
        if (next <= below) {
            next = below == lo && !lo_tried ? lo : std::sqrt(below * above);
            lo_tried = lo_tried || next == lo;
        } else if (next >= above) {
            next = above == hi && !hi_tried ? hi : std::sqrt(below * above);
            hi_tried = hi_tried || next == hi;
        }
        if (above - below <= tolerance * below) return next;
        norm = next;
    }
    return norm;
}

}  // namespace xsift::spectral
