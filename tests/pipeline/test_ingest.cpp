// Ingest from files to a survey: real files, association, order, and every kind of bad input beside a good
// neighbour.
#include "expect_error.hpp"
#include "fits_builder.hpp"
#include "test_files.hpp"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <numeric>
#include <set>

#include <gmock/gmock.h>

#include <xsift/core/error.hpp>
#include <xsift/io/survey.hpp>
#include <xsift/pipeline/ingest.hpp>

namespace xsift::pipeline {
namespace {

namespace fs = std::filesystem;
using test::data_path;
using test::expect_error;
using testing::ElementsAre;
using testing::HasSubstr;

const std::string pn_rule = "epn_e3_ef20_sd*.rmf=epn_e3_ef20_sdY6_v19.0.rmf";

class Ingest : public testing::Test {
  protected:
    Ingest() {
        options_.output = folder_ / "survey.h5";
        fs::create_directory(folder_ / "in");
    }
    /// Writes an input file.
    std::string write(const std::string& name, const std::string& bytes) {
        const std::string path = folder_ / ("in/" + name);
        fs::create_directories(fs::path(path).parent_path());
        test::write_file(path, bytes);
        return path;
    }
    IngestSummary ingest_folder() {
        options_.inputs = {folder_ / "in"};
        return ingest(options_);
    }
    std::vector<SourceData> sources() {
        io::SurveyReader reader(options_.output);
        return reader.read(0, reader.size());
    }
    /// Source ids, in the order of the survey.
    std::vector<std::string> ids() {
        std::vector<std::string> names;
        for (const SourceData& data : sources()) names.push_back(data.source.id);
        return names;
    }
    std::vector<QuarantineRow> quarantine() { return io::SurveyReader(options_.output).quarantine(); }
    /// The kind under which each input was recorded.
    std::map<std::string, std::string> kinds() {
        std::map<std::string, std::string> result;
        for (const auto& input : io::SurveyReader(options_.output).inputs()) {
            EXPECT_TRUE(result.emplace(input.file, input.kind).second) << input.file << " is recorded twice";
            EXPECT_TRUE(input.bytes == 0 || input.checksum.starts_with("xxh128:")) << input.file;
        }
        return result;
    }
    void use_real_files() {
        options_.inputs = {data_path("xmm-pps"), data_path("events/nicer_1e2259.fits.gz"),
                           data_path("events/xmm_pn_rxj0146.fits.gz"),
                           data_path("lightcurves/P0886090801M1S001SRCTSR8001.FTZ"),
                           data_path("lightcurves/P0916811501M1S001SRCTSR8001.FTZ")};
        options_.response_path = {data_path("responses")};
        options_.response_substitute = {pn_rule};
    }

