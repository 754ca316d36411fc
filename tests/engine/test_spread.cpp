// Several sets of engines that share a batch.
#include "search_tasks.hpp"

#include <mutex>
#include <set>
#include <thread>

#include <gtest/gtest.h>

#include <xsift/core/error.hpp>
#include <xsift/core/numa.hpp>
#include <xsift/engine/spread.hpp>

namespace xsift::engine {
namespace {

using Kind = timing::Statistic::Kind;

TEST(Spread, RunsAreOfAboutEqualCost) {
    EXPECT_EQ(equal_runs({1, 1, 1, 1, 1, 1}, 3), (std::vector<std::size_t>{2, 4, 6}));
    EXPECT_EQ(equal_runs({9, 1, 1, 1}, 2), (std::vector<std::size_t>{1, 4}));
    EXPECT_EQ(equal_runs({1, 1, 1, 9}, 2), (std::vector<std::size_t>{3, 4}));
    EXPECT_EQ(equal_runs({5}, 4), (std::vector<std::size_t>{0, 1, 1, 1}));
    EXPECT_EQ(equal_runs({}, 2), (std::vector<std::size_t>{0, 0}));
    EXPECT_EQ(equal_runs({0, 0, 0}, 1), (std::vector<std::size_t>{3}));
}

TEST(Spread, SharesFindWhatOneSetFinds) {
    std::vector<EventList> lists;
    std::vector<EventTask> tasks;
    for (std::uint64_t i = 0; i < 9; ++i) lists.push_back(test::photons(40 + 30 * i, 4e4, 0.0123, 0.6, i));
    for (const EventList& list : lists) {
        tasks.push_back(test::task_of(list, 100, 3000));
        tasks.back().statistics = {{Kind::z2, 1}, {Kind::h, 5}};
    }
    const ThreadPool pool(1);
    Engines alone = make_cpu_engines(pool);
    std::mutex guard;
    std::set<std::thread::id> threads;
    std::vector<EngineShare> shares;
    for (int i = 0; i < 3; ++i)
        shares.push_back({make_cpu_engines(pool), [&] {
                              const std::scoped_lock lock(guard);
                              threads.insert(std::this_thread::get_id());
                          }});
    Engines together = spread_over(std::move(shares));
    EXPECT_EQ(together.backend, "cpu");
    const auto wanted = alone.search->search(std::span<const EventTask>(tasks)),
               found = together.search->search(std::span<const EventTask>(tasks));
    EXPECT_EQ(threads.size(), 3u);
    ASSERT_EQ(found.size(), wanted.size());
    for (std::size_t t = 0; t < wanted.size(); ++t) test::expect_equal(found[t], wanted[t]);
    EXPECT_TRUE(together.search->search(std::span<const LightCurveTask>{}).empty());

    const std::vector<std::int64_t> indices{2, 3, 4, 7, 90};
    std::vector<SumTask> sum_tasks;
    for (const EventList& list : lists) sum_tasks.push_back({{list.time, list.weight, 0.0}, 1e-5, indices});
    const auto wanted_sums = alone.search->sums(sum_tasks), found_sums = together.search->sums(sum_tasks);
    ASSERT_EQ(found_sums.size(), wanted_sums.size());
    for (std::size_t t = 0; t < wanted_sums.size(); ++t)
        for (std::size_t i = 0; i < indices.size(); ++i)
            EXPECT_EQ(found_sums[t].at(i).re, wanted_sums[t].at(i).re);
}

TEST(Spread, SharesDrawAndFitWhatOneSetDoes) {
    const std::vector<double> log_counts{0.0, 0.5, 1.0, 1.0, 0.5, 0.0}, expected{2.0, 2.5, 3.0};
    std::vector<SimulationTask> tasks;
    for (std::uint64_t i = 0; i < 5; ++i)
        tasks.push_back(
            {2, 1, false, {{3, 0.0}}, log_counts, expected, {}, i, 1 + 4 * static_cast<std::int64_t>(i)});
    const ThreadPool pool(1);
    std::vector<EngineShare> shares;
    for (int i = 0; i < 3; ++i) shares.push_back({make_cpu_engines(pool), {}});
    const auto wanted = make_cpu_engines(pool).grid->evaluate(std::span<const SimulationTask>(tasks)),
               found = spread_over(std::move(shares)).grid->evaluate(std::span<const SimulationTask>(tasks));
    ASSERT_EQ(found.size(), wanted.size());
    for (std::size_t t = 0; t < wanted.size(); ++t) {
        ASSERT_EQ(found[t].fits.size(), wanted[t].fits.size());
        for (std::size_t d = 0; d < wanted[t].fits.size(); ++d)
            EXPECT_EQ(found[t].fits[d].stat, wanted[t].fits[d].stat);
    }
}

TEST(Spread, EachShareKeepsToItsProcessors) {
    const EventList list = test::photons(30, 4e4, 0.0123, 0.6, 1);
    const std::vector<EventTask> tasks(4, test::task_of(list, 100, 50));
    const ThreadPool pool(1);
    const std::vector<int> usable = usable_processors();
    const std::vector<int> near[2] = {{usable.front()}, {usable.back()}};
    std::vector<int> seen[2];
    std::vector<EngineShare> shares;
    for (std::size_t i = 0; i < 2; ++i)
        shares.push_back({make_cpu_engines(pool), [&seen, i] { seen[i] = usable_processors(); }, near[i]});
    Engines together = spread_over(std::move(shares));
    EXPECT_EQ(together.search->search(std::span<const EventTask>(tasks)).size(), tasks.size());
    for (std::size_t i = 0; i < 2; ++i) EXPECT_EQ(seen[i], near[i]);
    EXPECT_EQ(usable_processors(), usable);  // this thread worked for the first
}

TEST(Spread, AFailureOfOneShareIsTheFailureOfTheBatch) {
    const EventList list = test::photons(30, 4e4, 0.0123, 0.6, 1);
    const std::vector<EventTask> tasks(4, test::task_of(list, 100, 50));
    const ThreadPool pool(1);
    std::vector<EngineShare> shares;
    shares.push_back({make_cpu_engines(pool), {}});
    shares.push_back({make_cpu_engines(pool),
                      [] { throw Error(ErrorKind::internal, "DEVICE_OUT_OF_MEMORY", "no memory"); }});
    Engines together = spread_over(std::move(shares));
    try {
        together.search->search(std::span<const EventTask>(tasks));
        FAIL() << "the failure was lost";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), "DEVICE_OUT_OF_MEMORY");
    }
}

}  // namespace
}  // namespace xsift::engine
