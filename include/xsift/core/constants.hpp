#pragma once
/// @file
/// Physical constants and unit conversions (CODATA 2018, IAU 2015).

namespace xsift::constants {

inline constexpr double pi = 3.14159265358979323846;
inline constexpr double two_pi = 2.0 * pi;
inline constexpr double ln10 = 2.30258509299404568402;
inline constexpr double erg_per_kev = 1.602176634e-9;           ///< erg in one keV
inline constexpr double seconds_per_day = 86400.0;              ///< s in one day
inline constexpr double cm_per_parsec = 3.0856775814913673e18;  ///< cm in one parsec
inline constexpr double arcsec_per_degree = 3600.0;
inline constexpr double degree = pi / 180.0;  ///< rad in one degree

}  // namespace xsift::constants
