#pragma once
/// @file
/// Factors of 11 bits (tf32) and the matrix instruction mma.sync.m16n8k8 on the host: as it rounds and lays
/// out its matrices. Sums of an instruction are cut off, not rounded, which is the worst that tensor cores
/// do.

#include <cmath>
#include <cstdint>
#include <cstring>

namespace xsift::test {

/// To nearest, ties away from zero, as cvt.rna does it.
inline std::uint32_t tf32_bits(float x) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, &x, sizeof bits);
    return (bits + 0x1000U) & ~std::uint32_t{0x1fff};
}

/// What an instruction reads of 32 bits.
inline float tf32_value(std::uint32_t bits) {
    bits &= ~std::uint32_t{0x1fff};
    float x = 0.0F;
    std::memcpy(&x, &bits, sizeof x);
    return x;
}

inline float cut_off(double x) {
    const auto nearest = static_cast<float>(x);
    return std::fabs(static_cast<double>(nearest)) > std::fabs(x) ? std::nextafter(nearest, 0.0F) : nearest;
}

/// The matrix instruction for a whole warp: d += a b, fragments [lane][word].
inline void host_tf32_mma(float (*d)[4], const std::uint32_t (*a)[4], const std::uint32_t (*b)[2]) {
    float left[16][8], right[8][8];
    for (int lane = 0; lane < 32; ++lane) {
        const int g = lane / 4, t = lane % 4;
        for (int i = 0; i < 4; ++i) left[g + 8 * (i % 2)][t + 4 * (i / 2)] = tf32_value(a[lane][i]);
        for (int i = 0; i < 2; ++i) right[t + 4 * i][g] = tf32_value(b[lane][i]);
    }
    for (int lane = 0; lane < 32; ++lane)
        for (int i = 0; i < 4; ++i) {
            double sum = static_cast<double>(d[lane][i]);
            for (int k = 0; k < 8; ++k)
                sum += static_cast<double>(left[lane / 4 + 8 * (i / 2)][k]) *
                       static_cast<double>(right[k][2 * (lane % 4) + i % 2]);
            d[lane][i] = cut_off(sum);
        }
}

}  // namespace xsift::test
