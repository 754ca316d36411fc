#include <atomic>
#include <vector>

#include <gtest/gtest.h>

#include <xsift/core/error.hpp>
#include <xsift/core/parallel.hpp>

namespace xsift {
namespace {

TEST(ThreadPool, VisitsEveryIndexOnce) {
    for (const int threads : {1, 2, 7}) {
        const ThreadPool pool(threads);
        EXPECT_EQ(pool.size(), threads);
        std::vector<std::atomic<int>> visits(1000);
        pool.for_each(visits.size(), [&](std::size_t i) { ++visits[i]; });
        for (const auto& n : visits) EXPECT_EQ(n.load(), 1);
    }
}

TEST(ThreadPool, OfNothingDoesNothing) {
    ThreadPool(2).for_each(0, [](std::size_t) { FAIL(); });
}

TEST(ThreadPool, RethrowsAndStaysUsable) {
    const ThreadPool pool(3);
    const auto failing = [](std::size_t i) {
        if (i == 50) throw Error(ErrorKind::input, "FIFTY", "fifty");
    };
    try {
        pool.for_each(100, failing);
        FAIL() << "the exception was lost";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), "FIFTY");
    }
    std::atomic<int> visits = 0;
    pool.for_each(100, [&](std::size_t) { ++visits; });
    EXPECT_EQ(visits.load(), 100);
}

TEST(ThreadPool, WorksInsideItself) {
    const ThreadPool outer(2), inner(2);
    std::atomic<int> visits = 0;
    outer.for_each(4, [&](std::size_t) { inner.for_each(5, [&](std::size_t) { ++visits; }); });
    EXPECT_EQ(visits.load(), 20);
}

TEST(ThreadPool, DefaultsToTheThreadsOfTheMachine) {
    EXPECT_GE(available_threads(), 1);
    EXPECT_EQ(ThreadPool().size(), available_threads());
}

}  // namespace
}  // namespace xsift
