#pragma once
/// @file
/// Positions on the sky: separations and the tangent plane of event coordinates.

#include <utility>

namespace xsift::io {

/// Great-circle distance by the haversine formula; all in degrees.
double sky_separation(double ra1, double dec1, double ra2, double dec2);

/// Pixel coordinates of a gnomonic (TAN) projection along the axes (FITS WCS paper II, CRPIX, CRVAL, CDELT).
struct TangentPlane {
    double x_reference = 0.0, y_reference = 0.0;  ///< pixel
    double ra = 0.0, dec = 0.0;                   ///< deg
    double x_step = 0.0, y_step = 0.0;            ///< deg/pixel
    /// Sky position (RA, Dec; deg) of a pixel.
    std::pair<double, double> sky(double x, double y) const;
};

}  // namespace xsift::io
