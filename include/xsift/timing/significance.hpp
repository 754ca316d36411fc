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

/// Independent trials per 1/T of bandwidth when Z2_n is maximised on a grid with `oversampling` points per
/// 1/T. Monte-Carlo calibration on pure Poisson noise at oversampling 1, 2, 4, 8 for n = 1, 2, 4; linear in
/// log2 of the oversampling and in n between them, held beyond 8, proportional to the oversampling below 1.
/// From n = 4 on every grid point is as good as a trial of its own. The H-test takes the values of n = 4.
XSIFT_HD inline double trials_per_resolution(int n, double oversampling) {
    const double table[3][4] = {{1.1, 1.9, 3.0, 3.1}, {1.1, 2.1, 4.7, 8.0}, {1.1, 2.1, 5.0, 8.0}};
    const double position = oversampling > 1.0 ? std::fmin(std::log2(oversampling), 3.0) : 0.0;
    const int column = position < 2.0 ? static_cast<int>(position) : 2;
    const int row = n >= 2 ? 1 : 0;
    const double upper = n >= 4 ? 1.0 : (n == 3 ? 0.5 : 0.0), x = position - column;
    const double left = table[row][column] + upper * (table[2][column] - table[1][column]);
    const double right = table[row][column + 1] + upper * (table[2][column + 1] - table[1][column + 1]);
    return (left + x * (right - left)) * std::fmin(oversampling, 1.0);
}

/// Effective number of independent trials of a search over `bandwidth` Hz of data spanning `span` s; at
/// least 1.
XSIFT_HD inline double effective_trials(int n, double span, double bandwidth, double oversampling) {
    return std::fmax(1.0, trials_per_resolution(n, oversampling) * span * bandwidth);
}

}  // namespace xsift::timing
