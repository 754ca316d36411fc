#include "search_tasks.hpp"

#include <gtest/gtest.h>

#include <xsift/core/random.hpp>
#include <xsift/engine/factory.hpp>

namespace xsift::engine {
namespace {

TEST(CpuSearch, OutcomeDoesNotDependOnTheNumberOfThreads) {
    const EventList few = test::photons(300, 4e4, 0.0123, 0.7, 1),
                    many = test::photons(4000, 3e4, 0.3, 0.3, 7);
    const std::vector<EventTask> tasks{test::task_of(few, 4, 70'001), test::task_of(many, 4, 40'000),
                                       test::task_of(few, 9, 5)};
    const ThreadPool one(1), three(3);
    const auto a = make_cpu_engines(one).search->search(tasks),
               b = make_cpu_engines(three).search->search(tasks);
    ASSERT_EQ(a.size(), tasks.size());
    for (std::size_t t = 0; t < tasks.size(); ++t) test::expect_equal(a[t], b[t]);
}

TEST(CpuGrid, OutcomeDoesNotDependOnTheNumberOfThreads) {
    constexpr std::int64_t templates = 150, energies = 40, bins = 60;
    RandomStream random(8, 0);
    std::vector<float> templates_values, fold;
    std::vector<double> counts, background;
    for (std::int64_t i = 0; i < templates * energies; ++i)
        templates_values.push_back(static_cast<float>(random.uniform()));
    for (std::int64_t i = 0; i < energies * bins; ++i) fold.push_back(static_cast<float>(random.uniform()));
    for (std::int64_t i = 0; i < bins; ++i) {
        counts.push_back(static_cast<double>(random.poisson(4.0)));
        background.push_back(static_cast<double>(random.poisson(9.0)));
    }
    GridTask task{templates, energies, bins, templates_values, fold, counts, background, 1e3, 1e4};
    task.max_cells = static_cast<int>(templates);
    const ThreadPool one(1), three(3);
    const auto a = make_cpu_engines(one).grid->evaluate(std::span(&task, 1)).front(),
               b = make_cpu_engines(three).grid->evaluate(std::span(&task, 1)).front();
    ASSERT_EQ(a.best.size(), b.best.size());
    for (std::size_t i = 0; i < a.best.size(); ++i) {
        EXPECT_EQ(a.best[i].index, b.best[i].index);
        EXPECT_EQ(a.best[i].stat, b.best[i].stat);
        EXPECT_EQ(a.best[i].norm, b.best[i].norm);
    }
}

}  // namespace
}  // namespace xsift::engine
