#include "backend.hpp"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include <xsift/core/random.hpp>
#include <xsift/engine/grid_likelihood.hpp>
#include <xsift/spectral/profile.hpp>

namespace xsift::engine {
namespace {

/// How far a screened statistic may be from the one in double.
constexpr double stat_tolerance = 0.02;

/// Smooth templates, a response of overlapping bands, counts drawn from one of the templates. Owns what the
/// task shows.
struct Problem {
    std::vector<float> templates, fold;
    std::vector<double> counts, background;
    GridTask task;

    Problem(std::int64_t n_templates, std::int64_t n_energies, std::int64_t n_bins, double source_counts,
            double background_counts, std::uint64_t seed) {
        RandomStream random(seed, 0);
        for (std::int64_t t = 0; t < n_templates; ++t) {
            const double index = 4.0 * random.uniform(), cut = 0.2 + 0.8 * random.uniform();
            for (std::int64_t e = 0; e < n_energies; ++e) {
                const double x = (static_cast<double>(e) + 1.0) / static_cast<double>(n_energies);
                templates.push_back(
                    static_cast<float>(std::pow(x, -index) * std::exp(-0.05 * cut / (x * x * x))));
            }
        }
        for (std::int64_t e = 0; e < n_energies; ++e) {
            for (std::int64_t b = 0; b < n_bins; ++b) {
                const double centre = (static_cast<double>(b) + 0.5) / static_cast<double>(n_bins);
                const double x =
                    ((static_cast<double>(e) + 0.5) / static_cast<double>(n_energies) - centre) / 0.05;
                fold.push_back(std::fabs(x) < 4.0 ? static_cast<float>(200.0 * std::exp(-0.5 * x * x))
                                                  : 0.0f);
            }
        }
        task.n_templates = n_templates;
        task.n_energies = n_energies;
        task.n_bins = n_bins;
        task.exposure = 1e4;
        const std::vector<double> rate = unit_rates(n_templates / 3);
        double total = 0.0;
        for (const double r : rate) total += r;
        for (const double r : rate) {
            const double expected_background = background_counts / static_cast<double>(n_bins);
            counts.push_back(
                static_cast<double>(random.poisson(source_counts * r / total + 0.1 * expected_background)));
            if (background_counts > 0.0)
                background.push_back(static_cast<double>(random.poisson(expected_background)));
        }
        if (background_counts > 0.0) task.background_exposure = 1e5;
    }

