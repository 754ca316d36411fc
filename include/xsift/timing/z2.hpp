#pragma once
/// @file
/// Z2_n (Buccheri et al. 1983) and the H-test (de Jager, Raubenheimer & Swanepoel 1989) from trigonometric
/// sums.

#include <xsift/core/host_device.hpp>

namespace xsift::timing {

/// What one harmonic adds to Z2_n: 2 (C^2 + S^2) / sum of w^2, with C and S the weighted sums of cos and sin
/// of k phi. Without weights the sum of w^2 is the number of photons.
template <typename Real>
XSIFT_HD inline Real z2_term(Real cosine_sum, Real sine_sum, Real sum_w2) {
    return 2 * (cosine_sum * cosine_sum + sine_sum * sine_sum) / sum_w2;
}

/// H = max over m of Z2_m - 4 (m - 1), built up harmonic by harmonic.
template <typename Real>
struct HTest {
    Real z2 = 0;     ///< Z2_m after m calls of add
    Real h = 0;      ///< maximum so far
    int m = 0;       ///< harmonics seen
    int best_m = 1;  ///< where the maximum lies

    XSIFT_HD void add(Real term) {
        z2 += term;
        const Real trial = z2 - 4 * static_cast<Real>(m);
        ++m;
        if (m == 1 || trial > h) {
            h = trial;
            best_m = m;
        }
    }
};

}  // namespace xsift::timing
