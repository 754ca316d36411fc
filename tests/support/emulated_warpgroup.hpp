#pragma once
/// @file
/// The matrix instruction of a group of four warps on threads of the host: wgmma.m64n128k16 with
/// half-precision factors, the left ones in registers, the right ones in fast memory as a descriptor says.

#include "emulated_block.hpp"
#include "half_precision.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include <xsift/engine/warpgroup_tile.hpp>

namespace xsift::test {

/// A right-hand matrix as the hardware reads it: without swizzling, photons first (PTX ISA, matrix
/// descriptor).
class DescribedMatrix {
  public:
    /// @param memory what addresses count from
    DescribedMatrix(std::uint64_t descriptor, const unsigned char* memory)
        : first_(memory + field(descriptor, 0)),
          leading_(field(descriptor, 16)),
          stride_(field(descriptor, 32)) {}
    /// Factor of photon k (0 to 15) at column n.
    float operator()(int k, int n) const {
        std::uint16_t bits = 0;
        std::memcpy(&bits, first_ + n / 8 * stride_ + k / 8 * leading_ + n % 8 * 16 + k % 8 * 2, sizeof bits);
        return half_value(bits);
    }

  private:
    static std::int64_t field(std::uint64_t descriptor, int from) {
        return static_cast<std::int64_t>(descriptor >> from & 0x3fff) * 16;
    }
    const unsigned char* first_;
    std::int64_t leading_, stride_;
};

/// The caller's part of d += a b for all threads of a block of 128; d by columns of eight.
inline void multiply_in_warpgroup(float (&d)[16][4], const std::uint32_t (&a)[4], const DescribedMatrix& b) {
    static std::uint32_t left[128][4];
    const int warp = emulated_thread / 32, lane = emulated_thread % 32;
    std::copy_n(a, 4, left[emulated_thread]);
    emulated_block->all.arrive_and_wait();
    const auto factor = [&](int row, int k) {
        const std::uint32_t word = left[32 * warp + row % 8 * 4 + k % 8 / 2][row / 8 + 2 * (k / 8)];
        return half_value(static_cast<std::uint16_t>(word >> (16 * (k % 2))));
    };
    for (int group = 0; group < 16; ++group)
        for (int i = 0; i < 4; ++i)
            for (int k = 0; k < 16; ++k)
                d[group][i] += factor(lane / 4 + 8 * (i / 2), k) * b(k, 8 * group + 2 * (lane % 4) + i % 2);
    emulated_block->all.arrive_and_wait();
}

}  // namespace xsift::test
