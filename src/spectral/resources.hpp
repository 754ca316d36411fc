#pragma once
/// @file
/// Files embedded in the library.

#include <span>

#include <xsift/spectral/options.hpp>

namespace xsift::spectral {

/// Bytes of the absorption table of an abundance set (layout: scripts/make-absorption-tables.py).
std::span<const unsigned char> absorption_resource(Abundance abundance);

/// Bytes of the plasma emission table (layout: scripts/make-apec-table.py).
std::span<const unsigned char> apec_resource();

}  // namespace xsift::spectral
