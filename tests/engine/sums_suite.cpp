// Trigonometric sums in double of many lists at once.
#include "backend.hpp"
#include "search_tasks.hpp"

#include <gtest/gtest.h>

#include <xsift/core/random.hpp>
#include <xsift/engine/direct_sum.hpp>
#include <xsift/engine/search_tasks.hpp>
#include <xsift/timing/red_noise.hpp>

namespace xsift::engine {
namespace {

using SumsSuite = test::BackendTest;

/// Lists of unequal length, every other one weighted, each with its own origin and indices.
struct Lists {
    std::vector<EventList> lists;
    std::vector<std::vector<std::int64_t>> indices;
    std::vector<SumTask> tasks;

    explicit Lists(std::initializer_list<std::size_t> lengths) {
        for (const std::size_t n : lengths) {
            EventList& list = lists.emplace_back(test::photons(n, 4e4, 0.0123, 0.5, n));
            RandomStream random(5, n);
            for (std::size_t j = 0; j < n && lists.size() % 2 == 0; ++j)
                list.weight.push_back(static_cast<float>(0.1 + random.uniform()));
            indices.push_back(timing::noise_indices(
                {df(), 2 + static_cast<std::int64_t>(lists.size()), 3000 * std::ssize(lists)}, 4 * df()));
        }
        for (std::size_t i = 0; i < lists.size(); ++i)
            tasks.push_back(
                {{lists[i].time, lists[i].weight, 1e4 * static_cast<double>(i)}, df(), indices[i]});
    }
    static constexpr double df() { return 1.0 / 1.6e5; }

    void expect_right(const std::vector<std::vector<timing::Complex>>& found) const {
        ASSERT_EQ(found.size(), tasks.size());
        for (std::size_t t = 0; t < tasks.size(); ++t) {
            ASSERT_EQ(found[t].size(), indices[t].size());
            std::vector<double> time = lists[t].time;
            for (double& at : time) at -= tasks[t].photons.origin;
            const auto step = phase_steps(time, df());
            const double tolerance = 1e-10 * static_cast<double>(1 + time.size());
            for (std::size_t i = 0; i < found[t].size(); i += 1 + i / 20) {
                const timing::Complex truth =
                    direct_sum(step.data(), lists[t].weight.empty() ? nullptr : lists[t].weight.data(),
                               std::ssize(step), static_cast<std::uint64_t>(indices[t][i]));
                EXPECT_NEAR(found[t][i].re, truth.re, tolerance) << t << " " << i;
                EXPECT_NEAR(found[t][i].im, truth.im, tolerance) << t << " " << i;
            }
        }
    }
};

TEST_F(SumsSuite, AgreeWithDirectSumsForListsOfAllLengths) {
    // One photon, a block less and a block more, parts of a long list.
    Lists batch({1, 127, 129, 300, 5003});
    batch.expect_right(engines.search->sums(batch.tasks));
}

TEST_F(SumsSuite, DoNotDependOnTheNeighboursAndAreTheSameAgain) {
    const Lists batch({40, 2500, 300});
    const auto together = engines.search->sums(batch.tasks), again = engines.search->sums(batch.tasks);
    for (std::size_t t = 0; t < batch.tasks.size(); ++t) {
        const auto alone = engines.search->sums(std::span(batch.tasks).subspan(t, 1)).at(0);
        ASSERT_EQ(alone.size(), together[t].size());
        for (std::size_t i = 0; i < alone.size(); ++i) {
            EXPECT_EQ(alone[i].re, together[t][i].re);
            EXPECT_EQ(alone[i].im, together[t][i].im);
            EXPECT_EQ(again[t][i].re, together[t][i].re);
            EXPECT_EQ(again[t][i].im, together[t][i].im);
        }
    }
}

TEST_F(SumsSuite, NothingAskedForIsNothing) {
    EXPECT_TRUE(engines.search->sums({}).empty());
    const std::vector<std::int64_t> indices{3, 4, 9};
    const std::vector<double> time{1.0, 2.0};
    const std::vector<SumTask> tasks{{{time, {}, 0.0}, 1e-3, {}}, {{{}, {}, 0.0}, 1e-3, indices}};
    const auto found = engines.search->sums(tasks);
    ASSERT_EQ(found.size(), 2u);
    EXPECT_TRUE(found[0].empty());
    ASSERT_EQ(found[1].size(), 3u);
    for (const timing::Complex& sum : found[1]) EXPECT_EQ(sum.norm(), 0.0);
}

}  // namespace
}  // namespace xsift::engine
