#pragma once
/// @file
/// Epoch folding: chi2 of a folded profile against a constant rate (Leahy et al. 1983, ApJ 266, 160), each
/// phase bin with the exposure that the good time intervals give it.

#include <cmath>
#include <cstdint>

#include <xsift/core/host_device.hpp>
#include <xsift/timing/phase.hpp>
#include <xsift/timing/phase_exposure.hpp>

namespace xsift::timing {

/// Most phase bins.
inline constexpr int most_bins = 64;
/// Bins with less than this fraction of the mean exposure of a bin are left out.
inline constexpr double least_exposure = 0.1;

/// Phase bin of a phase, exactly: floor(bins * phase).
XSIFT_HD inline int phase_bin(FixedPhase phase, int bins) {
    return static_cast<int>(((phase >> 32) * static_cast<std::uint64_t>(bins)) >> 32);
}

/// A folded profile: sums of w and of w^2 a bin. Without weights both are the counts.
template <typename Real>
struct FoldedProfile {
    Real w[most_bins] = {}, w2[most_bins] = {};
    XSIFT_HD void add(int bin, Real weight) {
        w[bin] += weight;
        w2[bin] += weight * weight;
    }
};

/// Adds to share[i] the time (in cycles, times `rate`) that an interval from phase `from` to phase `to`
/// (cycles) spends in bin i.
XSIFT_HD inline void add_phase_exposure(double from, double to, double rate, int bins, double* share) {
    if (to < from) {  // a drift so strong that the phase runs back
        const double swap = from;
        from = to;
        to = swap;
    }
    const double whole_from = std::floor(from), whole_to = std::floor(to);
    for (int i = 0; i < bins; ++i)
        share[i] += rate * turns_in_bin(from - whole_from, to - whole_to, whole_to - whole_from, i, bins);
}

/// chi2 and its degrees of freedom, the used bins less one; 0 when there are less than two.
struct FoldedChi2 {
    double chi2 = 0.0;
    int dof = 0;
    double least_expected = 0.0;  ///< smallest expected number of (effective) counts in a bin
};

/// sum (W_i - W p_i)^2 / (W2 p_i) over the bins with enough exposure; p_i the share of bin i of their
/// exposure, W and W2 their sums of w and w^2. Distributed as chi2 with dof degrees of freedom. A null share:
/// all bins the same.
template <typename Real>
XSIFT_HD inline FoldedChi2 folded_chi2(const FoldedProfile<Real>& profile, const double* share, int bins) {
    double all = 0.0, used = 0.0, w = 0.0, w2 = 0.0;
    for (int i = 0; i < bins; ++i) all += share ? share[i] : 1.0;
    const double least = least_exposure * all / bins;
    FoldedChi2 out;
    int n = 0;
    for (int i = 0; i < bins; ++i) {
        const double x = share ? share[i] : 1.0;
        if (x < least || !(x > 0.0)) continue;
        used += x;
        w += static_cast<double>(profile.w[i]);
        w2 += static_cast<double>(profile.w2[i]);
        ++n;
    }
    if (n < 2 || !(w2 > 0.0)) return out;
    out.least_expected = INFINITY;
    for (int i = 0; i < bins; ++i) {
        const double x = share ? share[i] : 1.0;
        if (x < least || !(x > 0.0)) continue;
        const double p = x / used, miss = static_cast<double>(profile.w[i]) - w * p;
        out.chi2 += miss * miss / (w2 * p);
        out.least_expected = std::fmin(out.least_expected, w * w / w2 * p);
    }
    out.dof = n - 1;
    return out;
}

}  // namespace xsift::timing
