#pragma once
/// @file
/// From a screened peak to the maximum in double: what is reported does not depend on which evaluator,
/// instruction set or device has screened it. Host and device.

#include <cmath>
#include <cstdint>
#include <span>

#include <xsift/core/constants.hpp>
#include <xsift/core/host_device.hpp>
#include <xsift/timing/significance.hpp>
#include <xsift/timing/uncertainty.hpp>
#include <xsift/timing/window.hpp>

namespace xsift::timing {

/// How far a screened statistic may be from its value in double, twice over.
XSIFT_HD inline double screening_tolerance(double value) {
    return 2e-2 * (value > 100.0 ? value / 100.0 : 1.0);
}

/// Harmonics of a statistic that the data can show at a frequency.
/// @param confirmable confirmable_frequency()
XSIFT_HD inline int usable_harmonics(double frequency, int wanted, double confirmable) {
    const double limit = confirmable / frequency;
    return !(limit < wanted) ? wanted : limit < 1.0 ? 1 : static_cast<int>(limit);
}

/// A statistic in double at a trial, and where its maximum lies from there, in trials; NaN: not known.
struct TrialValue {
    double value = 0.0, offset = NAN;
};

struct SettledTrial {
    std::int64_t index = 0;
    double value = 0.0;
};

/// The trial within [low, high) that none of its neighbours exceeds in double, uphill from `index`; of equals
/// the first. `at(index)` gives the TrialValue.
template <typename At>
XSIFT_HD SettledTrial settle(std::int64_t index, std::int64_t low, std::int64_t high, const At& at) {
    constexpr double clearly_here = 0.3;
    TrialValue here = at(index);
    for (bool moved = true; moved;) {
        moved = false;
        if (std::fabs(here.offset) < clearly_here) break;
        for (int side = -1; side <= 1 && !moved; side += 2) {
            const std::int64_t next = index + side;
            if (here.offset * side < 0.0 || next < low || next >= high) continue;
            const TrialValue there = at(next);
            if (!(there.value > here.value || (there.value == here.value && side < 0))) continue;
            index = next;
            here = there;
            moved = true;
        }
    }
    return {index, here.value};
}

/// The trigonometric sum of one harmonic, and those of t and t^2 times its terms (s, s^2).
struct HarmonicMoments {
    Complex zeroth, first, second;
};

/// What harmonic k adds to the first derivative of Z2 with respect to frequency: S' = 2 pi i k A and
/// S'' = -(2 pi k)^2 B with A, B the first and second moments.
XSIFT_HD inline double z2_slope(const HarmonicMoments& m, int k, double sum_w2) {
    const double omega = constants::two_pi * k;
    return 4.0 / sum_w2 * omega * (m.zeroth.im * m.first.re - m.zeroth.re * m.first.im);
}
/// The same for the second derivative.
XSIFT_HD inline double z2_curvature(const HarmonicMoments& m, int k, double sum_w2) {
    const double omega = constants::two_pi * k;
    return 4.0 / sum_w2 * omega * omega *
           (m.first.norm() - (m.zeroth.re * m.second.re + m.zeroth.im * m.second.im));
}

/// A statistic at a frequency, with derivatives of the Z2_m that it is made of, and that m.
struct StatisticAt {
    double value = -1.0, slope = 0.0, curvature = 0.0;
    int harmonics = 1;
};

/// Where the maximum of a trial from its derivatives lies, in trials.
XSIFT_HD inline double offset_of_maximum(const StatisticAt& at, double df) {
    return at.curvature < 0.0 ? -at.slope / at.curvature / df : static_cast<double>(NAN);
}

/// The highest of the places that climb() visits. @tparam At a StatisticAt, or more
template <typename At>
struct Maximum {
    double frequency = 0.0, error = NAN;
    At at;
};

/// The maximum of a statistic near a frequency, by Newton steps within a grid step on either side.
/// `evaluate(frequency)` gives an At.
template <typename At, typename Evaluate>
XSIFT_HD Maximum<At> climb(double start, double df, const Evaluate& evaluate) {
    double f = start, low = start - df, high = start + df;
    Maximum<At> best;
    for (int iteration = 0; iteration < 12; ++iteration) {
        const At e = evaluate(f);
        const double error = frequency_error_from_curvature(e.curvature);
        if (e.value > best.at.value) best = {f, error, e};
        (e.slope > 0.0 ? low : high) = f;
        double next = std::isnan(error) ? 0.5 * (low + high) : f - e.slope / e.curvature;
        if (!(next > low && next < high)) next = 0.5 * (low + high);
        if (std::fabs(next - f) < 1e-4 * (std::isnan(error) ? df : error)) break;
        f = next;
    }
    return best;
}

/// Whether the fundamental may be d times as fast: power that is not significant at 1e-3 in the harmonics
/// that it would not have. `term(k)` is what harmonic k adds to Z2.
template <typename Term>
XSIFT_HD bool may_be_multiple(int d, int harmonics, const Term& term) {
    constexpr double log10_spare_harmonics = -3.0;
    double spare = 0.0;
    int n = 0;
    for (int k = 1; k <= harmonics; ++k)
        if (k % d != 0) {
            spare += term(k);
            ++n;
        }
    return !(log10_chi2_survival(spare, n) < log10_spare_harmonics);
}

/// The strongest of a search, at its own maximum.
struct FoundMaximum {
    int statistic = 0;  ///< number of it in the search
    int harmonics = 1;
    double frequency = 0.0, value = 0.0;    ///< Hz; of the statistic
    double log10_p = 0.0, log10_fap = 0.0;  ///< of a single trial and of the search, in white noise, without
                                            ///< what a constant source shows through the gaps
};

/// Whether nothing but its own frequency can veto a maximum that matters, whatever the level of the noise:
/// what is significant (log10_fap at most this) has fewer cycles than are asked for, lies far below the
/// frequency of the frames, and is no relative of what is not. The maxima are one a frequency.
bool only_frequencies_veto(std::span<const FoundMaximum> maxima, double log10_fap, double min_cycles,
                           double span, double confirmable);

}  // namespace xsift::timing
