// The grid likelihood of a backend against the oracle in plain double loops.
#include "backend.hpp"

#include <algorithm>
#include <cmath>
#include <ostream>

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

/// Names the cases; the bytes of a struct would hold padding.
void PrintTo(const Sizes& s, std::ostream* out) {
    *out << s.templates << "x" << s.energies << "x" << s.bins << (s.background ? " wstat" : " cstat");
}

class GridOracleSuite : public test::BackendTest {
  protected:
    GridOutcome evaluate(const GridTask& task) { return engines.grid->evaluate(std::span(&task, 1)).front(); }
};

class GridAgainstOracle : public GridOracleSuite, public testing::WithParamInterface<Sizes> {};

TEST_P(GridAgainstOracle, StatisticsAndNormsAgree) {
    const Sizes s = GetParam();
    const RandomTask random(17, s.templates, s.energies, s.bins, s.background);
    const GridOutcome outcome = evaluate(random.task);
    const auto reference = reference_cells(random.task);
    ASSERT_EQ(outcome.best.size(), reference.size());
    for (std::size_t i = 0; i < outcome.best.size(); ++i) {
        const GridCell &ours = outcome.best[i], &theirs = reference[ours.index];
        EXPECT_NEAR(ours.stat, theirs.stat, 1.0 / stat_steps + 1e-6 * std::fabs(theirs.stat)) << ours.index;
        if (theirs.norm > 1e-11) {  // below, the statistic is flat
            EXPECT_NEAR(ours.norm / theirs.norm, 1.0, 2e-3) << ours.index;
        }
        if (i > 0) {
            EXPECT_LE(outcome.best[i - 1].stat, ours.stat);
        }
    }
    const auto lowest = std::min_element(reference.begin(), reference.end(), better_cell);
    EXPECT_NEAR(reference[outcome.best.front().index].stat, lowest->stat, 1.0 / stat_steps);
}

INSTANTIATE_TEST_SUITE_P(Sizes, GridAgainstOracle,
                         testing::Values(Sizes{1, 1, 1, true}, Sizes{3, 2, 5, false}, Sizes{7, 33, 31, true},
                                         Sizes{64, 17, 65, true}, Sizes{65, 129, 40, false},
                                         Sizes{130, 50, 300, true}));

TEST_F(GridOracleSuite, OutcomeDoesNotDependOnTheRestOfTheBatch) {
    const RandomTask a(3, 150, 40, 60, true), b(4, 90, 21, 33, false);
    const std::vector<GridTask> both{a.task, b.task, a.task};
    const auto batch = engines.grid->evaluate(both);
    ASSERT_EQ(batch.size(), 3U);
    const GridOutcome alone = evaluate(b.task);
    for (std::size_t i = 0; i < alone.best.size(); ++i) {
        EXPECT_EQ(alone.best[i].index, batch[1].best[i].index);
        EXPECT_EQ(alone.best[i].stat, batch[1].best[i].stat);
        EXPECT_EQ(alone.best[i].norm, batch[1].best[i].norm);
    }
    for (std::size_t i = 0; i < batch[0].best.size(); ++i)
        EXPECT_EQ(batch[0].best[i].stat, batch[2].best[i].stat);
}

TEST_F(GridOracleSuite, KeepsOnlyTheBestCells) {
    RandomTask random(5, 100, 10, 20, true);
    const GridOutcome all = evaluate(random.task);
    random.task.max_cells = 8;
    const GridOutcome few = evaluate(random.task);
    ASSERT_EQ(few.best.size(), 8U);
    for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(few.best[i].index, all.best[i].index);
}

TEST_F(GridOracleSuite, RefusesTasksThatContradictThemselves) {
    RandomTask random(5, 4, 3, 2, true);
    random.task.n_bins = 3;
    EXPECT_THROW(evaluate(random.task), Error);
    EXPECT_TRUE(engines.grid->evaluate(std::span<const GridTask>()).empty());
}

}  // namespace
