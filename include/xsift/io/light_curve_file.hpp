#pragma once
/// @file
/// OGIP light curves.

#include <string>

#include <xsift/data/events.hpp>

namespace xsift::io {

/// Reads the extension RATE (or HDUCLAS1 = LIGHTCURVE): TIME, RATE, ERROR and, where there, FRACEXP.
/// Times are moved to the bins' centres (TIMEPIXR, 0.5 when absent). Bins whose rate or error is no number
/// are left out; bins with a zero error are kept. bin_width is TIMEDEL, else the smallest distance of two
/// bins.
/// @throws Error (input): NO_LIGHT_CURVE_EXTENSION, NAN_TIMES, UNSORTED_TIMES, TOO_FEW_BINS, UNSUPPORTED.
LightCurve read_light_curve(const std::string& path, bool repair = false);

}  // namespace xsift::io
