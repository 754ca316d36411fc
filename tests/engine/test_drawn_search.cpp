// What backends share of the searches of simulated sources.
#include "drawn_sources.hpp"

#include <gtest/gtest.h>

#include <xsift/engine/spread.hpp>

namespace xsift::engine {
namespace {

class DrawnSearch : public testing::Test {
  protected:
    static timing::SearchOptions options() {
        timing::SearchOptions options;
        options.fmin = 4e-4;
        options.fmax = 0.04;
        options.z2_harmonics = {1, 2};
        options.h_harmonics = 0;
        options.max_candidates = 2;
        options.draws = 10;
        return options;
    }
    /// Z2_1 and Z2_2 of a draw, by trial.
    static SearchOutcome outcome(const std::vector<timing::Peak>& first,
                                 const std::vector<timing::Peak>& second) {
        SearchOutcome found;
        found.statistics.resize(2);
        found.statistics[0].peaks = first;
        found.statistics[1].peaks = second;
        return found;
    }
    const test::DrawnSources sources{test::list_in_gaps(100, 0.0, false, 1), options(), 3};
    const DrawJudge judge{sources.task};
};

TEST_F(DrawnSearch, TheMostSignificantFrequenciesAreWanted) {
    // 20 of one harmonic is less probable than 21 of two; one trial further is the same frequency.
    const auto wanted = judge.wanted(outcome({{700, 0.0, 17.0, 1}, {500, 0.0, 14.0, 1}, {100, 0.0, 9.0, 1}},
                                             {{701, 0.0, 18.0, 2}, {300, 0.0, 12.0, 2}}));
    ASSERT_TRUE(wanted.has_value());
    ASSERT_EQ(wanted->size(), 2u);
    EXPECT_EQ((*wanted)[0].trial, 700);
    EXPECT_EQ((*wanted)[0].statistic, 0);
    EXPECT_EQ((*wanted)[1].trial, 500);
    EXPECT_TRUE(judge.wanted(outcome({}, {}))->empty());
}

TEST_F(DrawnSearch, ASignificantPeakOrBandIsLeftToTheWholePolish) {
    EXPECT_FALSE(judge.wanted(outcome({{700, 0.0, 60.0, 1}}, {})).has_value());
    SearchOutcome found = outcome({{700, 0.0, 12.0, 1}}, {});
    found.statistics[0].band_maxima = {{}, {{900, 0.0, 60.0, 1}}};
    EXPECT_FALSE(judge.wanted(found).has_value());
    found.statistics[0].band_maxima[1][0].value = 12.0;
    EXPECT_TRUE(judge.wanted(found).has_value());
    // What a search finds significant only between its trials.
    const std::vector<DrawJudge::Climbed> climbed{{0, 1, 0.01, 60.0, 60.0}};
    EXPECT_FALSE(judge.judged(climbed).has_value());
}

/// What has too few cycles is no alarm, but it must be alone: neither the fundamental of another nor a
/// multiple.
TEST_F(DrawnSearch, WhatHasTooFewCyclesMayBeSignificant) {
    timing::SearchOptions slow = options();
    slow.fmin = 5e-5;
    const test::DrawnSources from_one_cycle(test::list_in_gaps(100, 0.0, false, 1), slow, 3);
    const DrawJudge of_slow(from_one_cycle.task);
    SearchOutcome found = outcome({{4, 0.0, 60.0, 1}, {700, 0.0, 17.0, 1}}, {{5, 0.0, 61.0, 2}});
    found.statistics[0].band_maxima = {{{4, 0.0, 60.0, 1}}};
    const auto wanted = of_slow.wanted(found);
    ASSERT_TRUE(wanted.has_value());
    ASSERT_EQ(wanted->size(), 2u);
    EXPECT_EQ((*wanted)[0].trial, 4);
    EXPECT_EQ((*wanted)[1].trial, 700);
    found.statistics[0].peaks.insert(found.statistics[0].peaks.begin(), {60, 0.0, 90.0, 1});  // 16 cycles
    EXPECT_FALSE(of_slow.wanted(found).has_value());

    std::vector<DrawJudge::Climbed> climbed{{0, 1, 1e-4, 60.0, 60.0}, {0, 1, 0.01, 12.0, 12.0}};
    ASSERT_TRUE(of_slow.judged(climbed).has_value());
    climbed[1].frequency = 3e-4;
    EXPECT_FALSE(of_slow.judged(climbed).has_value());
    climbed[1].frequency = 0.01;
    climbed[0].may_be_faster = true;
    EXPECT_FALSE(of_slow.judged(climbed).has_value());
}

TEST_F(DrawnSearch, MaximaOfOneFrequencyAreOne) {
    const std::vector<DrawJudge::Climbed> climbed{
        {0, 1, 0.01, 12.0, 12.0}, {1, 2, 0.01 + 0.3 / 2e4, 13.0, 13.0}, {0, 1, 0.02, 14.0, 11.0}};
    const auto maxima = judge.judged(climbed);
    ASSERT_TRUE(maxima.has_value());
    ASSERT_EQ(maxima->size(), 2u);
    EXPECT_EQ((*maxima)[0].frequency, 0.01);
    EXPECT_EQ((*maxima)[1].frequency, 0.02);
    EXPECT_EQ((*maxima)[1].value, 14.0);
    EXPECT_NEAR((*maxima)[1].log10_fap,
                timing::log10_found_by_chance({timing::Statistic::Kind::z2, 1}, 11.0, sources.task.extent),
                1e-12);
    EXPECT_LT((*maxima)[0].log10_fap, (*maxima)[1].log10_fap);
}

TEST_F(DrawnSearch, CutDrawsAreAllDrawsInOrder) {
    const auto cut = cut_draws(std::span<const DrawTask>(&sources.task, 1), 3);
    ASSERT_EQ(cut.size(), 3u);
    std::uint64_t next = 0;
    for (const DrawTask& part : cut) {
        EXPECT_EQ(part.first, next);
        EXPECT_GE(part.count, 3);
        next += static_cast<std::uint64_t>(part.count);
    }
    EXPECT_EQ(next, 10u);
}

TEST_F(DrawnSearch, SharesSearchTheDrawsThatOneSetDoes) {
    const ThreadPool pool(1);
    std::vector<EngineShare> shares;
    for (int i = 0; i < 3; ++i) shares.push_back({make_cpu_engines(pool), {}});
    const std::vector<DrawTask> tasks(2, sources.task);
    const auto wanted = make_cpu_engines(pool).search->search(std::span<const DrawTask>(tasks)),
               found = spread_over(std::move(shares)).search->search(std::span<const DrawTask>(tasks));
    ASSERT_EQ(found.size(), 2u);
    for (std::size_t t = 0; t < 2; ++t) {
        ASSERT_EQ(found[t].size(), wanted[t].size());
        for (std::size_t i = 0; i < found[t].size(); ++i)
            EXPECT_EQ(found[t][i].peaks.statistics.at(0).peaks.at(0).value,
                      wanted[t][i].peaks.statistics.at(0).peaks.at(0).value);
    }
}

/// Every number of a draw can be had without those before it.
TEST_F(DrawnSearch, PhotonsCanBeDrawnOneByOne) {
    const timing::ConstantRate rate = sources.source.rate();
    const timing::DrawnPhotons drawn = timing::draw_photons(rate, 100, {}, 3, 4);
    std::vector<double> one_by_one;
    for (std::uint64_t j = 100; j-- > 0;) one_by_one.push_back(timing::drawn_time(rate, 3, 4, j));
    std::sort(one_by_one.begin(), one_by_one.end());
    EXPECT_EQ(drawn.time, one_by_one);
}

}  // namespace
}  // namespace xsift::engine
