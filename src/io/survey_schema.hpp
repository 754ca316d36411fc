#pragma once
/// @file
/// The layout of a survey, once, for the writer and the reader: which member is which dataset, with its unit.
/// docs/schema.md describes it for people; a change here is a new survey_schema_version.

#include <cstdint>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <xsift/data/results.hpp>
#include <xsift/io/survey.hpp>

namespace xsift::io::schema {

inline constexpr const char* format = "xsift-survey";
inline constexpr std::size_t row_chunk_bytes = 16u << 10;  ///< small: one row is read without much around it
inline constexpr std::size_t array_chunk_bytes = 128u << 10;  ///< larger: arrays are read in long runs

/// A member that is one value a row.
template <typename Owner, typename Value>
struct Field {
    using value_type = Value;
    const char* name;
    const char* unit;
    Value Owner::*member;
};

/// A member array whose elements stand back to back in one dataset. The first of a group sets the length of a
/// row; one with a flag may be empty in some rows, where the flag column is 0 and `absent` stands in its
/// place.
template <typename Owner, typename Value>
struct Array {
    using value_type = Value;
    const char* name;
    const char* unit;
    std::vector<Value> Owner::*member;
    const char* flag;
    Value absent;
};

template <typename Owner, typename Value>
constexpr Field<Owner, Value> field(const char* name, const char* unit, Value Owner::*member) {
    return {name, unit, member};
}
template <typename Owner, typename Value>
constexpr Array<Owner, Value> array(const char* name, const char* unit, std::vector<Value> Owner::*member,
                                    const char* flag = nullptr, Value absent = {}) {
    return {name, unit, member, flag, absent};
}

inline constexpr std::tuple source_fields{
    field("id", "", &Source::id),
    field("name", "", &Source::name),
    field("ra", "deg", &Source::ra),
    field("dec", "deg", &Source::dec),
    field("position_error", "arcsec", &Source::position_error),
};

/// Of /exposures, /light_curves and /spectra alike.
inline constexpr std::tuple exposure_fields{
    field("file", "", &Exposure::file),
    field("mission", "", &Exposure::mission),
    field("instrument", "", &Exposure::instrument),
    field("obs_id", "", &Exposure::obs_id),
    field("exposure_id", "", &Exposure::exposure_id),
    field("mode", "", &Exposure::mode),
    field("filter", "", &Exposure::filter),
    field("time_system", "", &Exposure::time_system),
    field("time_reference", "", &Exposure::time_reference),
    field("mjd_reference", "d", &Exposure::mjd_reference),
    field("time_zero", "s", &Exposure::time_zero),
    field("frame_time", "s", &Exposure::frame_time),
    field("livetime", "s", &Exposure::livetime),
    field("flags", "", &Exposure::flags),
};

inline constexpr std::tuple event_arrays{
    array("time", "s", &EventList::time),
    array("energy", "keV", &EventList::energy, "has_energy", static_cast<float>(not_measured)),
    array("weight", "", &EventList::weight, "has_weight", 1.0f),
};
inline constexpr std::tuple gti_arrays{
    array("start", "s", &GoodTimeIntervals::start),
    array("stop", "s", &GoodTimeIntervals::stop),
};

inline constexpr std::tuple light_curve_fields{field("bin_width", "s", &LightCurve::bin_width)};
inline constexpr std::tuple bin_arrays{
    array("time", "s", &LightCurve::time),
    array("rate", "count/s", &LightCurve::rate),
    array("error", "count/s", &LightCurve::error),
    array("fractional_exposure", "", &LightCurve::fractional_exposure, "has_fractional_exposure",
          not_measured),
};

inline constexpr std::tuple spectrum_fields{
    field("spectrum_flags", "", &Spectrum::flags),
    field("area_scale", "", &Spectrum::area_scale),
    field("back_scale", "", &Spectrum::back_scale),
    field("background_file", "", &Spectrum::background_file),
    field("background_exposure", "s", &Spectrum::background_exposure),
    field("background_area_scale", "", &Spectrum::background_area_scale),
    field("background_back_scale", "", &Spectrum::background_back_scale),
    field("arf_file", "", &Spectrum::arf_file),
    field("response_wanted", "", &Spectrum::response_wanted),
};
inline constexpr std::tuple channel_arrays{
    array("counts", "count", &Spectrum::counts),
    array("quality", "", &Spectrum::quality, "has_quality"),
    array("grouping", "", &Spectrum::grouping, "has_grouping"),
    array("background", "count", &Spectrum::background_counts, "has_background", not_measured),
};
inline constexpr std::tuple area_arrays{array("effective_area", "cm2", &Spectrum::effective_area)};
inline constexpr std::tuple scaling_arrays{array("area_scale", "", &Spectrum::area_scales),
                                           array("background_scale", "", &Spectrum::background_scales)};

inline constexpr std::tuple response_fields{
    field("name", "", &Response::name),
    field("hash", "", &Response::hash),
    field("first_channel", "", &Response::first_channel),
};
inline constexpr std::tuple response_energy_arrays{
    array("energy_lo", "keV", &Response::energy_lo),
    array("energy_hi", "keV", &Response::energy_hi),
};
inline constexpr std::tuple response_channel_arrays{
    array("channel_lo", "keV", &Response::channel_lo),
    array("channel_hi", "keV", &Response::channel_hi),
};
inline constexpr std::tuple response_row_arrays{array("row_group", "", &Response::row_group)};
inline constexpr std::tuple response_group_arrays{
    array("first", "", &Response::group_first),
    array("count", "", &Response::group_count),
    array("value", "", &Response::group_value),
};
inline constexpr std::tuple response_value_arrays{array("value", "", &Response::value)};

inline constexpr std::tuple quarantine_fields{
    field("source_id", "", &QuarantineRow::source_id), field("input", "", &QuarantineRow::input),
    field("stage", "", &QuarantineRow::stage),         field("code", "", &QuarantineRow::code),
    field("message", "", &QuarantineRow::message),
};
inline constexpr std::tuple input_fields{
    field("file", "", &InputRecord::file),
    field("bytes", "byte", &InputRecord::bytes),
    field("checksum", "", &InputRecord::checksum),
    field("kind", "", &InputRecord::kind),
};
inline constexpr std::tuple truth_fields{
    field("source_id", "", &TruthRow::source_id),
    field("frequency", "Hz", &TruthRow::frequency),
    field("pulsed_fraction", "", &TruthRow::pulsed_fraction),
    field("model", "", &TruthRow::model),
    field("nh", "1e22 cm-2", &TruthRow::nh),
    field("parameter", "", &TruthRow::parameter),
    field("norm", "", &TruthRow::norm),
};

/// Calls visit(entry, index) for every entry of a table of fields or arrays.
template <typename... Entries, typename Visit>
constexpr void for_each(const std::tuple<Entries...>& entries, const Visit& visit) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        (visit(std::get<I>(entries), std::integral_constant<std::size_t, I>{}), ...);
    }
    (std::index_sequence_for<Entries...>{});
}

/// A tuple of Column<Value>, one for every entry.
template <template <typename> typename Column, typename Entries>
struct ColumnsOf;
template <template <typename> typename Column, typename... Entries>
struct ColumnsOf<Column, const std::tuple<Entries...>> {
    using type = std::tuple<Column<typename Entries::value_type>...>;
};

}  // namespace xsift::io::schema
