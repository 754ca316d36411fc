#include "frame_times.hpp"

#include "fits_handle.hpp"

#include <array>
#include <cmath>

namespace xsift::io {
namespace {

struct Mode {
    std::string_view instrument, mode;
    double seconds;
};

// XMM-Newton Users Handbook, tables "Basic numbers for the science modes of EPIC" (MOS, pn), with the digits
// of the pn electronics' clock where they are known better than the handbook's three.
constexpr std::array modes{
    Mode{"EPN", "PrimeFullWindow", 0.073365}, Mode{"EPN", "PrimeFullWindowExtended", 0.1991},
    Mode{"EPN", "PrimeLargeWindow", 0.04766}, Mode{"EPN", "PrimeSmallWindow", 0.00567},
    Mode{"EPN", "FastTiming", 3.0e-5},        Mode{"EPN", "FastBurst", 7.0e-6},
    Mode{"EMOS", "PrimeFullWindow", 2.6},     Mode{"EMOS", "PrimePartialW2", 0.3},
    Mode{"EMOS", "PrimePartialW3", 0.9},      Mode{"EMOS", "PrimePartialW4", 0.2},
    Mode{"EMOS", "PrimePartialW5", 0.7},      Mode{"EMOS", "FastUncompressed", 1.75e-3},
    Mode{"EMOS", "FastCompressed", 1.75e-3},
};

}  // namespace

std::optional<double> mode_frame_time(std::string_view instrument, std::string_view mode) {
    for (const Mode& entry : modes)
        if (same_word(instrument.substr(0, entry.instrument.size()), entry.instrument) &&
            same_word(mode, entry.mode))
            return entry.seconds;
    return std::nullopt;
}

std::optional<FrameTime> best_frame_time(std::string_view instrument, std::string_view mode,
                                         std::optional<double> frmtime_ms, std::optional<double> timedel_s) {
    const auto table = mode_frame_time(instrument, mode);
    if (frmtime_ms && *frmtime_ms > 0.0) {
        const bool rounded_table = table && std::abs(*table * 1e3 - *frmtime_ms) <= 0.5;
        return rounded_table ? FrameTime{*table, true} : FrameTime{*frmtime_ms * 1e-3, false};
    }
    if (timedel_s && *timedel_s > 0.0) return FrameTime{*timedel_s, false};
    if (table) return FrameTime{*table, true};
    return std::nullopt;
}

}  // namespace xsift::io
