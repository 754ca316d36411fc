#pragma once
/// @file
/// OGIP event lists.

#include <optional>
#include <string>

#include <xsift/data/events.hpp>

namespace xsift::io {

/// A circle on the sky: deg, deg, arcsec.
struct SkyCircle {
    double ra = 0.0, dec = 0.0, radius = 0.0;
    bool contains(double other_ra, double other_dec) const;
};

/// "circle(ra,dec,radius)" in degrees and arcseconds. @throws Error (usage, "BAD_REGION").
SkyCircle parse_region(const std::string& text);

/// Which events to keep, and what to do with damage.
struct EventOptions {
    double energy_lo = not_measured;  ///< keV, closed interval; NaN: no limit
    double energy_hi = not_measured;
    std::optional<SkyCircle> region;
    /// Column of photon weights; empty: WEIGHT where the file has it; "none": all weigh 1.
    std::string weight_column;
    bool repair =
        false;  ///< drop NaN times, sort, merge or turn good time intervals (flagged) instead of refusing
};

/// Reads an event list: HDU EVENTS, or the first table with HDUCLAS1 = EVENTS and a column TIME.
///
/// Times: TIME + TIMEZERO in the file's time system; time_zero is an integer second near the middle.
/// Energies: ENERGY (by its unit), or PI with the channel width of the mission.
/// Good times: the tables of the detectors that have events, by data subspace keywords (DSTYP, DSVAL, DSREF)
/// or by name (STDGTInn, GTIn); otherwise GTI, STDGTI, or the first GTI table. Several detectors: their
/// union, flagged. Intervals are closed; events outside are dropped, flagged. Header times (TSTART, TSTOP)
/// are not used. Photon weights: the column asked for, any scale (statistics do not depend on it); none is
/// kept when all are 1.
/// @throws Error (input): what a FITS file can be (see fits_file.hpp), NO_EVENTS_EXTENSION, NO_EVENTS,
/// TOO_FEW_EVENTS,
///   NAN_TIMES, UNSORTED_TIMES, GTI_NOT_FINITE, GTI_OVERLAP, GTI_REVERSED, GTI_EXCLUDES_ALL, NO_WEIGHTS,
///   BAD_WEIGHTS, UNSUPPORTED.
EventList read_events(const std::string& path, const EventOptions& options = {});

}  // namespace xsift::io
