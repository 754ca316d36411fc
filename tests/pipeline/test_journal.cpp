// The journal: what was appended comes back, a torn tail is dropped, a foreign journal and a second writer
// are refused.

#include "test_files.hpp"

#include <cmath>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <xsift/core/error.hpp>
#include <xsift/pipeline/journal.hpp>

namespace {

using namespace xsift;
using pipeline::Journal;

SourceResult result_of(const std::string& id) {
    SourceResult result;
    result.source.id = id;
    result.source.ra = 12.5;
    result.source.extra = {{"text", not_measured, 0, false}, {"", 2.5, 7, true}};
    result.status = "ok";
    result.best_period = 1;
    PeriodCandidate candidate;
    candidate.exposure = "events.fits";
    candidate.method = "Z2";
    candidate.period = 1396.55;
    candidate.veto = veto_harmonic | veto_few_cycles;
    result.candidates = {candidate, candidate};
    SpectralFit fit;
    fit.model = "tbabs*powerlaw";
    fit.gamma = {1.7, 1.6, 1.8};
    fit.selected = true;
    result.fits = {fit};
    result.st_log10_p = -4.5;
    result.variability.resize(2);
    result.variability[1].log10_p_ks = -5.25;
    result.variability[1].flags = variability_few_counts;
    result.flares.resize(1);
    result.flares[0].excess_counts = 77.0;
    result.flares[0].flags = flare_ends_after;
    result.quarantine = {{id, "x.fits", "fit", "NO_COUNTS", "message"}};
    return result;
}

std::vector<std::string> ids(const Journal& journal) {
    std::vector<std::string> found;
    journal.replay([&](const SourceResult& result) { found.push_back(result.source.id); });
    return found;
}

std::string code_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const Error& error) {
        return error.code();
    }
    return "no error";
}

TEST(Journal, GivesBackEveryField) {
    const test::TemporaryFolder folder;
    Journal journal(folder / "j", "identity", false);
    journal.append(std::vector{result_of("a")});
    int seen = 0;
    journal.replay([&](const SourceResult& got) {
        ++seen;
        const SourceResult want = result_of("a");
        EXPECT_EQ(got.source.id, "a");
        EXPECT_EQ(got.source.ra, want.source.ra);
        EXPECT_TRUE(std::isnan(got.source.dec));
        ASSERT_EQ(got.source.extra.size(), 2u);
        EXPECT_EQ(got.source.extra[0].text, "text");
        EXPECT_FALSE(got.source.extra[0].null);
        EXPECT_EQ(got.source.extra[1].integer, 7);
        EXPECT_EQ(got.status, "ok");
        EXPECT_EQ(got.best_period, 1);
        ASSERT_EQ(got.candidates.size(), 2u);
        EXPECT_EQ(got.candidates[1].period, 1396.55);
        EXPECT_EQ(got.candidates[1].veto, veto_harmonic | veto_few_cycles);
        ASSERT_EQ(got.fits.size(), 1u);
        EXPECT_EQ(got.fits[0].gamma.hi, 1.8);
        EXPECT_EQ(got.st_log10_p, -4.5);
        ASSERT_EQ(got.variability.size(), 2u);
        EXPECT_EQ(got.variability[1].log10_p_ks, -5.25);
        EXPECT_EQ(got.variability[1].flags, variability_few_counts);
        ASSERT_EQ(got.flares.size(), 1u);
        EXPECT_EQ(got.flares[0].excess_counts, 77.0);
        EXPECT_EQ(got.flares[0].flags, flare_ends_after);
        EXPECT_TRUE(got.fits[0].selected);
        ASSERT_EQ(got.quarantine.size(), 1u);
        EXPECT_EQ(got.quarantine[0].code, "NO_COUNTS");
    });
    EXPECT_EQ(seen, 1);
}

TEST(Journal, ResumesAfterTheLastSoundRecord) {
    const test::TemporaryFolder folder;
    const std::string path = folder / "j";
    {
        Journal journal(path, "identity", false);
        journal.append(std::vector{result_of("a"), result_of("b")});
        journal.append(std::vector{result_of("c")});
    }
    const auto whole = std::filesystem::file_size(path);
    std::filesystem::resize_file(path, whole - 5);  // the last record is torn
    {
        Journal journal(path, "identity", true);
        EXPECT_EQ(journal.size(), 2);
        journal.append(std::vector{result_of("c"), result_of("d")});
        EXPECT_THAT(ids(journal), testing::ElementsAre("a", "b", "c", "d"));
    }
    {
        std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(static_cast<std::streamoff>(whole) - 20);  // a flipped byte in the last record
        file.put('\x5a');
    }
    Journal journal(path, "identity", true);
    EXPECT_THAT(ids(journal), testing::ElementsAre("a", "b"));
}

TEST(Journal, StartsEmptyWithoutResume) {
    const test::TemporaryFolder folder;
    { Journal(folder / "j", "identity", false).append(std::vector{result_of("a")}); }
    EXPECT_EQ(Journal(folder / "j", "identity", false).size(), 0);
}

TEST(Journal, StartsEmptyFromAFileThatIsNoJournal) {
    const test::TemporaryFolder folder;
    test::write_file(folder / "j",
                     "something else entirely, longer than a head of a record would ever need to be");
    EXPECT_EQ(Journal(folder / "j", "identity", true).size(), 0);
}

TEST(Journal, RefusesAnotherIdentityAndASecondWriter) {
    const test::TemporaryFolder folder;
    {
        Journal journal(folder / "j", "identity", false);
        EXPECT_EQ(code_of([&] { Journal(folder / "j", "identity", true); }), "OUTPUT_BUSY");
    }
    EXPECT_EQ(code_of([&] { Journal(folder / "j", "another", true); }), "RESUME_MISMATCH");
    EXPECT_EQ(code_of([&] { Journal(folder / "missing/j", "identity", false); }), "UNWRITABLE");
}

TEST(Journal, AnAttemptThatWasTakenOverCannotWrite) {
    const test::TemporaryFolder folder;
    const std::string path = folder / "j";
    Journal first(path, "identity", false);
    first.append(std::vector{result_of("a")});
    // A copy that nobody locks stands for a file system without locks.
    std::filesystem::copy_file(path, folder / "copy");
    std::filesystem::rename(folder / "copy", path);
    Journal second(path, "identity", true);
    second.append(std::vector{result_of("b")});
    EXPECT_EQ(code_of([&] { first.append(std::vector{result_of("x")}); }), "SUPERSEDED");
    EXPECT_EQ(code_of([&] { first.require_ours(); }), "SUPERSEDED");
    first.remove();
    EXPECT_TRUE(std::filesystem::exists(path));
    EXPECT_THAT(ids(second), testing::ElementsAre("a", "b"));
    second.remove();
    EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