    test::TemporaryFolder folder_;
    IngestOptions options_;
    const std::string good_ = test::event_file({1.0, 2.0, 3.0}, {0.0}, {5.0});
};

TEST_F(Ingest, RealFiles) {
    use_real_files();
    const IngestSummary summary = ingest(options_);
    EXPECT_EQ(summary.event_lists, 2);
    EXPECT_EQ(summary.light_curves, 2);
    EXPECT_EQ(summary.spectra, 6);
    EXPECT_EQ(summary.responses, 1);
    EXPECT_EQ(summary.inputs, 24 + 2 + 2 + 1);
    EXPECT_EQ(summary.quarantined, (std::map<std::string, std::int64_t>{{"NO_RESPONSE", 2}}));
    EXPECT_THAT(ids(), ElementsAre("0760940101:0001", "0760940101:0007", "0760940101:000E", "0760940101:0069",
                                   "0760940101:0079", "0760940101:0088", "0886090801:0001", "0916811501:0001",
                                   "nicer_1e2259", "xmm_pn_rxj0146"));
    const std::vector<SourceData> all = sources();
    EXPECT_EQ(all[9].events.at(0).size(), 33712u);
    EXPECT_EQ(all[9].events[0].gti.size(), 15u);
    EXPECT_EQ(all[9].source.name, "NGC 663");
    EXPECT_EQ(all[8].events.at(0).size(), 89465u);
    EXPECT_EQ(all[8].source.name, "1E_2259+586");
    EXPECT_NEAR(all[8].source.ra, 345.284562, 1e-9);
    const Spectrum& spectrum = all[0].spectra.at(0);
    EXPECT_EQ(spectrum.exposure.file, "P0760940101PNS003SRSPEC0001.FTZ");
    EXPECT_EQ(spectrum.response_wanted, "epn_e3_ef20_sdY9.rmf");
    EXPECT_EQ(spectrum.response->name, "epn_e3_ef20_sdY6_v19.0.rmf.gz");
    EXPECT_EQ(spectrum.response->value.size(), 922552u);
    EXPECT_TRUE(spectrum.flags & spectrum_response_substituted);
    EXPECT_TRUE(spectrum.has_background());
    EXPECT_NEAR(all[0].source.ra, 359.768083856386, 1e-9);
    EXPECT_EQ(all[0].source.name, "");  // OBJECT is the target of the field, not this source

    const auto rows = quarantine();
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_EQ(rows[0].input, "P0760940101M1S001SRSPEC0001.FTZ");
    EXPECT_EQ(rows[0].source_id, "0760940101:0001");
    EXPECT_EQ(rows[0].stage, "ingest");
    EXPECT_EQ(rows[0].code, "NO_RESPONSE");
    EXPECT_THAT(rows[0].message, HasSubstr("no response m1_e13_im_pall_o.rmf"));
    EXPECT_THAT(rows[0].message, HasSubstr("--response-path"));
    EXPECT_EQ(kinds().at("epn_e3_ef20_sdY6_v19.0.rmf.gz"), "rmf");
    EXPECT_EQ(kinds().at("P0760940101PNS003BGSPEC0001.FTZ"), "background");
    const auto provenance = io::SurveyReader(options_.output).provenance();
    EXPECT_THAT(provenance.at("ingest.responses_substituted"),
                HasSubstr("epn_e3_ef20_sdY9.rmf -> epn_e3_ef20_sdY6_v19.0.rmf.gz"));
}

TEST_F(Ingest, BytesDependOnTheInputsAlone) {
    use_real_files();
    options_.inputs = {data_path("xmm-pps")};
    options_.threads = 1;
    ingest(options_);
    const std::string first = test::read_file(options_.output);
    ASSERT_FALSE(first.empty());
    // The files one by one, backwards, some twice, partly from a list, with other threads.
    std::vector<std::string> files;
    for (const std::string& folder : options_.inputs)
        for (const auto& entry : fs::directory_iterator(folder)) files.push_back(entry.path().string());
    std::sort(files.rbegin(), files.rend());
    std::string list;
    for (std::size_t i = 0; i < files.size(); i += 2) list += files[i] + "\n";
    test::write_file(folder_ / "list", list);
    options_.inputs = files;
    options_.inputs.push_back("@" + (folder_ / "list"));
    options_.inputs.push_back(data_path("events/../xmm-pps"));
    options_.output = folder_ / "second.h5";
    options_.threads = 4;
    ingest(options_);
    EXPECT_TRUE(test::read_file(options_.output) == first);
}

/// A response of four channels whose first energy bin ends at first_hi (keV; it starts at 0.1).
std::string four_channel_response(const std::vector<std::vector<double>>& first,
                                  const std::vector<std::vector<double>>& count, double first_hi) {
    std::vector<double> groups;
    std::vector<std::vector<double>> values;
    for (const auto& row : count) {
        groups.push_back(static_cast<double>(row.size()));
        values.emplace_back(static_cast<std::size_t>(std::accumulate(row.begin(), row.end(), 0.0)), 0.25);
    }
    const std::vector<double> lo{0.1, 0.2, 0.3, 0.4}, hi{first_hi, 0.3, 0.4, 0.5};
    return test::FitsBuilder()
        .table("MATRIX",
               {{"ENERG_LO", 'E', lo},
                {"ENERG_HI", 'E', hi},
                {"N_GRP", 'I', groups},
                {"F_CHAN", 'I', {}, "", first, true},
                {"N_CHAN", 'I', {}, "", count, true},
                {"MATRIX", 'E', {}, "", values, true}},
               {{"HDUCLAS1", "'RESPONSE'"}, {"HDUCLAS2", "'RSP_MATRIX'"}, {"TLMIN4", "0"}})
        .table("EBOUNDS",
               {{"CHANNEL", 'I', {0, 1, 2, 3}}, {"E_MIN", 'E', lo}, {"E_MAX", 'E', {0.2, 0.3, 0.4, 0.5}}})
        .bytes();
}

TEST_F(Ingest, EveryInputEndsOnce) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    write("good.fits", good_);
    const std::map<std::string, std::pair<std::string, std::string>> bad{
        {"empty.fits", {"EMPTY_FILE", ""}},
        {"text.fits", {"NOT_FITS", "not a FITS file\n"}},
        {"cut.fits", {"TRUNCATED", good_.substr(0, good_.size() - 2880)}},
        {"plain.fits", {"NO_EVENTS_EXTENSION", test::FitsBuilder().bytes()}},
        {"nan.fits", {"NAN_TIMES", test::event_file({1, nan, 3}, {0}, {5})}},
        {"unsorted.fits", {"UNSORTED_TIMES", test::event_file({1, 3, 2}, {0}, {5})}},
        {"none.fits", {"NO_EVENTS", test::event_file({}, {0}, {5})}},
        {"one.fits", {"TOO_FEW_EVENTS", test::event_file({1}, {0}, {5})}},
        {"overlap.fits", {"GTI_OVERLAP", test::event_file({1, 2}, {0, 2}, {3, 5})}},
        {"reversed.fits", {"GTI_REVERSED", test::event_file({1, 2}, {5}, {0})}},
        {"excluded.fits", {"GTI_EXCLUDES_ALL", test::event_file({1, 2}, {50}, {60})}},
        {"negative.pha", {"NEGATIVE_COUNTS", test::spectrum_file({1, -1}, 10)}},
        {"unexposed.pha", {"ZERO_EXPOSURE", test::spectrum_file({1, 1}, 0)}},
        {"channels.pha",
         {"CHANNEL_MISMATCH", test::spectrum_file({1, 1, 1}, 10, {{"RESPFILE", "'four.rmf'"}})}},
        {"alone.pha",
         {"NO_BACKGROUND",
          test::spectrum_file({1, 1, 1, 1}, 10, {{"RESPFILE", "'four.rmf'"}, {"BACKFILE", "'gone.pha'"}})}},
        {"unscaled.pha",
         {"NO_BACKSCAL",
          test::spectrum_file({1, 1, 1, 1}, 10, {{"RESPFILE", "'four.rmf'"}, {"BACKFILE", "'back.pha'"}})}},
        {"back-unscaled.pha",
         {"NO_BACKSCAL",
          test::spectrum_file(
              {1, 1, 1, 1}, 10,
              {{"RESPFILE", "'four.rmf'"}, {"BACKFILE", "'plain.pha'"}, {"BACKSCAL", "1.0"}})}},
        {"fractions.pha",
         {"NON_INTEGER_COUNTS", test::FitsBuilder()
                                    .table("SPECTRUM", {{"CHANNEL", 'I', {0, 1}}, {"COUNTS", 'E', {1, 2.5}}},
                                           {{"EXPOSURE", "10.0"}})
                                    .bytes()}},
        {"overlapping.pha",
         {"OVERLAPPING_GROUPS", test::spectrum_file({1, 1, 1, 1}, 10, {{"RESPFILE", "'overlap.rmf'"}})}},
        {"nowidth.pha",
         {"BAD_RESPONSE", test::spectrum_file({1, 1, 1, 1}, 10, {{"RESPFILE", "'nowidth.rmf'"}})}},
        {"othergrid.pha",
         {"ARF_MISMATCH",
          test::spectrum_file({1, 1, 1, 1}, 10, {{"RESPFILE", "'four.rmf'"}, {"ANCRFILE", "'other.arf'"}})}},
        {"bare.pha", {"NO_RESPONSE", test::spectrum_file({1, 1}, 10, {{"RESPFILE", "'gone.rmf'"}})}},
    };
    for (const auto& [name, what] : bad) write(name, what.second);
    write("four.rmf", test::response_file(4));
    write("plain.pha", test::spectrum_file({1, 0, 0, 1}, 100));
    write("overlap.rmf", four_channel_response({{0, 1}, {0}, {0}, {0}}, {{2, 1}, {1}, {1}, {1}}, 0.2));
    write("nowidth.rmf", four_channel_response({{0}, {1}, {2}, {3}}, {{1}, {1}, {1}, {1}}, 0.1));
    write("other.arf", test::FitsBuilder()
                           .table("SPECRESP", {{"ENERG_LO", 'E', {0.1, 0.3}},
                                               {"ENERG_HI", 'E', {0.3, 0.5}},
                                               {"SPECRESP", 'E', {10, 20}}})
                           .bytes());
    write("fine.pha",
          test::spectrum_file({1, 2, 3, 4}, 10,
                              {{"RESPFILE", "'four.rmf'"}, {"BACKFILE", "'back.pha'"}, {"BACKSCAL", "1.0"}}));
    write("back.pha", test::spectrum_file({1, 0, 0, 1}, 100, {{"BACKSCAL", "4.0"}}));
    write("README", "about these files\n");
    write("table.csv", "a,b\n");

