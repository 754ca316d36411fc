#pragma once
/// @file
/// The window of the good time intervals: what a constant source would show.

#include <cmath>
#include <span>

#include <xsift/timing/phase.hpp>

namespace xsift::timing {

/// A complex number that host and device share.
struct Complex {
    double re = 0.0, im = 0.0;
    XSIFT_HD Complex operator+(Complex o) const { return {re + o.re, im + o.im}; }
    XSIFT_HD Complex operator-(Complex o) const { return {re - o.re, im - o.im}; }
    XSIFT_HD Complex operator*(Complex o) const { return {re * o.re - im * o.im, re * o.im + im * o.re}; }
    XSIFT_HD Complex operator*(double x) const { return {re * x, im * x}; }
    XSIFT_HD Complex conjugate() const { return {re, -im}; }
    XSIFT_HD double norm() const { return re * re + im * im; }
};

/// W(f) = (1/X) sum over the intervals of the integral of exp(2 pi i f t), X the sum of their lengths: 1 at f
/// = 0. A constant source of N photons has the expected trigonometric sum N W(f).
XSIFT_HD inline Complex gti_window(double f, const double* start, const double* stop, int n) {
    Complex sum;
    double exposure = 0.0;
    for (int i = 0; i < n; ++i) {
        const double length = stop[i] - start[i], half = constants::pi * f * length;
        const Phasor middle = phasor(fixed_phase(f, 0.5 * (start[i] + stop[i])));
        const double weight =
            std::fabs(half) < 1e-4 ? length * (1.0 - half * half / 6.0) : length * std::sin(half) / half;
        sum = sum + Complex{middle.cosine * weight, middle.sine * weight};
        exposure += length;
    }
    return exposure > 0.0 ? sum * (1.0 / exposure) : Complex{};
}

/// The frequency above which the window of n intervals adds less than about 0.01 to Z2 of n_photons (taking
/// the 2n edges as random), Hz: a percent of the false alarms at Z2 = 20.
XSIFT_HD inline double window_limit(double n_photons, int n, double exposure) {
    return std::sqrt(4.0 * n_photons * n / 0.01) / (constants::two_pi * exposure);
}

}  // namespace xsift::timing
