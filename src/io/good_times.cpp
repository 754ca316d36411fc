#include "good_times.hpp"

#include "exposure_header.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include <xsift/core/error.hpp>

namespace xsift::io {
namespace {

constexpr double forgiven_overlap = 1e-6;  // s: what rounding does to intervals that touch

bool is_gti_table(const HduInfo& hdu) {
    return hdu.table && (same_word(hdu.class1, "GTI") || hdu.name.find("GTI") != std::string::npos);
}

/// Detector number: name of its table, from the data subspace keywords of the events ("2DSVAL1 = 2",
/// "2DSREF2 = :STDGTI02"; the first component has no number).
std::map<int, std::string> subspace_tables(FitsHandle& fits, const std::string& detector_column) {
    int detector_axis = 0, time_axis = 0;
    constexpr int max_axes = 99, max_components = 999;
    for (int i = 1; i <= max_axes; ++i) {
        const std::string type = fits.own_text(fmt::format("DSTYP{}", i));
        if (type.empty()) break;
        if (detector_axis == 0 && same_word(type, detector_column)) detector_axis = i;
        if (time_axis == 0 && same_word(type, "TIME")) time_axis = i;
    }
    std::map<int, std::string> tables;
    if (detector_axis == 0 || time_axis == 0) return tables;
    for (int component = 1; component <= max_components; ++component) {
        const std::string prefix = component == 1 ? "" : std::to_string(component);
        const std::string value = fits.own_text(fmt::format("{}DSVAL{}", prefix, detector_axis));
        std::string table = fits.own_text(fmt::format("{}DSREF{}", prefix, time_axis));
        if (value.empty()) break;
        if (table.starts_with(':')) table.erase(0, 1);
        int detector = 0;
        const auto parsed = std::from_chars(value.data(), value.data() + value.size(), detector);
        if (parsed.ptr == value.data() + value.size() && !table.empty()) tables.emplace(detector, table);
    }
    return tables;
}

const HduInfo* table_named(const FitsHandle& fits, const std::string& name) {
    return fits.find_table(
        [&](const HduInfo& hdu) { return is_gti_table(hdu) && same_word(hdu.name, name); });
}

const HduInfo* detector_table(const FitsHandle& fits, const std::map<int, std::string>& subspace,
                              int detector) {
    if (const auto entry = subspace.find(detector); entry != subspace.end())
        if (const HduInfo* table = table_named(fits, entry->second)) return table;
    if (const HduInfo* table = table_named(fits, fmt::format("STDGTI{:02}", detector))) return table;
    return table_named(fits, fmt::format("GTI{}", detector));
}

using Interval = std::pair<double, double>;

/// Joins what overlaps; the input is sorted by start.
std::vector<Interval> joined(const std::vector<Interval>& sorted) {
    std::vector<Interval> result;
    for (const Interval& next : sorted) {
        if (!result.empty() && next.first < result.back().second)
            result.back().second = std::max(result.back().second, next.second);
        else
            result.push_back(next);
    }
    return result;
}

std::vector<Interval> sound_intervals(const std::string& path, const GtiTable& table, double zero,
                                      bool repair, bool& repaired) {
    const std::string where = fmt::format("{}: good time intervals {}", path, table.name);
    const std::string remedy = "Correct the table, or use --repair.";
    std::vector<Interval> result;
    for (std::size_t i = 0; i < table.start.size(); ++i) {
        double start = (table.start[i] - zero) + table.offset, stop = (table.stop[i] - zero) + table.offset;
        if (!std::isfinite(start) || !std::isfinite(stop)) {
            if (!repair)
                throw Error(ErrorKind::input, "GTI_NOT_FINITE", where + " hold values that are no numbers",
                            fmt::format("interval {}", i + 1), remedy);
            repaired = true;
            continue;
        }
        if (stop < start) {
            if (!repair)
                throw Error(ErrorKind::input, "GTI_REVERSED", where + " are reversed",
                            fmt::format("interval {} ends {:.6g} s before it starts", i + 1, start - stop),
                            remedy);
            repaired = true;
            std::swap(start, stop);
        }
        if (stop > start) result.emplace_back(start, stop);
    }
    std::sort(result.begin(), result.end());
    for (std::size_t i = 1; i < result.size(); ++i) {
        const double overlap = result[i - 1].second - result[i].first;
        if (overlap <= forgiven_overlap) continue;
        if (!repair)
            throw Error(ErrorKind::input, "GTI_OVERLAP", where + " overlap",
                        fmt::format("intervals {} and {} by {:.6g} s", i, i + 1, overlap), remedy);
        repaired = true;
    }
    return joined(result);
}

}  // namespace

std::vector<const HduInfo*> applicable_gti_tables(FitsHandle& fits, const std::string& detector_column,
                                                  const std::set<int>& detectors) {
    std::vector<const HduInfo*> tables;
    if (!detectors.empty()) {
        const auto subspace = subspace_tables(fits, detector_column);
        for (int detector : detectors)
            if (const HduInfo* table = detector_table(fits, subspace, detector)) tables.push_back(table);
        if (tables.size() == detectors.size()) return tables;
        tables.clear();  // a detector without a table: none of them can be trusted to be complete
    }
    for (const char* name : {"GTI", "STDGTI"})
        if (const HduInfo* table = table_named(fits, name)) return {table};
    if (const HduInfo* first = fits.find_table(is_gti_table)) return {first};
    return {};
}

GtiTable read_gti_table(FitsHandle& fits, const HduInfo& hdu, double mjd_reference, double default_offset) {
    fits.select(hdu);
    GtiTable table;
    table.name = hdu.name;
    const int start = fits.column("START"), stop = fits.column("STOP");
    if (start == 0 || stop == 0)
        throw Error(ErrorKind::input, "BAD_TABLE",
                    fmt::format("{}: {} has no START and STOP", fits.path(), hdu.name));
    table.start = fits.numbers(start);
    table.stop = fits.numbers(stop);
    const double unit = seconds_per_unit(fits, start);
    for (std::size_t i = 0; unit != 1.0 && i < table.start.size(); ++i) {
        table.start[i] *= unit;
        table.stop[i] *= unit;
    }
    const auto zero = fits.own_number("TIMEZERO");
    table.offset = zero ? *zero * unit : default_offset;
    const double own_reference = reference_mjd(fits);
    if (std::isfinite(own_reference) && std::isfinite(mjd_reference))
        table.offset += (own_reference - mjd_reference) * 86400.0;
    return table;
}

GoodTimes unite_good_times(const std::string& path, const std::vector<GtiTable>& tables, double zero,
                           bool repair) {
    GoodTimes good;
    std::vector<Interval> all;
    for (const GtiTable& table : tables) {
        const auto sound = sound_intervals(path, table, zero, repair, good.repaired);
        all.insert(all.end(), sound.begin(), sound.end());
    }
    std::sort(all.begin(), all.end());
    for (const auto& [start, stop] : joined(all)) {
        good.intervals.start.push_back(start);
        good.intervals.stop.push_back(stop);
    }
    return good;
}

}  // namespace xsift::io
