#include "exposure_header.hpp"
#include "fits_handle.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include <xsift/core/error.hpp>
#include <xsift/core/log.hpp>
#include <xsift/io/light_curve_file.hpp>

namespace xsift::io {
namespace {

/// Indices of the usable bins in the order of their times.
std::vector<std::size_t> usable_bins(const std::string& path, const std::vector<double>& time,
                                     const std::vector<double>& rate, const std::vector<double>& error,
                                     bool repair, bool& repaired) {
    std::vector<std::size_t> bins;
    for (std::size_t i = 0; i < time.size(); ++i) {
        if (!std::isfinite(time[i])) {
            if (!repair)
                throw Error(ErrorKind::input, "NAN_TIMES", path + ": times that are no numbers",
                            fmt::format("row {}", i + 1), "Remove those rows, or use --repair.");
            repaired = true;
        } else if (std::isfinite(rate[i]) && std::isfinite(error[i])) {
            bins.push_back(i);
        }
    }
    const auto earlier = [&](std::size_t a, std::size_t b) { return time[a] < time[b]; };
    if (!std::is_sorted(bins.begin(), bins.end(), earlier)) {
        if (!repair)
            throw Error(ErrorKind::input, "UNSORTED_TIMES", path + ": times do not ascend", {},
                        "Sort the bins by TIME, or use --repair.");
        std::stable_sort(bins.begin(), bins.end(), earlier);
        repaired = true;
    }
    if (bins.size() < 2)
        throw Error(ErrorKind::input, "TOO_FEW_BINS", fmt::format("{}: {} usable bins", path, bins.size()),
                    fmt::format("{} in the file", time.size()), "Leave it out.");
    return bins;
}

double smallest_distance(const std::vector<double>& time) {
    double smallest = not_measured;
    for (std::size_t i = 1; i < time.size(); ++i)
        if (const double step = time[i] - time[i - 1]; step > 0.0 && !(step >= smallest)) smallest = step;
    return smallest;
}

}  // namespace

LightCurve read_light_curve(const std::string& path, bool repair) {
    FitsHandle fits(path);
    const HduInfo* hdu = fits.find_table(
        [](const HduInfo& h) { return same_word(h.name, "RATE") || same_word(h.class1, "LIGHTCURVE"); });
    if (hdu == nullptr)
        throw Error(ErrorKind::input, "NO_LIGHT_CURVE_EXTENSION", path + ": no RATE extension", {},
                    "Give an OGIP light curve.");
    fits.select(*hdu);
    const int time_column = fits.column("TIME"), rate_column = fits.first_column({"RATE", "RATE1"});
    const int error_column = fits.first_column({"ERROR", "ERROR1"}), exposed_column = fits.column("FRACEXP");
    if (time_column == 0 || rate_column == 0 || error_column == 0)
        throw Error(ErrorKind::input, "UNSUPPORTED", path + ": TIME, RATE or ERROR is missing", {},
                    "Give a light curve as rates with errors.");
    const double unit = seconds_per_unit(fits, time_column);
    LightCurve curve;
    curve.exposure = read_exposure(fits, false);
    const double width = fits.own_number("TIMEDEL").value_or(not_measured) * unit;
    const double to_centre =
        std::isfinite(width) ? (0.5 - fits.own_number("TIMEPIXR").value_or(0.5)) * width : 0.0;
    const double offset = fits.number("TIMEZERO").value_or(0.0) * unit + to_centre;
    std::vector<double> time = fits.numbers(time_column);
    for (double& value : time) value *= unit;
    const std::vector<double> rate = fits.numbers(rate_column), error = fits.numbers(error_column);
    const std::vector<double> exposed =
        exposed_column != 0 ? fits.numbers(exposed_column) : std::vector<double>{};

    bool repaired = false;
    const auto bins = usable_bins(path, time, rate, error, repair, repaired);
    curve.exposure.time_zero = middle_second(time[bins.front()], time[bins.back()]);
    for (std::size_t i : bins) {
        curve.time.push_back((time[i] - curve.exposure.time_zero) + offset);
        curve.rate.push_back(rate[i]);
        curve.error.push_back(error[i]);
        if (!exposed.empty()) curve.fractional_exposure.push_back(exposed[i]);
    }
    curve.bin_width = width > 0.0 ? width : smallest_distance(curve.time);
    if (repaired) {
        curve.exposure.flags |= exposure_repaired;
        log::warning("{}: repaired on request", curve.exposure.file);
    }
    return curve;
}

}  // namespace xsift::io
