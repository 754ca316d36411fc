#pragma once
/// @file
/// What every OGIP file says about its exposure, and its time system.

#include "fits_handle.hpp"

#include <xsift/data/source.hpp>

namespace xsift::io {

/// Fills everything but time_zero from the current HDU (and the primary one). A frame time is looked for only
/// when the data resolve it (event lists).
Exposure read_exposure(FitsHandle& fits, bool with_frame_time);

/// Seconds in the unit of the current HDU's times (TUNIT of the column, else TIMEUNIT): s or d.
double seconds_per_unit(FitsHandle& fits, int time_column);

/// MJDREF, or MJDREFI + MJDREFF, d; NaN when absent.
double reference_mjd(FitsHandle& fits);

/// The file that a keyword names (BACKFILE, ANCRFILE, RESPFILE); "none" and blanks name none.
std::string linked_file(FitsHandle& fits, const char* key);

/// An integer second near the middle of a span: subtracting it from the times is exact.
double middle_second(double first, double last);

}  // namespace xsift::io
