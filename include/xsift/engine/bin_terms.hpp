#pragma once
/// @file
/// W-stat and C-stat of one bin in single precision, for model grids. The statistics of
/// xsift/spectral/statistics.hpp (tests compare them) in another arrangement: in expected counts, as
/// deviances that lose no digits where model and counts agree, and without branches, so that a compiler turns
/// a loop over bins into vectors and the threads of a warp stay together.
///
/// mu: expected counts of the source; S, B: counts of the source region and of the background; ratio:
/// exposure of the background over that of the source, t_b/t_s (0: C-stat). With phi, the background expected
/// in the source region, profiled out,
///     W / 2 = D(S, mu + phi) + D(B, ratio phi),   D(n, e) = e - n - n ln(e / n),   D(0, e) = e.
///
/// Ops is the arithmetic: its type Real (a number, or a vector of bins), root(x) and quotient(a, b) to single
/// precision, choose(condition, a, b), and split(x, exponent), which gives m from sqrt(1/2) to sqrt(2) with
/// x = 2^exponent m. Every function is a template on it, so that each instruction set has code of its own.

#include <cstdint>
#include <cstring>

#include <xsift/core/host_device.hpp>

namespace xsift::engine {

/// Expected counts below this count as this: a bin with counts and no model stays finite.
inline constexpr float least_expected = 1e-15f;

/// What the arithmetic of one bin has in common on host and device.
struct ScalarBinOps {
    using Real = float;
    XSIFT_HD static float choose(bool condition, float a, float b) { return condition ? a : b; }
    XSIFT_HD static float split(float x, float& exponent) {
        std::int32_t bits;
        memcpy(&bits, &x, sizeof bits);
        const std::int32_t power = (bits - 0x3f3504f3) >> 23;
        bits -= power * (1 << 23);
        exponent = static_cast<float>(power);
        memcpy(&x, &bits, sizeof x);
        return x;
    }
};

struct HostBinOps : ScalarBinOps {
    static float root(float x) { return __builtin_sqrtf(x); }
    static float quotient(float a, float b) { return a / b; }
};

/// q - 1 - ln q for q > 0, to 1e-7 of the larger of it and 1, and to 1e-6 of itself where q is near 1. The
/// logarithm's polynomial is that of Cephes' logf (Moshier).
template <typename Ops>
XSIFT_HD typename Ops::Real log_excess(typename Ops::Real q) {
    using Real = typename Ops::Real;
    Real exponent;
    const Real m = Ops::split(q, exponent), t = m - 1.0f;
    Real p = 7.0376836292e-2f * t - 1.1514610310e-1f;
    p = p * t + 1.1676998740e-1f;
    p = p * t - 1.2420140846e-1f;
    p = p * t + 1.4249322787e-1f;
    p = p * t - 1.6668057665e-1f;
    p = p * t + 2.0000714765e-1f;
    p = p * t - 2.4999993993e-1f;
    p = p * t + 3.3333331174e-1f;
    // ln(1 + t) = t - t^2/2 + t^3 p
    return (q - m) - exponent * 0.693147180559945f + t * t * (0.5f - t * p);
}

/// D(n, e). @param e > 0 where n > 0
template <typename Ops>
XSIFT_HD typename Ops::Real deviance(typename Ops::Real n, typename Ops::Real e) {
    using Real = typename Ops::Real;
    const Real zero{}, least = zero + 1e-30f;
    const Real q = Ops::quotient(e, Ops::choose(n > zero, n, zero + 1.0f));
    return Ops::choose(n > zero, n * log_excess<Ops>(Ops::choose(q > least, q, least)), e);
}

/// phi: the positive root of (1 + ratio) phi^2 + b phi - B mu = 0, b = (1 + ratio) mu - S - B, without
/// cancellation. @param ratio 0 for C-stat
template <typename Ops>
XSIFT_HD typename Ops::Real expected_background(typename Ops::Real s, typename Ops::Real b, float ratio,
                                                typename Ops::Real mu) {
    using Real = typename Ops::Real;
    const Real zero{}, tiny = zero + 1e-37f;
    if (!(ratio > 0.0f)) return zero;
    const float total = 1.0f + ratio;
    const Real linear = total * mu - (s + b), product = b * mu,
               root = Ops::root(linear * linear + 4.0f * total * product),
               sum = Ops::choose(linear < zero, -linear, linear) + root;
    return Ops::choose(linear < zero, sum * (0.5f / total),
                       Ops::quotient(2.0f * product, Ops::choose(sum > tiny, sum, tiny)));
}

/// Half the statistic's derivative by mu times mu, and half its second derivative times mu^2.
template <typename Real>
struct BinSlope {
    Real first, second;
};

/// @param phi expected_background(); mu at least least_expected
template <typename Ops>
XSIFT_HD BinSlope<typename Ops::Real> bin_slope(typename Ops::Real s, typename Ops::Real b,
                                                typename Ops::Real mu, typename Ops::Real phi) {
    using Real = typename Ops::Real;
    const Real zero{}, e = mu + phi;
    // without a background and its rate S / e^2 is what stays of S b / (S phi^2 + b e^2)
    const Real weight = Ops::choose(b + phi > zero, b, zero + 1.0f);
    return {mu - Ops::quotient(s * mu, e),
            Ops::quotient(s * weight * (mu * mu), s * (phi * phi) + weight * (e * e))};
}

/// Half the statistic.
template <typename Ops>
XSIFT_HD typename Ops::Real bin_half(typename Ops::Real s, typename Ops::Real b, float ratio,
                                     typename Ops::Real mu, typename Ops::Real phi) {
    return deviance<Ops>(s, mu + phi) + deviance<Ops>(b, ratio * phi);
}

}  // namespace xsift::engine
