// Composite searches of any backend against their definitions in double.
#include "backend.hpp"
#include "search_tasks.hpp"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include <xsift/engine/oracle_search.hpp>

namespace xsift::engine {
namespace {

using Kind = timing::Statistic::Kind;
using CompositeSuite = test::BackendTest;

constexpr double span = 4e4;

/// A drifting signal, times from the middle of the exposure.
EventList drifting(std::size_t n, double frequency, double fdot, std::uint64_t seed) {
    EventList list = test::photons(n, span, 0.0, 0.0, seed);
    RandomStream random(seed + 1000, 0);
    std::vector<double> kept;
    for (double& t : list.time) {
        t -= span / 2;
        const double cycles = frequency * t + 0.5 * fdot * t * t;
        if (2 * random.uniform() < 1 + 0.9 * std::cos(constants::two_pi * cycles)) kept.push_back(t);
    }
    list.time = kept;
    for (auto* edges : {&list.gti.start, &list.gti.stop})
        for (double& t : *edges) t -= span / 2;
    return list;
}

CompositeTask task_of(const EventList& list, std::int64_t first, std::int64_t count) {
    CompositeTask task;
    CompositeMember member;
    member.time = list.time;
    member.weight = list.weight;
    member.gti_start = list.gti.start;
    member.gti_stop = list.gti.stop;
    task.members = {member};
    task.grid = {1.0 / (4.0 * span), first, count};
    task.statistics = {{Kind::z2, 1}, {Kind::z2, 3}};
    task.max_peaks = 20;
    task.min_separation = 1.5 / span;
    return task;
}

/// The peaks of the oracle, merged over the drift as an engine must.
std::vector<CompositePeak> wanted(const CompositeTask& task, const std::vector<double>& truth) {
    std::vector<CompositePeak> all;
    for (std::int64_t d = 0; d < task.drift.count(); ++d) {
        const auto at = truth.begin() + static_cast<std::ptrdiff_t>(d * task.grid.count);
        for (const timing::Peak& peak : oracle_peaks({at, at + static_cast<std::ptrdiff_t>(task.grid.count)},
                                                     task.grid, task.max_peaks, task.min_separation))
            all.push_back({peak, d});
    }
    return merge_drift_peaks(std::move(all), task);
}

void expect_matches_oracle(PeriodSearch& engine, const CompositeTask& task) {
    const auto found = engine.search(std::span(&task, 1)).at(0).peaks;
    const auto truth = oracle_periodograms(task);
    ASSERT_EQ(found.size(), task.statistics.size());
    for (std::size_t s = 0; s < truth.size(); ++s) {
        const auto expected = wanted(task, truth[s]);
        ASSERT_FALSE(expected.empty());
        ASSERT_EQ(found[s].size(), expected.size());
        EXPECT_EQ(found[s][0].peak.index, expected[0].peak.index);
        EXPECT_EQ(found[s][0].drift, expected[0].drift);
        for (std::size_t i = 0; i < expected.size(); ++i) {
            const CompositePeak& p = found[s][i];
            EXPECT_NEAR(p.peak.value, expected[i].peak.value,
                        1e-2 * std::max(1.0, 1e-2 * expected[i].peak.value));
            EXPECT_NEAR(p.peak.value,
                        truth[s][static_cast<std::size_t>(p.drift * task.grid.count + p.peak.index)],
                        1e-2 * std::max(1.0, 1e-2 * p.peak.value));
            EXPECT_DOUBLE_EQ(p.peak.frequency, task.grid.frequency(p.peak.index));
            EXPECT_EQ(p.peak.harmonics, task.statistics[s].harmonics);
        }
    }
}

TEST_F(CompositeSuite, FrequencyDerivativesAgreeWithDirectSums) {
    const double fdot = 3.3e-9;
    const EventList list = drifting(900, 0.0123, fdot, 1);
    CompositeTask task = task_of(list, 4, 2200);
    task.drift = {1.1e-9, 4, false};
    expect_matches_oracle(*engines.search, task);
    const auto best = engines.search->search(std::span(&task, 1)).at(0).peaks.at(0).at(0);
    EXPECT_NEAR(best.peak.frequency, 0.0123, 0.5 / span);
    EXPECT_NEAR(task.drift.value(best.drift), fdot, 1.1e-9);
}

TEST_F(CompositeSuite, AccelerationsAgreeWithDirectSums) {
    const EventList list = drifting(900, 0.3, 5e-9, 2);  // 5 m/s^2
    CompositeTask task = task_of(list, 47'000, 1500);
    task.drift = {1.5, 4, true};
    expect_matches_oracle(*engines.search, task);
    const auto best = engines.search->search(std::span(&task, 1)).at(0).peaks.at(0).at(0);
    EXPECT_NEAR(task.drift.value(best.drift), 5e-9 / 0.3 * constants::speed_of_light, 1.5);
}

/// So many photons that a device searches them by transforms; weighted.
TEST_F(CompositeSuite, LongDriftingListsAgreeWithDirectSums) {
    EventList list = drifting(7000, 0.0123, 3.3e-9, 11);
    ASSERT_GT(list.size(), 3000u);
    RandomStream random(12, 0);
    for (std::size_t i = 0; i < list.size(); ++i)
        list.weight.push_back(static_cast<float>(0.2 + random.uniform()));
    CompositeTask task = task_of(list, 1700, 700);
    task.statistics = {{Kind::z2, 1}, {Kind::z2, 2}};
    task.drift = {1.1e-9, 3, false};
    expect_matches_oracle(*engines.search, task);
}

TEST_F(CompositeSuite, SeveralExposuresAddUp) {
    const EventList a = drifting(600, 0.0123, 0.0, 3), b = drifting(2500, 0.0123, 0.0, 4);
    CompositeTask task = task_of(a, 4, 2500);
    task.members.push_back(task_of(b, 4, 2500).members[0]);
    const std::vector<double> rate{1.0, 2.0};
    task.members[1].gti_rate = rate;
    task.members[1].harmonic_fmax = 0.03;
    expect_matches_oracle(*engines.search, task);
    CompositeTask first = task, second = task;
    first.members.pop_back();
    second.members.erase(second.members.begin());
    const auto sum = oracle_periodograms(task), one = oracle_periodograms(first),
               two = oracle_periodograms(second);
    for (std::size_t i = 0; i < sum[1].size(); ++i) ASSERT_NEAR(sum[1][i], one[1][i] + two[1][i], 1e-9);
}

TEST_F(CompositeSuite, EpochFoldingAgreesWithItsDefinition) {
    EventList list = drifting(1200, 0.0123, 0.0, 5);
    CompositeTask task = task_of(list, 2, 2500);
    task.statistics = {{Kind::ef, 16}, {Kind::z2, 2}, {Kind::ef, 8}};
    expect_matches_oracle(*engines.search, task);
    RandomStream random(9, 0);
    for (std::size_t i = 0; i < list.size(); ++i) list.weight.push_back(static_cast<float>(random.uniform()));
    task.members[0].weight = list.weight;
    task.drift = {1e-9, 1, false};
    expect_matches_oracle(*engines.search, task);
}

TEST_F(CompositeSuite, WhatCannotBeSearchedIsRefused) {
    const EventList list = drifting(100, 0.0123, 0.0, 5);
    CompositeTask task = task_of(list, 2, 25);
    task.statistics = {{Kind::h, 20}};
    EXPECT_ANY_THROW(engines.search->search(std::span(&task, 1)));
    task.statistics = {{Kind::ef, 65}};
    EXPECT_ANY_THROW(engines.search->search(std::span(&task, 1)));
    task.statistics = {{Kind::z2, 1}};
    task.members.clear();
    EXPECT_ANY_THROW(engines.search->search(std::span(&task, 1)));
}

}  // namespace
}  // namespace xsift::engine
