// Barycentring: each term against astropy, the Earth against JPL's DE421, the interpolation against every
// single time, and what happens to the files that cannot or need not be corrected.
#include "expect_error.hpp"
#include "fits_builder.hpp"
#include "reference_values.hpp"
#include "test_files.hpp"

#include <cmath>
#include <filesystem>

#include <gmock/gmock.h>

#include <xsift/io/event_file.hpp>
#include <xsift/io/light_curve_file.hpp>
#include <xsift/io/survey.hpp>
#include <xsift/pipeline/barycentre.hpp>
#include <xsift/pipeline/ingest.hpp>

namespace xsift::pipeline {
namespace {

using test::data_path;
using test::ReferenceTable;
constexpr double mjd_reference = 50814.0;

TEST(Barycentre, TermsAgreeWithAstropyAndJpl) {
    const ReferenceTable table("barycentre/geocentre.csv");
    ASSERT_EQ(table.rows(), 96u);
    double worst = 0.0;
    for (std::size_t i = 0; i < table.rows(); ++i) {
        const BarycentreCorrection correction(table["ra"][i], table["dec"][i], mjd_reference, nullptr);
        const auto terms = correction.terms(table["tt"][i]);
        EXPECT_NEAR(terms.einstein, table["einstein"][i], 1e-9) << i;
        EXPECT_NEAR(terms.roemer, table["light_travel_time"][i], 1e-8) << i;
        EXPECT_NEAR(terms.shapiro, table["shapiro"][i], 1e-11) << i;
        // An ephemeris of another origin: what ERFA's series leaves out.
        worst = std::max(worst, std::fabs(terms.roemer - table["roemer_jpl"][i]));
    }
    EXPECT_LT(worst, 50e-6);
    EXPECT_GT(worst, 1e-6);  // it is another ephemeris
}

class Orbits : public testing::TestWithParam<const char*> {};

TEST_P(Orbits, AgreeWithAstropyToAMicrosecond) {
    const std::string name = GetParam();
    const io::Orbit orbit = io::read_orbit(data_path("barycentre/" + name + ".fits"));
    const ReferenceTable table("barycentre/" + name + ".csv");
    ASSERT_GT(table.rows(), 40u);
    double largest = 0.0;
    for (std::size_t i = 0; i < table.rows(); ++i) {
        const double ra = table["ra"][i], dec = table["dec"][i], tt = table["tt"][i];
        const BarycentreCorrection correction(ra, dec, mjd_reference, &orbit);
        const auto terms = correction.terms(tt);
        EXPECT_NEAR(terms.einstein, table["einstein"][i], 1e-9) << i;
        EXPECT_NEAR(terms.roemer, table["roemer"][i], 1e-6) << i;
        EXPECT_NEAR(terms.shapiro, table["shapiro"][i], 1e-11) << i;
        largest =
            std::max(largest, std::fabs(correction.direct(tt) -
                                        BarycentreCorrection(ra, dec, mjd_reference, nullptr).direct(tt)));
    }
    EXPECT_GT(largest, name == "orbit_low" ? 0.015 : 0.2);  // what the Earth's centre would be wrong by
    EXPECT_LT(largest, name == "orbit_low" ? 0.023 : 0.36);
}

TEST_P(Orbits, InterpolationAgreesWithEverySingleTime) {
    const io::Orbit orbit = io::read_orbit(data_path(std::string("barycentre/") + GetParam() + ".fits"));
    std::vector<double> times;
    const double first = orbit.time.front(), last = orbit.time.back();
    for (int i = 0; i < 1500; ++i) times.push_back(first + (last - first) * (i * i) / (1499.0 * 1499.0));
    for (const io::Orbit* seen_from : {&orbit, static_cast<const io::Orbit*>(nullptr)}) {
        const BarycentreCorrection correction(83.633, 22.0145, mjd_reference, seen_from);
        ASSERT_TRUE(correction.covers(first, last));
        const std::vector<double> found = correction(times);
        for (std::size_t i = 0; i < times.size(); ++i)
            EXPECT_NEAR(found[i], correction.direct(times[i]), 1e-8);
    }
}

INSTANTIATE_TEST_SUITE_P(Files, Orbits, testing::Values("orbit_low", "orbit_high"));

TEST(Barycentre, AnOrbitWithHolesOrElsewhereDoesNotCover) {
    io::Orbit orbit = io::read_orbit(data_path("barycentre/orbit_low.fits"));
    const double first = orbit.time.front(), last = orbit.time.back();
    EXPECT_FALSE(BarycentreCorrection(0, 0, mjd_reference, &orbit).covers(first - 1.0, last));
    EXPECT_FALSE(BarycentreCorrection(0, 0, mjd_reference, &orbit).covers(first, last + 1.0));
    for (auto* values : {&orbit.time, &orbit.x, &orbit.y, &orbit.z})
        values->erase(values->begin() + 100, values->begin() + 110);
    const BarycentreCorrection holed(0, 0, mjd_reference, &orbit);
    EXPECT_FALSE(holed.covers(first, last));
    EXPECT_TRUE(holed.covers(first, first + 2000.0));
}

TEST(Barycentre, TimeScales) {
    EXPECT_EQ(to_tt(TimeScale::tt, mjd_reference, 5.0), 5.0);
    EXPECT_DOUBLE_EQ(to_tt(TimeScale::tai, mjd_reference, 5.0), 37.184);
    // MJD 50814 is 1998 January 1: TAI - UTC = 31 s; 57754 is 2017 January 1: 37 s.
    EXPECT_DOUBLE_EQ(to_tt(TimeScale::utc, 50814.0, 5.0), 68.184);
    EXPECT_DOUBLE_EQ(to_tt(TimeScale::utc, 57754.0, 0.0), 69.184);
}

EventList observed(const std::string& system) {
    EventList events;
    events.exposure.time_system = system;
    events.exposure.time_reference = "LOCAL";
    events.exposure.mjd_reference = mjd_reference;
    events.exposure.time_zero = 310005000.0;
    events.exposure.flags = exposure_not_barycentred;
    events.gti = {{-1000.0, 500.0}, {0.0, 4000.0}};
    for (double t = -999.5; t < 4000.0; t += 7.77)
        if (t < 0.0 || t > 500.0) events.time.push_back(t);
    return events;
}

TEST(Barycentre, EventsAndGoodTimesMoveTogether) {
    const std::vector<io::Orbit> orbits{io::read_orbit(data_path("barycentre/orbit_low.fits"))};
    const BarycentreCorrection with_orbit(83.633, 22.0145, mjd_reference, &orbits[0]);
    const EventList before = observed("TT");
    EventList after = before;
    EXPECT_EQ(barycentre(after, 83.633, 22.0145, orbits), BarycentreOutcome::corrected);
    EXPECT_TRUE(after.exposure.barycentred());
    EXPECT_EQ(after.exposure.flags, exposure_barycentred_here);
    EXPECT_EQ(after.exposure.time_system, "TDB");
    EXPECT_EQ(after.exposure.time_reference, "SOLARSYSTEM");
    EXPECT_EQ(after.exposure.time_zero, std::round(after.exposure.time_zero));
    const double moved = after.exposure.time_zero - before.exposure.time_zero;
    const auto expect_moved = [&](const std::vector<double>& from, const std::vector<double>& to) {
        ASSERT_EQ(from.size(), to.size());
        for (std::size_t i = 0; i < from.size(); ++i)
            EXPECT_NEAR(to[i] + moved, from[i] + with_orbit.direct(before.exposure.time_zero + from[i]),
                        1e-7);
    };
    expect_moved(before.time, after.time);
    expect_moved(before.gti.start, after.gti.start);
    expect_moved(before.gti.stop, after.gti.stop);
    EXPECT_LT(std::fabs(after.time[0] - before.time[0]), 1.0);  // the reference moved, not the small times

    EXPECT_EQ(barycentre(after, 83.633, 22.0145, orbits), BarycentreOutcome::already);
    EXPECT_EQ(after.exposure.time_zero - before.exposure.time_zero, moved);
}

TEST(Barycentre, TimeScalesOfTheFileEndInOneScale) {
    // The same instants, told in UTC and TAI seconds.
    EventList tt = observed("TT"), utc = observed("UTC"), tai = observed("TAI");
    for (double* zero : {&utc.exposure.time_zero}) *zero -= 63.0;
    for (double& t : utc.time) t -= 0.184;
    for (double& t : tai.time) t -= 32.184;
    for (EventList* list : {&tt, &utc, &tai})
        EXPECT_EQ(barycentre(*list, 26.7, 61.35, {}), BarycentreOutcome::geocentre);
    for (const EventList* list : {&utc, &tai})
        for (std::size_t i = 0; i < tt.size(); i += 50)
            EXPECT_NEAR((list->exposure.time_zero - tt.exposure.time_zero) + list->time[i], tt.time[i], 1e-7);
    EXPECT_TRUE(tt.exposure.flags & exposure_geocentre);

    // TDB that was not corrected for the light travel time: only that is added.
    EventList tdb = observed("TDB");
    const BarycentreCorrection earth(26.7, 61.35, mjd_reference, nullptr);
    EXPECT_EQ(barycentre(tdb, 26.7, 61.35, {}), BarycentreOutcome::geocentre);
    const auto terms = earth.terms(310005000.0 + observed("TDB").time[3]);
    EXPECT_NEAR(tdb.exposure.time_zero + tdb.time[3],
                310005000.0 + observed("TDB").time[3] + terms.roemer + terms.shapiro, 2e-7);
}

TEST(Barycentre, WhatCannotBeCorrectedIsLeftAndFlagged) {
    const auto left = [](EventList events, double ra, BarycentreOutcome want) {
        const std::vector<double> time = events.time;
        EXPECT_EQ(barycentre(events, ra, 10.0, {}), want);
        EXPECT_EQ(events.time, time);
        EXPECT_FALSE(events.exposure.barycentred());
        EXPECT_FALSE(describe(want).empty());
    };
    left(observed("TT"), not_measured, BarycentreOutcome::no_position);
    left(observed(""), 10.0, BarycentreOutcome::unknown_time_system);
    left(observed("GPS"), 10.0, BarycentreOutcome::unknown_time_system);
    EventList events = observed("TT");
    events.exposure.mjd_reference = not_measured;
    left(events, 10.0, BarycentreOutcome::unknown_time_system);
    events = observed("TT");
    events.exposure.time_reference = "SOLARSYSTEM";
    left(events, 10.0, BarycentreOutcome::contradictory);
}

TEST(Barycentre, RealFiles) {
    for (const char* file : {"events/xmm_pn_rxj0146.fits.gz", "events/nicer_1e2259.fits.gz"}) {
        EventList events = io::read_events(data_path(file));
        const std::vector<double> time = events.time;
        EXPECT_EQ(barycentre(events, 26.7, 61.35, {}), BarycentreOutcome::already) << file;
        EXPECT_EQ(events.time, time);
    }
    // A time series of the pipeline is in TT at the spacecraft.
    LightCurve curve = io::read_light_curve(data_path("lightcurves/P0886090801M1S001SRCTSR8001.FTZ"));
    const LightCurve before = curve;
    EXPECT_EQ(barycentre(curve, 268.3683, -24.7742, {}), BarycentreOutcome::geocentre);
    const BarycentreCorrection earth(268.3683, -24.7742, before.exposure.mjd_reference, nullptr);
    EXPECT_NEAR((curve.exposure.time_zero - before.exposure.time_zero) + curve.time[7],
                before.time[7] + earth.direct(before.exposure.time_zero + before.time[7]), 1e-6);
}

TEST(Barycentre, OrbitFilesThatSayNothingUsableAreRefused) {
    const test::TemporaryFolder folder;
    const std::string path = folder / "orbit.fits";
    const std::vector<double> t{0, 30, 60, 90, 120}, x{7e6, 7e6, 7e6, 7e6, 7e6}, zero{0, 0, 0, 0, 0};
    const test::Cards cards{{"MJDREF", "50814.0"}};
    const auto refused = [&](const std::vector<test::FitsColumn>& columns, const test::Cards& keys) {
        test::write_file(path, test::FitsBuilder().table("ORBIT", columns, keys).bytes());
        test::expect_error("BAD_ORBIT", "orbit.fits", [&] { io::read_orbit(path); });
    };
    const auto columns = [&](const std::string& unit, std::vector<double> time) {
        return std::vector<test::FitsColumn>{{"TIME", 'D', std::move(time), "s"},
                                             {"X", 'D', x, unit},
                                             {"Y", 'D', zero, unit},
                                             {"Z", 'D', zero, unit}};
    };
    refused(columns("", t), cards);
    refused(columns("km", t), cards);  // 7 million km away
    refused(columns("m", t), {});
    refused(columns("m", {0, 30, 20, 90, 120}), cards);
    refused({{"TIME", 'D', t, "s"}, {"X", 'D', x, "m"}}, cards);
    test::write_file(path, test::FitsBuilder().table("ORBIT", columns("m", t), cards).bytes());
    EXPECT_EQ(io::read_orbit(path).time.size(), 5u);
    EXPECT_DOUBLE_EQ(io::read_orbit(path).x[2], 7000.0);
}

TEST(Barycentre, IngestCorrectsAndRecords) {
    const test::TemporaryFolder folder;
    std::vector<double> times;
    for (int i = 0; i < 200; ++i) times.push_back(310003000.0 + 11.0 * i);
    test::Cards cards{{"TIMESYS", "'TT'"},    {"TIMEREF", "'LOCAL'"}, {"MJDREF", "50814.0"},
                      {"TELESCOP", "'TEST'"}, {"RA_OBJ", "83.633"},   {"DEC_OBJ", "22.0145"}};
    test::write_file(folder / "events.fits",
                     test::FitsBuilder()
                         .table("EVENTS", {{"TIME", 'D', times, "s"}}, cards)
                         .table("GTI", {{"START", 'D', {times.front()}}, {"STOP", 'D', {times.back()}}},
                                {{"HDUCLAS1", "'GTI'"}})
                         .bytes());
    IngestOptions options;
    options.inputs = {folder / "events.fits"};
    options.output = folder / "survey.h5";
    options.barycentre = true;
    options.orbits = {data_path("barycentre/orbit_low.fits")};
    EXPECT_TRUE(ingest(options).quarantined.empty());
    io::SurveyReader reader(options.output);
    const auto sources = reader.read(0, 1);
    ASSERT_EQ(sources.at(0).events.size(), 1u);
    const EventList& events = sources[0].events[0];
    EXPECT_TRUE(events.exposure.barycentred());
    EXPECT_TRUE(events.exposure.flags & exposure_barycentred_here);
    EXPECT_FALSE(events.exposure.flags & exposure_geocentre);
    ASSERT_EQ(events.size(), times.size());
    const io::Orbit orbit = io::read_orbit(options.orbits[0]);
    const BarycentreCorrection correction(83.633, 22.0145, mjd_reference, &orbit);
    for (std::size_t i = 0; i < times.size(); i += 20)
        EXPECT_NEAR(events.exposure.time_zero - times[i] + events.time[i], correction.direct(times[i]), 2e-7);
    EXPECT_THAT(reader.provenance().at("ingest.barycentre_outcomes"), testing::HasSubstr("1: corrected"));
    EXPECT_EQ(reader.provenance().at("ingest.orbits"), "orbit_low.fits");

    options.barycentre = false;
    test::expect_error("BAD_ORBIT", "--barycentre", [&] { ingest(options); });
}

}  // namespace
}  // namespace xsift::pipeline
