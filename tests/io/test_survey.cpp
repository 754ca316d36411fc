#include "limited_disk.hpp"
#include "survey_samples.hpp"
#include "test_files.hpp"

#include <bit>
#include <filesystem>
#include <functional>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hdf5.h>

#include <xsift/core/error.hpp>
#include <xsift/core/hash.hpp>
#include <xsift/core/random.hpp>
#include <xsift/io/survey.hpp>

namespace xsift::io {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using xsift::test::read_file;
using xsift::test::TemporaryFolder;
using xsift::test::write_file;

// ---- Comparison: bit for bit, NaN included ----

void expect_same(double a, double b) {
    EXPECT_EQ(std::bit_cast<std::uint64_t>(a), std::bit_cast<std::uint64_t>(b));
}

template <typename T>
void expect_same(const std::vector<T>& a, const std::vector<T>& b) {
    EXPECT_EQ(content_hash(a.data(), a.size() * sizeof(T)), content_hash(b.data(), b.size() * sizeof(T)));
    EXPECT_EQ(a.size(), b.size());
}

void expect_same(const Exposure& a, const Exposure& b) {
    EXPECT_EQ(a.file, b.file);
    EXPECT_EQ(a.mission, b.mission);
    EXPECT_EQ(a.instrument, b.instrument);
    EXPECT_EQ(a.obs_id, b.obs_id);
    EXPECT_EQ(a.exposure_id, b.exposure_id);
    EXPECT_EQ(a.mode, b.mode);
    EXPECT_EQ(a.filter, b.filter);
    EXPECT_EQ(a.time_system, b.time_system);
    EXPECT_EQ(a.time_reference, b.time_reference);
    expect_same(a.mjd_reference, b.mjd_reference);
    expect_same(a.time_zero, b.time_zero);
    expect_same(a.frame_time, b.frame_time);
    expect_same(a.livetime, b.livetime);
    EXPECT_EQ(a.flags, b.flags);
}

void expect_same(const EventList& a, const EventList& b) {
    expect_same(a.exposure, b.exposure);
    expect_same(a.time, b.time);
    expect_same(a.energy, b.energy);
    expect_same(a.weight, b.weight);
    expect_same(a.gti.start, b.gti.start);
    expect_same(a.gti.stop, b.gti.stop);
}

void expect_same(const LightCurve& a, const LightCurve& b) {
    expect_same(a.exposure, b.exposure);
    expect_same(a.time, b.time);
    expect_same(a.rate, b.rate);
    expect_same(a.error, b.error);
    expect_same(a.fractional_exposure, b.fractional_exposure);
    expect_same(a.bin_width, b.bin_width);
}

void expect_same(const Response& a, const Response& b) {
    EXPECT_EQ(a.name, b.name);
    EXPECT_EQ(a.first_channel, b.first_channel);
    expect_same(a.energy_lo, b.energy_lo);
    expect_same(a.energy_hi, b.energy_hi);
    expect_same(a.channel_lo, b.channel_lo);
    expect_same(a.channel_hi, b.channel_hi);
    expect_same(a.row_group, b.row_group);
    expect_same(a.group_first, b.group_first);
    expect_same(a.group_count, b.group_count);
    expect_same(a.group_value, b.group_value);
    expect_same(a.value, b.value);
}

void expect_same(const Spectrum& a, const Spectrum& b) {
    expect_same(a.exposure, b.exposure);
    EXPECT_EQ(a.flags, b.flags);
    expect_same(a.counts, b.counts);
    expect_same(a.quality, b.quality);
    expect_same(a.grouping, b.grouping);
    expect_same(a.area_scale, b.area_scale);
    expect_same(a.back_scale, b.back_scale);
    expect_same(a.area_scales, b.area_scales);
    expect_same(a.background_scales, b.background_scales);
    EXPECT_EQ(a.background_file, b.background_file);
    expect_same(a.background_counts, b.background_counts);
    expect_same(a.background_exposure, b.background_exposure);
    expect_same(a.background_area_scale, b.background_area_scale);
    expect_same(a.background_back_scale, b.background_back_scale);
    EXPECT_EQ(a.arf_file, b.arf_file);
    expect_same(a.effective_area, b.effective_area);
    EXPECT_EQ(a.response_wanted, b.response_wanted);
    ASSERT_EQ(a.response == nullptr, b.response == nullptr);
    if (a.response) expect_same(*a.response, *b.response);
}

void expect_same(const Source& a, const Source& b) {
    EXPECT_EQ(a.id, b.id);
    EXPECT_EQ(a.name, b.name);
    expect_same(a.ra, b.ra);
    expect_same(a.dec, b.dec);
    expect_same(a.position_error, b.position_error);
    ASSERT_EQ(a.extra.size(), b.extra.size());
    for (std::size_t i = 0; i < a.extra.size(); ++i) {
        EXPECT_EQ(a.extra[i].text, b.extra[i].text);
        expect_same(a.extra[i].real, b.extra[i].real);
        EXPECT_EQ(a.extra[i].integer, b.extra[i].integer);
        EXPECT_EQ(a.extra[i].null, b.extra[i].null);
    }
}

void expect_same(const SourceData& a, const SourceData& b);

template <typename Item>
void expect_all_same(const std::vector<Item>& a, const std::vector<Item>& b) {
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) expect_same(a[i], b[i]);
}

