#include "exposure_header.hpp"
#include "fits_handle.hpp"
#include "good_times.hpp"
#include "sky.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include <xsift/core/error.hpp>
#include <xsift/core/log.hpp>
#include <xsift/io/event_file.hpp>

namespace xsift::io {
namespace {

/// Energy of a pulse-invariant channel: offset + PI / channels_per_kev, keV.
struct ChannelScale {
    std::string_view mission;
    double offset, channels_per_kev;
};
// From the missions' data analysis guides; XMM and eROSITA give PI in eV.
constexpr std::array channel_scales{
    ChannelScale{"XMM", 0.0, 1000.0},
    ChannelScale{"EROSITA", 0.0, 1000.0},
    ChannelScale{"SRG", 0.0, 1000.0},
    ChannelScale{"NICER", 0.0, 100.0},
    ChannelScale{"SWIFT", 0.0, 100.0},
    ChannelScale{"ROSAT", 0.0, 100.0},
    ChannelScale{"NUSTAR", 1.6, 25.0},
    ChannelScale{"IXPE", 0.0, 25.0},
    ChannelScale{"CHANDRA", 0.0, 1000.0 / 14.6},
};

double energy_unit_in_kev(std::string_view unit) {
    if (same_word(unit, "keV")) return 1.0;
    if (same_word(unit, "MeV")) return 1e3;
    if (same_word(unit, "GeV")) return 1e6;
    return 1e-3;  // eV, also when nothing is said: Chandra and XMM use it
}

struct Row {
    double time;
    double energy;  // keV, in double so that a limit like 0.3 keV includes its channel
    float weight;
    int detector;
};

const HduInfo& events_hdu(const FitsHandle& fits) {
    const HduInfo* hdu = fits.find_table([](const HduInfo& h) { return same_word(h.name, "EVENTS"); });
    if (hdu == nullptr) hdu = fits.find_table([](const HduInfo& h) { return same_word(h.class1, "EVENTS"); });
    if (hdu == nullptr)
        throw Error(ErrorKind::input, "NO_EVENTS_EXTENSION", fits.path() + ": no EVENTS extension", {},
                    "Give an OGIP event list.");
    return *hdu;
}

/// keV of every event; empty when the file does not say.
std::vector<double> event_energies(FitsHandle& fits, const Exposure& exposure) {
    const auto scale =
        std::find_if(channel_scales.begin(), channel_scales.end(), [&](const ChannelScale& entry) {
            return same_word(std::string_view(exposure.mission).substr(0, entry.mission.size()),
                             entry.mission);
        });
    const int pi = fits.column("PI"), energy = fits.column("ENERGY");
    const bool chandra = same_word(exposure.mission, "CHANDRA");
    if (pi != 0 && scale != channel_scales.end() && !(chandra && energy != 0)) {
        std::vector<double> values = fits.numbers(pi);
        for (double& value : values) value = scale->offset + value / scale->channels_per_kev;
        return values;
    }
    if (energy == 0) return {};
    std::vector<double> values = fits.numbers(energy);
    const double unit = energy_unit_in_kev(fits.column_unit(energy));
    for (double& value : values) value *= unit;
    return values;
}

TangentPlane event_plane(FitsHandle& fits, int x, int y) {
    const auto get = [&](const char* key, int column) {
        const auto value = fits.own_number(fmt::format("{}{}", key, column));
        if (!value)
            throw Error(ErrorKind::input, "UNSUPPORTED", fits.path() + ": events have no sky coordinates",
                        fmt::format("{}{} is missing", key, column), "Leave out --region for this file.");
        return *value;
    };
    for (int column : {x, y})
        if (!fits.own_text(fmt::format("TCTYP{}", column)).ends_with("-TAN"))
            throw Error(ErrorKind::input, "UNSUPPORTED",
                        fits.path() + ": sky coordinates are no tangent plane", {},
                        "Leave out --region for this file.");
    return {get("TCRPX", x), get("TCRPX", y), get("TCRVL", x),
            get("TCRVL", y), get("TCDLT", x), get("TCDLT", y)};
}

/// Whether each event lies in the circle.
std::vector<bool> inside(FitsHandle& fits, const SkyCircle& circle) {
    const int ra = fits.column("RA"), dec = fits.column("DEC"), x = fits.column("X"), y = fits.column("Y");
    const bool direct = ra != 0 && dec != 0;
    if (!direct && (x == 0 || y == 0))
        throw Error(ErrorKind::input, "UNSUPPORTED", fits.path() + ": events have no positions", {},
                    "Leave out --region for this file.");
    const TangentPlane plane = direct ? TangentPlane{} : event_plane(fits, x, y);
    const std::vector<double> a = fits.numbers(direct ? ra : x), b = fits.numbers(direct ? dec : y);
    std::vector<bool> result(a.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
        const auto [event_ra, event_dec] = direct ? std::pair(a[i], b[i]) : plane.sky(a[i], b[i]);
        result[i] = circle.contains(event_ra, event_dec);
    }
    return result;
}

/// Weights of all events; empty when there are none.
std::vector<double> event_weights(FitsHandle& fits, const std::string& wanted) {
    if (same_word(wanted, "none")) return {};
    const int column = fits.column(wanted.empty() ? "WEIGHT" : wanted);
    if (column != 0) return fits.numbers(column);
    if (wanted.empty()) return {};
    throw Error(ErrorKind::input, "NO_WEIGHTS",
                fits.path() + ": the events have no column " + wanted + " of weights", {},
                "Check --weight-column, or leave it out for this file.");
}

void require_weight(const std::string& path, double weight, std::size_t row) {
    if (std::isfinite(weight) && weight >= 0.0 && weight < 1e30) return;
    throw Error(ErrorKind::input, "BAD_WEIGHTS", path + ": a photon weight is no usable number",
                fmt::format("{} in row {}", weight, row + 1),
                "Weights are probabilities or rates, 0 or more; use --weight-column none to ignore them.");
}

struct RawEvents {
    std::vector<Row> rows;
    std::string detector_column;
    bool energies = false, weights = false, repaired = false;
    double offset = 0.0;  // TIMEZERO, s
};

RawEvents read_rows(FitsHandle& fits, const Exposure& exposure, const EventOptions& options) {
    const int time = fits.column("TIME");
    if (time == 0)
        throw Error(ErrorKind::input, "NO_EVENTS_EXTENSION",
                    fits.path() + ": the events have no column TIME");
    RawEvents raw;
    const double unit = seconds_per_unit(fits, time);
    raw.offset = fits.number("TIMEZERO").value_or(0.0) * unit;
    const std::vector<double> times = fits.numbers(time);
    const std::vector<double> energies = event_energies(fits, exposure);
    const bool filtered = std::isfinite(options.energy_lo) || std::isfinite(options.energy_hi);
    if (filtered && energies.empty())
        throw Error(ErrorKind::input, "UNSUPPORTED", fits.path() + ": events have no energies to select by",
                    {}, "Leave out --energy for this file.");
    const int detector = fits.first_column({"CCDNR", "CCD_ID", "TM_NR"});
    const std::vector<double> weights = event_weights(fits, options.weight_column);
    const std::vector<std::int64_t> detectors =
        detector != 0 ? fits.integers(detector) : std::vector<std::int64_t>{};
    const std::vector<bool> selected = options.region ? inside(fits, *options.region) : std::vector<bool>{};
    if (detector != 0) raw.detector_column = fits.column_name(detector);
    raw.energies = !energies.empty();
    raw.weights = std::any_of(weights.begin(), weights.end(), [](double w) { return w != 1.0; });
    raw.rows.reserve(times.size());
    for (std::size_t i = 0; i < times.size(); ++i) {
        if (!std::isfinite(times[i])) {
            if (!options.repair)
                throw Error(ErrorKind::input, "NAN_TIMES", fits.path() + ": event times that are no numbers",
                            fmt::format("row {}", i + 1), "Remove those rows, or use --repair.");
            raw.repaired = true;
            continue;
        }
        const double energy = raw.energies ? energies[i] : not_measured;
        // NaN limits compare false: no limit. An event without energy cannot pass a limit.
        if (energy < options.energy_lo || energy > options.energy_hi || (filtered && std::isnan(energy)))
            continue;
        if (!selected.empty() && !selected[i]) continue;
        if (!weights.empty()) require_weight(fits.path(), weights[i], i);
        raw.rows.push_back({times[i] * unit, energy, weights.empty() ? 1.0F : static_cast<float>(weights[i]),
                            detectors.empty() ? 0 : static_cast<int>(detectors[i])});
    }
    return raw;
}

void require_order(const std::string& path, RawEvents& raw, bool repair) {
    const auto earlier = [](const Row& a, const Row& b) { return a.time < b.time; };
    const auto unsorted = std::is_sorted_until(raw.rows.begin(), raw.rows.end(), earlier);
    if (unsorted == raw.rows.end()) return;
    if (!repair)
        throw Error(
            ErrorKind::input, "UNSORTED_TIMES", path + ": event times do not ascend",
            fmt::format("selected event {} is earlier than the one before", unsorted - raw.rows.begin() + 1),
            "Sort the events by TIME, or use --repair.");
    std::stable_sort(raw.rows.begin(), raw.rows.end(), earlier);
    raw.repaired = true;
}

void require_events(const std::string& path, std::size_t n, std::int64_t n_in_file) {
    const std::string why = fmt::format("{} in the file", n_in_file);
    const std::string remedy = "Check the selection (--energy, --region) and the file.";
    if (n == 0) throw Error(ErrorKind::input, "NO_EVENTS", path + ": no events left", why, remedy);
    if (n == 1)
        throw Error(ErrorKind::input, "TOO_FEW_EVENTS", path + ": one event is not enough", why, remedy);
}

/// Copies rows into the event list, dropping those outside the intervals.
void fill(EventList& list, const RawEvents& raw) {
    const auto& [start, stop] = list.gti;
    std::size_t interval = 0, dropped = 0;
    for (const Row& row : raw.rows) {
        const double time = (row.time - list.exposure.time_zero) + raw.offset;
        while (interval < stop.size() && time > stop[interval]) ++interval;
        if (interval == stop.size() || time < start[interval]) {
            ++dropped;
            continue;
        }
        list.time.push_back(time);
        if (raw.energies) list.energy.push_back(static_cast<float>(row.energy));
        if (raw.weights) list.weight.push_back(row.weight);
    }
    if (dropped == 0) return;
    list.exposure.flags |= exposure_events_outside_gti;
    log::info("{}: {} of {} events lie outside the good time intervals and are dropped", list.exposure.file,
              dropped, raw.rows.size());
}

}  // namespace

bool SkyCircle::contains(double other_ra, double other_dec) const {
    return sky_separation(ra, dec, other_ra, other_dec) * 3600.0 <= radius;
}

SkyCircle parse_region(const std::string& text) {
    const auto fail = [&] {
        throw Error(ErrorKind::usage, "BAD_REGION", "region '" + text + "' is not understood", {},
                    "Write circle(ra,dec,radius) in degrees and arcseconds.");
    };
    std::string compact;
    for (char c : text)
        if (c != ' ') compact += c;
    if (!compact.starts_with("circle(") || !compact.ends_with(")")) fail();
    std::array<double, 3> values{};
    const char* at = compact.data() + 7;
    const char* end = compact.data() + compact.size() - 1;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const auto [next, failure] = std::from_chars(at, end, values[i]);
        if (failure != std::errc{} || !std::isfinite(values[i])) fail();
        if (i < 2 ? (next == end || *next != ',') : next != end) fail();
        at = next + 1;
    }
    if (values[2] <= 0.0 || std::abs(values[1]) > 90.0) fail();
    return {values[0], values[1], values[2]};
}

