// What is on a device at a time.
#include <algorithm>
#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

#include <xsift/core/random.hpp>
#include <xsift/engine/device_plan.hpp>
#include <xsift/timing/lomb_scargle.hpp>
#include <xsift/timing/significance.hpp>

namespace xsift::engine {
namespace {

using Kind = timing::Statistic::Kind;

constexpr std::int64_t gigabyte = std::int64_t{1} << 30;

EventTask task_of(std::span<const double> time, std::int64_t trials, int harmonics) {
    EventTask task;
    task.time = time;
    task.grid = {1e-5, 1, trials};
    task.statistics = {{Kind::z2, 1}, {Kind::h, harmonics}};
    task.max_peaks = 40;
    task.min_separation = 6e-5;
    task.band_edges = {0, trials / 2, trials};
    return task;
}

TEST(DevicePlan, OneHundredAndFiftyPeaksOfNoiseAreAboveTheFirstThreshold) {
    constexpr std::int64_t trials = 816'000;
    const auto expected = [](double log10_p) { return std::pow(10.0, log10_p) * 0.5 * trials; };
    for (const int n : {1, 2, 4}) {
        const auto value = static_cast<double>(noise_threshold({Kind::z2, n}, trials, 0));
        EXPECT_NEAR(expected(timing::log10_chi2_survival(value, n)), 150.0, 0.1) << n;
    }
    EXPECT_NEAR(
        expected(timing::log10_h_survival(static_cast<double>(noise_threshold({Kind::h, 20}, trials, 0)))),
        150.0, 0.1);
    EXPECT_NEAR(expected(timing::log10_lomb_scargle_single(
                    static_cast<double>(noise_threshold({Kind::gls, 1}, trials, 70)), 70.0)),
                150.0, 0.1);
    EXPECT_EQ(noise_threshold({Kind::z2, 1}, 300, 0), 0.0f);  // all of them
}

TEST(DevicePlan, ABudgetOfOneGigabyteIsKept) {
    const std::vector<double> time(3'000'000);
    RandomStream random(11, 0);
    std::vector<EventTask> tasks;
    for (int i = 0; i < 20'000; ++i) {
        const auto n = static_cast<std::size_t>(std::pow(10.0, 1.0 + 5.4 * std::pow(random.uniform(), 4)));
        tasks.push_back(
            task_of(std::span(time).first(n), 1000 + static_cast<std::int64_t>(2e6 * random.uniform()), 20));
    }
    const DeviceBudget budget(gigabyte);
    EXPECT_LE(product_workers * budget.product_group + direct_slots * budget.segment + budget.sums +
                  grid_groups * budget.grid_group + grid_rooms * budget.grid_room,
              gigabyte * 39 / 40);
    const auto groups = product_groups(tasks, budget.product_group);
    std::size_t next = 0, left_out = 0;
    std::int64_t largest = 0;
    for (const auto& group : groups) {
        ASSERT_FALSE(group.empty());
        EXPECT_LE(group.size(), 256u);
        std::int64_t used = 0;
        for (const std::size_t t : group) {
            for (; next < t; ++next, ++left_out)  // only what is too large for any group is left out
                EXPECT_GT(product_bytes(tasks[next]), budget.product_group);
            ++next;
            used += product_bytes(tasks[t]);
        }
        largest = std::max(largest, used);
    }
    EXPECT_LE(largest, budget.product_group);
    EXPECT_GT(largest, budget.product_group / 2);  // and memory is used
    EXPECT_LT(left_out, tasks.size() / 100);
}

TEST(DevicePlan, WhatTilesCannotHoldIsLeftToTheOtherWay) {
    const std::vector<double> time(50);
    std::vector<EventTask> tasks(4, task_of(time, 5000, 2));
    tasks[1].time = {};
    tasks[2].min_separation = 1.0;  // peaks further apart than a tile holds
    tasks[3].statistics.clear();
    EXPECT_EQ(product_groups(tasks, gigabyte), (std::vector<std::vector<std::size_t>>{{0}}));
    EXPECT_TRUE(product_groups(tasks, 1000).empty());
}

TEST(DevicePlan, PartsOfSumsCoverEachListInOrderAndKeepTheBudget) {
    const std::vector<double> time(1'500'000);
    std::vector<std::int64_t> indices(2500);
    std::iota(indices.begin(), indices.end(), 1);
    std::vector<SumTask> tasks;
    for (const std::size_t n :
         {std::size_t{0}, std::size_t{300}, std::size_t{2049}, time.size(), std::size_t{7}})
        tasks.push_back({{std::span(time).first(n), {}, 0.0}, 1e-5, indices});
    tasks.push_back({{time, {}, 0.0}, 1e-5, {}});
    constexpr std::int64_t bytes = gigabyte / 64;
    const auto groups = sum_groups(tasks, bytes), large = sum_groups(tasks, gigabyte);
    EXPECT_GT(groups.size(), 1u);
    std::vector<SumPart> all, of_large;
    for (const auto& group : groups) {
        ASSERT_FALSE(group.empty());
        std::int64_t need = 0;
        for (const SumPart& part : group) need += (part.end - part.begin) * 12 + 2500 * 24;
        EXPECT_LE(need, bytes);
        all.insert(all.end(), group.begin(), group.end());
    }
    for (const auto& group : large) of_large.insert(of_large.end(), group.begin(), group.end());
    ASSERT_EQ(all.size(), of_large.size());  // how a list is cut does not depend on the memory
    std::vector<std::int64_t> seen(tasks.size(), 0), parts(tasks.size(), 0);
    for (std::size_t p = 0; p < all.size(); ++p) {
        EXPECT_EQ(all[p].begin, seen[all[p].task]);
        EXPECT_EQ(all[p].end, of_large[p].end);
        seen[all[p].task] = all[p].end;
        ++parts[all[p].task];
    }
    EXPECT_EQ(seen, (std::vector<std::int64_t>{0, 300, 2049, 1'500'000, 7, 0}));
    EXPECT_EQ(parts[2], 2);
    EXPECT_LE(parts[3], 256);
    EXPECT_EQ(sum_groups(tasks, 1).size(), all.size());  // a part alone, however little there is
}

TEST(DevicePlan, SegmentsShrinkWithTheMemory) {
    EXPECT_EQ(segment_trials(gigabyte, 1), std::int64_t{1} << 22);
    EXPECT_LT(segment_trials(gigabyte / 16, 20), std::int64_t{1} << 20);
    EXPECT_LE(segment_trials(gigabyte / 16, 20) * (20 * 4 + 28), gigabyte / 16);
    EXPECT_EQ(segment_trials(1, 24), std::int64_t{1} << 16);  // no further: a launch would be all overhead
}

}  // namespace
}  // namespace xsift::engine