void expect_same(const SourceData& a, const SourceData& b) {
    SCOPED_TRACE(a.source.id);
    expect_same(a.source, b.source);
    expect_all_same(a.events, b.events);
    expect_all_same(a.light_curves, b.light_curves);
    expect_all_same(a.spectra, b.spectra);
}

// ---- Round trips ----

class SurveyRoundTrip : public testing::TestWithParam<bool> {
  protected:
    TemporaryFolder folder;
    std::string path = folder / "survey.h5";
};
INSTANTIATE_TEST_SUITE_P(Storage, SurveyRoundTrip, testing::Bool(),
                         [](const auto& storage) { return storage.param ? "Compressed" : "Plain"; });

TEST_P(SurveyRoundTrip, GivesBackEveryField) {
    test::write_sample(path, GetParam());
    SurveyReader reader(path);
    ASSERT_EQ(reader.size(), 3);
    expect_all_same(test::sample_sources(), reader.read(0, 3));
    for (std::int64_t i = 0; i < 3; ++i) expect_same(test::sample_sources()[i], reader.read(i, 1).at(0));
    EXPECT_THAT(reader.read(1, 0), IsEmpty());
    EXPECT_THAT(reader.verify(), IsEmpty());
}

TEST_P(SurveyRoundTrip, GivesBackTheTablesBesideTheSources) {
    test::write_sample(path, GetParam());
    SurveyReader reader(path);
    ASSERT_EQ(reader.extra_columns().size(), 4u);
    for (std::size_t i = 0; i < 4; ++i) {
        EXPECT_EQ(reader.extra_columns()[i].name, test::sample_columns()[i].name);
        EXPECT_EQ(reader.extra_columns()[i].unit, test::sample_columns()[i].unit);
        EXPECT_EQ(reader.extra_columns()[i].type, test::sample_columns()[i].type);
    }
    const auto quarantine = reader.quarantine();
    ASSERT_EQ(quarantine.size(), 2u);
    EXPECT_EQ(quarantine[0].source_id, "SRC1");
    EXPECT_EQ(quarantine[0].input, "mos.fits");
    EXPECT_EQ(quarantine[0].stage, "ingest");
    EXPECT_EQ(quarantine[0].code, "NO_RESPONSE");
    EXPECT_EQ(quarantine[0].message, "no response (not found). Give --response-path");
    EXPECT_EQ(quarantine[1].source_id, "");
    const auto inputs = reader.inputs();
    ASSERT_EQ(inputs.size(), 1u);
    EXPECT_EQ(inputs[0].file, "pn.fits");
    EXPECT_EQ(inputs[0].bytes, 5000000000);
    EXPECT_EQ(inputs[0].checksum, "xxh128:0123");
    EXPECT_EQ(inputs[0].kind, "events");
    const auto truth = reader.truth();
    ASSERT_EQ(truth.size(), 2u);
    EXPECT_EQ(truth[0].source_id, "SRC1");
    EXPECT_EQ(truth[0].model, "tbabs*powerlaw");
    EXPECT_EQ(truth[0].frequency, 0.5);
    EXPECT_EQ(truth[0].pulsed_fraction, 0.25);
    EXPECT_EQ(truth[0].nh, 0.1);
    EXPECT_EQ(truth[0].parameter, 1.7);
    EXPECT_EQ(truth[0].norm, 1e-5);
    EXPECT_TRUE(std::isnan(truth[1].nh));
    EXPECT_THAT(reader.provenance(),
                ElementsAre(std::pair("empty", ""), std::pair("options", std::string(100000, 'o')),
                            std::pair("version", "0.1.0")));
}