EventList read_events(const std::string& path, const EventOptions& options) {
    FitsHandle fits(path);
    const HduInfo& hdu = events_hdu(fits);
    fits.select(hdu);
    EventList list;
    list.exposure = read_exposure(fits, true);
    RawEvents raw = read_rows(fits, list.exposure, options);
    require_events(path, raw.rows.size(), hdu.rows);
    require_order(path, raw, options.repair);

    std::set<int> detectors;
    if (!raw.detector_column.empty())
        for (const Row& row : raw.rows) detectors.insert(row.detector);
    std::vector<GtiTable> tables;
    for (const HduInfo* table : applicable_gti_tables(fits, raw.detector_column, detectors))
        tables.push_back(read_gti_table(fits, *table, list.exposure.mjd_reference, raw.offset));

    double first = raw.rows.front().time + raw.offset, last = raw.rows.back().time + raw.offset;
    list.exposure.time_zero = middle_second(first, last);
    if (tables.empty()) {
        const double zero = list.exposure.time_zero;
        list.gti = {{(raw.rows.front().time - zero) + raw.offset},
                    {(raw.rows.back().time - zero) + raw.offset}};
        list.exposure.flags |= exposure_no_gti;
        if (list.gti.exposure() <= 0.0)
            throw Error(ErrorKind::input, "TOO_FEW_EVENTS", path + ": all events have the same time",
                        "there are no good time intervals either");
    } else {
        GoodTimes good = unite_good_times(path, tables, list.exposure.time_zero, options.repair);
        list.gti = std::move(good.intervals);
        raw.repaired = raw.repaired || good.repaired;
        if (tables.size() > 1 || detectors.size() > 1) list.exposure.flags |= exposure_gti_shared;
    }
    fill(list, raw);
    if (list.time.empty())
        throw Error(ErrorKind::input, "GTI_EXCLUDES_ALL",
                    path + ": the good time intervals exclude all events",
                    fmt::format("{} events, {} intervals", raw.rows.size(), list.gti.size()),
                    "Check that both have the same time system.");
    require_events(path, list.time.size(), hdu.rows);
    if (!list.weight.empty() &&
        std::all_of(list.weight.begin(), list.weight.end(), [](float w) { return w == 0.0F; }))
        throw Error(ErrorKind::input, "BAD_WEIGHTS", path + ": all photon weights are zero", {},
                    "Give another --weight-column, or none to ignore them.");
    if (raw.repaired) {
        list.exposure.flags |= exposure_repaired;
        log::warning("{}: repaired on request", list.exposure.file);
    }
    return list;
}

}  // namespace xsift::io
