#pragma once
/// @file
/// Directions on the sky: coordinate systems, separations, proper motion, HEALPix pixels in the ring scheme.

#include <array>
#include <cstdint>
#include <vector>

namespace xsift::characterise {

/// A direction in degrees: right ascension and declination, or longitude and latitude.
struct Direction {
    double longitude = 0.0, latitude = 0.0;  ///< deg
};

/// ICRS to galactic coordinates: the pole of the IAU (1958) system in J2000, as the Hipparcos catalogue
/// defines it (ESA SP-1200, vol. 1, section 1.5.3).
Direction galactic(double ra, double dec);
/// The inverse of galactic().
Direction equatorial(double longitude, double latitude);

/// Angle between two directions, arcsec; exact from 1e-9 arcsec to half a turn (Vincenty's formula).
double separation(const Direction& a, const Direction& b);

/// Position angle of b seen from a, deg east of north, 0 to 360.
double position_angle(const Direction& a, const Direction& b);

/// Position after some years of linear proper motion on the tangent plane.
/// @param pm_ra mu_alpha cos(delta), mas/yr  @param pm_dec mas/yr
Direction moved(const Direction& position, double pm_ra, double pm_dec, double years);

/// HEALPix pixels in the ring scheme (Gorski et al. 2005, ApJ 622, 759): equal areas, rings of equal
/// latitude.
class HealpixRings {
  public:
    /// @param nside a power of two, 1 to 2^13
    explicit HealpixRings(std::int64_t nside);

    std::int64_t nside() const { return nside_; }
    std::int64_t pixels() const { return 12 * nside_ * nside_; }
    /// Side of a square of a pixel's area, deg.
    double resolution() const;

    std::int64_t pixel(const Direction& direction) const;
    Direction centre(std::int64_t pixel) const;
    /// Ring index of a pixel given in the nested scheme.
    std::int64_t from_nested(std::int64_t nested) const;

    /// Four pixels around a direction and their weights, which sum to 1: linear in longitude on the rings
    /// above and below, then linear in colatitude; beyond the first and last ring the pole is the mean of its
    /// four pixels.
    struct Neighbours {
        std::array<std::int64_t, 4> pixel{};
        std::array<double, 4> weight{};
    };
    Neighbours interpolation(const Direction& direction) const;

    /// All pixels that may hold a direction within a radius (deg) of another; some that do not are among
    /// them.
    void pixels_near(const Direction& direction, double radius, std::vector<std::int64_t>& pixels) const;

  private:
    struct Ring {
        std::int64_t first = 0, count = 0;  ///< first pixel, number of pixels
        double colatitude = 0.0;            ///< rad
        bool shifted = false;               ///< the first pixel's centre is half a pixel from longitude 0
    };
    Ring ring(std::int64_t index) const;      ///< index 1 to 4 nside - 1, from the north
    std::int64_t ring_above(double z) const;  ///< last ring whose z is at least z; 0: none

    std::int64_t nside_;
};

}  // namespace xsift::characterise