    const IngestSummary summary = ingest_folder();
    std::map<std::string, std::string> codes;
    for (const QuarantineRow& row : quarantine()) {
        EXPECT_TRUE(codes.emplace(row.input, row.code).second) << row.input << " is in quarantine twice";
        EXPECT_THAT(row.message, HasSubstr(row.input));
        EXPECT_EQ(row.message.find(folder_.path()), std::string::npos) << row.message;
    }
    for (const auto& [name, what] : bad) EXPECT_EQ(codes[name], what.first) << name;
    EXPECT_EQ(codes.size(), bad.size());
    std::int64_t counted = 0;
    for (const auto& [code, n] : summary.quarantined) counted += n;
    EXPECT_EQ(counted, static_cast<std::int64_t>(bad.size()));

    // The neighbours are all there.
    EXPECT_EQ(summary.event_lists, 1);
    EXPECT_EQ(summary.spectra, 1);
    EXPECT_EQ(kinds().size(), bad.size() + 10);
    EXPECT_EQ(kinds().at("README"), "ignored");
    EXPECT_EQ(kinds().at("table.csv"), "ignored");
    EXPECT_EQ(kinds().at("back.pha"), "background");
    EXPECT_EQ(kinds().at("empty.fits"), "unknown");
    for (const SourceData& data : sources()) {
        EXPECT_EQ(data.events.size(), data.source.id == "good" ? 1u : 0u);
        EXPECT_EQ(data.spectra.size(), data.source.id == "fine" ? 1u : 0u);
    }
    EXPECT_THAT(ids(), testing::IsSupersetOf({"good", "fine", "nan", "bare"}));
}

TEST_F(Ingest, RepairMendsDamagedEventLists) {
    write("unsorted.fits", test::event_file({1, 3, 2}, {0}, {5}));
    write("overlap.fits", test::event_file({1, 2}, {0, 2}, {3, 5}));
    options_.repair = true;
    const IngestSummary summary = ingest_folder();
    EXPECT_EQ(summary.event_lists, 2);
    EXPECT_TRUE(summary.quarantined.empty());
    for (const SourceData& data : sources())
        EXPECT_TRUE(data.events.at(0).exposure.flags & exposure_repaired);
}

TEST_F(Ingest, NamesOfInputsAreLiteral) {
    write("x.fits", good_);
    options_.inputs = {folder_ / "in/x.fits", folder_ / "in/x.fits[1][col TIME]", "http://localhost/x.fits",
                       folder_ / "in/x.fits+1"};
    const IngestSummary summary = ingest(options_);
    EXPECT_EQ(summary.event_lists, 1);
    EXPECT_EQ(summary.quarantined, (std::map<std::string, std::int64_t>{{"NO_SUCH_FILE", 3}}));
    std::set<std::string> named;
    for (const QuarantineRow& row : quarantine()) named.insert(row.input);
    EXPECT_EQ(named, (std::set<std::string>{"x.fits", "x.fits+1", "x.fits[1][col TIME]"}));
}

TEST_F(Ingest, NamesInHeadersStayBelowTheirFolder) {
    test::write_file(folder_ / "four.rmf", test::response_file(4));  // above the inputs
    const auto spectrum = [](const std::string& response) {
        return test::spectrum_file({1, 1, 1, 1}, 10, {{"RESPFILE", "'" + response + "'"}});
    };
    write("a/up.pha", spectrum("../../four.rmf"));
    write("a/through.pha", spectrum("b/../../../four.rmf"));
    write("a/absolute.pha", spectrum(folder_ / "four.rmf"));
    write("a/b/four.rmf", test::response_file(4));
    write("a/below.pha", spectrum("b/four.rmf"));
    options_.inputs.clear();
    for (const char* name : {"up", "through", "absolute", "below"})
        options_.inputs.push_back(folder_ / (std::string("in/a/") + name + ".pha"));
    const IngestSummary summary = ingest(options_);
    EXPECT_EQ(summary.spectra, 1);
    EXPECT_EQ(summary.quarantined, (std::map<std::string, std::int64_t>{{"NO_RESPONSE", 3}}));

    // Where the user gives the folder, the last part of the name is enough.
    options_.response_path = {folder_.path()};
    EXPECT_EQ(ingest(options_).spectra, 4);
    // What the user names may lie anywhere.
    options_.response_path = {};
    options_.response_substitute = {"four.*=" + (folder_ / "four.rmf")};
    EXPECT_EQ(ingest(options_).spectra, 4);
}

TEST_F(Ingest, ExplicitFilesMustBeUnderstood) {
    options_.inputs = {write("README", "text"), write("good.fits", good_)};
    EXPECT_EQ(ingest(options_).quarantined, (std::map<std::string, std::int64_t>{{"NOT_FITS", 1}}));
}

TEST_F(Ingest, FilesOfOneSourceFindEachOther) {
    const std::string curve =
        test::FitsBuilder()
            .table("RATE", {{"TIME", 'D', {0, 1, 2}}, {"RATE", 'E', {1, 2, 3}}, {"ERROR", 'E', {1, 1, 1}}})
            .bytes();
    write("star.fits", good_);
    write("star.lc", curve);
    write("other.fits", good_);
    write("table.csv", "file,source_id\nother.fits,star\nabsent.fits,x\n");
    options_.association = folder_ / "in/table.csv";
    ingest_folder();
    EXPECT_THAT(ids(), ElementsAre("star"));
    const SourceData star = sources().at(0);
    ASSERT_EQ(star.events.size(), 2u);
    EXPECT_EQ(star.events[0].exposure.file, "other.fits");  // in the order of the names
    EXPECT_EQ(star.events[1].exposure.file, "star.fits");
    EXPECT_EQ(star.light_curves.size(), 1u);
    write("table.csv", "name,id\n");
    expect_error("BAD_ASSOCIATION", "table.csv", [&] { ingest(options_); });
    write("table.csv", "file,source_id\na,b\na,c\n");
    expect_error("BAD_ASSOCIATION", "table.csv", [&] { ingest(options_); });
}

TEST_F(Ingest, EqualNamesInDifferentFoldersAreDifferentSources) {
    write("a/evt.fits", good_);
    write("b/evt.fits", test::event_file({1.0, 2.0, 4.0}, {0.0}, {5.0}));
    write("c/copy/good.fits", good_);
    write("d/good.fits", good_);  // a copy: same name, same content
    EXPECT_EQ(ingest_folder().event_lists, 3);
    EXPECT_THAT(ids(), ElementsAre("a/evt", "b/evt", "good"));
}

TEST_F(Ingest, SourceListGivesNamesAndPositions) {
    write("star.fits", good_);
    test::write_file(folder_ / "list.csv",
                     "id,name,ra,dec,pos_err,gmag\nstar,Vega,279.23,38.78,0.5,0.03\nlonely,Nobody,1,2,,\n");
    options_.source_list = folder_ / "list.csv";
    EXPECT_EQ(ingest_folder().sources, 2);
    const auto all = sources();
    EXPECT_EQ(all[0].source.id, "lonely");  // no data, but not lost
    EXPECT_TRUE(all[0].events.empty());
    EXPECT_EQ(all[1].source.name, "Vega");
    EXPECT_EQ(all[1].source.ra, 279.23);
    EXPECT_EQ(all[1].source.position_error, 0.5);
    io::SurveyReader reader(options_.output);
    ASSERT_EQ(reader.extra_columns().size(), 1u);
    EXPECT_EQ(reader.extra_columns()[0].name, "gmag");
    EXPECT_EQ(all[1].source.extra.at(0).real, 0.03);
    EXPECT_TRUE(all[0].source.extra.at(0).null);
    EXPECT_EQ(kinds().at("list.csv"), "source list");
}

TEST_F(Ingest, SelectionOfEnergies) {
    write("star.fits", good_);  // 1 keV
    options_.energy_lo = 2.0;
    EXPECT_EQ(ingest_folder().quarantined, (std::map<std::string, std::int64_t>{{"NO_EVENTS", 1}}));
    EXPECT_EQ(io::SurveyReader(options_.output).provenance().at("ingest.energy_lo_kev"), "2");
    EXPECT_THAT(ids(), ElementsAre("star"));
}

TEST_F(Ingest, BrokenCompanionsQuarantineTheirSpectrum) {
    write("four.rmf", test::response_file(4).substr(0, 4000));
    write("fine.pha", test::spectrum_file({1, 2, 3, 4}, 10, {{"RESPFILE", "'four.rmf'"}}));
    EXPECT_EQ(ingest_folder().quarantined, (std::map<std::string, std::int64_t>{{"TRUNCATED", 2}}));
}

TEST_F(Ingest, WrongOptions) {
    options_.inputs = {};
    EXPECT_THROW(ingest(options_), Error);
    options_.inputs = {write("star.fits", good_)};
    options_.response_substitute = {"no equals sign"};
    expect_error("BAD_SUBSTITUTION", "no equals sign", [&] { ingest(options_); });
    options_.response_substitute = {"a*=absent.rmf"};
    expect_error("BAD_SUBSTITUTION", "absent.rmf", [&] { ingest(options_); });
    options_.response_substitute = {};
    options_.response_path = {folder_ / "absent"};
    expect_error("BAD_RESPONSE_PATH", "absent", [&] { ingest(options_); });
    options_.response_path = {};
    options_.region = "box(1)";
    expect_error("BAD_REGION", "box(1)", [&] { ingest(options_); });
    options_.region = "";
    options_.inputs = {"@" + (folder_ / "nolist")};
    expect_error("BAD_LIST", "nolist", [&] { ingest(options_); });
    EXPECT_FALSE(fs::exists(options_.output));
}

TEST_F(Ingest, ProgressReachesTheEnd) {
    for (const char* name : {"a.fits", "b.fits", "c.fits", "README"})
        write(name, good_.substr(0, name[0] == 'R' ? 10 : std::string::npos));
    options_.inputs = {folder_ / "in"};
    std::int64_t last = 0;
    ingest(options_, [&](std::int64_t done, std::int64_t total) {
        EXPECT_EQ(total, 4);
        EXPECT_EQ(done, last + 1);
        last = done;
    });
    EXPECT_EQ(last, 4);
}

}  // namespace
}  // namespace xsift::pipeline