    /// The task, pointing at the arrays where they are now.
    GridTask view() const {
        GridTask shown = task;
        shown.templates = templates;
        shown.fold = fold;
        shown.counts = counts;
        shown.background_counts = background;
        return shown;
    }
    /// count/s in each bin at norm 1, in double.
    std::vector<double> unit_rates(std::int64_t t) const {
        std::vector<double> rate(static_cast<std::size_t>(task.n_bins), 0.0);
        for (std::int64_t e = 0; e < task.n_energies; ++e)
            for (std::int64_t b = 0; b < task.n_bins; ++b)
                rate[static_cast<std::size_t>(b)] +=
                    static_cast<double>(templates[static_cast<std::size_t>(t * task.n_energies + e)]) *
                    static_cast<double>(fold[static_cast<std::size_t>(e * task.n_bins + b)]);
        return rate;
    }
    double statistic(const std::vector<double>& rate, double norm) const {
        double sum = 0.0;
        for (std::size_t b = 0; b < rate.size(); ++b)
            sum +=
                spectral::bin_statistic(counts[b], background.empty() ? 0.0 : background[b], task.exposure,
                                        background.empty() ? 0.0 : task.background_exposure, norm * rate[b]);
        return sum;
    }
    /// The lowest statistic over the norm, by golden sections of its logarithm.
    double lowest_statistic(const std::vector<double>& rate) const {
        const double golden = 0.5 * (std::sqrt(5.0) - 1.0);
        double lo = std::log(task.norm_min), hi = std::log(task.norm_max);
        while (hi - lo > 1e-9) {
            const double a = hi - golden * (hi - lo), b = lo + golden * (hi - lo);
            if (statistic(rate, std::exp(a)) <= statistic(rate, std::exp(b)))
                hi = b;
            else
                lo = a;
        }
        return statistic(rate, std::exp(lo));
    }
};

/// The cells must be the lowest of all, in order, and each must be what it says at its norm.
void expect_lowest_cells(const Problem& problem, const GridOutcome& outcome) {
    std::vector<double> lowest;
    for (std::int64_t t = 0; t < problem.task.n_templates; ++t)
        lowest.push_back(problem.lowest_statistic(problem.unit_rates(t)));
    std::vector<double> sorted = lowest;
    std::sort(sorted.begin(), sorted.end());
    const auto n_cells =
        static_cast<std::size_t>(std::min<std::int64_t>(problem.task.max_cells, problem.task.n_templates));
    ASSERT_EQ(outcome.best.size(), n_cells);
    for (std::size_t i = 0; i < n_cells; ++i) {
        const GridCell& cell = outcome.best[i];
        ASSERT_GE(cell.index, 0);
        ASSERT_LT(cell.index, problem.task.n_templates);
        const double exact = problem.statistic(problem.unit_rates(cell.index), cell.norm);
        EXPECT_NEAR(cell.stat, exact, stat_tolerance) << "cell " << i;
        EXPECT_LT(exact, lowest[static_cast<std::size_t>(cell.index)] + stat_tolerance)
            << "norm of cell " << i;
        EXPECT_LT(exact, sorted[i] + stat_tolerance) << "a better cell than " << i << " was missed";
        if (i > 0) {
            EXPECT_LE(outcome.best[i - 1].stat, cell.stat);
            EXPECT_TRUE(outcome.best[i - 1].stat < cell.stat || outcome.best[i - 1].index < cell.index);
        }
    }
}

using GridSuite = test::BackendTest;

TEST_F(GridSuite, AgreesWithDirectEvaluationInUnequalBatches) {
    const std::vector<Problem> problems{{37, 41, 17, 80.0, 0.0, 1},
                                        {300, 129, 200, 3000.0, 900.0, 2},
                                        {513, 65, 33, 150.0, 20.0, 3},
                                        {1, 3, 1, 10.0, 5.0, 4},
                                        {64, 300, 128, 5e4, 2000.0, 5}};
    std::vector<GridTask> tasks;
    for (const Problem& problem : problems) tasks.push_back(problem.view());
    const auto outcomes = engines.grid->evaluate(tasks);
    ASSERT_EQ(outcomes.size(), problems.size());
    for (std::size_t i = 0; i < problems.size(); ++i) {
        SCOPED_TRACE("task " + std::to_string(i));
        expect_lowest_cells(problems[i], outcomes[i]);
    }
}

TEST_F(GridSuite, TasksThatShareTemplatesAndFoldKeepApart) {
    const Problem bright(200, 60, 40, 2000.0, 100.0, 6);
    std::vector<Problem> problems(3, bright);
    for (std::size_t i = 1; i < problems.size(); ++i)
        for (double& c : problems[i].counts) c = std::floor(c / (4.0 * static_cast<double>(i)));
    problems[2].task.max_cells = 3;
    std::vector<GridTask> tasks;
    for (const Problem& problem : problems) {
        tasks.push_back(problem.view());
        tasks.back().templates = bright.templates;
        tasks.back().fold = bright.fold;
    }
    const auto outcomes = engines.grid->evaluate(tasks);
    for (std::size_t i = 0; i < problems.size(); ++i) expect_lowest_cells(problems[i], outcomes.at(i));
}

TEST_F(GridSuite, OutcomeDoesNotDependOnTheBatch) {
    const Problem a(150, 60, 40, 500.0, 100.0, 7), b(90, 33, 70, 200.0, 0.0, 8);
    const std::vector<GridTask> tasks{a.view(), b.view(), a.view()};
    const auto together = engines.grid->evaluate(tasks);
    for (std::size_t i = 0; i < tasks.size(); ++i) {
        const auto alone = engines.grid->evaluate(std::span(&tasks[i], 1)).at(0);
        ASSERT_EQ(alone.best.size(), together[i].best.size());
        for (std::size_t k = 0; k < alone.best.size(); ++k) {
            EXPECT_EQ(alone.best[k].index, together[i].best[k].index);
            EXPECT_EQ(alone.best[k].norm, together[i].best[k].norm);
            EXPECT_EQ(alone.best[k].stat, together[i].best[k].stat);
        }
    }
}

TEST_F(GridSuite, OfEqualTemplatesTheFirstComesFirst) {
    Problem problem(40, 30, 20, 300.0, 50.0, 9);
    for (std::size_t t = 1; t < 40; ++t)
        std::copy_n(problem.templates.begin(), 30,
                    problem.templates.begin() + static_cast<std::ptrdiff_t>(30 * t));
    const GridTask task = problem.view();
    const auto best = engines.grid->evaluate(std::span(&task, 1)).at(0).best;
    ASSERT_EQ(best.size(), 8u);
    for (std::size_t k = 0; k < best.size(); ++k) EXPECT_EQ(best[k].index, static_cast<std::int64_t>(k));
}

TEST_F(GridSuite, NormStaysInItsLimits) {
    Problem problem(50, 30, 20, 300.0, 50.0, 10);
    const GridTask free = problem.view();
    const double best_norm = engines.grid->evaluate(std::span(&free, 1)).at(0).best.at(0).norm;
    for (const auto& [lo, hi] : {std::pair{10.0 * best_norm, 1e4}, std::pair{1e-12, 0.1 * best_norm}}) {
        problem.task.norm_min = lo;
        problem.task.norm_max = hi;
        const GridTask task = problem.view();
        const GridOutcome outcome = engines.grid->evaluate(std::span(&task, 1)).at(0);
        for (const GridCell& cell : outcome.best) {
            EXPECT_GE(cell.norm, lo * (1.0 - 1e-6));
            EXPECT_LE(cell.norm, hi * (1.0 + 1e-6));
        }
    }
}

TEST_F(GridSuite, ASpectrumWithoutCountsHasTheLowestNorm) {
    Problem problem(20, 30, 25, 300.0, 50.0, 11);
    std::fill(problem.counts.begin(), problem.counts.end(), 0.0);
    const GridTask task = problem.view();
    const GridCell cell = engines.grid->evaluate(std::span(&task, 1)).at(0).best.at(0);
    EXPECT_NEAR(cell.stat, problem.statistic(problem.unit_rates(cell.index), cell.norm), stat_tolerance);
    EXPECT_LT(cell.norm, 1e-9);
}

TEST_F(GridSuite, AnEmptyBatchIsNoError) {
    EXPECT_TRUE(engines.grid->evaluate(std::span<const GridTask>()).empty());
}

}  // namespace
}  // namespace xsift::engine
