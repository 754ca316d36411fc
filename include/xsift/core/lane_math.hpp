#pragma once
// Arithmetic of several doubles at once, for sources that are compiled for several instruction sets: each
// includes it inside an unnamed namespace of its own, where the constant n_lanes (4 or 8) says how many.
// Nothing of the standard library inside. Operations are rounded one by one and in the same order whatever
// the instruction set and the number of lanes (compile with -ffp-contract=off), so that results are the same
// to the last bit.

using Lanes = double __attribute__((vector_size(8 * n_lanes)));
using Bits = unsigned long long __attribute__((vector_size(8 * n_lanes)));

[[maybe_unused, gnu::always_inline]] static inline Lanes all(double x) {
    return Lanes{} + x;
}

/// The elements from k on; what is beyond n is `beyond`.
[[maybe_unused, gnu::always_inline]] static inline Lanes load(const double* from, unsigned long k,
                                                              unsigned long n, double beyond) {
    Lanes out = all(beyond);
    if (k + n_lanes <= n)
        __builtin_memcpy(&out, from + k, sizeof out);
    else
        for (unsigned long i = 0; k + i < n; ++i) out[i] = from[k + i];
    return out;
}

[[maybe_unused, gnu::always_inline]] static inline void store(Lanes x, double* to, unsigned long k,
                                                              unsigned long n) {
    if (k + n_lanes <= n)
        __builtin_memcpy(to + k, &x, sizeof x);
    else
        for (unsigned long i = 0; k + i < n; ++i) to[k + i] = x[i];
}

[[maybe_unused, gnu::always_inline]] static inline Lanes larger(Lanes a, Lanes b) {
    return a > b ? a : b;
}

[[maybe_unused, gnu::always_inline]] static inline Lanes smaller(Lanes a, Lanes b) {
    return a < b ? a : b;
}

[[maybe_unused, gnu::always_inline]] static inline Lanes root(Lanes x) {
    for (unsigned long i = 0; i < n_lanes; ++i) x[i] = __builtin_sqrt(x[i]);
    return x;
}

/// x = 2^k (1 + f), f from sqrt(1/2) - 1 to sqrt(2) - 1; x a normal positive number.
struct LogParts {
    Lanes k, f;
};

[[maybe_unused, gnu::always_inline]] static inline LogParts log_parts(Lanes x) {
    constexpr unsigned long long root_half = 0x3fe6a09e667f3bcdULL, bias = 1024;
    constexpr double two_52 = 4503599627370496.0;
    const Bits bits = reinterpret_cast<Bits>(x);
    const Bits exponent = (bits - root_half + (bias << 52)) >> 52;
    return {reinterpret_cast<Lanes>(exponent | 0x4330000000000000ULL) - (two_52 + static_cast<double>(bias)),
            reinterpret_cast<Lanes>(bits - (exponent << 52) + (bias << 52)) - 1.0};
}

/// k ln 2 + ln(1 + f) (the series of fdlibm's log). @param s f/(f + 2)
[[maybe_unused, gnu::always_inline]] static inline Lanes log_from(LogParts x, Lanes s) {
    constexpr double ln2_high = 6.93147180369123816490e-01, ln2_low = 1.90821492927058770002e-10;
    const Lanes z = s * s, w = z * z;
    const Lanes even = w * (3.999999999940941908e-01 +
                            w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01)),
                odd = z * (6.666666666666735130e-01 +
                           w * (2.857142874366239149e-01 +
                                w * (1.818357216161805012e-01 + w * 1.479819860511658591e-01)));
    const Lanes half_square = 0.5 * x.f * x.f;
    return x.k * ln2_high - ((half_square - (s * (half_square + even + odd) + x.k * ln2_low)) - x.f);
}

/// Natural logarithm of normal positive numbers, to one unit in the last place.
[[maybe_unused, gnu::always_inline]] static inline Lanes log_of(Lanes x) {
    const LogParts parts = log_parts(x);
    return log_from(parts, parts.f / (parts.f + 2.0));
}

/// Two at once, with one division: to two units in the last place.
struct LanesPair {
    Lanes first, second;
};
[[maybe_unused, gnu::always_inline]] static inline LanesPair logs_of(Lanes x, Lanes y) {
    const LogParts a = log_parts(x), b = log_parts(y);
    const Lanes over_a = a.f + 2.0, over_b = b.f + 2.0, inverse = 1.0 / (over_a * over_b);
    return {log_from(a, a.f * over_b * inverse), log_from(b, b.f * over_a * inverse)};
}

/// exp(x) = scale (1 + rest), scale a power of two; x from -708 to 709.
struct ExpParts {
    Lanes scale, rest;
};

[[maybe_unused, gnu::always_inline]] static inline ExpParts exp_parts(Lanes x) {
    constexpr double to_integer = 0x1.8p52,  // added and subtracted again, it rounds to the nearest integer
        log2_e = 1.44269504088896338700, ln2_high = 6.93147180369123816490e-01,
                     ln2_low = 1.90821492927058770002e-10;
    const Lanes shifted = x * log2_e + to_integer, k = shifted - to_integer;
    const Lanes r = (x - k * ln2_high) - k * ln2_low, q = r * r;  // |r| <= ln(2)/2
    const Lanes odd =
        r *
        (1.0 +
         q * (1.0 / 6 +
              q * (1.0 / 120 +
                   q * (1.0 / 5040 + q * (1.0 / 362880 + q * (1.0 / 39916800 + q * (1.0 / 6227020800.0)))))));
    const Lanes even =
        q * (0.5 + q * (1.0 / 24 +
                        q * (1.0 / 720 + q * (1.0 / 40320 + q * (1.0 / 3628800 + q * (1.0 / 479001600.0))))));
    return {reinterpret_cast<Lanes>((reinterpret_cast<Bits>(shifted) + 1023ULL) << 52), odd + even};
}

/// exp(x), to one unit in the last place; 0 below -708, where the result is no normal number, and exp(709)
/// from 709 on.
[[maybe_unused, gnu::always_inline]] static inline Lanes exp_of(Lanes x) {
    const auto [scale, rest] = exp_parts(smaller(larger(x, all(-708.0)), all(709.0)));
    return x < -708.0 ? all(0.0) : scale + scale * rest;
}

/// exp(x) - 1, to a few units in the last place; exp(709) from 709 on.
[[maybe_unused, gnu::always_inline]] static inline Lanes expm1_of(Lanes x) {
    const auto [scale, rest] = exp_parts(smaller(larger(x, all(-708.0)), all(709.0)));
    return scale * rest + (scale - 1.0);
}
