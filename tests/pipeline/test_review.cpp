// What is said of sources when the catalogue is whole: shared frequencies and q-values, the same however it
// is cut.

#include "test_files.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include <xsift/core/random.hpp>
#include <xsift/io/catalogue.hpp>
#include <xsift/pipeline/review.hpp>
#include <xsift/refine/periods.hpp>

namespace {

using namespace xsift;
using pipeline::CatalogueReview;
using test::TemporaryFolder;

PeriodCandidate candidate(const std::string& observation, double frequency, double log10_fap,
                          double fraction = 0.2) {
    PeriodCandidate c;
    c.exposure = observation + ".fits";
    c.obs_id = observation;
    c.span = 1e4;
    c.method = "Z2";
    c.n_harmonics = 1;
    c.frequency = frequency;
    c.period = 1.0 / frequency;
    c.period_error = 1e-3;
    c.statistic = -5.0 * log10_fap;
    c.log10_fap = c.log10_fap_white = log10_fap;
    c.pulsed_fraction = fraction;
    return c;
}

SourceResult source(int i, std::vector<PeriodCandidate> candidates) {
    SourceResult r;
    r.source.id = "s" + std::to_string(i);
    r.status = "ok";
    r.n_searches = 2.0;
    for (std::size_t k = 0; k < candidates.size(); ++k) candidates[k].rank = static_cast<std::int32_t>(k + 1);
    r.candidates = std::move(candidates);
    refine::conclude_period(r, {});
    return r;
}

std::vector<SourceResult> reviewed(std::vector<SourceResult> all, const timing::SearchOptions& options = {}) {
    CatalogueReview review(options);
    do {
        for (const SourceResult& r : all) review.look(r);
    } while (review.again());
    for (SourceResult& r : all) review.revise(r);
    return all;
}

/// Frequencies far from each other, one significant candidate a source; then a common one in some of them.
std::vector<SourceResult> observation(int common, double strength = -8.0) {
    std::vector<SourceResult> all;
    for (int i = 0; i < 12; ++i) {
        std::vector<PeriodCandidate> rows{candidate("obs", 0.1 + 0.037 * i, -5.0)};
        if (i < common) rows.insert(rows.begin(), candidate("obs", 0.25 + 2e-5 * i, strength));
        all.push_back(source(i, rows));
    }
    return all;
}

TEST(Review, AFrequencyOfManySourcesIsNoneOfTheirs) {
    const auto all = reviewed(observation(3));
    for (int i = 0; i < 12; ++i) {
        const SourceResult& r = all[static_cast<std::size_t>(i)];
        ASSERT_GE(r.best_period, 0) << i;
        EXPECT_NEAR(r.candidates[static_cast<std::size_t>(r.best_period)].frequency, 0.1 + 0.037 * i, 1e-9);
        if (i >= 3) continue;
        EXPECT_EQ(r.candidates[0].veto, veto_shared);
        EXPECT_EQ(r.best_period, 1);
        EXPECT_TRUE(r.flags & source_period_withdrawn);
        EXPECT_TRUE(r.flags & source_vetoed_stronger);
        EXPECT_NEAR(r.log10_fap, -5.0 + std::log10(2.0), 1e-4);
    }
}

TEST(Review, TwoSourcesAreAllowedToAgreeAndTheOptionTurnsItOff) {
    for (const SourceResult& r : reviewed(observation(2))) EXPECT_FALSE(r.flags & source_period_withdrawn);
    timing::SearchOptions never;
    never.shared_sources = 0;
    for (const SourceResult& r : reviewed(observation(5), never))
        EXPECT_FALSE(r.flags & source_period_withdrawn);
}

TEST(Review, OtherObservationsAreNotAsked) {
    auto all = observation(3);
    all[2].candidates[0].obs_id = "other";
    for (const SourceResult& r : reviewed(all)) EXPECT_FALSE(r.flags & source_period_withdrawn);
}

TEST(Review, TheSourceThatTheOthersShowKeepsItsPeriod) {
    auto all = observation(4);
    all[1].candidates[0].log10_fap = all[1].candidates[0].log10_fap_white = -400.0;
    all[1].candidates[0].pulsed_fraction = 0.5;
    refine::conclude_period(all[1], {});
    const auto after = reviewed(all);
    EXPECT_EQ(after[1].best_period, 0);
    EXPECT_EQ(after[0].candidates[0].veto, veto_shared);
    all[2].candidates[0].pulsed_fraction = 0.6;  // not deeper than the others: it is only the brightest
    EXPECT_EQ(reviewed(all)[1].candidates[0].veto, veto_shared);
}

/// Where nearly every source has a candidate at a few low frequencies, some coincide.
TEST(Review, CoincidencesInACrowdAreNone) {
    RandomStream random(5, 1);
    std::vector<SourceResult> all;
    for (int i = 0; i < 60; ++i)
        all.push_back(source(i, {candidate("obs", 4e-4 + 8e-4 * random.uniform(), -5.0)}));
    int withdrawn = 0;
    for (const SourceResult& r : reviewed(all)) withdrawn += r.flags & source_period_withdrawn ? 1 : 0;
    EXPECT_LE(withdrawn, 6);
}

TEST(Review, QValuesAreThoseOfBenjaminiAndHochberg) {
    // p.adjust(c(0.001, 0.008, 0.039, 0.041, 0.2), "BH") of R: 0.005 0.02 0.05125 0.05125 0.2
    const std::vector<double> p{0.041, 0.001, 0.2, 0.008, 0.039}, q{0.05125, 0.005, 0.2, 0.02, 0.05125};
    std::vector<SourceResult> all;
    for (std::size_t i = 0; i < p.size(); ++i) {
        SourceResult r;
        r.source.id = std::to_string(i);
        r.n_searches = 1.0;
        r.log10_fap = std::log10(p[i]);
        all.push_back(r);
    }
    all.emplace_back().source.id = "not searched";
    const auto after = reviewed(all);
    for (std::size_t i = 0; i < p.size(); ++i) EXPECT_NEAR(after[i].q_value, q[i], 1e-12) << i;
    EXPECT_TRUE(std::isnan(after.back().q_value));
}

TEST(Review, MergedShardsAreTheBytesOfAWholeRun) {
    const TemporaryFolder folder;
    const auto all = observation(4), whole = reviewed(all);
    const auto write = [&](const std::string& path, const std::vector<SourceResult>& results,
                           std::size_t first, std::size_t count) {
        io::CatalogueInfo info;
        info.survey_checksum = "xxh128:00";
        info.survey_sources = static_cast<std::int64_t>(all.size());
        info.first_source = static_cast<std::int64_t>(first);
        info.n_sources = static_cast<std::int64_t>(count);
        io::write_catalogue(path, info, [&](const io::ResultVisitor& visit) {
            for (std::size_t i = first; i < first + count; ++i) visit(results[i]);
        });
    };
    write(folder / "whole.fits", whole, 0, all.size());
    for (const std::vector<std::size_t>& begins :
         {std::vector<std::size_t>{0, 12}, {0, 2, 12}, {0, 1, 3, 4, 9, 12}}) {
        std::vector<std::string> shards;
        for (std::size_t k = 0; k + 1 < begins.size(); ++k) {
            shards.push_back(folder / ("shard" + std::to_string(k) + ".fits"));
            write(shards.back(), all, begins[k], begins[k + 1] - begins[k]);
        }
        CatalogueReview review{timing::SearchOptions{}};
        io::merge_catalogues(shards, folder / "merged.fits", &review);
        EXPECT_EQ(test::read_file(folder / "merged.fits"), test::read_file(folder / "whole.fits"))
            << shards.size();
    }
    const auto back = io::read_results(folder / "merged.fits", 0, 12);
    EXPECT_EQ(back[0].candidates[0].veto, veto_shared);
    EXPECT_EQ(back[0].best_period, 1);
    EXPECT_GT(back[0].q_value, 0.0);
}

}  // namespace
