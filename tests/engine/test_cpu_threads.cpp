#include "search_tasks.hpp"

#include <gtest/gtest.h>

#include <xsift/core/random.hpp>
#include <xsift/engine/factory.hpp>
#include <xsift/engine/search_tasks.hpp>
#include <xsift/timing/window.hpp>

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

/// A list so long that its photons are spread in parts, by all threads together.
TEST(CpuSearch, SharedPhotonsGiveTheSameOutcomeAndTheRightPowers) {
    EventList list = test::photons((std::size_t{1} << 19) + 1001, 4e4, 0.0123, 0.01, 5);
    RandomStream random(6, 0);
    for (std::size_t j = 0; j < list.size(); ++j)
        list.weight.push_back(static_cast<float>(0.5 + random.uniform()));
    EventTask task = test::task_of(list, 900, 9000);
    task.max_peaks = 5;
    task.statistics.resize(2);  // Z2_1 and Z2_2: some powers are kept, some are not
    const ThreadPool one(1), three(3);
    const auto a = make_cpu_engines(one).search->search(std::span(&task, 1)),
               b = make_cpu_engines(three).search->search(std::span(&task, 1));
    test::expect_equal(a.at(0), b.at(0));
    const PreparedEvents sums(task);
    for (const auto& statistic : a[0].statistics) {
        std::vector<timing::Peak> trials{statistic.peaks.at(0), statistic.peaks.at(4)};
        for (const auto& band : statistic.band_maxima) trials.push_back(band.at(0));
        for (const auto& trial : trials) {
            double z2 = 0.0;
            for (int k = 1; k <= statistic.statistic.harmonics; ++k) {
                const double f = k * trial.frequency;
                timing::Complex sum{0.0, 0.0};
                if (f < sums.window_fmax)
                    sum = sum - timing::gti_window(f, task.gti_start.data(), task.gti_stop.data(),
                                                   static_cast<int>(task.gti_start.size())) *
                                    sums.sum_w;
                for (std::size_t j = 0; j < list.size(); ++j) {
                    const double phase = constants::two_pi * f * list.time[j],
                                 w = static_cast<double>(list.weight[j]);
                    sum.re += w * std::cos(phase);
                    sum.im += w * std::sin(phase);
                }
                z2 += 2.0 * sum.norm() / sums.sum_w2;
            }
            EXPECT_NEAR(trial.value, z2, 1e-2 + 2e-3 * z2) << trial.frequency;
        }
    }
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
    GridTask task;
    task.n_templates = templates;
    task.n_energies = energies;
    task.n_bins = bins;
    task.templates = templates_values;
    task.fold = fold;
    task.counts = counts;
    task.background_counts = background;
    task.exposure = 1e3;
    task.background_exposure = 1e4;
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
