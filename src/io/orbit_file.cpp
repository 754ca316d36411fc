#include "exposure_header.hpp"
#include "fits_handle.hpp"

#include <array>
#include <cmath>

#include <fmt/format.h>

#include <xsift/core/error.hpp>
#include <xsift/io/orbit_file.hpp>

namespace xsift::io {
namespace {

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
    throw Error(ErrorKind::input, "BAD_ORBIT", path + ": no usable spacecraft orbit", why,
                "Give a FITS table of TIME and X, Y, Z (or POSITION) in m or km.");
}

/// km in the unit of a column.
double kilometres(FitsHandle& fits, int column) {
    const std::string unit = fits.column_unit(column);
    if (same_word(unit, "km") || same_word(unit, "kilometers")) return 1.0;
    if (same_word(unit, "m") || same_word(unit, "meters")) return 1e-3;
    refuse(fits.path(), fmt::format("positions in unit '{}'", unit));
}

struct Columns {
    int time = 0, vector = 0;
    std::array<int, 3> axis{};
};

Columns orbit_columns(const FitsHandle& fits) {
    Columns found;
    found.time = fits.first_column({"TIME", "START"});
    found.vector = fits.first_column({"POSITION", "SC_POSITION", "POS"});
    found.axis = {fits.first_column({"X", "POS_X"}), fits.first_column({"Y", "POS_Y"}),
                  fits.first_column({"Z", "POS_Z"})};
    return found;
}

bool complete(const Columns& c) {
    return c.time != 0 && (c.vector != 0 || (c.axis[0] != 0 && c.axis[1] != 0 && c.axis[2] != 0));
}

}  // namespace

Orbit read_orbit(const std::string& path) {
    FitsHandle fits(path);
    Columns columns;
    for (const HduInfo& hdu : fits.hdus()) {
        if (!hdu.table) continue;
        fits.select(hdu);
        columns = orbit_columns(fits);
        if (complete(columns)) break;
    }
    if (!complete(columns)) refuse(path, "no table has a time and a position");
    Orbit orbit;
    orbit.file = fits.base_name();
    orbit.mission = fits.text("TELESCOP");
    orbit.time_system = fits.text("TIMESYS");
    orbit.mjd_reference = reference_mjd(fits);
    if (std::isnan(orbit.mjd_reference)) refuse(path, "MJDREF is missing");
    const double unit = seconds_per_unit(fits, columns.time);
    const double offset = fits.number("TIMEZERO").value_or(0.0) * unit;
    const std::vector<double> time = fits.numbers(columns.time);
    std::array<std::vector<double>, 3> position;
    if (columns.axis[0] != 0 && columns.axis[1] != 0 && columns.axis[2] != 0) {
        for (std::size_t k = 0; k < 3; ++k) {
            position[k] = fits.numbers(columns.axis[k]);
            const double km = kilometres(fits, columns.axis[k]);
            for (double& value : position[k]) value *= km;
        }
    } else {
        const double km = kilometres(fits, columns.vector);
        for (std::size_t i = 0; i < time.size(); ++i) {
            const std::vector<double> row = fits.row_numbers(columns.vector, static_cast<std::int64_t>(i));
            if (row.size() != 3) refuse(path, "a position has not three elements");
            for (std::size_t k = 0; k < 3; ++k) position[k].push_back(row[k] * km);
        }
    }
    // Between the Earth's surface and beyond L2; anything else is another unit or another origin.
    constexpr double nearest = 6300.0, farthest = 2e6;
    for (std::size_t i = 0; i < time.size(); ++i) {
        const double t = time[i] * unit + offset, x = position[0][i], y = position[1][i], z = position[2][i];
        const double radius = std::sqrt(x * x + y * y + z * z);
        if (!std::isfinite(t) || !std::isfinite(radius) || radius == 0.0) continue;
        if (radius < nearest || radius > farthest)
            refuse(path, fmt::format("a position {:.6g} km from the Earth's centre", radius));
        if (!orbit.time.empty() && t == orbit.time.back()) continue;
        if (!orbit.time.empty() && t < orbit.time.back()) refuse(path, "its times do not ascend");
        orbit.time.push_back(t);
        orbit.x.push_back(x);
        orbit.y.push_back(y);
        orbit.z.push_back(z);
    }
    if (orbit.time.size() < 4) refuse(path, fmt::format("{} usable rows", orbit.time.size()));
    return orbit;
}

}  // namespace xsift::io
