#pragma once
/// @file
/// Read-out frame times of XMM-Newton's cameras by mode.

#include <optional>
#include <string_view>

namespace xsift::io {

/// Frame time of a mode (INSTRUME, SUBMODE), s; nothing for unknown modes.
std::optional<double> mode_frame_time(std::string_view instrument, std::string_view mode);

struct FrameTime {
    double seconds;
    bool from_table;  ///< the header's value is a rounded one, or absent
};

/// The best value from what a header holds (FRMTIME rounded to ms, TIMEDEL in s) and the table of modes.
std::optional<FrameTime> best_frame_time(std::string_view instrument, std::string_view mode,
                                         std::optional<double> frmtime_ms, std::optional<double> timedel_s);

}  // namespace xsift::io
