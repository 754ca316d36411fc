#pragma once
/// @file
/// The Lomb-Scargle periodogram with several harmonics (Schwarzenberg-Czerny 1996, ApJ 460, L107; Palmer
/// 2009, ApJ 695, 496): a floating mean and n harmonics fitted at once, by the normal equations from
/// trigonometric sums; its normalisations and its significance (Baluev 2009, MNRAS 395, 1541).

#include <cmath>

#include <xsift/core/constants.hpp>
#include <xsift/core/host_device.hpp>
#include <xsift/timing/lomb_scargle.hpp>

namespace xsift::timing {

/// Most harmonics of a fit.
inline constexpr int most_terms = 10;
/// A component of which the mean and the components before it leave less than this of its mean square (1/2
/// for a well-sampled one) is left out of the fit: the data do not tell it from them.
inline constexpr double least_pivot = 1e-4;

/// Weighted sums of a light curve; the weights are normalised to a sum of 1. Index k is the harmonic; [0]
/// holds what a harmonic 0 would be.
template <typename Real>
struct MultiTermSums {
    Real y = 0, yy = 0;  ///< sum w y, sum w y^2
    Real c[2 * most_terms + 1] = {1},
                            s[2 * most_terms + 1] = {};     ///< sum w cos, w sin of 2 pi k f t, k <= 2n
    Real yc[most_terms + 1] = {}, ys[most_terms + 1] = {};  ///< sum w y cos, w y sin, k <= n
};

/// The fit of 1, 2, .. n harmonics. Components are in the order cos 1, sin 1, cos 2, sin 2, ..
template <typename Real>
struct MultiTermFit {
    Real power[most_terms] = {};            ///< [m - 1]: share of chi2 that m harmonics remove, 0..1
    Real coefficient[2 * most_terms] = {};  ///< of the fit of all n; only with solve_coefficients
};

/// Cholesky factors of the normal equations, the mean eliminated. Since a harmonic's components follow those
/// of the harmonics before it, one factorisation gives the power of every number of harmonics up to n.
template <typename Real>
XSIFT_HD inline MultiTermFit<Real> fit_terms(const MultiTermSums<Real>& m, int n, bool solve_coefficients) {
    constexpr int most = 2 * most_terms;
    MultiTermFit<Real> fit;
    Real factor[most * (most + 1) / 2], rhs[most];
    const Real yy = m.yy - m.y * m.y;
    if (!(yy > 0)) return fit;
    Real total = 0;
    for (int i = 0; i < 2 * n; ++i) {
        const int j = i / 2 + 1;
        const bool sine = i % 2 != 0;
        const Real mean_i = sine ? m.s[j] : m.c[j];
        Real* row = factor + i * (i + 1) / 2;
        Real z = (sine ? m.ys[j] : m.yc[j]) - m.y * mean_i, pivot = 0;
        for (int l = 0; l <= i; ++l) {
            const int k = l / 2 + 1;  // <= j
            const bool other_sine = l % 2 != 0;
            Real v = 0;
            if (sine == other_sine)
                v = sine ? (m.c[j - k] - m.c[j + k]) / 2 : (m.c[j - k] + m.c[j + k]) / 2;
            else  // sin j cos k, or cos j sin k
                v = sine ? (m.s[j + k] + m.s[j - k]) / 2 : (m.s[j + k] - m.s[j - k]) / 2;
            v -= mean_i * (other_sine ? m.s[k] : m.c[k]);
            const Real* other = factor + l * (l + 1) / 2;
            for (int q = 0; q < l; ++q) v -= row[q] * other[q];
            if (l == i) {
                pivot = v;
            } else {
                row[l] = other[l] > 0 ? v / other[l] : static_cast<Real>(0);
                z -= row[l] * rhs[l];
            }
        }
        const bool used = pivot > static_cast<Real>(least_pivot);
        row[i] = used ? std::sqrt(pivot) : static_cast<Real>(0);
        rhs[i] = used ? z / row[i] : static_cast<Real>(0);
        total += rhs[i] * rhs[i];
        if (sine) fit.power[j - 1] = total < yy ? total / yy : static_cast<Real>(1);
    }
    if (!solve_coefficients) return fit;
    for (int i = 2 * n - 1; i >= 0; --i) {
        Real x = rhs[i];
        for (int l = i + 1; l < 2 * n; ++l) x -= factor[l * (l + 1) / 2 + i] * fit.coefficient[l];
        // Row i was filled above. NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Assign)
        const Real pivot = factor[i * (i + 1) / 2 + i];
        fit.coefficient[i] = pivot > 0 ? x / pivot : static_cast<Real>(0);
    }
    return fit;
}

/// Harmonics of a frequency that are used: at least one, others up to harmonic_fmax.
XSIFT_HD inline int usable_terms(double frequency, double harmonic_fmax, int terms) {
    const double limit = harmonic_fmax / frequency * (1.0 + 1e-12);
    return limit >= terms ? terms : (limit < 2.0 ? 1 : static_cast<int>(limit));
}

/// Power of n harmonics in the standard normalisation. One harmonic is the power of lomb_scargle_power, to
/// the bit.
template <typename Real>
XSIFT_HD inline Real multi_term_power(const MultiTermSums<Real>& m, const MultiTermFit<Real>& fit, int n) {
    return n == 1 ? lomb_scargle_power<Real>({m.y, m.yy, m.c[1], m.s[1], m.yc[1], m.ys[1], m.c[2], m.s[2]})
                  : fit.power[n - 1];
}

/// How a power is given; z is the share of chi2 removed.
enum class LombScargleNormalisation : unsigned char {
    standard,  ///< z
    model,     ///< z / (1 - z): relative to chi2 of the model
    log,       ///< -ln(1 - z)
    psd,       ///< z chi2_0 / 2: half the drop of chi2, Poisson-like when the errors are right
};

/// A standard power in another normalisation; chi2 is that of the constant model.
XSIFT_HD inline double normalised_power(double z, LombScargleNormalisation normalisation, double chi2) {
    switch (normalisation) {
        case LombScargleNormalisation::model:
            return z / (1.0 - z);
        case LombScargleNormalisation::log:
            return -std::log1p(-z);
        case LombScargleNormalisation::psd:
            return 0.5 * chi2 * z;
        default:
            return z;
    }
}

/// log10 of the single-frequency false-alarm probability of n_terms harmonics fitted to n points: z is a
/// share of 2 n_terms in n - 1 degrees of freedom, so that P(> z) = (1 - z)^(N_K/2) sum over j < n_terms of
/// Gamma(N_K/2 + j) / (Gamma(N_K/2) j!) z^j with N_K = n - 1 - 2 n_terms (a beta distribution).
XSIFT_HD inline double log10_multi_term_single(double z, double n, int n_terms) {
    const double half = 0.5 * (n - 1.0 - 2.0 * n_terms);
    if (!(z > 0.0) || half <= 0.0) return 0.0;
    if (z >= 1.0) return -INFINITY;
    double sum = 1.0, term = 1.0;
    for (int j = 1; j < n_terms; ++j) {
        term *= (half + j - 1.0) / j * z;
        sum += term;
    }
    const double result = (half * std::log1p(-z) + std::log(sum)) / constants::ln10;
    return result < 0.0 ? result : 0.0;
}

/// alpha_n of Baluev (2009): the mean of sqrt(sum k^2 s_k) over the simplex s_1 + .. + s_n = 1, divided by (n
/// - 1)!; = 2^n / (2n - 1)!! sum_{k=1..n} (-1)^(n-k) k^(2n+1) / ((n + k)! (n - k)!). 1 for n = 1, 14/9 for n
/// = 2.
XSIFT_HD inline double baluev_alpha(int n) {
    double scale = 1.0, sum = 0.0;
    for (int k = 1; k <= n; ++k) scale *= 2.0 / (2.0 * k - 1.0);
    for (int k = n; k >= 1; --k) {
        double term = k;
        for (int i = 1; i <= n + k; ++i) term /= i;
        for (int i = 1; i <= n - k; ++i) term /= i;
        for (int i = 0; i < n; ++i) term *= static_cast<double>(k) * k;
        sum += (n - k) % 2 == 0 ? term : -term;
    }
    return scale * sum;
}

/// Significance of a fit of n_terms harmonics over a search from 0 to fmax: Baluev's bound FAP = 1 - (1 - p)
/// exp(-tau), tau = W alpha_n Gamma(N_H/2) / Gamma((N_H + 1)/2 - n_terms) z^(n_terms - 1/2) (1 - z)^((N_H -
/// 1)/2 - n_terms) with N_H = n - 1 and W = fmax sqrt(4 pi var t): Rice's rate of upcrossings of the share
/// that a plane of 2 n_terms dimensions takes of a vector of random direction, its axes turning at speeds k.
/// For one term it is lomb_scargle_significance.
XSIFT_HD inline LombScargleSignificance multi_term_significance(double power, double n, int n_terms,
                                                                double fmax, double time_variance) {
    if (n_terms == 1) return lomb_scargle_significance(power, n, fmax, time_variance);
    LombScargleSignificance result;
    const double rest = n - 2.0 - 2.0 * n_terms;  // (N_H - 1) - 2 n_terms
    if (!(power > 0.0) || rest <= 0.0) return result;
    const double log_p = log10_multi_term_single(power, n, n_terms) * constants::ln10;
    if (power >= 1.0) {
        result.log10_fap = -INFINITY;
        return result;
    }
    const double log_tau = std::log(fmax) + 0.5 * std::log(4.0 * constants::pi * time_variance) +
                           std::log(baluev_alpha(n_terms)) + std::lgamma(0.5 * (n - 1.0)) -
                           std::lgamma(0.5 * n - n_terms) + (n_terms - 0.5) * std::log(power) +
                           0.5 * rest * std::log1p(-power);
    if (log_p >= 0.0 || log_tau > 700.0) return result;
    if (log_p < -650.0 || log_tau < -650.0) {  // 1 - (1 - p) exp(-tau) -> p + tau
        const double high = std::fmax(log_p, log_tau);
        result.log10_fap =
            std::fmin(0.0, (high + std::log1p(std::exp(std::fmin(log_p, log_tau) - high))) / constants::ln10);
        result.trials = 1.0 + std::exp(log_tau - log_p);
        return result;
    }
    const double log_survival = std::log1p(-std::exp(log_p)) - std::exp(log_tau);
    result.log10_fap = std::log10(-std::expm1(log_survival));
    result.trials = log_survival / std::log1p(-std::exp(log_p));
    return result;
}

}  // namespace xsift::timing
