// Event lists: the two real files with their known numbers, then every way in which a file can be bad.
#include "expect_error.hpp"
#include "fits_builder.hpp"
#include "test_files.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <gmock/gmock.h>

#include <xsift/io/event_file.hpp>
#include <xsift/io/fits_file.hpp>

namespace xsift::io {
namespace {

using test::barycentred;
using test::event_file;
using test::expect_error;
using test::FitsBuilder;

class EventFiles : public testing::Test {
  protected:
    std::string write(const std::string& bytes, const std::string& name = "events.fits") {
        test::write_file(folder_ / name, bytes);
        return folder_ / name;
    }
    void expect_refused(const std::string& code, const std::string& bytes) {
        const std::string path = write(bytes);
        expect_error(code, "events.fits", [&] { read_events(path); });
    }
    EventList repaired(const std::string& bytes) {
        EventOptions options;
        options.repair = true;
        EventList list = read_events(write(bytes), options);
        EXPECT_TRUE(list.exposure.flags & exposure_repaired);
        EXPECT_TRUE(std::is_sorted(list.time.begin(), list.time.end()));
        return list;
    }
    test::TemporaryFolder folder_;
};

const double nan = std::numeric_limits<double>::quiet_NaN();

TEST_F(EventFiles, XmmPn) {
    const EventList list = read_events(test::data_path("events/xmm_pn_rxj0146.fits.gz"));
    EXPECT_EQ(list.size(), 33712u);
    EXPECT_EQ(list.gti.size(), 15u);  // STDGTI10, not one of the other eleven tables
    // ONTIME10 was summed on board; the Doppler shift to the barycentre shortens it by 6.3e-5.
    EXPECT_NEAR(list.gti.exposure() / 3.88970285591781e4, 1.0 - 6.3e-5, 1e-6);
    EXPECT_EQ(list.exposure.mission, "XMM");
    EXPECT_EQ(list.exposure.instrument, "EPN");
    EXPECT_EQ(list.exposure.obs_id, "0201160101");
    EXPECT_EQ(list.exposure.exposure_id, "S003");
    EXPECT_EQ(list.exposure.mode, "PrimeFullWindow");
    EXPECT_EQ(list.exposure.mjd_reference, 50814.0);
    EXPECT_TRUE(list.exposure.barycentred());
    EXPECT_EQ(list.exposure.frame_time, 0.073365);
    EXPECT_EQ(list.exposure.flags, exposure_frame_time_from_table);
    EXPECT_NEAR(list.exposure.livetime, 3.57015020384491e4, 1e-6);
    EXPECT_EQ(list.exposure.time_zero, std::round(list.exposure.time_zero));
    ASSERT_EQ(list.energy.size(), list.size());
    EXPECT_FLOAT_EQ(*std::min_element(list.energy.begin(), list.energy.end()), 0.3f);
    EXPECT_LE(*std::max_element(list.energy.begin(), list.energy.end()), 10.0f);
    EXPECT_TRUE(list.weight.empty());
    EXPECT_LT(std::abs(list.time.front() + list.time.back()), 2.0);              // zero in the middle
    EXPECT_LT(list.exposure.time_zero + list.time.front(), 1.90509158558211e8);  // before the header's TSTART
}

TEST_F(EventFiles, Nicer) {
    const EventList list = read_events(test::data_path("events/nicer_1e2259.fits.gz"));
    EXPECT_EQ(list.size(), 89465u);
    EXPECT_EQ(list.gti.size(), 35u);
    EXPECT_NEAR(list.exposure.mjd_reference, 56658.000777592592593, 1e-12);
    EXPECT_TRUE(list.exposure.barycentred());
    EXPECT_DOUBLE_EQ(list.exposure.frame_time, 40e-9);
    EXPECT_EQ(list.exposure.flags, 0u);
    EXPECT_FLOAT_EQ(*std::min_element(list.energy.begin(), list.energy.end()), 0.2f);
    EXPECT_FLOAT_EQ(*std::max_element(list.energy.begin(), list.energy.end()), 15.0f);
}

TEST_F(EventFiles, EnergySelectionIsClosed) {
    EventOptions options;
    options.energy_lo = 0.3;
    options.energy_hi = 10.0;
    EXPECT_EQ(read_events(test::data_path("events/xmm_pn_rxj0146.fits.gz"), options).size(), 33712u);
    options.energy_lo = 2.0;
    const EventList hard = read_events(test::data_path("events/xmm_pn_rxj0146.fits.gz"), options);
    EXPECT_GT(hard.size(), 1000u);
    EXPECT_LT(hard.size(), 33712u);
    EXPECT_GE(*std::min_element(hard.energy.begin(), hard.energy.end()), 2.0f);
    options.energy_lo = 12.0;
    options.energy_hi = not_measured;
    expect_error("NO_EVENTS", "xmm_pn",
                 [&] { read_events(test::data_path("events/xmm_pn_rxj0146.fits.gz"), options); });
}

TEST_F(EventFiles, RegionSelection) {
    // The file was cut with an ellipse of 400 x 200 pixels of 0.05 arcsec around pixel (22001.653,
    // 37288.637): a tangent plane at (26.6378333, 61.1986389), so about (26.7546, 61.3565), where RX
    // J0146.9+6121 is.
    EventOptions options;
    options.region = parse_region("circle(26.75082, 61.35647, 25)");
    EXPECT_EQ(read_events(test::data_path("events/xmm_pn_rxj0146.fits.gz"), options).size(), 33712u);
    options.region->radius = 8.0;
    const std::size_t core = read_events(test::data_path("events/xmm_pn_rxj0146.fits.gz"), options).size();
    EXPECT_GT(core, 10000u);
    EXPECT_LT(core, 33000u);
    for (const char* wrong :
         {"circle(1,2)", "circle(1,2,3", "box(1,2,3)", "circle(1,2,x)", "circle(1,95,3)", "circle(1,2,-3)"})
        expect_error("BAD_REGION", wrong, [&] { parse_region(wrong); });
}

TEST_F(EventFiles, TimesAreExactRelativeToZero) {
    const std::vector<double> times{190509158.25 + 1.0 / 1048576.0, 190519158.0 + 3.0 / 1048576.0,
                                    190539158.5};
    const EventList list = read_events(write(event_file(times, {190500000.0}, {190550000.0})));
    ASSERT_EQ(list.size(), 3u);
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(list.exposure.time_zero + list.time[i], times[i]);
}

TEST_F(EventFiles, TimeZeroAndReferenceOfTheIntervals) {
    test::Cards cards{
        {"TIMESYS", "'TT'"}, {"TIMEREF", "'LOCAL'"}, {"MJDREF", "51000.5"}, {"TIMEZERO", "100.0"}};
    const std::string bytes = FitsBuilder()
                                  .table("EVENTS", {{"TIME", 'D', {1.0, 2.0, 3.0}}}, cards)
                                  .table("GTI", {{"START", 'D', {100.0}}, {"STOP", 'D', {102.5}}},
                                         {{"TIMEZERO", "0.0"}, {"MJDREF", "51000.5"}})
                                  .bytes();
    const EventList list = read_events(write(bytes));
    ASSERT_EQ(list.size(), 2u);  // 103 s lies behind the interval
    EXPECT_EQ(list.exposure.time_zero + list.time[0], 101.0);
    EXPECT_EQ(list.exposure.mjd_reference, 51000.5);
    EXPECT_TRUE(list.energy.empty());
    EXPECT_EQ(list.exposure.flags,
              exposure_not_barycentred | exposure_events_outside_gti | exposure_frame_time_unknown);
}

TEST_F(EventFiles, SeveralDetectorsShareTheUnionOfTheirIntervals) {
    const std::string bytes =
        FitsBuilder()
            .table("EVENTS", {{"TIME", 'D', {1.0, 4.0, 11.0, 25.0}}, {"CCDNR", 'B', {1, 1, 2, 2}}},
                   barycentred)
            .table("STDGTI01", {{"START", 'D', {0.0}}, {"STOP", 'D', {5.0}}}, {{"HDUCLAS1", "'GTI'"}})
            .table("STDGTI02", {{"START", 'D', {4.0, 20.0}}, {"STOP", 'D', {12.0, 30.0}}},
                   {{"HDUCLAS1", "'GTI'"}})
            .table("STDGTI03", {{"START", 'D', {0.0}}, {"STOP", 'D', {90.0}}}, {{"HDUCLAS1", "'GTI'"}})
            .bytes();
    const EventList list = read_events(write(bytes));
    EXPECT_EQ(list.size(), 4u);
    EXPECT_EQ(list.gti.size(), 2u);
    EXPECT_DOUBLE_EQ(list.gti.exposure(), 22.0);
    EXPECT_TRUE(list.exposure.flags & exposure_gti_shared);
}

TEST_F(EventFiles, DataSubspaceNamesTheTable) {
    test::Cards cards = barycentred;
    for (const auto& [key, value] : test::Cards{{"DSTYP1", "'CCDNR'"},
                                                {"DSTYP2", "'TIME'"},
                                                {"DSVAL1", "'1'"},
                                                {"DSREF2", "':GTI00002'"},
                                                {"2DSVAL1", "'4'"},
                                                {"2DSREF2", "':GTI00102'"}})
        cards.emplace_back(key, value);
    const std::string bytes = FitsBuilder()
                                  .table("EVENTS", {{"TIME", 'D', {1.0, 4.0}}, {"CCDNR", 'B', {4, 4}}}, cards)
                                  .table("GTI00002", {{"START", 'D', {0.0}}, {"STOP", 'D', {50.0}}})
                                  .table("GTI00102", {{"START", 'D', {0.0}}, {"STOP", 'D', {7.0}}})
                                  .bytes();
    EXPECT_DOUBLE_EQ(read_events(write(bytes)).gti.exposure(), 7.0);
}

TEST_F(EventFiles, WithoutIntervalsTheSpanIsUsed) {
    const EventList list = read_events(write(event_file({10.0, 20.0, 40.0}, {}, {})));
    EXPECT_TRUE(list.exposure.flags & exposure_no_gti);
    EXPECT_DOUBLE_EQ(list.gti.exposure(), 30.0);
    EXPECT_EQ(list.size(), 3u);
}

TEST_F(EventFiles, IntervalsAreClosed) {
    EXPECT_EQ(read_events(write(event_file({10.0, 20.0}, {10.0}, {20.0}))).size(), 2u);
}

TEST_F(EventFiles, WeightsAreReadWhenTheyDiffer) {
    const auto bytes = [](std::vector<double> weights) {
        return FitsBuilder()
            .table("EVENTS", {{"TIME", 'D', {1.0, 2.0}}, {"WEIGHT", 'E', std::move(weights)}}, barycentred)
            .bytes();
    };
    EXPECT_THAT(read_events(write(bytes({0.5, 0.25}))).weight, testing::ElementsAre(0.5f, 0.25f));
    EXPECT_TRUE(read_events(write(bytes({1.0, 1.0}))).weight.empty());
}

TEST_F(EventFiles, WeightsComeFromTheColumnAskedFor) {
    const auto bytes = [](std::vector<double> weights) {
        return FitsBuilder()
            .table(
                "EVENTS",
                {{"TIME", 'D', {1.0, 2.0}}, {"WEIGHT", 'E', {0.5, 0.25}}, {"P_SRC", 'E', std::move(weights)}},
                barycentred)
            .bytes();
    };
    EventOptions options;
    options.weight_column = "P_SRC";
    EXPECT_THAT(read_events(write(bytes({0.75, 0.125})), options).weight,
                testing::ElementsAre(0.75f, 0.125f));
    options.weight_column = "none";
    EXPECT_TRUE(read_events(write(bytes({0.75, 0.125})), options).weight.empty());
    options.weight_column = "PROBABILITY";
    const std::string path = write(bytes({0.75, 0.125}));
    expect_error("NO_WEIGHTS", "PROBABILITY", [&] { read_events(path, options); });
    options.weight_column = "P_SRC";
    for (const std::vector<double>& bad : {std::vector{0.5, -0.1}, {nan, 0.5}, {0.0, 0.0}, {1e38, 1.0}}) {
        const std::string damaged = write(bytes(bad));
        expect_error("BAD_WEIGHTS", "weight", [&] { read_events(damaged, options); });
    }
}

TEST_F(EventFiles, DamagedFiles) {
    expect_refused("EMPTY_FILE", "");
    expect_refused("NOT_FITS", "This is a text.\n");
    expect_refused("NO_EVENTS_EXTENSION", FitsBuilder().table("PICTURES", {{"A", 'J', {1.0}}}).bytes());
    expect_refused("NO_EVENTS_EXTENSION", FitsBuilder().bytes());
    const std::string sound = event_file({1.0, 2.0, 3.0}, {0.0}, {5.0});
    ASSERT_EQ(read_events(write(sound)).size(), 3u);
    // Cut in the primary header, in the events' header, in their data, at the start of the next header, in
    // the last data.
    for (std::size_t size : {100u, 2880u + 500u, 2u * 2880u + 20u, 3u * 2880u + 80u, 5u * 2880u - 1u})
        expect_refused("TRUNCATED", sound.substr(0, size));
}

TEST_F(EventFiles, TruncatedGzip) {
    const std::string sound = test::read_file(test::data_path("events/nicer_1e2259.fits.gz"));
    for (std::size_t size : {sound.size() - 1, sound.size() - 8, sound.size() / 2, std::size_t{1000}}) {
        const std::string path = write(sound.substr(0, size), "cut.fits.gz");
        expect_error("TRUNCATED", "cut.fits.gz", [&] { read_events(path); });
    }
    std::string flipped = sound;
    flipped[flipped.size() / 2] = static_cast<char>(flipped[flipped.size() / 2] ^ 0x10);
    const std::string path = write(flipped, "flipped.fits.gz");
    expect_error("TRUNCATED", "flipped.fits.gz", [&] { read_events(path); });
}

TEST_F(EventFiles, TruncatedPlainFileOfManyRows) {
    std::vector<double> times(2000);
    for (std::size_t i = 0; i < times.size(); ++i) times[i] = static_cast<double>(i);
    const std::string sound = FitsBuilder().table("EVENTS", {{"TIME", 'D', times}}, barycentred).bytes();
    expect_refused("TRUNCATED", sound.substr(0, sound.size() - 2880));
}

TEST_F(EventFiles, DamagedTimes) {
    const std::vector<double> start{0.0}, stop{100.0};
    expect_refused("NAN_TIMES", event_file({1.0, nan, 3.0}, start, stop));
    expect_refused("UNSORTED_TIMES", event_file({1.0, 3.0, 2.0}, start, stop));
    expect_refused("NO_EVENTS", event_file({}, start, stop));
    expect_refused("TOO_FEW_EVENTS", event_file({1.0}, start, stop));
    EXPECT_EQ(repaired(event_file({1.0, nan, 3.0}, start, stop)).size(), 2u);
    EXPECT_EQ(repaired(event_file({1.0, 3.0, 2.0}, start, stop)).size(), 3u);
}

TEST_F(EventFiles, DamagedIntervals) {
    const std::vector<double> times{1.0, 5.0, 9.0};
    expect_refused("GTI_OVERLAP", event_file(times, {0.0, 4.0}, {6.0, 10.0}));
    expect_refused("GTI_REVERSED", event_file(times, {10.0}, {0.0}));
    expect_refused("GTI_NOT_FINITE", event_file(times, {0.0, nan}, {6.0, 10.0}));
    expect_refused("GTI_EXCLUDES_ALL", event_file(times, {100.0}, {200.0}));
    EXPECT_DOUBLE_EQ(repaired(event_file(times, {0.0, 4.0}, {6.0, 10.0})).gti.exposure(), 10.0);
    EXPECT_DOUBLE_EQ(repaired(event_file(times, {10.0}, {0.0})).gti.exposure(), 10.0);
    const EventList part = repaired(event_file(times, {0.0, nan}, {6.0, 10.0}));
    EXPECT_EQ(part.size(), 2u);
    EXPECT_TRUE(part.exposure.flags & exposure_events_outside_gti);
}

TEST_F(EventFiles, NamesAreTakenLiterally) {
    const std::string sound = event_file({1.0, 2.0, 3.0}, {0.0}, {5.0});
    write(sound, "x.fits");
    for (const char* name : {"x.fits[1]", "x.fits[1][col TIME]", "x.fits+1", "x.fits[EVENTS][TIME>1]"})
        expect_error("NO_SUCH_FILE", name, [&] { read_events(folder_ / name); });
    for (const char* name : {"http://localhost/x.fits", "ftp://localhost/x.fits", "mem://x", "-", "stdin"})
        expect_error("NO_SUCH_FILE", name, [&] { read_events(name); });
    // And they work when there is such a file.
    for (const char* name : {"y.fits[1][col TIME]", "y.fits+1", "y(2).fits", "!y.fits"})
        EXPECT_EQ(read_events(write(sound, name)).size(), 3u) << name;
    expect_error("UNREADABLE", folder_.path(), [&] { read_events(folder_.path()); });
}

TEST_F(EventFiles, TileCompressedTablesAreRefused) {
    test::Cards cards = barycentred;
    cards.emplace_back("ZTABLE", "T");
    expect_refused("UNSUPPORTED", FitsBuilder().table("EVENTS", {{"TIME", 'D', {1.0, 2.0}}}, cards).bytes());
}

TEST_F(EventFiles, ImpossibleSizesAreNotAllocated) {
    std::string bytes = event_file({1.0, 2.0}, {0.0}, {5.0});
    const std::size_t at = bytes.find("NAXIS2  =") + 10;
    bytes.replace(at, 20, "       4000000000000");
    expect_refused("TRUNCATED", bytes);
}

TEST(FitsNames, PipelineProducts) {
    const PpsName pps = parse_pps_name("P0760940101PNS003SRSPEC007c.FTZ");
    EXPECT_EQ(pps.obs_id, "0760940101");
    EXPECT_EQ(pps.instrument, "PN");
    EXPECT_EQ(pps.exposure, "S003");
    EXPECT_EQ(pps.kind, FileKind::spectrum);
    EXPECT_EQ(pps.source_id(), "0760940101:007C");
    EXPECT_EQ(parse_pps_name("P0886090801M1S001SRCTSR8001.FTZ").source_id(), "0886090801:0001");
    EXPECT_EQ(parse_pps_name("P0886040401EPX000OBSMLI0000.FTZ").source_id(), "");
    EXPECT_FALSE(parse_pps_name("P0760940101PNS003SRSPEC00.FTZ").valid());
    EXPECT_FALSE(parse_pps_name("events.fits").valid());
    EXPECT_EQ(file_stem("a/b/nicer_1e2259.fits.gz"), "nicer_1e2259");
    EXPECT_EQ(file_stem("x.FTZ"), "x");
    EXPECT_TRUE(has_fits_name("a.fits.gz"));
    EXPECT_TRUE(has_fits_name("a.FTZ"));
    EXPECT_FALSE(has_fits_name("README.md"));
}

TEST(FitsNames, SummaryOfARealSpectrum) {
    const FileSummary summary = summarise_fits(test::data_path("xmm-pps/P0760940101PNS003SRSPEC0001.FTZ"));
    EXPECT_EQ(summary.kind, FileKind::spectrum);
    EXPECT_EQ(summary.response_file, "epn_e3_ef20_sdY9.rmf");
    EXPECT_EQ(summary.background_file, "P0760940101PNS003BGSPEC0001.FTZ");
    EXPECT_EQ(summary.arf_file, "P0760940101PNS003SRCARF0001.FTZ");
    EXPECT_NEAR(summary.ra, 359.768083856386, 1e-9);
    EXPECT_NEAR(summary.dec, -60.8852097, 1.0);
    const auto kind = [](const char* name) { return summarise_fits(test::data_path(name)).kind; };
    EXPECT_EQ(kind("xmm-pps/P0760940101PNS003BGSPEC0001.FTZ"), FileKind::background);
    EXPECT_EQ(kind("xmm-pps/P0760940101PNS003SRCARF0001.FTZ"), FileKind::arf);
    EXPECT_EQ(kind("responses/epn_e3_ef20_sdY6_v19.0.rmf.gz"), FileKind::rmf);
    EXPECT_EQ(kind("lightcurves/P0886090801M1S001SRCTSR8001.FTZ"), FileKind::light_curve);
    EXPECT_EQ(kind("events/nicer_1e2259.fits.gz"), FileKind::events);
}

}  // namespace
}  // namespace xsift::io
