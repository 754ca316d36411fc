#pragma once
/// @file
/// Mutations that know the formats: header cards of FITS files, numbers and descriptors of their tables,
/// records of journals with their checksums put right again.

#include "readers.hpp"

#include <cstdint>
#include <vector>

#include <xsift/core/random.hpp>

namespace xsift::fuzz {

/// Changes the bytes in one to a few places.
void mutate(Shape shape, std::vector<std::uint8_t>& bytes, RandomStream& random);

}  // namespace xsift::fuzz
