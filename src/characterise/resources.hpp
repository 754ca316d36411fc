#pragma once
/// @file
/// Files embedded in the library.

#include <span>

namespace xsift::characterise {

/// 49,152 little-endian float32 in the ring scheme, cm^-2 (scripts/make-column-map.py).
std::span<const unsigned char> hi4pi_resource();

/// The class model as text (scripts/make-class-model).
std::span<const unsigned char> class_model_resource();

}  // namespace xsift::characterise
