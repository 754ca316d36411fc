#pragma once
/// @file
/// A tile of the photon search for the matrix instruction of a group of four warps (wgmma.m64n128k16): 64
/// centres by 16 photons, of which a thread holds what it holds for the instruction of a warp, times 16
/// photons by 64 cosines and 64 sines of offsets, which the instruction reads from fast memory. Products land
/// in the same threads, at the same places, as those of warps.

#include <cstdint>

#include <xsift/engine/product_tile.hpp>

namespace xsift::engine {

/// Factors of a step at the offsets, as the instruction wants the right-hand matrix without swizzling,
/// photons first ("K-major"): cores of 8 offsets by 8 photons (128 bytes, a row of 8 photons an offset),
/// first the two cores of a column of 8 offsets, then those of the next; cosines, then sines.
using OffsetCores = std::uint32_t[2][tile_columns][2][32];
inline constexpr std::uint32_t core_bytes = 128, next_photons_bytes = core_bytes,
                               next_offsets_bytes = 2 * core_bytes;

/// What the instruction is told of a matrix in fast memory (PTX ISA, matrix descriptor): where it begins, and
/// the distances between cores along photons ("leading") and along offsets ("stride"), all in 16 bytes.
/// @param address of the fast memory, bytes, a multiple of 16
XSIFT_HD inline std::uint64_t matrix_descriptor(std::uint32_t address) {
    const auto field = [](std::uint32_t bytes) { return std::uint64_t{(bytes & 0x3ffffu) >> 4}; };
    return field(address) | field(next_photons_bytes) << 16 | field(next_offsets_bytes) << 32;
}

/// Puts the factors of a column of 8 offsets that a thread has made into the cores of its step: the 32 words
/// of a core are those of the 32 threads of a warp, in order.
XSIFT_HD inline void put_in_cores(OffsetCores& cores, int column, int lane, const OffsetFragment& fragment) {
    for (int word = 0; word < 2; ++word) {
        cores[0][column][word][lane] = fragment.cosine[word];
        cores[1][column][word][lane] = fragment.sine[word];
    }
}

}  // namespace xsift::engine
