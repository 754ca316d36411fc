#pragma once
/// @file
/// How long an interval exposes a phase bin.

#include <cmath>

#include <xsift/core/host_device.hpp>

namespace xsift::timing {

/// Turns that an interval spends in bin `bin` of `bins` equal ones, in closed form: each whole turn gives a
/// bin its width, the two ends the rest, so the cost does not depend on the number of cycles.
/// @param first,last phases at its ends, 0 <= phase < 1
/// @param whole turns between the ends beyond last - first
XSIFT_HD inline double turns_in_bin(double first, double last, double whole, int bin, int bins) {
    const double width = 1.0 / bins, low = bin * width;
    const double to_first = std::fmin(std::fmax(first - low, 0.0), width),
                 to_last = std::fmin(std::fmax(last - low, 0.0), width);
    return whole * width + to_last - to_first;
}

}  // namespace xsift::timing
