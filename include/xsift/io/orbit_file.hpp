#pragma once
/// @file
/// Where a spacecraft was.

#include <string>
#include <vector>

#include <xsift/data/source.hpp>

namespace xsift::io {

/// Positions of a spacecraft, geocentric, equatorial J2000 axes. Times ascend.
struct Orbit {
    std::string file;                     ///< base name
    std::string mission;                  ///< TELESCOP, may be empty
    double mjd_reference = not_measured;  ///< d
    std::string time_system;              ///< TIMESYS, may be empty
    std::vector<double> time;             ///< s since mjd_reference
    std::vector<double> x, y, z;          ///< km
};

/// Reads the first table with a TIME (or START) and a position: columns X, Y, Z; POS_X, POS_Y,
/// POS_Z; or one of three elements POSITION, POS or SC_POSITION. Units m or km must be said. Rows that are no
/// numbers are left out. @throws Error (input, "BAD_ORBIT").
Orbit read_orbit(const std::string& path);

}  // namespace xsift::io
