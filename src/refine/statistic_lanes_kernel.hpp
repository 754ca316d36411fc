#pragma once
// The body of statistic_lanes_*, included by each inside its own namespace. Nothing of the standard library
// inside.

using Lanes = double __attribute__((vector_size(8 * statistic_lanes)));
using Bits = unsigned long long __attribute__((vector_size(8 * statistic_lanes)));

static Lanes all(double x) {
    return Lanes{} + x;
}

/// The elements from k on; what is beyond n is `beyond`.
static Lanes load(const double* from, std::size_t k, std::size_t n, double beyond) {
    Lanes out = all(beyond);
    if (k + statistic_lanes <= n)
        __builtin_memcpy(&out, from + k, sizeof out);
    else
        for (std::size_t i = 0; k + i < n; ++i) out[i] = from[k + i];
    return out;
}

static void store(Lanes x, double* to, std::size_t k, std::size_t n) {
    if (k + statistic_lanes <= n)
        __builtin_memcpy(to + k, &x, sizeof x);
    else
        for (std::size_t i = 0; k + i < n; ++i) to[k + i] = x[i];
}

static Lanes larger(Lanes a, Lanes b) {
    return a > b ? a : b;
}

static Lanes root(Lanes x) {
    for (std::size_t i = 0; i < statistic_lanes; ++i) x[i] = __builtin_sqrt(x[i]);
    return x;
}

/// Natural logarithm of normal positive numbers, to one unit in the last place (the series of fdlibm's log).
static Lanes log_of(Lanes x) {
    constexpr unsigned long long root_half = 0x3fe6a09e667f3bcdULL, bias = 1024;
    constexpr double two_52 = 4503599627370496.0, ln2_high = 6.93147180369123816490e-01,
                     ln2_low = 1.90821492927058770002e-10;
    const Bits bits = reinterpret_cast<Bits>(x);
    const Bits exponent = (bits - root_half + (bias << 52)) >> 52;
    const Lanes k =
        reinterpret_cast<Lanes>(exponent | 0x4330000000000000ULL) - (two_52 + static_cast<double>(bias));
    const Lanes f = reinterpret_cast<Lanes>(bits - (exponent << 52) + (bias << 52)) -
                    1.0;  // sqrt(1/2) - 1 to sqrt(2) - 1
    const Lanes s = f / (f + 2.0), z = s * s, w = z * z;
    const Lanes even = w * (3.999999999940941908e-01 +
                            w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01)),
                odd = z * (6.666666666666735130e-01 +
                           w * (2.857142874366239149e-01 +
                                w * (1.818357216161805012e-01 + w * 1.479819860511658591e-01)));
    const Lanes half_square = 0.5 * f * f;
    return k * ln2_high - ((half_square - (s * (half_square + even + odd) + k * ln2_low)) - f);
}

template <bool with_value, bool with_derivatives, bool with_expected>
static void terms_of(const BinTable& bins, const double* rates, std::size_t n, const BinTerms& out) {
    constexpr double tiny = 1e-200, least = 1e-300;
    for (std::size_t k = 0; k < n; k += statistic_lanes) {
        const Lanes m = larger(load(rates, k, n, 1.0), all(spectral::lowest_rate));
        const std::size_t end = k + statistic_lanes;  // the table is padded
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
            store(2.0 * (ts * m + total * f - counts - background -
                         counts * log_of(larger(both * s, all(least))) -
                         background * log_of(larger(f * r, all(least)))),
                  out.value, k, n);
        }
        if (with_derivatives) {
            // 2 S B / (S f^2 + B (m + f)^2), and 2 S / m^2 where there is neither background nor its rate
            const Lanes some = background + tiny;
            store(2.0 * (ts - counts / both), out.first, k, n);
            store(2.0 * counts * some / (counts * f * f + some * both * both), out.second, k, n);
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

static double over_lanes(Lanes x) {
    return (x[0] + x[1]) + (x[2] + x[3]);
}

static double sum(const double* a, std::size_t n) {
    Lanes out{};
    for (std::size_t k = 0; k < n; k += statistic_lanes) out += load(a, k, n, 0.0);
    return over_lanes(out);
}

static double dot(const double* a, const double* b, std::size_t n) {
    Lanes out{};
    for (std::size_t k = 0; k < n; k += statistic_lanes) out += load(a, k, n, 0.0) * load(b, k, n, 0.0);
    return over_lanes(out);
}

static double triple(const double* a, const double* b, const double* c, std::size_t n) {
    Lanes out{};
    for (std::size_t k = 0; k < n; k += statistic_lanes)
        out += load(a, k, n, 0.0) * load(b, k, n, 0.0) * load(c, k, n, 0.0);
    return over_lanes(out);
}
