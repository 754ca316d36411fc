#pragma once
/// @file
/// The Galactic hydrogen column toward a source, from a map of the sky.

#include <xsift/data/sky_map.hpp>

namespace xsift::characterise {

/// The embedded map: HI4PI (HI4PI Collaboration 2016, A&A 594, A116) averaged to HEALPix nside 64 (0.92 deg),
/// cm^-2. Neutral atomic hydrogen through the whole Galaxy: neither molecules nor dust, and half a degree of
/// averaging hides structure in the plane.
const SkyMap& embedded_column_map();

/// The map's value at a position (deg, ICRS), interpolated from four pixels; NaN where one of them is.
double column_density(const SkyMap& map, double ra, double dec);

/// How a fitted column compares with the one through the whole Galaxy.
enum class ColumnComparison {
    unknown,  ///< one of them is not measured
    agrees,   ///< the interval of the fit holds the Galactic column
    below,    ///< the whole interval is below: the source is in front of some of the gas
    above,    ///< the whole interval is above: intrinsic or local absorption, or molecular gas
};
/// @param lo, hi interval of the fitted column, in the unit of `galactic`
ColumnComparison compare_columns(double lo, double hi, double galactic);

}  // namespace xsift::characterise