TEST_P(SurveyRoundTrip, EqualContentGivesEqualBytes) {
    test::write_sample(path, GetParam());
    test::write_sample(folder / "again.h5", GetParam());
    EXPECT_EQ(read_file(path), read_file(folder / "again.h5"));
}

TEST_P(SurveyRoundTrip, AnEmptySurveyIsSound) {
    SurveyWriter(path, {}, {GetParam()}).finish();
    SurveyReader reader(path);
    EXPECT_EQ(reader.size(), 0);
    EXPECT_THAT(reader.read(0, 0), IsEmpty());
    EXPECT_THAT(reader.truth(), IsEmpty());
    EXPECT_THAT(reader.verify(), IsEmpty());
    EXPECT_EQ(reader.index_of("x"), -1);
}

TEST(Survey, IdentityDependsOnContentNotOnStorage) {
    const TemporaryFolder folder;
    test::write_sample(folder / "a.h5", true);
    test::write_sample(folder / "b.h5", false);
    const auto changed = [&](const std::string& path, double ra) {
        SurveyWriter writer(path, {});
        SourceData data;
        data.source.ra = ra;
        writer.add(data);
        writer.finish();
        return SurveyReader(path).checksum();
    };
    EXPECT_EQ(SurveyReader(folder / "a.h5").checksum(), SurveyReader(folder / "b.h5").checksum());
    EXPECT_NE(changed(folder / "c.h5", 1.0), changed(folder / "d.h5", 2.0));
}

TEST(Survey, AResponseIsStoredOnceAndShared) {
    const TemporaryFolder folder;
    test::write_sample(folder / "survey.h5");
    SurveyReader reader(folder / "survey.h5");
    const auto first = reader.read(0, 1), last = reader.read(2, 1);
    ASSERT_NE(first[0].spectra[0].response, nullptr);
    EXPECT_EQ(first[0].spectra[0].response, last[0].spectra[0].response);
    EXPECT_EQ(first[0].spectra[0].response,
              last[0].spectra[1].response);  // equal content from another object
    EXPECT_EQ(last[0].spectra[2].response, nullptr);
    EXPECT_EQ(first[0].spectra[0].response->hash.substr(0, 7), "xxh128:");
}

TEST(Survey, DifferentResponsesStayApart) {
    const TemporaryFolder folder;
    auto other = std::make_shared<Response>(*test::sample_response());
    other->value[0] = 0.5f;
    SourceData data;
    data.spectra = {test::sample_spectrum(test::sample_response()), test::sample_spectrum(other)};
    SurveyWriter writer(folder / "survey.h5", {});
    writer.add(data);
    writer.finish();
    expect_same(data, SurveyReader(folder / "survey.h5").read(0, 1).at(0));
}

TEST(Survey, FindsSourcesById) {
    const TemporaryFolder folder;
    test::write_sample(folder / "survey.h5");
    const SurveyReader reader(folder / "survey.h5");
    EXPECT_EQ(reader.index_of("SRC1"), 0);
    EXPECT_EQ(reader.index_of("2"), 1);
    EXPECT_EQ(reader.index_of("\xC3\xA9toile"), 2);
    EXPECT_EQ(reader.index_of("SRC"), -1);
    EXPECT_EQ(reader.index_of(""), -1);
}

