#pragma once
/// @file
/// HEALPix maps of the sky from FITS files.

#include <string>

#include <xsift/data/sky_map.hpp>

namespace xsift::io {

/// Reads the first column of the first table with PIXTYPE = HEALPIX (or NSIDE): full sky, implicit indices,
/// RING or NESTED, one or many pixels a row. COORDSYS C or E means equatorial (ecliptic is refused); maps
/// without it are taken as galactic, as those of hydrogen are. Values of UNSEEN (-1.6375e30) become NaN.
/// Values of a NESTED map stay in the nested order: `nested` says so, the caller puts them in rings.
/// @throws Error (input, "BAD_SKY_MAP" or what every reader of a FITS file may throw).
SkyMap read_sky_map(const std::string& path, bool& nested);

}  // namespace xsift::io
