#pragma once
/// @file
/// Half precision and the matrix instruction of tensor cores on the host: as mma.sync.m16n8k16 rounds and
/// lays out its matrices.

#include <cmath>
#include <cstdint>
#include <cstring>

#include <xsift/engine/product_tile.hpp>

namespace xsift::test {

/// Rounded to half precision (11 bits), to nearest, ties to even; subnormal below 2^-14.
inline float rounded_to_half(float x) {
    if (x == 0.0f) return x;
    int exponent = 0;
    std::frexp(x, &exponent);
    const float unit = std::ldexp(1.0f, (exponent < -13 ? -13 : exponent) - 11);
    return std::nearbyint(x / unit) * unit;
}

inline std::uint16_t half_bits(float x) {
    const float r = rounded_to_half(x), magnitude = std::fabs(r);
    std::uint16_t bits = std::signbit(r) ? 0x8000 : 0;
    if (magnitude >= 0x1p-14f) {
        int exponent = 0;
        const float mantissa = std::frexp(magnitude, &exponent);
        bits = static_cast<std::uint16_t>(
            bits | ((exponent + 14) << 10 | (static_cast<int>(mantissa * 2048.0f) & 0x3ff)));
    } else {
        bits = static_cast<std::uint16_t>(bits | static_cast<int>(magnitude * 0x1p24f));
    }
    return bits;
}

inline float half_value(std::uint16_t bits) {
    const int exponent = (bits >> 10) & 0x1f, mantissa = bits & 0x3ff;
    const float magnitude = exponent == 0 ? std::ldexp(static_cast<float>(mantissa), -24)
                                          : std::ldexp(static_cast<float>(1024 + mantissa), exponent - 25);
    return (bits & 0x8000) != 0 ? -magnitude : magnitude;
}

/// The host's side of what tiles take as Ops.
struct HostOps {
    static engine::SinglePhasor turn(std::uint32_t phase) {
        return engine::SinglePhasor::of(static_cast<timing::FixedPhase>(phase) << 32);
    }
    static std::uint32_t pack(float low, float high) {
        return half_bits(low) | static_cast<std::uint32_t>(half_bits(high)) << 16;
    }
    static float exponential(float x) { return std::exp(x); }
    static float root(float x) { return std::sqrt(x); }
    static std::int32_t rounded(float x) { return static_cast<std::int32_t>(std::lrint(x)); }
    static void publish() {}
    static void add(std::int32_t* cell, std::int32_t value) { *cell += value; }
};

/// The matrix instruction for a whole warp: d += a b, fragments [lane][word].
inline void host_mma(float (*d)[4], const std::uint32_t (*a)[4], const std::uint32_t (*b)[2]) {
    float left[16][16], right[16][8];
    const auto part = [](std::uint32_t word, int half) {
        return half_value(static_cast<std::uint16_t>(word >> (16 * half)));
    };
    for (int lane = 0; lane < 32; ++lane)
        for (int half = 0; half < 2; ++half) {
            const int g = lane / 4, t = 2 * (lane % 4) + half;
            left[g][t] = part(a[lane][0], half);
            left[g + 8][t] = part(a[lane][1], half);
            left[g][t + 8] = part(a[lane][2], half);
            left[g + 8][t + 8] = part(a[lane][3], half);
            right[t][g] = part(b[lane][0], half);
            right[t + 8][g] = part(b[lane][1], half);
        }
    for (int lane = 0; lane < 32; ++lane)
        for (int i = 0; i < 4; ++i) {
            const int row = lane / 4 + 8 * (i / 2), column = 2 * (lane % 4) + i % 2;
            float sum = 0.0f;
            for (int k = 0; k < 16; ++k) sum += left[row][k] * right[k][column];
            d[lane][i] += sum;
        }
}

}  // namespace xsift::test