TEST(Survey, DescribesItself) {
    const TemporaryFolder folder;
    test::write_sample(folder / "survey.h5");
    EXPECT_THAT(SurveyReader(folder / "survey.h5").describe(),
                testing::AllOf(HasSubstr("sources     3"), HasSubstr("event lists 4 with 8 events"),
                               HasSubstr("spectra     4 with 1 responses"), HasSubstr("quarantined 2")));
}

TEST(Survey, TextsThatAreNotUtf8AreMadeSo) {
    const TemporaryFolder folder;
    SourceData data;
    data.source.id = "a\xE9z\xC3";  // Latin-1 and a sequence cut short
    data.source.name = std::string("cut\0here", 8);
    SurveyWriter writer(folder / "survey.h5", {});
    writer.add(data);
    writer.finish();
    const Source source = SurveyReader(folder / "survey.h5").read(0, 1).at(0).source;
    EXPECT_EQ(source.id, "a?z?");
    EXPECT_EQ(source.name, "cut");
}

// ---- Size ----

/// Source i of a survey of any size: 0 to 199 events, now and then a long text.
SourceData numbered_source(std::uint64_t i) {
    RandomStream random(17, i);
    SourceData data;
    data.source.id = fmt::format("S{:06d}", i);
    data.source.ra = random.uniform() * 360.0;
    EventList list;
    list.exposure =
        test::sample_exposure(fmt::format("{}{}.fits", i, std::string(i % 100 == 7 ? 300 : 0, 'x')));
    for (std::uint64_t n = random.bits() % 200; n > 0; --n) {
        list.time.push_back(random.uniform());
        list.energy.push_back(static_cast<float>(random.uniform()));
    }
    list.gti = {{0.0}, {1.0}};
    data.events = {std::move(list)};
    if (i % 3 == 0) data.light_curves = {test::sample_light_curve()};
    return data;
}

TEST_P(SurveyRoundTrip, StreamsTenThousandSources) {
    constexpr std::int64_t n = 10000, batch = 777;
    {
        SurveyWriter writer(path, {}, {GetParam()});
        for (std::int64_t i = 0; i < n; ++i) writer.add(numbered_source(static_cast<std::uint64_t>(i)));
        writer.finish();
    }
    SurveyReader reader(path);
    ASSERT_EQ(reader.size(), n);
    for (std::int64_t first = 0; first < n; first += batch) {
        const auto sources = reader.read(first, std::min(batch, n - first));
        for (std::size_t i = 0; i < sources.size(); ++i) expect_same(numbered_source(first + i), sources[i]);
        if (HasFailure()) return;
    }
    for (const std::int64_t i : {9999, 0, 5000, 4999})
        expect_same(numbered_source(static_cast<std::uint64_t>(i)),
                    reader.read(reader.index_of(fmt::format("S{:06d}", i)), 1).at(0));
    EXPECT_THAT(reader.verify(), IsEmpty());
}

TEST_P(SurveyRoundTrip, AnEventListLongerThanManyPieces) {
    SourceData data;
    EventList list;
    for (int i = 0; i < 1000000; ++i) list.time.push_back(i * 0.5);
    data.events = {test::sample_events(), list, test::sample_events()};
    SurveyWriter writer(path, {}, {GetParam()});
    writer.add(data);
    writer.finish();
    expect_same(data, SurveyReader(path).read(0, 1).at(0));
}

TEST(Survey, EstimatesTheMemoryOfASource) {
    const TemporaryFolder folder;
    SurveyWriter writer(folder / "survey.h5", {});
    SourceData data;
    data.events.resize(1);
    data.events[0].time.resize(100000);
    writer.add(data);
    data.source.id = "none";
    data.events.clear();
    writer.add(data);
    writer.finish();
    const SurveyReader reader(folder / "survey.h5");
    EXPECT_GE(reader.memory_bytes(0), 800000);
    EXPECT_LE(reader.memory_bytes(0), 2000000);
    EXPECT_LE(reader.memory_bytes(1), 1000);
}

