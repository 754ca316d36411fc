#pragma once
/// @file
/// Errors of frequencies and periods.

#include <cmath>

#include <xsift/core/constants.hpp>
#include <xsift/core/host_device.hpp>

namespace xsift::timing {

/// 1 sigma error of a frequency from the curvature of Z2_n at its maximum. Z2_n / 2 is the gain in
/// log-likelihood of the best profile, so 1 sigma is where Z2_n has dropped by 1: sqrt(-2 / Z2''). NaN when
/// the curvature is not negative. For a uniform window and n = 1 it is sqrt(3) / (pi T sqrt(Z2_1)) (Ransom et
/// al. 2002, AJ 124, 1788).
XSIFT_HD inline double frequency_error_from_curvature(double second_derivative) {
    return second_derivative < 0.0 ? std::sqrt(-2.0 / second_derivative) : static_cast<double>(NAN);
}

/// The same for a Lomb-Scargle power z of n points: chi2 = chi2_0 (1 - z) with chi2_0 (1 - z) / (n - 3) for
/// the variance, so 1 sigma is where z has dropped by (1 - z) / (n - 3).
XSIFT_HD inline double frequency_error_from_power(double power, double second_derivative, double n) {
    if (!(second_derivative < 0.0) || !(power < 1.0) || n <= 3.0) return static_cast<double>(NAN);
    return std::sqrt(-2.0 * (1.0 - power) / ((n - 3.0) * second_derivative));
}

/// Error of the period that belongs to an error of the frequency.
XSIFT_HD inline double period_error(double frequency, double frequency_error) {
    return frequency_error / (frequency * frequency);
}

}  // namespace xsift::timing
