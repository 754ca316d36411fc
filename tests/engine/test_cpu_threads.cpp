#include "search_tasks.hpp"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace xsift::engine