// ---- What must be refused ----

template <typename Action>
void expect_error(ErrorKind kind, const std::string& code, const std::string& text, const Action& action) {
    try {
        action();
        ADD_FAILURE() << "no error where " << code << " is due";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), kind) << error.what();
        EXPECT_EQ(error.code(), code) << error.what();
        EXPECT_THAT(error.what(), HasSubstr(text));
    }
}

void expect_refused(const std::string& path, const std::string& code, const std::string& why) {
    expect_error(ErrorKind::corrupt_file, code, why, [&] { const SurveyReader reader(path); });
    expect_error(ErrorKind::corrupt_file, code, path, [&] { const SurveyReader reader(path); });
}

TEST(SurveyWriter, RefusesDataThatDoNotBelongTogether) {
    const TemporaryFolder folder;
    SurveyWriter writer(folder / "survey.h5", {});
    SourceData uneven;
    uneven.events = {test::sample_events()};
    uneven.events[0].energy.pop_back();
    expect_error(ErrorKind::internal, "INCONSISTENT_DATA", "energy", [&] { writer.add(uneven); });
    SourceData broken;
    auto response = std::make_shared<Response>(*test::sample_response());
    response->row_group.pop_back();
    broken.spectra = {test::sample_spectrum(response)};
    expect_error(ErrorKind::internal, "INCONSISTENT_DATA", "row starts", [&] { writer.add(broken); });
    SourceData sound;
    sound.source.id = "sound";
    writer.add(sound);  // what was refused left nothing behind
    expect_error(ErrorKind::input, "DUPLICATE_SOURCE", "sound", [&] { writer.add(sound); });
    writer.finish();
    EXPECT_EQ(SurveyReader(folder / "survey.h5").size(), 1);
    expect_error(ErrorKind::internal, "WRITER_CLOSED", "", [&] { writer.finish(); });
}

