// Simulated fits of a backend: the draws, the minima against a search that only compares, and what depends on
// what.
#include "backend.hpp"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include <xsift/core/error.hpp>
#include <xsift/engine/grid_task.hpp>

namespace xsift::engine {
namespace {

/// Absorbed power laws: rows are column densities from 0 on, columns photon indices. Tabulated ones have
/// other lines in each column, and the truth is close to the fourth column. Owns what the task shows.
struct Problem {
    std::vector<double> log_counts, expected, expected_background;
    SimulationTask task;

    Problem(int rows, int columns, std::int64_t n_bins, double counts, double background_counts,
            std::uint64_t seed, bool tabulated = false)
        : n_bins_(n_bins) {
        task.tabulated = tabulated;
        task.rows = rows;
        task.columns = columns;
        task.spectra = {{n_bins, background_counts > 0.0 ? 10.0 : 0.0}};
        task.seed = seed;
        for (int i = 0; i < rows; ++i)
            for (int j = 0; j < columns; ++j)
                for (std::int64_t k = 0; k < n_bins; ++k)
                    log_counts.push_back(std::log(counts) + model(0.2 * i, 1.0 + 0.3 * j, k) + lines(j, k));
        const double index = tabulated ? 1.9 : 2.0;
        double total = 0.0;
        for (std::int64_t k = 0; k < n_bins; ++k) total += std::exp(model(0.3, index, k) + lines(3, k));
        for (std::int64_t k = 0; k < n_bins; ++k) {
            const double background = background_counts / static_cast<double>(n_bins);
            expected.push_back(counts / total * std::exp(model(0.3, index, k) + lines(3, k)) + background);
            if (background_counts > 0.0) expected_background.push_back(10.0 * background);
        }
    }
    /// ln of the spectrum in a bin.
    double model(double column, double index, std::int64_t k) const {
        const double e = 0.4 * std::pow(25.0, (static_cast<double>(k) + 0.5) / static_cast<double>(n_bins_));
        return (1.0 - index) * std::log(e) - 0.1 * column * std::pow(e, -2.5);
    }
    /// What a table has in a bin besides, in the logarithm.
    double lines(int column, std::int64_t k) const {
        return task.tabulated && k % (column + 2) == 0 ? 0.6 : 0.0;
    }
    /// The task, pointing at the arrays where they are now.
    SimulationTask view(std::int64_t n_draws) const {
        SimulationTask shown = task;
        shown.log_counts = log_counts;
        shown.expected = expected;
        shown.expected_background = expected_background;
        shown.n_draws = n_draws;
        return shown;
    }
    /// The bins as those of several spectra, each with a norm of its own.
    Problem& divided(std::vector<spectral::LatticeSpectrum> spectra) {
        task.spectra = std::move(spectra);
        return *this;
    }

