#pragma once
/// @file
/// The floating-mean weighted Lomb-Scargle periodogram (Zechmeister & Kuerster 2009, A&A 496, 577) and its
/// significance (Baluev 2008, MNRAS 385, 1279).

#include <cmath>

#include <xsift/core/constants.hpp>
#include <xsift/core/host_device.hpp>

namespace xsift::timing {

/// Weighted sums of a light curve; the weights are normalised to a sum of 1.
template <typename Real>
struct LombScargleSums {
    Real y = 0, yy = 0;   ///< sum w y, sum w y^2
    Real c = 0, s = 0;    ///< sum w cos, sum w sin of 2 pi f t
    Real yc = 0, ys = 0;  ///< sum w y cos, sum w y sin
    Real c2 = 1, s2 = 0;  ///< sum w cos, sum w sin of 4 pi f t
};

/// Power in the standard normalisation: the fraction of chi2 that the sinusoid removes, 0..1.
template <typename Real>
XSIFT_HD inline Real lomb_scargle_power(const LombScargleSums<Real>& m) {
    const Real yy = m.yy - m.y * m.y, yc = m.yc - m.y * m.c, ys = m.ys - m.y * m.s;
    const Real cc = (1 + m.c2) / 2 - m.c * m.c, ss = (1 - m.c2) / 2 - m.s * m.s, cs = m.s2 / 2 - m.c * m.s;
    const Real determinant = cc * ss - cs * cs;
    if (!(yy > 0) || !(determinant > static_cast<Real>(1e-6) * (cc + ss) * (cc + ss))) return 0;
    const Real power = (ss * yc * yc + cc * ys * ys - 2 * cs * yc * ys) / (yy * determinant);
    return power < 0 ? static_cast<Real>(0) : power;
}

/// The best sinusoid, cosine * cos(2 pi f t) + sine * sin(2 pi f t) plus a constant.
struct Sinusoid {
    double cosine = 0.0, sine = 0.0;
    XSIFT_HD double amplitude() const { return std::sqrt(cosine * cosine + sine * sine); }
};

XSIFT_HD inline Sinusoid lomb_scargle_sinusoid(const LombScargleSums<double>& m) {
    const double yc = m.yc - m.y * m.c, ys = m.ys - m.y * m.s;
    const double cc = (1 + m.c2) / 2 - m.c * m.c, ss = (1 - m.c2) / 2 - m.s * m.s, cs = m.s2 / 2 - m.c * m.s;
    const double determinant = cc * ss - cs * cs;
    if (!(determinant > 0.0)) return {};
    return {(yc * ss - ys * cs) / determinant, (ys * cc - yc * cs) / determinant};
}

/// log10 of the single-frequency false-alarm probability (1 - z)^((n - 3)/2) of n points.
XSIFT_HD inline double log10_lomb_scargle_single(double power, double n) {
    if (power <= 0.0 || n <= 3.0) return 0.0;
    return power >= 1.0 ? -INFINITY : 0.5 * (n - 3.0) * std::log1p(-power) / constants::ln10;
}

/// Significance over a search from 0 to fmax.
struct LombScargleSignificance {
    double log10_fap = 0.0;
    double trials = 1.0;  ///< log(1 - FAP) / log(1 - p): effective number of independent frequencies
};

/// Baluev's bound: FAP = 1 - (1 - p) exp(-tau), tau = W gamma (1 - z)^((N_K-1)/2) sqrt(N_H z/2), W = fmax
/// sqrt(4 pi var t), N_H = n - 1, N_K = n - 3; gamma = sqrt(2/N_H) Gamma(N_H/2) / Gamma((N_H-1)/2).
XSIFT_HD inline LombScargleSignificance lomb_scargle_significance(double power, double n, double fmax,
                                                                  double time_variance) {
    LombScargleSignificance result;
    if (power <= 0.0 || n <= 4.0) return result;
    const double log_p = log10_lomb_scargle_single(power, n) * constants::ln10;
    const double n_h = n - 1.0;
    const double log_gamma =
        0.5 * std::log(2.0 / n_h) + std::lgamma(0.5 * n_h) - std::lgamma(0.5 * (n_h - 1.0));
    const double log_w = std::log(fmax) + 0.5 * std::log(4.0 * constants::pi * time_variance);
    const double log_tau =
        log_w + log_gamma + log_p * (n - 4.0) / (n - 3.0) + 0.5 * std::log(0.5 * n_h * power);
    if (log_p < -650.0 || log_tau < -650.0) {  // 1 - (1 - p) exp(-tau) -> p + tau
        const double high = std::fmax(log_p, log_tau);
        result.log10_fap = (high + std::log1p(std::exp(std::fmin(log_p, log_tau) - high))) / constants::ln10;
        result.trials = 1.0 + std::exp(log_tau - log_p);
        return result;
    }
    const double p = std::exp(log_p), tau = std::exp(log_tau);
    const double log_survival = std::log1p(-p) - tau;
    result.log10_fap = std::log10(-std::expm1(log_survival));
    result.trials = log_survival / std::log1p(-p);
    return result;
}

}  // namespace xsift::timing
