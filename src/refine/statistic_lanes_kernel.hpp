#pragma once
// The body of statistic_lanes_*, included by each inside its own namespace. Nothing of the standard library
// inside.

#include <xsift/core/lane_math.hpp>

template <bool with_value, bool with_derivatives, bool with_expected>
static void terms_of(const BinTable& bins, const double* rates, std::size_t n, const BinTerms& out) {
    constexpr double tiny = 1e-200, least = 1e-300;
    for (std::size_t k = 0; k < n; k += n_lanes) {
        const Lanes m = larger(load(rates, k, n, 1.0), all(spectral::lowest_rate));
        const std::size_t end = k + n_lanes;  // the table is padded
        const Lanes ts = load(bins.source_exposure, k, end, 0.0),
                    tb = load(bins.background_exposure, k, end, 0.0), counts = load(bins.counts, k, end, 0.0),
                    background = load(bins.background, k, end, 0.0);
        // spectral::profiled_background; 0 for C-stat
        const Lanes total = ts + tb, b = total * m - counts - background,
                    d = root(b * b + 4.0 * total * background * m);
        const Lanes above = b >= 0.0 ? 2.0 * background * m : d - b,
                    below = larger(b >= 0.0 ? b + d : 2.0 * total, all(least));
        const Lanes f = tb > 0.0 ? above / below : all(0.0), both = m + f;
        if (with_value) {
            const Lanes s = load(bins.source_scale, k, end, 0.0),
                        r = load(bins.background_scale, k, end, 0.0);
            const auto [source, of_background] =
                logs_of(larger(both * s, all(least)), larger(f * r, all(least)));
            store(2.0 * (ts * m + total * f - counts - background - counts * source -
                         background * of_background),
                  out.value, k, n);
        }
        if (with_derivatives) {
            // 2 S B / (S f^2 + B (m + f)^2), and 2 S / m^2 where there is neither background nor its rate
            const Lanes some = background + tiny;
            const Lanes below_second = counts * f * f + some * both * both,
                        inverse = 1.0 / (both * below_second);  // one division for two
            store(2.0 * (ts - counts * (below_second * inverse)), out.first, k, n);
            store(2.0 * counts * some * (both * inverse), out.second, k, n);
        }
        if (with_expected) {
            const Lanes over = tb > 0.0 ? ts * f + tb * both : m;
            store((tb > 0.0 ? 2.0 * ts * tb : 2.0 * ts) / over, out.expected, k, n);
        }
    }
}

static void terms(const BinTable& bins, const double* rates, std::size_t n, const BinTerms& out) {
    if (out.expected != nullptr)
        return out.value != nullptr ? terms_of<true, true, true>(bins, rates, n, out)
                                    : terms_of<false, true, true>(bins, rates, n, out);
    if (out.first != nullptr)
        return out.value != nullptr ? terms_of<true, true, false>(bins, rates, n, out)
                                    : terms_of<false, true, false>(bins, rates, n, out);
    if (out.value != nullptr) terms_of<true, false, false>(bins, rates, n, out);
}

// Sums run over as many lanes in every instruction set.
using SumLanes = double __attribute__((vector_size(8 * statistic_lanes)));

[[gnu::always_inline]] static inline SumLanes summands(const double* from, std::size_t k, std::size_t n) {
    SumLanes out{};
    if (k + statistic_lanes <= n)
        __builtin_memcpy(&out, from + k, sizeof out);
    else
        for (std::size_t i = 0; k + i < n; ++i) out[i] = from[k + i];
    return out;
}

[[gnu::always_inline]] static inline double over_lanes(SumLanes x) {
    return ((x[0] + x[4]) + (x[2] + x[6])) + ((x[1] + x[5]) + (x[3] + x[7]));
}

static double sum(const double* a, std::size_t n) {
    SumLanes out{};
    for (std::size_t k = 0; k < n; k += statistic_lanes) out += summands(a, k, n);
    return over_lanes(out);
}

static double dot(const double* a, const double* b, std::size_t n) {
    SumLanes out{};
    for (std::size_t k = 0; k < n; k += statistic_lanes) out += summands(a, k, n) * summands(b, k, n);
    return over_lanes(out);
}

static double triple(const double* a, const double* b, const double* c, std::size_t n) {
    SumLanes out{};
    for (std::size_t k = 0; k < n; k += statistic_lanes)
        out += summands(a, k, n) * summands(b, k, n) * summands(c, k, n);
    return over_lanes(out);
}

static void exponentials(double* x, std::size_t n) {
    for (std::size_t k = 0; k < n; k += n_lanes) store(exp_of(load(x, k, n, 0.0)), x, k, n);
}

static void add_skewed(const SkewedNormal& of, const double* at, std::size_t n, double* density) {
    constexpr double hardly = 1e-3;
    const double skew = of.skewness * of.sigma, height = of.weight / of.sigma;
    const bool normal = skew < hardly && skew > -hardly;
    for (std::size_t k = 0; k < n; k += n_lanes) {
        const Lanes z = (load(at, k, n, of.mean) - of.mean) / of.sigma, s = skew * z;
        const Lanes exponent = normal ? -0.5 * z * z : -(expm1_of(s) - s) / (skew * skew);
        store(load(density, k, n, 0.0) + height * exp_of(exponent), density, k, n);
    }
}
