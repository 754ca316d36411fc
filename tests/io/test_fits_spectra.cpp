// Spectra, responses, light curves, source lists: real files with their known numbers, then damaged ones.
#include "expect_error.hpp"
#include "fits_builder.hpp"
#include "test_files.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>

#include <gmock/gmock.h>

#include <xsift/io/light_curve_file.hpp>
#include <xsift/io/sky_object_file.hpp>
#include <xsift/io/source_list.hpp>
#include <xsift/io/spectrum_file.hpp>

namespace xsift::io {
namespace {

using test::Cards;
using test::expect_error;
using test::FitsBuilder;
using testing::ElementsAre;

class SpectrumFiles : public testing::Test {
  protected:
    std::string write(const std::string& bytes, const std::string& name = "file.fits") {
        test::write_file(folder_ / name, bytes);
        return folder_ / name;
    }
    void expect_spectrum_refused(const std::string& code, const std::string& bytes) {
        const std::string path = write(bytes, "spectrum.fits");
        expect_error(code, "spectrum.fits", [&] { read_spectrum(path); });
    }
    test::TemporaryFolder folder_;
};

double sum(const std::vector<double>& values) {
    return std::accumulate(values.begin(), values.end(), 0.0);
}

TEST_F(SpectrumFiles, PnResponse) {
    const ResponseFile file = read_response(test::data_path("responses/epn_e3_ef20_sdY6_v19.0.rmf.gz"));
    const Response& r = *file.response;
    EXPECT_TRUE(file.redistribution_only);
    EXPECT_EQ(r.n_energies(), 2067u);
    EXPECT_EQ(r.n_channels(), 4096u);
    EXPECT_EQ(r.value.size(), 922552u);
    EXPECT_EQ(std::count_if(r.value.begin(), r.value.end(), [](float v) { return v != 0.0f; }), 922552);
    EXPECT_EQ(r.first_channel, 0);
    EXPECT_EQ(r.row_group.size(), 2068u);
    EXPECT_EQ(r.row_group.back(), static_cast<std::int64_t>(r.group_first.size()));
    EXPECT_EQ(r.group_value.back() + r.group_count.back(), 922552);
    EXPECT_TRUE(r.hash.starts_with("xxh128:"));
    EXPECT_EQ(r.name, "epn_e3_ef20_sdY6_v19.0.rmf.gz");
    // A photon of 6.4 keV is most often counted near channel 6400 eV / 5 eV, with a probability below 1 in
    // all.
    const auto row = static_cast<std::size_t>(std::upper_bound(r.energy_hi.begin(), r.energy_hi.end(), 6.4) -
                                              r.energy_hi.begin());
    double total = 0.0, peak = 0.0;
    int peak_channel = -1;
    for (std::int64_t g = r.row_group[row]; g < r.row_group[row + 1]; ++g) {
        const auto k = static_cast<std::size_t>(g);
        for (int c = 0; c < r.group_count[k]; ++c) {
            const double value = r.value[static_cast<std::size_t>(r.group_value[k] + c)];
            total += value;
            if (value > peak) peak = value, peak_channel = r.group_first[k] + c;
        }
    }
    EXPECT_NEAR(peak_channel, 1280, 8);
    EXPECT_GT(total, 0.9);
    EXPECT_LT(total, 1.001);
}

TEST_F(SpectrumFiles, PnSpectrumAndItsCompanions) {
    const SpectrumFile file = read_spectrum(test::data_path("xmm-pps/P0760940101PNS003SRSPEC0001.FTZ"));
    EXPECT_EQ(file.counts.size(), 4096u);
    EXPECT_NEAR(file.exposure.livetime, 8.40052720023543e4, 1e-8);
    EXPECT_EQ(file.back_scale, 320380.0);
    EXPECT_EQ(file.area_scale, 1.0);
    EXPECT_EQ(file.first_channel, 0);
    EXPECT_EQ(file.response_file, "epn_e3_ef20_sdY9.rmf");
    EXPECT_EQ(file.quality.size(), 4096u);
    EXPECT_TRUE(
        std::all_of(file.grouping.begin(), file.grouping.end(), [](int g) { return g >= -1 && g <= 1; }));
    const SpectrumFile background = read_spectrum(test::data_path("xmm-pps/P0760940101PNS003BGSPEC0001.FTZ"));
    EXPECT_TRUE(background.quality.empty());
    EXPECT_TRUE(background.grouping.empty());
    const EffectiveArea arf = read_effective_area(test::data_path("xmm-pps/P0760940101PNS003SRCARF0001.FTZ"));
    const ResponseFile response = read_response(test::data_path("responses/epn_e3_ef20_sdY6_v19.0.rmf.gz"));
    const Spectrum spectrum = assemble_spectrum(file, {background}, arf, response, {true});
    EXPECT_EQ(spectrum.flags, spectrum_response_substituted);
    EXPECT_EQ(spectrum.effective_area, arf.area);
    EXPECT_EQ(spectrum.background_counts.size(), 4096u);
    // Channels that overlap 0.5 to 10 keV: 1906 bins with 5726 counts in the published fits of this spectrum.
    double counts = 0.0;
    int bins = 0;
    for (std::size_t c = 0; c < 4096; ++c) {
        if (response.response->channel_hi[c] <= 0.5 || response.response->channel_lo[c] >= 10.0) continue;
        counts += spectrum.counts[c];
        ++bins;
    }
    EXPECT_EQ(bins, 1906);
    EXPECT_EQ(counts, 5726.0);
    EXPECT_EQ(spectrum.total_counts(), sum(file.counts));
}

TEST_F(SpectrumFiles, DamagedSpectra) {
    const std::vector<double> counts{1, 2, 3, 4};
    expect_spectrum_refused("NEGATIVE_COUNTS", test::spectrum_file({1, -2, 3, 4}, 100.0));
    expect_spectrum_refused("ZERO_EXPOSURE", test::spectrum_file(counts, 0.0));
    expect_spectrum_refused("ZERO_EXPOSURE", test::spectrum_file(counts, -5.0));
    expect_spectrum_refused("BAD_SCALING", test::spectrum_file(counts, 100.0, {{"BACKSCAL", "0.0"}}));
    expect_spectrum_refused("UNSUPPORTED", test::spectrum_file(counts, 100.0, {{"HDUCLAS2", "'NET'"}}));
    expect_spectrum_refused("NO_SPECTRUM_EXTENSION", test::event_file({1.0, 2.0}, {}, {}));
    expect_spectrum_refused(
        "BAD_SCALING",
        FitsBuilder()
            .table("SPECTRUM",
                   {{"CHANNEL", 'I', {0, 1}}, {"COUNTS", 'J', {1, 1}}, {"BACKSCAL", 'E', {1, -2}}},
                   {{"EXPOSURE", "10.0"}})
            .bytes());
    expect_spectrum_refused(
        "NON_INTEGER_COUNTS",
        FitsBuilder()
            .table("SPECTRUM", {{"CHANNEL", 'I', {0, 1}}, {"COUNTS", 'E', {1, 2.5}}}, {{"EXPOSURE", "10.0"}})
            .bytes());
    expect_spectrum_refused("NON_INTEGER_COUNTS",
                            FitsBuilder()
                                .table("SPECTRUM", {{"CHANNEL", 'I', {0, 1}}, {"RATE", 'E', {0.1, 0.15}}},
                                       {{"EXPOSURE", "10.0"}, {"POISSERR", "T"}})
                                .bytes());
    expect_spectrum_refused("UNSUPPORTED",
                            FitsBuilder()
                                .table("SPECTRUM", {{"CHANNEL", 'I', {0, 1}}, {"RATE", 'E', {1, 1}}},
                                       {{"EXPOSURE", "10.0"}, {"POISSERR", "F"}})
                                .bytes());
    expect_spectrum_refused(
        "CHANNEL_MISMATCH",
        FitsBuilder()
            .table("SPECTRUM", {{"CHANNEL", 'I', {3, 3}}, {"COUNTS", 'J', {1, 1}}}, {{"EXPOSURE", "10.0"}})
            .bytes());
}

TEST_F(SpectrumFiles, RatesAreTurnedIntoCounts) {
    const std::string path =
        write(FitsBuilder()
                  .table("SPECTRUM", {{"CHANNEL", 'I', {1, 2, 3}}, {"RATE", 'E', {0.01, 0.07, 12.34}}},
                         {{"EXPOSURE", "100.0"}, {"POISSERR", "T"}, {"QUALITY", "0"}})
                  .bytes());
    EXPECT_THAT(read_spectrum(path).counts, ElementsAre(1.0, 7.0, 1234.0));
}

TEST_F(SpectrumFiles, ChannelsLeftOutAreBad) {
    const std::string path = write(FitsBuilder()
                                       .table("SPECTRUM", {{"CHANNEL", 'I', {1, 3}}, {"COUNTS", 'J', {5, 6}}},
                                              {{"EXPOSURE", "100.0"}, {"DETCHANS", "4"}, {"TLMIN1", "0"}})
                                       .bytes());
    const ResponseFile response = read_response(write(test::response_file(4), "rsp.fits"));
    const Spectrum spectrum = assemble_spectrum(read_spectrum(path), {}, {}, response);
    EXPECT_THAT(spectrum.counts, ElementsAre(0.0, 5.0, 0.0, 6.0));
    EXPECT_THAT(spectrum.quality, ElementsAre(1, 0, 1, 0));
    EXPECT_EQ(spectrum.flags, spectrum_no_background | spectrum_no_arf);
    EXPECT_TRUE(spectrum.effective_area.empty());
}

TEST_F(SpectrumFiles, ResponseMustFit) {
    const SpectrumFile spectrum =
        read_spectrum(write(test::spectrum_file({1, 2, 3, 4}, 10.0, {{"BACKSCAL", "1.0"}})));
    const ResponseFile other = read_response(write(test::response_file(5), "rsp.fits"));
    expect_error("CHANNEL_MISMATCH", "file.fits", [&] { assemble_spectrum(spectrum, {}, {}, other); });
    const ResponseFile bare =
        read_response(write(test::response_file(4, {{"HDUCLAS3", "'REDIST'"}}), "rmf.fits"));
    expect_error("NO_ARF", "file.fits", [&] { assemble_spectrum(spectrum, {}, {}, bare); });
    const SpectrumFile background = read_spectrum(write(test::spectrum_file({1, 2, 3}, 10.0), "back.fits"));
    const ResponseFile fits = read_response(write(test::response_file(4), "rsp.fits"));
    expect_error("CHANNEL_MISMATCH", "back.fits",
                 [&] { assemble_spectrum(spectrum, {background}, {}, fits); });
}

TEST_F(SpectrumFiles, DamagedResponses) {
    const auto refused = [&](const std::string& bytes) {
        const std::string path = write(bytes, "bad.rmf");
        expect_error("BAD_RESPONSE", "bad.rmf", [&] { read_response(path); });
    };
    refused(FitsBuilder().bytes());
    refused(test::event_file({1.0, 2.0}, {}, {}));
    std::string wrong = test::response_file(4);
    const std::size_t first = wrong.find("TLMIN4  =") + 29;
    ASSERT_EQ(wrong[first], '0');
    wrong[first] = '2';  // then the first groups lie below the first channel
    refused(wrong);
    wrong = test::response_file(4);
    wrong.replace(wrong.find("N_CHAN"), 6, "NOCHAN");
    refused(wrong);
}

/// How a mission writes its spectra and responses (OGIP/92-007, CAL/GEN/92-002 and 92-002a).
struct Convention {
    const char* mission;
    bool variable;        ///< rows of the matrix on the heap
    double first;         ///< number of the first channel
    const char* matrix;   ///< EXTNAME
    const char* class3;   ///< HDUCLAS3
    const char* tlmin;    ///< of F_CHAN; empty: left out, EBOUNDS tells
    bool several_groups;  ///< a row of two groups, else all rows have one
    bool arf;             ///< a separate effective area
};

TEST_F(SpectrumFiles, ConventionsOfMissionsMeanTheSame) {
    const Convention conventions[] = {
        {"XMM", true, 0, "MATRIX", "REDIST", "0", true, true},
        {"CHANDRA", true, 1, "MATRIX", "REDIST", "1", true, true},
        {"NICER", true, 0, "MATRIX", "REDIST", "0", false, true},
        {"NuSTAR", false, 0, "MATRIX", "REDIST", "0", false, true},
        {"SWIFT", true, 0, "MATRIX", "REDIST", "0", true, true},
        {"eROSITA", false, 1, "SPECRESP MATRIX", "REDIST", "1", true, true},
        {"RSP", false, 1, "SPECRESP MATRIX", "FULL", "", true, false},
    };
    // energies x channels; the second row has a hole when groups may be several
    const std::vector<double> area{10, 20, 40};
    for (const Convention& c : conventions) {
        SCOPED_TRACE(c.mission);
        std::vector<std::vector<double>> first{{c.first}, {c.first, c.first + 2}, {c.first + 1}};
        std::vector<std::vector<double>> count{{2}, {1, 1}, {3}};
        std::vector<std::vector<double>> value{{0.5, 0.25}, {0.125, 0.5}, {0.125, 0.25, 0.5}};
        std::vector<double> groups{1, 2, 1};
        if (!c.several_groups) {
            first[1] = {c.first}, count[1] = {3}, groups[1] = 1;
            value[1] = {0.125, 0.0, 0.5};
        }
        if (!c.arf)
            for (std::size_t i = 0; i < 3; ++i)
                for (double& v : value[i]) v *= area[i];
        const std::vector<double> lo{1, 2, 3}, hi{2, 3, 4};
        const std::vector<double> channel{c.first, c.first + 1, c.first + 2, c.first + 3};
        Cards cards{{"HDUCLAS1", "'RESPONSE'"},
                    {"HDUCLAS2", "'RSP_MATRIX'"},
                    {"HDUCLAS3", std::string("'") + c.class3 + "'"},
                    {"LO_THRES", "0.2"}};  // a record: what is below stays
        if (*c.tlmin != 0) cards.emplace_back("TLMIN4", c.tlmin);
        const auto cells = [&](const char* name, char form, const std::vector<std::vector<double>>& rows) {
            return test::FitsColumn{name, form, {}, "", rows, c.variable};
        };
        const auto response =
            read_response(write(FitsBuilder()
                                    .table("EBOUNDS", {{"CHANNEL", 'I', channel},
                                                       {"E_MIN", 'E', {0.5, 1.5, 2.5, 3.5}},
                                                       {"E_MAX", 'E', {1.5, 2.5, 3.5, 4.5}}})
                                    .table(c.matrix,
                                           {{"ENERG_LO", 'E', lo},
                                            {"ENERG_HI", 'E', hi},
                                            {"N_GRP", 'I', groups},
                                            cells("F_CHAN", 'I', first),
                                            cells("N_CHAN", 'I', count),
                                            cells("MATRIX", 'E', value)},
                                           cards)
                                    .bytes(),
                                "matrix.fits"));
        EXPECT_EQ(response.redistribution_only, c.arf);
        const std::string number = std::to_string(static_cast<int>(c.first));
        const auto file = read_spectrum(
            write(FitsBuilder()
                      .table("SPECTRUM", {{"CHANNEL", 'I', channel}, {"COUNTS", 'J', {1, 2, 3, 4}}},
                             {{"EXPOSURE", "10.0"},
                              {"BACKSCAL", "2.0"},
                              {"DETCHANS", "4"},
                              {"TLMIN1", number},
                              {"TELESCOP", std::string("'") + c.mission + "'"}})
                      .bytes()));
        std::optional<EffectiveArea> arf;
        if (c.arf) arf = EffectiveArea{"a.arf", lo, hi, area};
        const Spectrum s = assemble_spectrum(file, {}, arf, response);
        EXPECT_THAT(s.counts, ElementsAre(1, 2, 3, 4));
        // area times redistribution by energy and channel index, whatever the convention
        std::vector<std::vector<double>> dense(3, std::vector<double>(4, 0.0));
        const Response& r = *s.response;
        ASSERT_EQ(r.n_energies(), 3u);
        for (std::size_t i = 0; i < 3; ++i)
            for (std::int64_t g = r.row_group[i]; g < r.row_group[i + 1]; ++g)
                for (int j = 0; j < r.group_count[g]; ++j)
                    dense[i][r.group_first[g] + j] = static_cast<double>(r.value[r.group_value[g] + j]) *
                                                     (c.arf ? s.effective_area[i] : 1.0);
        EXPECT_THAT(dense[0], ElementsAre(5, 2.5, 0, 0));
        EXPECT_THAT(dense[1], ElementsAre(2.5, 0, 10, 0));
        EXPECT_THAT(dense[2], ElementsAre(0, 5, 10, 20));
    }
}

TEST_F(SpectrumFiles, OverlappingGroupsAreRefused) {
    const auto file = [&](std::vector<std::vector<double>> first, std::vector<std::vector<double>> count) {
        return write(
            FitsBuilder()
                .table("EBOUNDS",
                       {{"CHANNEL", 'I', {0, 1, 2}}, {"E_MIN", 'E', {1, 2, 3}}, {"E_MAX", 'E', {2, 3, 4}}})
                .table("MATRIX",
                       {{"ENERG_LO", 'E', {1}},
                        {"ENERG_HI", 'E', {2}},
                        {"N_GRP", 'I', {2}},
                        {"F_CHAN", 'I', {}, "", std::move(first)},
                        {"N_CHAN", 'I', {}, "", std::move(count)},
                        {"MATRIX", 'E', {}, "", {{1, 1, 1}}}},
                       {{"TLMIN4", "0"}})
                .bytes(),
            "groups.rmf");
    };
    expect_error("OVERLAPPING_GROUPS", "groups.rmf", [&] { read_response(file({{0, 1}}, {{2, 1}})); });
    expect_error("OVERLAPPING_GROUPS", "groups.rmf", [&] { read_response(file({{1, 0}}, {{1, 2}})); });
    EXPECT_EQ(read_response(file({{2, 0}}, {{1, 2}})).response->group_first.size(),
              2u);  // adjacent, unordered
}

/// A spectrum of three channels with a column beside its counts.
std::string with_column(const std::vector<double>& counts, const test::FitsColumn& column,
                        const Cards& cards) {
    Cards all{{"EXPOSURE", "10.0"}, {"DETCHANS", "3"}, {"TLMIN1", "0"}};
    all.insert(all.end(), cards.begin(), cards.end());
    return FitsBuilder()
        .table("SPECTRUM", {{"CHANNEL", 'I', {0, 1, 2}}, {"COUNTS", 'J', counts}, column}, all)
        .bytes();
}

TEST_F(SpectrumFiles, ScalingsMayDifferFromChannelToChannel) {
    const ResponseFile response = read_response(write(test::response_file(3), "rsp.fits"));
    const auto source = read_spectrum(
        write(with_column({1, 2, 3}, {"BACKSCAL", 'E', {2, 4, 0}}, {{"AREASCAL", "0.5"}}), "s.pha"));
    const auto background = read_spectrum(
        write(with_column({4, 5, 6}, {"AREASCAL", 'E', {1, 0.5, 1}}, {{"BACKSCAL", "8.0"}}), "b.pha"));
    const Spectrum s = assemble_spectrum(source, {background}, {}, response);
    EXPECT_THAT(s.area_scales, ElementsAre(0.5, 0.5, 0.5));
    EXPECT_THAT(s.background_scales, ElementsAre(4.0, 1.0, 0.0));  // 0: the channel was not exposed
    // columns that do not vary are scalars
    const auto flat = read_spectrum(write(with_column({1, 2, 3}, {"BACKSCAL", 'E', {4, 4, 4}}, {}), "f.pha"));
    EXPECT_EQ(flat.back_scale, 4.0);
    EXPECT_TRUE(flat.back_scales.empty());
    EXPECT_TRUE(flat.has_back_scale);
    EXPECT_TRUE(assemble_spectrum(flat, {}, {}, response).area_scales.empty());
}

TEST_F(SpectrumFiles, SeveralBackgroundsAreOne) {
    const ResponseFile response = read_response(write(test::response_file(4), "rsp.fits"));
    const Cards source_cards{{"BACKSCAL", "2.0"}, {"BACKFILE", "'one.pha, two.pha'"}};
    const auto source = read_spectrum(write(test::spectrum_file({1, 2, 3, 4}, 10.0, source_cards), "s.pha"));
    EXPECT_THAT(background_names(source.background_file), ElementsAre("one.pha", "two.pha"));
    const auto one =
        read_spectrum(write(test::spectrum_file({1, 0, 2, 0}, 10.0, {{"BACKSCAL", "4.0"}}), "one.pha"));
    const auto two =
        read_spectrum(write(test::spectrum_file({0, 3, 0, 5}, 30.0, {{"BACKSCAL", "8.0"}}), "two.pha"));
    const Spectrum s = assemble_spectrum(source, {one, two}, {}, response);
    EXPECT_THAT(s.background_counts, ElementsAre(1, 3, 2, 5));
    EXPECT_EQ(s.background_file, "one.pha,two.pha");
    // seconds times area: 10 x 4 + 30 x 8
    EXPECT_DOUBLE_EQ(s.background_exposure * s.background_area_scale * s.background_back_scale, 280.0);
    EXPECT_TRUE(s.area_scales.empty());

    // Chandra's gratings: two backgrounds as columns of the spectrum itself
    const auto grating = read_spectrum(write(FitsBuilder()
                                                 .table("SPECTRUM",
                                                        {{"CHANNEL", 'I', {0, 1, 2, 3}},
                                                         {"COUNTS", 'J', {5, 6, 7, 8}},
                                                         {"BACKGROUND_UP", 'J', {1, 1, 0, 0}},
                                                         {"BACKGROUND_DOWN", 'J', {0, 2, 0, 2}}},
                                                        {{"EXPOSURE", "10.0"},
                                                         {"DETCHANS", "4"},
                                                         {"TLMIN1", "0"},
                                                         {"BACKSCAL", "1.0"},
                                                         {"BACKSCUP", "4.0"},
                                                         {"BACKSCDN", "5.0"}})
                                                 .bytes(),
                                             "grating.pha"));
    ASSERT_EQ(grating.own_backgrounds.size(), 2u);
    const Spectrum g = assemble_spectrum(grating, grating.own_backgrounds, {}, response);
    EXPECT_THAT(g.background_counts, ElementsAre(1, 3, 0, 2));
    EXPECT_DOUBLE_EQ(g.background_exposure * g.background_back_scale, 90.0);
}

TEST_F(SpectrumFiles, BackgroundNeedsItsScale) {
    const ResponseFile response = read_response(write(test::response_file(4), "rsp.fits"));
    const auto bare = read_spectrum(write(test::spectrum_file({1, 2, 3, 4}, 10.0), "bare.pha"));
    const auto scaled =
        read_spectrum(write(test::spectrum_file({1, 2, 3, 4}, 10.0, {{"BACKSCAL", "4.0"}}), "scaled.pha"));
    expect_error("NO_BACKSCAL", "bare.pha", [&] { assemble_spectrum(bare, {scaled}, {}, response); });
    expect_error("NO_BACKSCAL", "bare.pha", [&] { assemble_spectrum(scaled, {bare}, {}, response); });
    EXPECT_EQ(assemble_spectrum(bare, {}, {}, response).back_scale, 1.0);  // nothing to scale
}

TEST_F(SpectrumFiles, AreaOnOtherEnergiesIsMendedOnRequestOnly) {
    const auto source = read_spectrum(write(test::spectrum_file({1, 2, 3, 4}, 10.0)));
    const ResponseFile response = read_response(write(test::response_file(4), "rsp.fits"));
    const EffectiveArea other{"other.arf", {0.1, 0.3}, {0.3, 0.5}, {10, 20}};
    expect_error("ARF_MISMATCH", "other.arf", [&] { assemble_spectrum(source, {}, other, response); });
    const Spectrum s = assemble_spectrum(source, {}, other, response, {.interpolate_area = true});
    EXPECT_TRUE(s.flags & spectrum_arf_interpolated);
    EXPECT_NEAR(s.effective_area[1], 12.5, 1e-6);
}

TEST_F(SpectrumFiles, EqualResponsesHaveEqualHashes) {
    const auto hash = [&](std::size_t n, const std::string& name) {
        return read_response(write(test::response_file(n), name)).response->hash;
    };
    EXPECT_EQ(hash(4, "a.rmf"), hash(4, "b.rmf"));
    EXPECT_NE(hash(4, "a.rmf"), hash(5, "a.rmf"));
}

TEST_F(SpectrumFiles, EffectiveAreaOnAnotherGrid) {
    Response response;
    response.energy_lo = {1.0, 2.0, 3.0};
    response.energy_hi = {2.0, 3.0, 4.0};
    bool interpolated = true;
    EXPECT_THAT(
        area_on_response({"a", {1.00005, 2.0, 3.0}, {2.0, 3.0, 4.0}, {7, 8, 9}}, response, interpolated),
        ElementsAre(7, 8, 9));
    EXPECT_FALSE(interpolated);
    // A line in energy is met exactly between the centres of the first and the last bin.
    const EffectiveArea fine{"a",
                             {0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5},
                             {1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0},
                             {7.5, 12.5, 17.5, 22.5, 27.5, 32.5, 37.5}};
    const auto area = area_on_response(fine, response, interpolated);
    EXPECT_TRUE(interpolated);
    for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(area[i], 15.0 + 10.0 * static_cast<double>(i), 1e-12);
    expect_error("ARF_MISMATCH", "a", [&] {
        area_on_response({"a", {1.0}, {2.0}, {7}}, response, interpolated);
    });
}

TEST_F(SpectrumFiles, PpsLightCurve) {
    const LightCurve curve = read_light_curve(test::data_path("lightcurves/P0886090801M1S001SRCTSR8001.FTZ"));
    EXPECT_DOUBLE_EQ(curve.bin_width, 20.0);
    EXPECT_FALSE(curve.exposure.barycentred());
    EXPECT_EQ(curve.exposure.instrument, "EMOS1");
    EXPECT_GT(curve.size(), 500u);
    EXPECT_LE(curve.size(), 1082u);
    EXPECT_EQ(curve.fractional_exposure.size(), curve.size());
    EXPECT_TRUE(std::is_sorted(curve.time.begin(), curve.time.end()));
    EXPECT_TRUE(std::all_of(curve.rate.begin(), curve.rate.end(), [](double r) { return std::isfinite(r); }));
    EXPECT_LT(std::abs(curve.time.front() + curve.time.back()), 20.0);
}

TEST_F(SpectrumFiles, LightCurveRules) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const auto file = [&](std::vector<double> time, std::vector<double> rate, std::vector<double> error,
                          Cards cards) {
        return write(FitsBuilder()
                         .table("RATE",
                                {{"TIME", 'D', std::move(time)},
                                 {"RATE", 'E', std::move(rate)},
                                 {"ERROR", 'E', std::move(error)}},
                                cards)
                         .bytes());
    };
    const LightCurve curve = read_light_curve(file({100, 110, 120, 130}, {1, nan, 2, 3}, {0.5, 0.5, 0, 0.5},
                                                   {{"TIMEPIXR", "0.0"}, {"TIMEDEL", "10.0"}}));
    ASSERT_EQ(curve.size(), 3u);  // the rate that is no number is gone, the zero error stays
    EXPECT_DOUBLE_EQ(curve.exposure.time_zero + curve.time[0], 105.0);
    EXPECT_EQ(curve.error[1], 0.0);
    EXPECT_TRUE(curve.fractional_exposure.empty());
    EXPECT_DOUBLE_EQ(read_light_curve(file({0, 5, 20}, {1, 1, 1}, {1, 1, 1}, {})).bin_width, 5.0);
    const auto refused = [&](const std::string& code, std::vector<double> time) {
        const std::size_t n = time.size();
        const std::string path =
            file(std::move(time), std::vector<double>(n, 1.0), std::vector<double>(n, 1.0), {});
        expect_error(code, "file.fits", [&] { read_light_curve(path); });
    };
    refused("NAN_TIMES", {1, nan, 3});
    refused("UNSORTED_TIMES", {1, 3, 2});
    refused("TOO_FEW_BINS", {1});
    expect_error("NO_LIGHT_CURVE_EXTENSION", "file.fits",
                 [&] { read_light_curve(write(FitsBuilder().bytes())); });
    EXPECT_TRUE(read_light_curve(file({1, 3, 2}, {1, 1, 1}, {1, 1, 1}, {}), true).exposure.flags &
                exposure_repaired);
}

TEST_F(SpectrumFiles, CsvSourceList) {
    const std::string path = write(
        "# a comment\n"
        "SRCID,Name,RAJ2000,DEJ2000,PosErr,counts,flux,note\r\n"
        "0760940101:0001, \"Star, bright\" ,359.5,-60.5,1.5,12,1e-14,\"say \"\"hi\"\"\"\n"
        "\n"
        "007,,10.25,+5,,13,,\n",
        "list.csv");
    const SourceList list = read_source_list(path);
    ASSERT_EQ(list.sources.size(), 2u);
    EXPECT_EQ(list.sources[0].id, "0760940101:0001");
    EXPECT_EQ(list.sources[0].name, "Star, bright");
    EXPECT_EQ(list.sources[0].ra, 359.5);
    EXPECT_EQ(list.sources[0].dec, -60.5);
    EXPECT_EQ(list.sources[0].position_error, 1.5);
    EXPECT_EQ(list.sources[1].id, "007");  // as written
    EXPECT_TRUE(std::isnan(list.sources[1].position_error));
    ASSERT_EQ(list.extra_columns.size(), 3u);
    EXPECT_EQ(list.extra_columns[0].type, ExtraColumn::Type::integer);
    EXPECT_EQ(list.extra_columns[1].type, ExtraColumn::Type::real);
    EXPECT_EQ(list.extra_columns[2].type, ExtraColumn::Type::text);
    EXPECT_EQ(list.sources[1].extra[0].integer, 13);
    EXPECT_EQ(list.sources[0].extra[1].real, 1e-14);
    EXPECT_TRUE(list.sources[1].extra[1].null);
    EXPECT_EQ(list.sources[0].extra[2].text, "say \"hi\"");
}

TEST_F(SpectrumFiles, FitsSourceList) {
    const std::string path = write(
        FitsBuilder()
            .table("LIST", {{"SRC_NUM", 'J', {12, 13}},
                            {"RA", 'D', {1.5, 2.5}, "deg"},
                            {"DEC", 'D', {-1, 1}},
                            {"FLUX", 'E', {1.0, std::numeric_limits<double>::quiet_NaN()}, "erg/cm**2/s"}})
            .bytes());
    const SourceList list = read_source_list(path);
    ASSERT_EQ(list.sources.size(), 2u);
    EXPECT_EQ(list.sources[1].id, "13");
    EXPECT_EQ(list.sources[1].ra, 2.5);
    ASSERT_EQ(list.extra_columns.size(), 1u);
    EXPECT_EQ(list.extra_columns[0].unit, "erg/cm**2/s");
    EXPECT_FALSE(list.sources[0].extra[0].null);
    EXPECT_TRUE(list.sources[1].extra[0].null);
}

TEST_F(SpectrumFiles, WidthsOfTextThatAHeaderClaims) {
    // cfitsio fills whatever TDISP claims: two gigabytes here.
    for (const char* claim : {"'A2000000000'", "'I2000000000'"}) {
        const std::string path =
            write(test::FitsBuilder()
                      .table("SOURCES", {{"ID", 'J', {1, 2}}, {"RA", 'D', {1, 2}}, {"DEC", 'D', {3, 4}}},
                             {{"TDISP1", claim}})
                      .bytes(),
                  "wide.fits");
        expect_error("BAD_TABLE", "wide.fits: TDISP1",
                     [&] { read_sky_objects(path, {}, 10, [](const SkyObjects&) {}); });
    }
}

TEST_F(SpectrumFiles, BadSourceLists) {
    const auto refused = [&](const std::string& code, const std::string& text) {
        const std::string path = write(text, "list.csv");
        expect_error(code, "list.csv", [&] { read_source_list(path); });
    };
    refused("BAD_SOURCE_LIST", "name,ra,dec\na,1,2\n");
    refused("BAD_SOURCE_LIST", "id,ra,dec\na,1,2\na,3,4\n");
    refused("BAD_SOURCE_LIST", "id,ra,dec\na,400,2\n");
    refused("BAD_SOURCE_LIST", "id,ra,dec\n,4,2\n");
    refused("BAD_CSV", "id,ra,dec\na,1\n");
    refused("BAD_CSV", "id,name\na,\"open\n");
    expect_error("BAD_CSV", "absent.csv", [&] { read_source_list(folder_ / "absent.csv"); });
}

}  // namespace
}  // namespace xsift::io
