#pragma once
/// @file
/// A source and what is known about where its data come from.

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace xsift {

inline constexpr double not_measured = std::numeric_limits<double>::quiet_NaN();

/// A further column of a source list, carried through to the catalogue as text or number.
struct ExtraColumn {
    enum class Type : std::uint8_t { text, integer, real };
    std::string name, unit;
    Type type = Type::text;
};

/// The value of one extra column for one source; text is used when the column's type is text.
struct ExtraValue {
    std::string text;
    double real = not_measured;  ///< real, or null (NaN)
    std::int64_t integer = 0;
    bool null = true;
};

/// One source of the survey.
struct Source {
    std::string id;                        ///< unique in the survey
    std::string name;                      ///< designation, may be empty
    double ra = not_measured;              ///< deg, ICRS
    double dec = not_measured;             ///< deg, ICRS
    double position_error = not_measured;  ///< arcsec, 1 sigma a coordinate
    std::vector<ExtraValue> extra;         ///< parallel to the survey's extra columns
};

/// What can be said against an exposure. Bits; also in FLAGS of the catalogue.
enum ExposureFlag : std::uint32_t {
    exposure_not_barycentred = 1u << 0,        ///< TIMEREF/TIMESYS do not say SOLARSYSTEM/TDB
    exposure_no_gti = 1u << 1,                 ///< no GTI table: the span of the events is used
    exposure_frame_time_from_table = 1u << 2,  ///< frame time from the built-in table of instrument modes
    exposure_frame_time_unknown = 1u << 3,     ///< no frame time: aliases cannot be vetoed
    exposure_events_outside_gti = 1u << 4,     ///< events outside the GTIs were dropped
    exposure_repaired = 1u << 5,               ///< damaged input was repaired on request (see log)
    exposure_gti_shared = 1u << 6,             ///< GTIs are not known for this detector alone
    exposure_barycentred_here = 1u << 7,       ///< the ingest corrected the times to the barycentre
    exposure_geocentre = 1u << 8,              ///< as seen from the geocentre: the orbit was not known
};

/// Where an event list, light curve or spectrum comes from.
struct Exposure {
    std::string file;                     ///< base name of the input file
    std::string mission;                  ///< TELESCOP
    std::string instrument;               ///< INSTRUME, e.g. EPN, EMOS1, XTI
    std::string obs_id;                   ///< OBS_ID
    std::string exposure_id;              ///< EXPIDSTR, e.g. S003
    std::string mode;                     ///< SUBMODE or DATAMODE
    std::string filter;                   ///< FILTER
    std::string time_system;              ///< TIMESYS
    std::string time_reference;           ///< TIMEREF
    double mjd_reference = not_measured;  ///< MJDREF = MJDREFI + MJDREFF, d
    double time_zero = 0.0;  ///< s since mjd_reference: all times of the exposure are relative to this
    double frame_time = not_measured;  ///< s, read-out frame; NaN when unknown
    double livetime = not_measured;    ///< s, exposure after dead time
    std::uint32_t flags = 0;           ///< ExposureFlag bits

    bool barycentred() const { return (flags & exposure_not_barycentred) == 0; }
};

}  // namespace xsift
