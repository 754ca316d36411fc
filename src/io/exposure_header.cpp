#include "exposure_header.hpp"

#include "frame_times.hpp"

#include <cmath>

#include <xsift/core/error.hpp>

namespace xsift::io {

double reference_mjd(FitsHandle& fits) {
    if (const auto whole = fits.number("MJDREFI")) return *whole + fits.number("MJDREFF").value_or(0.0);
    return fits.number("MJDREF").value_or(not_measured);
}

double seconds_per_unit(FitsHandle& fits, int time_column) {
    std::string unit = fits.column_unit(time_column);
    if (unit.empty()) unit = fits.text("TIMEUNIT");
    if (unit.empty() || same_word(unit, "s") || same_word(unit, "sec")) return 1.0;
    if (same_word(unit, "d") || same_word(unit, "day")) return 86400.0;
    throw Error(ErrorKind::input, "UNSUPPORTED", fits.path() + ": times in unit '" + unit + "'",
                "only s and d are understood");
}

double middle_second(double first, double last) {
    return std::round(first + 0.5 * (last - first));
}

std::string linked_file(FitsHandle& fits, const char* key) {
    std::string name = fits.text(key);
    return same_word(name, "none") ? std::string() : name;
}

Exposure read_exposure(FitsHandle& fits, bool with_frame_time) {
    Exposure exposure;
    exposure.file = fits.base_name();
    exposure.mission = fits.text("TELESCOP");
    exposure.instrument = fits.text("INSTRUME");
    exposure.obs_id = fits.text("OBS_ID");
    exposure.exposure_id = fits.text("EXPIDSTR");
    exposure.mode = fits.text("SUBMODE");
    if (exposure.mode.empty()) exposure.mode = fits.text("DATAMODE");
    exposure.filter = fits.text("FILTER");
    exposure.time_system = fits.text("TIMESYS");
    exposure.time_reference = fits.text("TIMEREF");
    exposure.mjd_reference = reference_mjd(fits);
    if (!same_word(exposure.time_system, "TDB") || !same_word(exposure.time_reference, "SOLARSYSTEM"))
        exposure.flags |= exposure_not_barycentred;
    if (with_frame_time) {
        const auto frame = best_frame_time(exposure.instrument, exposure.mode, fits.number("FRMTIME"),
                                           fits.number("TIMEDEL"));
        if (frame) exposure.frame_time = frame->seconds;
        if (!frame) exposure.flags |= exposure_frame_time_unknown;
        if (frame && frame->from_table) exposure.flags |= exposure_frame_time_from_table;
    }
    for (const char* key : {"LIVETIME", "EXPOSURE"})
        if (const auto value = fits.number(key); value && std::isnan(exposure.livetime))
            exposure.livetime = *value;
    return exposure;
}

}  // namespace xsift::io
