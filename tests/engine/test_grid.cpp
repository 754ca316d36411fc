// The grid likelihood: the CPU engine against the oracle in plain double loops.
#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include <xsift/core/error.hpp>
#include <xsift/core/random.hpp>
#include <xsift/engine/factory.hpp>
#include <xsift/engine/grid_task.hpp>

namespace {

using namespace xsift;
using namespace xsift::engine;

/// A task with random templates, fold and Poisson counts of template `truth` at norm 1e-4.
struct RandomTask {
    std::vector<float> templates, fold;
    std::vector<double> counts, background;
    GridTask task;

    RandomTask(std::uint64_t seed, std::int64_t n_templates, std::int64_t n_energies, std::int64_t n_bins,
               bool with_background) {
        RandomStream random(seed, 0);
        for (std::int64_t i = 0; i < n_templates * n_energies; ++i) {
            const auto t = static_cast<double>(i / n_energies), e = static_cast<double>(i % n_energies + 1);
            templates.push_back(static_cast<float>(std::pow(e, -0.1 * t) * (0.5 + random.uniform())));
        }
        for (std::int64_t i = 0; i < n_energies * n_bins; ++i)
            fold.push_back(static_cast<float>(random.uniform() < 0.5 ? 0.0 : 100.0 * random.uniform()));
        const std::int64_t truth = n_templates / 2;
        for (std::int64_t k = 0; k < n_bins; ++k) {
            double rate = 0.0;
            for (std::int64_t e = 0; e < n_energies; ++e)
                rate += static_cast<double>(templates[truth * n_energies + e]) *
                        static_cast<double>(fold[e * n_bins + k]);
            const double b = with_background ? 0.002 : 0.0;
            counts.push_back(static_cast<double>(random.poisson(1e3 * (1e-5 * rate + b))));
            if (with_background) background.push_back(static_cast<double>(random.poisson(9e3 * b)));
        }
        task.n_templates = n_templates;
        task.n_energies = n_energies;
        task.n_bins = n_bins;
        task.templates = templates;
        task.fold = fold;
        task.counts = counts;
        task.background_counts = background;
        task.exposure = 1e3;
        task.background_exposure = with_background ? 9e3 : 0.0;
        task.max_cells = static_cast<int>(n_templates);
    }
};

struct Sizes {
    std::int64_t templates, energies, bins;
    bool background;
};

class GridAgainstOracle : public testing::TestWithParam<Sizes> {};

TEST_P(GridAgainstOracle, StatisticsAndNormsAgree) {
    const Sizes s = GetParam();
    const RandomTask random(17, s.templates, s.energies, s.bins, s.background);
    const ThreadPool pool(2);
    const auto outcome = make_cpu_engines(pool).grid->evaluate(std::span(&random.task, 1)).front();
    const auto reference = reference_cells(random.task);
    ASSERT_EQ(outcome.best.size(), reference.size());
    for (std::size_t i = 0; i < outcome.best.size(); ++i) {
        const GridCell &ours = outcome.best[i], &theirs = reference[ours.index];
        EXPECT_NEAR(ours.stat, theirs.stat, 1e-4 + 1e-6 * std::fabs(theirs.stat)) << ours.index;
        // only where the norm matters: it is flat where nothing is fitted
        if (theirs.norm > 1e-11) {
            EXPECT_NEAR(ours.norm / theirs.norm, 1.0, 2e-3) << ours.index;
        }
        if (i > 0) {
            EXPECT_LE(outcome.best[i - 1].stat, ours.stat);
        }
    }
    EXPECT_EQ(outcome.best.front().index,
              std::min_element(reference.begin(), reference.end(), better_cell)->index);
}

INSTANTIATE_TEST_SUITE_P(Sizes, GridAgainstOracle,
                         testing::Values(Sizes{1, 1, 1, true}, Sizes{3, 2, 5, false}, Sizes{7, 33, 31, true},
                                         Sizes{64, 17, 65, true}, Sizes{65, 129, 40, false},
                                         Sizes{130, 50, 300, true}));

TEST(CpuGrid, OutcomeDoesNotDependOnThreadsOrTheRestOfTheBatch) {
    const RandomTask a(3, 150, 40, 60, true), b(4, 90, 21, 33, false);
    const std::vector<GridTask> both{a.task, b.task};
    const ThreadPool one(1), two(2);
    const auto first = make_cpu_engines(one).grid->evaluate(both),
               second = make_cpu_engines(two).grid->evaluate(both);
    const auto alone = make_cpu_engines(two).grid->evaluate(std::span(&b.task, 1));
    for (std::size_t t = 0; t < both.size(); ++t)
        for (std::size_t i = 0; i < first[t].best.size(); ++i) {
            EXPECT_EQ(first[t].best[i].index, second[t].best[i].index);
            EXPECT_EQ(first[t].best[i].stat, second[t].best[i].stat);
            EXPECT_EQ(first[t].best[i].norm, second[t].best[i].norm);
        }
    for (std::size_t i = 0; i < alone[0].best.size(); ++i)
        EXPECT_EQ(alone[0].best[i].stat, first[1].best[i].stat);
}

TEST(CpuGrid, KeepsOnlyTheBestCells) {
    RandomTask random(5, 100, 10, 20, true);
    const ThreadPool pool(2);
    const auto all = make_cpu_engines(pool).grid->evaluate(std::span(&random.task, 1)).front();
    random.task.max_cells = 8;
    const auto few = make_cpu_engines(pool).grid->evaluate(std::span(&random.task, 1)).front();
    ASSERT_EQ(few.best.size(), 8U);
    for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(few.best[i].index, all.best[i].index);
}

TEST(CpuGrid, RefusesTasksThatContradictThemselves) {
    RandomTask random(5, 4, 3, 2, true);
    random.task.n_bins = 3;
    const ThreadPool pool(1);
    EXPECT_THROW(make_cpu_engines(pool).grid->evaluate(std::span(&random.task, 1)), Error);
}

}  // namespace