  private:
    std::int64_t n_bins_;
};

class SimulationSuite : public test::BackendTest {
  protected:
    std::vector<spectral::LatticeMinimum> fits_of(const SimulationTask& task) {
        return engines.grid->evaluate(std::span(&task, 1)).at(0).fits;
    }
    /// @param unknown a problem of half a count: nothing is known of the place
    void expect_those_of_comparisons(const std::vector<Problem>& problems, std::size_t unknown);
};

TEST_F(SimulationSuite, MinimaAreThoseOfASearchThatCompares) {
    const std::vector<Problem> problems{{6, 7, 23, 90.0, 30.0, 1},        {5, 6, 40, 600.0, 0.0, 2},
                                        {9, 1, 17, 40.0, 10.0, 3},        {1, 1, 5, 60.0, 8.0, 4},
                                        {2, 3, 33, 300.0, 100.0, 5},      {6, 5, 9, 0.5, 0.5, 6},
                                        {5, 8, 31, 400.0, 60.0, 7, true}, {1, 6, 24, 3000.0, 0.0, 8, true},
                                        {4, 2, 15, 50.0, 9.0, 9, true},   {5, 1, 12, 70.0, 9.0, 10, true}};
    expect_those_of_comparisons(problems, 5);
}

TEST_F(SimulationSuite, SpectraOfSeveralInstrumentsAreFittedTogether) {
    const std::vector<Problem> problems{
        Problem(6, 7, 41, 190.0, 60.0, 11).divided({{17, 10.0}, {24, 10.0}}),
        Problem(5, 6, 50, 600.0, 90.0, 12).divided({{9, 10.0}, {20, 0.0}, {21, 10.0}}),
        Problem(5, 8, 37, 900.0, 60.0, 13, true).divided({{16, 10.0, 0.05, 20.0}, {21, 10.0}}),
        Problem(4, 1, 30, 200.0, 0.0, 14).divided({{10, 0.0}, {10, 0.0}, {10, 0.0}})};
    expect_those_of_comparisons(problems, problems.size());
}

// Norms of spectra are free of each other: with the shape held, each fit is that of its spectrum alone.
TEST_F(SimulationSuite, NormsAreFreeOfEachOther) {
    const Problem alone(1, 1, 20, 300.0, 50.0, 15);
    Problem both(1, 1, 40, 600.0, 100.0, 15);
    both.divided({{20, 10.0}, {20, 10.0}});
    both.log_counts = alone.log_counts;
    both.log_counts.insert(both.log_counts.end(), alone.log_counts.begin(), alone.log_counts.end());
    both.expected = alone.expected;
    both.expected.insert(both.expected.end(), 20, 1.5);
    both.expected_background = alone.expected_background;
    both.expected_background.insert(both.expected_background.end(), 20, 10.0);
    const auto wanted = fits_of(alone.view(30)), found = fits_of(both.view(30));
    for (std::size_t d = 0; d < wanted.size(); ++d) {
        EXPECT_NEAR(found[d].at.log_scale[0], wanted[d].at.log_scale[0], 1e-5) << d;
        EXPECT_GT(found[d].stat, wanted[d].stat) << d;
    }
}

void SimulationSuite::expect_those_of_comparisons(const std::vector<Problem>& problems, std::size_t unknown) {
    std::vector<SimulationTask> tasks;
    for (const Problem& problem : problems) tasks.push_back(problem.view(6));
    const auto outcomes = engines.grid->evaluate(tasks);
    ASSERT_EQ(outcomes.size(), problems.size());
    for (std::size_t i = 0; i < tasks.size(); ++i) {
        const auto wanted = reference_fits(tasks[i]);
        ASSERT_EQ(outcomes[i].fits.size(), wanted.size());
        for (std::size_t d = 0; d < wanted.size(); ++d) {
            SCOPED_TRACE(testing::Message() << "task " << i << ", draw " << d);
            const spectral::LatticeMinimum &ours = outcomes[i].fits[d], &theirs = wanted[d];
            EXPECT_TRUE(ours.converged);
            EXPECT_NEAR(ours.stat, theirs.stat, 1e-5);
            if (i == unknown) continue;
            EXPECT_NEAR(ours.at.row, theirs.at.row, 5e-3);
            EXPECT_NEAR(ours.at.column, theirs.at.column, 5e-3);
            for (std::size_t s = 0; s < tasks[i].spectra.size(); ++s)
                EXPECT_NEAR(ours.at.log_scale[s], theirs.at.log_scale[s], 5e-3);
        }
    }
}

TEST_F(SimulationSuite, SomeMinimaLieAtEdges) {
    const Problem problem(6, 7, 23, 90.0, 30.0, 1);
    const SimulationTask task = problem.view(200);
    const auto fits = fits_of(task);
    const auto at_edge =
        std::count_if(fits.begin(), fits.end(), [](const auto& f) { return f.at.row == 0.0; });
    EXPECT_GT(at_edge, 10);
    EXPECT_LT(at_edge, 190);
}

// Columns left and right of the middle look nearly alike: the best node may lie in the valley with the higher
// minimum.
TEST_F(SimulationSuite, TheLowerOfTwoValleysIsFound) {
    constexpr int rows = 2, columns = 13;
    constexpr std::int64_t n_bins = 16, n_draws = 60;
    Problem problem(rows, columns, n_bins, 150.0, 20.0, 16, true);
    std::size_t at = 0;
    for (int i = 0; i < rows; ++i)
        for (int j = 0; j < columns; ++j)
            for (std::int64_t k = 0; k < n_bins; ++k) {
                const double index = 1.2 + 0.25 * std::abs(j - 6) + (j < 6 ? 0.11 : 0.0);
                problem.log_counts[at++] = std::log(30.0) + problem.model(0.6 * i, index, k) +
                                           (k % 7 == (j < 6 ? 2 : 3) ? 0.3 : 0.0);
            }
    const SimulationTask task = problem.view(n_draws);
    const auto wanted = reference_fits(task), found = fits_of(task);
    int left = 0;
    for (std::size_t d = 0; d < wanted.size(); ++d) {
        EXPECT_LT(found[d].stat, wanted[d].stat + 1e-5) << d;
        left += found[d].at.column < 6.0 ? 1 : 0;
    }
    EXPECT_GT(left, 4);
    EXPECT_LT(left, 56);
}

// Each column of a tabulated lattice is a kink: minima lie there, and in the intervals between.
TEST_F(SimulationSuite, SomeMinimaLieAtTabulatedColumns) {
    const Problem problem(5, 8, 31, 400.0, 60.0, 7, true);
    const SimulationTask task = problem.view(200);
    int at_column = 0;
    for (const auto& fit : fits_of(task)) {
        EXPECT_TRUE(fit.converged);
        at_column +=
            fit.at.column > 0.0 && fit.at.column < 7.0 && fit.at.column == std::rint(fit.at.column) ? 1 : 0;
    }
    EXPECT_GT(at_column, 5);
    EXPECT_LT(at_column, 195);
}

TEST_F(SimulationSuite, StatisticsAreThoseOfManyGaussianBins) {
    const Problem problem(7, 9, 30, 3e5, 3e4, 8);
    const SimulationTask task = problem.view(400);
    double sum = 0.0, square = 0.0, norm = 0.0;
    for (const auto& fit : fits_of(task)) {
        sum += fit.stat / 400.0;
        square += fit.stat * fit.stat / 400.0;
        norm += std::exp(fit.at.log_scale[0]) / 400.0;
    }
    // chi2 of 27 degrees of freedom: its mean to 3 sigma of 400, its deviation likewise
    EXPECT_NEAR(sum, 27.0, 3.0 * std::sqrt(54.0 / 400.0));
    EXPECT_NEAR(std::sqrt(square - sum * sum), std::sqrt(54.0), 3.0 * std::sqrt(54.0 / 800.0));
    double total = 0.0;
    for (std::int64_t k = 0; k < 30; ++k) total += std::exp(problem.model(0.3, 2.0, k));
    EXPECT_NEAR(norm * total, 1.0, 0.01);
}

TEST_F(SimulationSuite, DrawsDependOnSeedAndNumberAlone) {
    const Problem a(6, 7, 23, 90.0, 30.0, 1), b(5, 5, 11, 200.0, 0.0, 9);
    const std::vector<SimulationTask> tasks{a.view(150), b.view(7), a.view(31)};
    const auto together = engines.grid->evaluate(tasks);
    const auto alone = fits_of(tasks[1]);
    for (std::size_t d = 0; d < alone.size(); ++d) {
        EXPECT_EQ(alone[d].stat, together[1].fits[d].stat);
        EXPECT_EQ(alone[d].at.row, together[1].fits[d].at.row);
    }
    for (std::size_t d = 0; d < 31; ++d) EXPECT_EQ(together[0].fits[d].stat, together[2].fits[d].stat);
    EXPECT_NE(together[0].fits[0].stat, together[0].fits[1].stat);
}

TEST_F(SimulationSuite, NormStaysInItsLimits) {
    Problem problem(6, 7, 23, 900.0, 30.0, 1);
    problem.task.spectra[0].scale_min = 1.0;
    const SimulationTask high = problem.view(5);
    for (const auto& fit : fits_of(high)) {
        EXPECT_TRUE(fit.converged);
        EXPECT_EQ(fit.at.log_scale[0], 0.0);
    }
}

TEST_F(SimulationSuite, RefusesTasksThatContradictThemselves) {
    Problem problem(3, 3, 4, 10.0, 1.0, 1);
    problem.task.spectra[0].ratio = 0.0;
    const SimulationTask task = problem.view(1);
    EXPECT_THROW(fits_of(task), Error);
    EXPECT_TRUE(engines.grid->evaluate(std::span<const SimulationTask>()).empty());
}

}  // namespace
}  // namespace xsift::engine
