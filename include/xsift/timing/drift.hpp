#pragma once
/// @file
/// Frequencies that drift: phases f t + fdot t^2 / 2 with t from the epoch at which the frequency is f; the
/// steps of a search over fdot; the window of the good time intervals.
///
/// An acceleration a along the line of sight is the same with fdot = f a / c, so that one grid in a serves
/// all frequencies: the times t + a t^2 / (2 c) make the phase f t + f a t^2 / (2 c).

#include <cmath>
#include <cstdint>

#include <xsift/core/constants.hpp>
#include <xsift/core/host_device.hpp>
#include <xsift/timing/phase.hpp>
#include <xsift/timing/window.hpp>

namespace xsift::constants {

inline constexpr double speed_of_light = 299792458.0;  ///< m/s

}  // namespace xsift::constants

namespace xsift::timing {

/// fdot t^2 / 2 modulo 1. The square is formed exactly (its rounding error is kept), so the only errors are
/// those of fixed_phase: 2^-63 of a turn and 2^-106 of the cycles.
XSIFT_HD inline FixedPhase drift_phase(double fdot, double t) {
    const double square = t * t, rest = std::fma(t, t, -square);
    return fixed_phase(0.5 * fdot, square) + fixed_phase(0.5 * fdot, rest);
}

/// One frequency derivative (Hz/s) or acceleration (m/s^2).
struct DriftTrial {
    double value = 0.0;
    bool acceleration = false;

    XSIFT_HD bool any() const { return value != 0.0; }
    /// Frequency derivative at a frequency, Hz/s.
    XSIFT_HD double fdot(double frequency) const {
        return acceleration ? frequency * value / constants::speed_of_light : value;
    }
};

/// Trials -half .. half times `step` of a frequency derivative (Hz/s) or an acceleration (m/s^2).
struct DriftGrid {
    double step = 0.0;
    std::int64_t half = 0;
    bool acceleration = false;

    XSIFT_HD std::int64_t count() const { return 2 * half + 1; }
    XSIFT_HD double value(std::int64_t i) const { return static_cast<double>(i - half) * step; }
    /// Frequency derivative of trial i at a frequency, Hz/s.
    XSIFT_HD double fdot(std::int64_t i, double frequency) const { return trial(i).fdot(frequency); }
    XSIFT_HD DriftTrial trial(std::int64_t i) const { return {value(i), acceleration}; }
};

/// Time at which a clock that moves with the acceleration shows t (both 0 at the epoch), to first order.
XSIFT_HD inline double accelerated_time(double t, double acceleration) {
    return t + acceleration * t * t / (2.0 * constants::speed_of_light);
}

/// Phase of a photon at grid index i and harmonic k: (i step + offset) k.
struct DriftedPhase {
    FixedPhase step, offset;
};
/// @param t s from the epoch
XSIFT_HD inline DriftedPhase drifted_phase(double df, double t, DriftTrial drift) {
    if (drift.acceleration) return {fixed_phase(df, accelerated_time(t, drift.value)), 0};
    return {fixed_phase(df, t), drift.any() ? drift_phase(drift.value, t) : 0};
}

/// Variance of t^2 over the good time that no constant and no multiple of t explain, s^4: T^4 / 180 for one
/// interval of length T. Times from the epoch.
XSIFT_HD inline double quadratic_variance(const double* start, const double* stop, int n) {
    double moment[5] = {};
    for (int i = 0; i < n; ++i) {
        double a = 1.0, b = 1.0;
        for (int p = 0; p < 5; ++p) {
            a *= start[i];
            b *= stop[i];
            moment[p] += (b - a) / (p + 1);
        }
    }
    if (!(moment[0] > 0.0)) return 0.0;
    for (int p = 4; p >= 0; --p) moment[p] /= moment[0];
    const double variance = moment[2] - moment[1] * moment[1];
    const double covariance = moment[3] - moment[1] * moment[2];
    return moment[4] - moment[2] * moment[2] - (variance > 0.0 ? covariance * covariance / variance : 0.0);
}

/// Step in fdot at which a signal halfway between two trials loses the fraction `loss` of the power of
/// harmonic k: with the phase error pi k d t^2 for a miss of d the loss is its variance, (pi k d)^2 V (V:
/// quadratic_variance), and d is half the step, so step = 2 sqrt(loss / V) / (pi k). For an uninterrupted
/// exposure sqrt(720 loss) / (pi k T^2).
XSIFT_HD inline double drift_step(double loss, int harmonic, double variance) {
    return 2.0 * std::sqrt(loss / variance) / (constants::pi * harmonic);
}

/// The window of good time intervals for a drifting frequency, as gti_window: mean of exp(2 pi i (f t + fdot
/// t^2 / 2)), each interval weighted by its rate (null: 1). Intervals are cut so finely that the quadratic
/// phase is linear within 1/2000 of a turn.
XSIFT_HD inline Complex drift_window(double f, double fdot, const double* start, const double* stop,
                                     const double* rate, int n) {
    Complex sum;
    double exposure = 0.0;
    for (int i = 0; i < n; ++i) {
        const double length = stop[i] - start[i], weight = rate ? rate[i] : 1.0;
        const auto pieces =
            static_cast<std::int64_t>(std::ceil(16.0 * length * std::sqrt(std::fabs(fdot)))) + 1;
        const double piece = fdot == 0.0 ? length : length / static_cast<double>(pieces);
        for (std::int64_t p = 0; p < (fdot == 0.0 ? 1 : pieces); ++p) {
            const double middle = start[i] + (static_cast<double>(p) + 0.5) * piece;
            const double half = constants::pi * (f + fdot * middle) * piece;
            const Phasor e = phasor(fixed_phase(f, middle) + drift_phase(fdot, middle));
            const double share =
                weight * piece * (std::fabs(half) < 1e-4 ? 1.0 - half * half / 6.0 : std::sin(half) / half);
            sum = sum + Complex{e.cosine * share, e.sine * share};
        }
        exposure += weight * length;
    }
    return exposure > 0.0 ? sum * (1.0 / exposure) : Complex{};
}

}  // namespace xsift::timing
