#pragma once
/// @file
/// A part of a catalogue of sky objects, by columns.

#include <array>
#include <span>
#include <string>
#include <vector>

#include <xsift/data/characterisation.hpp>

namespace xsift {

/// Columns of equal length, NaN where null; an empty column: the catalogue has none.
struct SkyObjects {
    std::vector<std::string> id;
    std::vector<double> ra, dec;                   ///< deg, at the catalogue's epoch
    std::vector<double> error_major, error_minor;  ///< arcsec, 1 sigma along the axes of the ellipse
    std::vector<double> error_angle;               ///< deg, of the major axis, east of north
    std::vector<double> pm_ra, pm_dec;             ///< mas/yr, pm_ra with cos(dec)
    std::vector<double> parallax, parallax_error;  ///< mas
    std::array<std::vector<double>, magnitude_bands.size()> magnitude;
    std::vector<double> prior_magnitude;  ///< of the magnitude prior

    std::size_t size() const { return ra.size(); }
    /// Some of the rows, in that order.
    SkyObjects rows(std::span<const std::size_t> wanted) const;
};

}  // namespace xsift