TEST(SurveyWriter, LeavesNothingUnlessFinished) {
    const TemporaryFolder folder;
    {
        SurveyWriter writer(folder / "survey.h5", {});
        for (std::uint64_t i = 0; i < 1000; ++i) writer.add(numbered_source(i));
    }
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(SurveyWriter, RefusesAFolderThatCannotBeWritten) {
    const TemporaryFolder folder;
    expect_error(ErrorKind::usage, "UNWRITABLE", folder / "none/survey.h5",
                 [&] { const SurveyWriter writer(folder / "none/survey.h5", {}); });
}

/// Writes a survey that cannot fit, in a process of its own; tells on stderr what came of it, and exits as
/// any program does, so that a library that crashes at exit is noticed.
[[noreturn]] void write_too_much(const std::string& folder, bool compress) {
    try {
        SurveyWriter writer(folder + "/survey.h5", {}, {compress});
        for (std::uint64_t i = 0; i < 3000; ++i) writer.add(numbered_source(i));
        writer.finish();
        fmt::print(stderr, "finished ");
    } catch (const Error& error) {
        fmt::print(stderr, "{} {} ", error.code(), error.what());
    }
    const bool empty = std::filesystem::is_empty(folder);
    fmt::print(stderr, "{}", empty ? "nothing left" : "files left");
    std::exit(0);
}

constexpr const char* full_disk_report = "^DISK_FULL cannot write .*survey.h5: no space left .*nothing left$";

TEST(SurveyWriterDeathTest, AFileSizeLimitIsAFullDisk) {
    const TemporaryFolder folder;
    for (const bool compress : {false, true})
        for (rlim_t limit = 1000; limit < 2500000; limit = limit * 3 / 2) {
            SCOPED_TRACE(fmt::format("{} bytes, compressed: {}", limit, compress));
            const auto action = [&] {
                xsift::test::limit_file_size(limit);
                write_too_much(folder.path(), compress);
            };
            EXPECT_EXIT(action(), testing::ExitedWithCode(0), full_disk_report);
        }
}

TEST(SurveyWriterDeathTest, AFullDisk) {
    const TemporaryFolder folder;
    for (const int kilobytes : {4, 64, 300, 1500}) {
        SCOPED_TRACE(kilobytes);
        const auto action = [&] {
            xsift::test::limit_disk(folder.path(), kilobytes);
            write_too_much(folder.path(), false);
        };
        EXPECT_EXIT(action(), testing::ExitedWithCode(0), full_disk_report);
    }
}

class DamagedSurvey : public testing::Test {
  protected:
    DamagedSurvey() { test::write_sample(path, false); }

    /// Changes the file through the HDF5 library.
    void edit(const std::function<void(hid_t)>& change) {
        const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
        ASSERT_GE(file, 0);
        change(file);
        ASSERT_GE(H5Fclose(file), 0);
    }
    /// Replaces a dataset by one of another type, length or storage, with the attributes of a sound one.
    void replace(const char* name, hid_t type, hsize_t rows, hid_t creation) {
        edit([&](hid_t file) {
            ASSERT_GE(H5Ldelete(file, name, H5P_DEFAULT), 0);
            const hsize_t most = H5S_UNLIMITED;
            const bool chunked = H5Pget_layout(creation) == H5D_CHUNKED;
            const hid_t space = H5Screate_simple(1, &rows, chunked ? &most : nullptr);
            const hid_t dataset = H5Dcreate2(file, name, type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
            ASSERT_GE(dataset, 0);
            for (const char* attribute : {"units", "checksum"}) {
                const hid_t scalar = H5Screate(H5S_SCALAR);
                const hid_t text = H5Tcopy(H5T_C_S1);
                const hid_t id = H5Acreate2(dataset, attribute, text, scalar, H5P_DEFAULT, H5P_DEFAULT);
                H5Awrite(id, text, "");
                H5Aclose(id);
                H5Tclose(text);
                H5Sclose(scalar);
            }
            H5Dclose(dataset);
            H5Sclose(space);
        });
    }
    hid_t chunked() {
        const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
        const hsize_t chunk = 4;
        H5Pset_chunk(creation, 1, &chunk);
        return creation;
    }
    template <typename T>
    void set_value(const char* name, hid_t type, hsize_t row, T value) {
        edit([&](hid_t file) {
            const hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT), space = H5Dget_space(dataset);
            const hsize_t one = 1;
            const hid_t memory = H5Screate_simple(1, &one, nullptr);
            H5Sselect_hyperslab(space, H5S_SELECT_SET, &row, nullptr, &one, nullptr);
            ASSERT_GE(H5Dwrite(dataset, type, memory, space, H5P_DEFAULT, &value), 0);
            H5Sclose(memory);
            H5Sclose(space);
            H5Dclose(dataset);
        });
    }

    TemporaryFolder folder;
    std::string path = folder / "survey.h5";
};

TEST_F(DamagedSurvey, MissingFile) {
    expect_error(ErrorKind::usage, "UNREADABLE", folder / "none.h5",
                 [&] { const SurveyReader reader(folder / "none.h5"); });
    expect_error(ErrorKind::usage, "UNREADABLE", folder.path(),
                 [&] { const SurveyReader reader(folder.path()); });
}

TEST_F(DamagedSurvey, NotHdf5) {
    write_file(path, "");
    EXPECT_FALSE(looks_like_hdf5(path));
    expect_refused(path, "NOT_HDF5", "it is empty");
    write_file(path, "SIMPLE  =                    T");
    expect_refused(path, "NOT_HDF5", "not an HDF5 file");
}

TEST_F(DamagedSurvey, TruncatedAnywhere) {
    const std::string whole = read_file(path);
    for (std::size_t part = 1; part < 50; ++part) {
        write_file(path, whole.substr(0, whole.size() * part / 50));
        expect_refused(path, "TRUNCATED", "truncated");
    }
    write_file(path, whole.substr(0, 20));
    EXPECT_THROW(SurveyReader reader(path), Error);
}

TEST_F(DamagedSurvey, ForeignHdf5) {
    edit([](hid_t file) { ASSERT_GE(H5Adelete(file, "format"), 0); });
    expect_refused(path, "FOREIGN_FILE", "something else");
}

TEST_F(DamagedSurvey, NewerSchema) {
    edit([](hid_t file) {
        const std::int64_t version = survey_schema_version + 1;
        const hid_t attribute = H5Aopen(file, "schema_version", H5P_DEFAULT);
        ASSERT_GE(H5Awrite(attribute, H5T_NATIVE_INT64, &version), 0);
        H5Aclose(attribute);
    });
    expect_refused(path, "SCHEMA_NEWER", "Upgrade xsift");
}

TEST_F(DamagedSurvey, MissingDatasetGroupOrAttribute) {
    edit([](hid_t file) { H5Ldelete(file, "/events/energy", H5P_DEFAULT); });
    expect_refused(path, "CORRUPT_SURVEY", "/events/energy is missing");
    test::write_sample(path);
    edit([](hid_t file) { H5Ldelete(file, "/gti", H5P_DEFAULT); });
    expect_refused(path, "CORRUPT_SURVEY", "/gti is missing");
    test::write_sample(path);
    edit([](hid_t file) { H5Adelete_by_name(file, "/gti/start", "checksum", H5P_DEFAULT); });
    expect_refused(path, "CORRUPT_SURVEY", "/gti/start has no checksum");
}

TEST_F(DamagedSurvey, LinksThatLeadElsewhere) {
    edit([](hid_t file) {
        H5Ldelete(file, "/events/weight", H5P_DEFAULT);
        ASSERT_GE(H5Lcreate_soft("/events/energy", file, "/events/weight", H5P_DEFAULT, H5P_DEFAULT), 0);
    });
    expect_refused(path, "CORRUPT_SURVEY", "/events/weight is a soft or external link");
    test::write_sample(path);
    test::write_sample(folder / "other.h5");
    edit([](hid_t file) {
        H5Ldelete(file, "/events", H5P_DEFAULT);
        ASSERT_GE(H5Lcreate_external("other.h5", "/events", file, "/events", H5P_DEFAULT, H5P_DEFAULT), 0);
    });
    expect_refused(path, "CORRUPT_SURVEY", "/events is a soft or external link");
}

TEST_F(DamagedSurvey, AnotherTypeLengthOrStorage) {
    const hid_t creation = chunked();
    replace("/events/time", H5T_IEEE_F32LE, 8, creation);
    expect_refused(path, "CORRUPT_SURVEY", "/events/time is not of type float64");
    test::write_sample(path);
    replace("/events/weight", H5T_IEEE_F32LE, 7, creation);
    expect_refused(path, "CORRUPT_SURVEY", "/events/weight ends at 8, but there are 7");
    test::write_sample(path);
    replace("/sources/name", H5T_IEEE_F64LE, 3, creation);
    expect_refused(path, "CORRUPT_SURVEY", "/sources/name is not text");
    test::write_sample(path);
    replace("/events/weight", H5T_IEEE_F32LE, hsize_t{1} << 50, creation);
    expect_refused(path, "CORRUPT_SURVEY", "more than the file can hold");
    test::write_sample(path);
    H5Pset_scaleoffset(creation, H5Z_SO_FLOAT_DSCALE, 2);
    replace("/events/weight", H5T_IEEE_F32LE, 8, creation);
    expect_refused(path, "CORRUPT_SURVEY", "/events/weight uses the filter");
    test::write_sample(path);
    const hid_t external = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_external(external, "/etc/passwd", 0, 32);
    replace("/events/weight", H5T_IEEE_F32LE, 8, external);
    expect_refused(path, "CORRUPT_SURVEY", "/events/weight is not chunked");
    H5Pclose(external);
    test::write_sample(path);
    test::write_sample(folder / "other.h5");
    const hid_t mapped = H5Pcreate(H5P_DATASET_CREATE);
    const hsize_t rows = 8;
    const hid_t all = H5Screate_simple(1, &rows, nullptr);
    ASSERT_GE(H5Pset_virtual(mapped, all, "other.h5", "/events/weight", all), 0);
    replace("/events/weight", H5T_IEEE_F32LE, rows, mapped);
    expect_refused(path, "CORRUPT_SURVEY", "/events/weight is not chunked");
    H5Sclose(all);
    H5Pclose(mapped);
    H5Pclose(creation);
}

TEST_F(DamagedSurvey, OffsetsThatLeadOutside) {
    set_value<std::int64_t>("/exposures/event_offset", H5T_NATIVE_INT64, 4, 9);
    expect_refused(path, "CORRUPT_SURVEY", "ends at 9");
    set_value<std::int64_t>("/exposures/event_offset", H5T_NATIVE_INT64, 4, 8);
    set_value<std::int64_t>("/exposures/event_offset", H5T_NATIVE_INT64, 1, -3);
    expect_refused(path, "CORRUPT_SURVEY", "does not ascend");
    test::write_sample(path);
    set_value<std::int64_t>("/sources/spectrum_offset", H5T_NATIVE_INT64, 3, 1000);
    expect_refused(path, "CORRUPT_SURVEY", "/sources/spectrum_offset ends at 1000");
}

TEST_F(DamagedSurvey, IndicesOfResponsesThatLeadOutside) {
    set_value<std::int64_t>("/spectra/response", H5T_NATIVE_INT64, 0, 5);
    expect_error(ErrorKind::corrupt_file, "CORRUPT_SURVEY", "response 5",
                 [&] { SurveyReader(path).read(0, 1); });
    test::write_sample(path);
    set_value<std::int32_t>("/responses/groups/count", H5T_NATIVE_INT32, 0, 1000);
    expect_error(ErrorKind::corrupt_file, "CORRUPT_SURVEY", "outside",
                 [&] { SurveyReader(path).read(0, 1); });
}

TEST_F(DamagedSurvey, AChangedValueIsFoundByVerify) {
    set_value<double>("/events/time", H5T_NATIVE_DOUBLE, 3, 42.0);
    set_value<std::int16_t>("/channels/quality", H5T_NATIVE_INT16, 0, 1);
    EXPECT_THAT(SurveyReader(path).verify(), ElementsAre("/events/time", "/channels/quality"));
}

TEST_F(DamagedSurvey, ABrokenChunkIsFoundByVerifyAndRead) {
    test::write_sample(path, true);
    haddr_t address = 0;
    hsize_t bytes = 0, offset = 0;
    edit([&](hid_t file) {
        const hid_t dataset = H5Dopen2(file, "/events/time", H5P_DEFAULT), space = H5Dget_space(dataset);
        unsigned mask = 0;
        ASSERT_GE(H5Dget_chunk_info(dataset, space, 0, &offset, &mask, &address, &bytes), 0);
        H5Sclose(space);
        H5Dclose(dataset);
    });
    std::string damaged = read_file(path);
    damaged.replace(address, bytes, std::string(bytes, '\xFF'));
    write_file(path, damaged);
    SurveyReader reader(path);
    EXPECT_THAT(reader.verify(), ElementsAre("/events/time"));
    expect_error(ErrorKind::corrupt_file, "CORRUPT_SURVEY", "/events/time", [&] { reader.read(0, 3); });
}

TEST_F(DamagedSurvey, FlippedBytesNeverCrash) {
    const std::string whole = read_file(path);
    RandomStream random(3, 0);
    int noticed = 0;
    for (int trial = 0; trial < 300; ++trial) {
        std::string damaged = whole;
        for (int i = 0; i < 3; ++i)
            damaged[random.bits() % damaged.size()] ^= static_cast<char>(1 + random.bits() % 255);
        write_file(path, damaged);
        try {
            SurveyReader reader(path);
            if (!reader.verify().empty()) ++noticed;
            reader.read(0, reader.size());
            reader.quarantine();
            reader.inputs();
            reader.truth();
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::corrupt_file);
            ++noticed;
        }
    }
    EXPECT_GT(noticed, 0);
}

}  // namespace
}  // namespace xsift::io
