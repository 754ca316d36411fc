#pragma once
/// @file
/// Times of photons to the solar system's barycentre (TDB).
///
/// t_b = t + (TDB - TT) + n.r/c + (2 G M/c^3) ln(1 + n.s): the Einstein, Roemer and Shapiro terms, with n the
/// direction of the source, r the observer's barycentric position, s the direction from the Sun to the
/// observer. Earth: eraEpv00 (within 13.4 km of DE405, 45 microseconds); TDB - TT: eraDtdb, with v.d/c^2 of
/// the spacecraft at the distance d from the Earth's centre. Sources are at infinity: the curvature of the
/// wave front is 1 microsecond at 1 kpc and less beyond; the planets' Shapiro terms (0.2 microseconds at most
/// away from their discs) are left out.

#include <cstddef>
#include <string>
#include <vector>

#include <xsift/data/events.hpp>
#include <xsift/io/orbit_file.hpp>

namespace xsift::pipeline {

/// The time scale of a file.
enum class TimeScale { tt, utc, tdb, tai };

/// s from a time in `scale` (s since mjd_reference) to TT seconds since the same number in TT. UTC: times are
/// elapsed seconds since the instant MJDREF of UTC, so that the leap seconds are those of MJDREF.
double to_tt(TimeScale scale, double mjd_reference, double time);

/// Where an observer sees a source from.
class BarycentreCorrection {
  public:
    /// @param ra, dec deg, ICRS; @param orbit nullptr: the Earth's centre; must outlive this
    BarycentreCorrection(double ra, double dec, double mjd_reference, const io::Orbit* orbit);

    /// TDB seconds at the barycentre minus TT seconds at the observer, both since mjd_reference, at a TT
    /// time. The oracle: everything is computed for this time.
    double direct(double time_tt) const;
    /// The three terms of direct(): their sum.
    struct Terms {
        double einstein, roemer, shapiro;
        double sum() const { return einstein + roemer + shapiro; }
    };
    Terms terms(double time_tt) const;

    /// direct() for ascending times, by cubic interpolation between steps of 30 s (orbit) or 600 s (Earth):
    /// the error is below 10 ns.
    std::vector<double> operator()(const std::vector<double>& times_tt) const;

    /// True when the orbit (if any) covers a span with rows so close that a cubic through four of them errs
    /// by less than 1 microsecond (in low orbit 3 minutes, at 100,000 km hours).
    bool covers(double first_tt, double last_tt) const;

  private:
    struct Vector {
        double x, y, z;
    };
    Vector spacecraft(double time_tt) const;

    double mjd_reference_;
    const io::Orbit* orbit_;
    double orbit_offset_ = 0.0;  // orbit time = TT time + this
    Vector direction_{};
};

/// What became of an exposure.
enum class BarycentreOutcome {
    corrected,           ///< with an orbit
    geocentre,           ///< as seen from the Earth's centre
    already,             ///< TIMEREF and TIMESYS say that it was done: left as it is
    contradictory,       ///< TIMEREF says so, TIMESYS does not: left as it is
    no_position,         ///< the source's position is unknown
    unknown_time_system  ///< TIMESYS or MJDREF is missing or not understood
};

/// Corrects times and good time intervals, and says so in the exposure (TDB, SOLARSYSTEM, flags). The first
/// orbit of the same mission that covers the exposure is used; without one the Earth's centre, which is wrong
/// by up to the light time to the spacecraft: 23 ms in low orbit, 0.4 s for XMM-Newton, 0.5 s for Chandra.
BarycentreOutcome barycentre(EventList& events, double ra, double dec, const std::vector<io::Orbit>& orbits);
BarycentreOutcome barycentre(LightCurve& curve, double ra, double dec, const std::vector<io::Orbit>& orbits);

/// What an outcome means, for people.
std::string describe(BarycentreOutcome outcome);

}  // namespace xsift::pipeline
