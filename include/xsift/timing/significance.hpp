#pragma once
/// @file
/// Significance of periodicity statistics, as log10 of probabilities so that nothing underflows.

#include <cmath>

#include <xsift/core/constants.hpp>
#include <xsift/core/host_device.hpp>

namespace xsift::timing {

/// log10 P(chi2 with 2n degrees of freedom > x): exp(-y) sum_{k<n} y^k / k! with y = x/2, summed in
/// logarithms.
XSIFT_HD inline double log10_chi2_survival(double x, int n) {
    if (!(x > 0.0)) return 0.0;
    const double y = 0.5 * x;
    double sum = 1.0, unit = 1.0, log_scale = 0.0;
    for (int k = n - 1; k >= 1; --k) {
        sum = unit + sum * (y / k);
        if (sum > 1e200) {
            sum *= 1e-200;
            unit *= 1e-200;
            log_scale += 200.0;
        }
    }
    const double result = log_scale + std::log10(sum) - y / constants::ln10;
    return result < 0.0 ? result : 0.0;
}

/// log10 P(chi2 with any number of degrees of freedom > x): for an odd number erfc(sqrt y) + exp(-y) sum over
/// k < (dof - 1)/2 of y^(k + 1/2) / Gamma(k + 3/2) with y = x/2.
XSIFT_HD inline double log10_chi2_survival_dof(double x, int dof) {
    if (!(x > 0.0) || dof < 1) return 0.0;
    if (dof % 2 == 0) return log10_chi2_survival(x, dof / 2);
    const double y = 0.5 * x, log_y = std::log(y);
    // erfc(sqrt y) by its asymptotic series where it underflows.
    double total = y < 600.0 ? std::log(std::erfc(std::sqrt(y)))
                             : -y - 0.5 * std::log(constants::pi * y) +
                                   std::log1p(-0.5 / y * (1.0 - 1.5 / y * (1.0 - 2.5 / y)));
    for (int k = 0; 2 * k + 1 < dof; ++k) {
        const double term = (k + 0.5) * log_y - y - std::lgamma(k + 1.5);
        const double high = std::fmax(total, term);
        total = high + std::log1p(std::exp(std::fmin(total, term) - high));
    }
    const double result = total / constants::ln10;
    return result < 0.0 ? result : 0.0;
}

/// log10 P(H > h) = -0.4 h / ln 10 (de Jager & Buesching 2010).
XSIFT_HD inline double log10_h_survival(double h) {
    return h > 0.0 ? -0.4 * h / constants::ln10 : 0.0;
}

/// log10 of 1 - (1 - p)^trials.
XSIFT_HD inline double log10_false_alarm(double log10_p, double trials) {
    if (log10_p < -290.0) return log10_p + std::log10(trials);
    const double p = std::pow(10.0, log10_p);
    if (p >= 1.0) return 0.0;
    return std::log10(-std::expm1(trials * std::log1p(-p)));
}

}  // namespace xsift::timing
