#pragma once
/// @file
/// Frequencies that the instrument makes: frame-time aliases; and frequencies that belong to another one.

#include <cmath>

#include <xsift/core/host_device.hpp>

namespace xsift::timing {

/// Highest frequency that data with this read-out time can confirm, Hz.
XSIFT_HD inline double nyquist_frequency(double frame_time) {
    return 0.5 / frame_time;
}

/// Orders of the frame-time aliases m f_frame +- k f0 that are vetoed: m = 1..frame, k = 0..signal.
struct AliasOrders {
    int frame = 4, signal = 4;
};

/// Harmonics of a stronger candidate that are tried for a relation.
inline constexpr int harmonic_orders = 20;

/// Whether f lies within `tolerance` of m f_frame +- k f0. With f0 = 0 only the multiples of f_frame count.
XSIFT_HD inline bool is_frame_alias(double f, double f_frame, double f0, double tolerance,
                                    AliasOrders orders) {
    for (int m = 1; m <= orders.frame; ++m)
        for (int k = 0; k <= (f0 > 0.0 ? orders.signal : 0); ++k)
            if (std::fabs(f - std::fabs(m * f_frame - k * f0)) <= tolerance ||
                std::fabs(f - (m * f_frame + k * f0)) <= tolerance)
                return true;
    return false;
}

/// Whether some harmonic p f (p <= own_orders) lies within `tolerance` of a harmonic q f0 (q <= orders): f is
/// a harmonic, a subharmonic or a harmonic of a subharmonic of f0.
XSIFT_HD inline bool is_harmonically_related(double f, double f0, double tolerance, int own_orders,
                                             int orders) {
    for (int p = 1; p <= own_orders; ++p) {
        const double q = std::rint(p * f / f0);
        if (q >= 1.0 && q <= orders && std::fabs(p * f - q * f0) <= tolerance) return true;
    }
    return false;
}

}  // namespace xsift::timing
