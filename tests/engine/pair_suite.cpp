// Pairs of templates of a backend against plain double loops.
#include "backend.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include <gtest/gtest.h>

#include <xsift/core/error.hpp>
#include <xsift/core/random.hpp>
#include <xsift/engine/grid_task.hpp>

namespace {

using namespace xsift;
using namespace xsift::engine;

/// Components that are hard (first) and soft (second) under absorption that grows with the place; counts of
/// one of each.
struct PairProblem {
    std::vector<float> templates, fold;
    std::vector<double> counts, background;
    PairTask task;
    spectral::PairIndex truth{1, 2, 3};

    PairProblem(std::int64_t n_places, std::int64_t n_first, std::int64_t n_second, std::int64_t n_energies,
                std::int64_t n_bins, bool wstat, std::uint64_t seed) {
        RandomStream random(seed, 0);
        for (std::int64_t p = 0; p < n_places; ++p)
            for (std::int64_t t = 0; t < n_first + n_second; ++t)
                for (std::int64_t e = 0; e < n_energies; ++e) {
                    const double x = (static_cast<double>(e) + 1.0) / static_cast<double>(n_energies);
                    const double shape = t < n_first
                                             ? std::pow(x, 0.5 * static_cast<double>(t))
                                             : std::exp(-x * (2.0 + 2.0 * static_cast<double>(t - n_first)));
                    templates.push_back(static_cast<float>(
                        1e-3 * shape * std::exp(-0.03 * static_cast<double>(p) / (x * x))));
                }
        for (std::int64_t e = 0; e < n_energies; ++e)
            for (std::int64_t k = 0; k < n_bins; ++k) {
                const double x = (static_cast<double>(e) + 0.5) / static_cast<double>(n_energies) -
                                 (static_cast<double>(k) + 0.5) / static_cast<double>(n_bins);
                fold.push_back(static_cast<float>(300.0 * std::exp(-200.0 * x * x)));
            }
        task.n_places = n_places;
        task.n_first = n_first;
        task.n_second = n_second;
        task.n_energies = n_energies;
        task.n_bins = n_bins;
        task.exposure = 2e3;
        truth = {std::min(truth.place, n_places - 1), std::min(truth.first, n_first - 1),
                 std::min(truth.second, n_second - 1)};
        const PairShape shape = shape_of(task);
        const std::vector<double> a = rates(shape.first_template(truth)),
                                  b = rates(shape.second_template(truth));
        for (std::int64_t k = 0; k < n_bins; ++k) {
            counts.push_back(static_cast<double>(random.poisson(2e3 * (0.2 * a[k] + 0.6 * b[k]) + 0.3)));
            if (wstat) background.push_back(static_cast<double>(random.poisson(3.0)));
        }
        task.background_exposure = wstat ? 2e4 : 0.0;
        task.templates = templates;
        task.fold = fold;
        task.counts = counts;
        task.background_counts = background;
    }
    PairProblem(const PairProblem&) = delete;
    PairProblem& operator=(const PairProblem&) = delete;

    std::vector<double> rates(std::int64_t t) const {
        std::vector<double> rate(static_cast<std::size_t>(task.n_bins), 0.0);
        for (std::int64_t e = 0; e < task.n_energies; ++e)
            for (std::int64_t k = 0; k < task.n_bins; ++k)
                rate[k] += static_cast<double>(templates[t * task.n_energies + e]) *
                           static_cast<double>(fold[e * task.n_bins + k]);
        return rate;
    }
    double statistic(const spectral::PairIndex& pair, const double (&norm)[2]) const {
        const PairShape shape = shape_of(task);
        const std::vector<double> a = rates(shape.first_template(pair)),
                                  b = rates(shape.second_template(pair));
        double sum = 0.0;
        for (std::size_t k = 0; k < counts.size(); ++k)
            sum += spectral::bin_statistic(counts[k], background.empty() ? 0.0 : background[k], task.exposure,
                                           task.background_exposure, norm[0] * a[k] + norm[1] * b[k]);
        return sum;
    }

    /// All pairs in double: the parabola around the best single template.
    std::vector<PairEntry> all_pairs() const {
        const PairShape shape = shape_of(task);
        GridTask single;
        static_cast<GridSpectrum&>(single) = task;
        single.n_templates = shape.n_templates();
        single.templates = templates;
        const auto cells = reference_cells(single);
        const GridCell best = *std::min_element(cells.begin(), cells.end(), better_cell);
        const std::vector<double> reference = rates(best.index);
        const double ts = task.exposure, tb = task.background_exposure;
        std::vector<double> slope, curvature;
        for (std::size_t k = 0; k < counts.size(); ++k) {
            const double m = best.norm * reference[k], b = background.empty() ? 0.0 : background[k];
            slope.push_back(tb > 0.0 ? spectral::wstat_derivatives(counts[k], b, ts, tb, m).first
                                     : spectral::cstat_derivatives(counts[k], ts, m).first);
            curvature.push_back(tb > 0.0
                                    ? spectral::expected_curvature(
                                          ts, tb, m, spectral::profiled_background(counts[k], b, ts, tb, m))
                                    : 2.0 * ts / m);
        }
        std::vector<PairEntry> out(static_cast<std::size_t>(shape.count()));
        for (std::int64_t i = 0; i < shape.count(); ++i) {
            if (!shape.counts(shape.index(i))) continue;
            const std::vector<double> a = rates(shape.first_template(shape.index(i))),
                                      b = rates(shape.second_template(shape.index(i)));
            spectral::PairParabola p;
            for (std::size_t k = 0; k < counts.size(); ++k) {
                const double target = curvature[k] * best.norm * reference[k] - slope[k];
                p.aa += curvature[k] * a[k] * a[k];
                p.ab += curvature[k] * a[k] * b[k];
                p.bb += curvature[k] * b[k] * b[k];
                p.a += target * a[k];
                p.b += target * b[k];
            }
            const spectral::PairNorms norms = spectral::best_pair_norms(p, task.norms_most, 1e-5);
            out[i] = {norms.value, {static_cast<float>(norms.norm[0]), static_cast<float>(norms.norm[1])}};
        }
        return out;
    }
};

class PairSuite : public test::BackendTest {
  protected:
    PairOutcome evaluate(const PairTask& task) { return engines.grid->evaluate(std::span(&task, 1)).front(); }

    /// Every pair is what it says; minima of the grid come first, then the best of the others that are no
    /// neighbours, but for what single precision explains.
    void expect_best(const PairProblem& problem, const PairOutcome& outcome) {
        const PairShape shape = shape_of(problem.task);
        const std::vector<PairEntry> all = problem.all_pairs();
        double counts = 0.0;
        for (const double c : problem.counts) counts += c;
        const double tolerance = 2.0 / stat_steps + 1e-6 * counts;
        ASSERT_FALSE(outcome.best.empty());
        ASSERT_LE(std::ssize(outcome.best), problem.task.max_pairs);
        const bool full = std::ssize(outcome.best) == problem.task.max_pairs;
        const auto value = [&](std::int64_t i) { return all[static_cast<std::size_t>(i)].value; };
        // how far below the lowest of its surroundings
        const auto depth = [&](std::int64_t i) {
            const spectral::PairIndex at = shape.index(i);
            double around = INFINITY;
            for (std::int64_t j = 0; j < shape.count(); ++j) {
                const spectral::PairIndex other = shape.index(j);
                if (j != i && std::abs(at.place - other.place) <= 1 &&
                    std::abs(at.first - other.first) <= 1 && std::abs(at.second - other.second) <= 1)
                    around = std::min(around, value(j));
            }
            return around - value(i);
        };
        double worst = -INFINITY, worst_minimum = -INFINITY;
        bool others = false;
        std::vector<std::int64_t> kept;
        for (const PairCell& cell : outcome.best) {
            ASSERT_LT(cell.index.place, problem.task.n_places);
            ASSERT_LT(cell.index.first, problem.task.n_first);
            ASSERT_LT(cell.index.second, problem.task.n_second);
            EXPECT_TRUE(shape.counts(cell.index));
            const double statistic = problem.statistic(cell.index, cell.norm);
            EXPECT_NEAR(cell.stat, statistic, 1.0 / stat_steps + 1e-6 * statistic);
            const std::int64_t number = shape.number(cell.index);
            if (!kept.empty()) {
                EXPECT_LE(outcome.best[kept.size() - 1].stat, cell.stat);
            }
            for (const std::int64_t before : kept)
                EXPECT_FALSE(spectral::neighbours(shape, all.data(), number, before));
            kept.push_back(number);
            if (depth(number) < -tolerance) {
                others = true;
                worst = std::max(worst, value(number));
            } else {
                worst_minimum = std::max(worst_minimum, value(number));
            }
        }
        double lowest = INFINITY;
        for (std::int64_t i = 0; i < shape.count(); ++i) {
            if (!shape.counts(shape.index(i))) continue;
            lowest = std::min(lowest, value(i));
            if (std::any_of(kept.begin(), kept.end(),
                            [&](std::int64_t k) { return spectral::neighbours(shape, all.data(), k, i); }))
                continue;
            EXPECT_TRUE(full) << i;  // else it would have been offered too
            if (depth(i) > tolerance) {
                EXPECT_FALSE(others) << i;
                EXPECT_GT(value(i), worst_minimum - tolerance) << i;
            } else if (others) {
                EXPECT_GT(value(i), worst - tolerance) << i;
            }
        }
        // the best of all is offered, or one that cannot be told from it
        EXPECT_TRUE(std::any_of(kept.begin(), kept.end(),
                                [&](std::int64_t k) { return value(k) < lowest + tolerance; }));
    }
};

TEST_F(PairSuite, OfUnequalTasksThoseOfDoubleLoops) {
    const PairProblem a(5, 7, 8, 61, 40, true, 1), b(3, 17, 9, 30, 129, true, 2), c(1, 2, 2, 8, 3, false, 3),
        d(4, 9, 20, 100, 70, false, 4);
    const std::vector<const PairProblem*> problems{&a, &b, &c, &d};
    std::vector<PairTask> tasks;
    for (const PairProblem* p : problems) tasks.push_back(p->task);
    const auto outcomes = engines.grid->evaluate(tasks);
    ASSERT_EQ(outcomes.size(), tasks.size());
    for (std::size_t i = 0; i < tasks.size(); ++i) {
        SCOPED_TRACE(i);
        expect_best(*problems[i], outcomes[i]);
        const PairOutcome alone = evaluate(tasks[i]);
        ASSERT_EQ(alone.best.size(), outcomes[i].best.size());
        for (std::size_t k = 0; k < alone.best.size(); ++k) {
            EXPECT_EQ(alone.best[k].stat, outcomes[i].best[k].stat);
            EXPECT_EQ(alone.best[k].norm[0], outcomes[i].best[k].norm[0]);
        }
    }
    // the truth, or a neighbour of it, is among them
    const std::vector<PairEntry> entries = a.all_pairs();
    const PairShape shape = shape_of(a.task);
    EXPECT_TRUE(std::any_of(outcomes[0].best.begin(), outcomes[0].best.end(), [&](const PairCell& p) {
        return spectral::neighbours(shape, entries.data(), shape.number(p.index), shape.number(a.truth));
    }));
}

TEST_F(PairSuite, TheSameComponentTwiceIsLookedAtOnce) {
    PairProblem problem(3, 8, 8, 50, 30, true, 5);
    // second set of templates as the first
    for (std::int64_t p = 0; p < 3; ++p)
        std::copy_n(problem.templates.begin() + p * 16 * 50, 8 * 50,
                    problem.templates.begin() + (p * 16 + 8) * 50);
    problem.task.alike = true;
    expect_best(problem, evaluate(problem.task));
}

TEST_F(PairSuite, NormsKeepWithinTheirLimits) {
    PairProblem problem(3, 7, 8, 40, 25, true, 7);
    problem.task.norms_most[1] = 0.3;  // half of what the counts have
    const PairOutcome outcome = evaluate(problem.task);
    expect_best(problem, outcome);
    EXPECT_TRUE(std::any_of(outcome.best.begin(), outcome.best.end(),
                            [](const PairCell& p) { return p.norm[1] > 0.299; }));
    for (const PairCell& p : outcome.best) EXPECT_LE(p.norm[1], 0.3 + 1e-7);
}

TEST_F(PairSuite, RefusesTasksThatContradictThemselves) {
    const PairProblem problem(2, 3, 4, 10, 5, true, 6);
    PairTask task = problem.task;
    task.alike = true;
    EXPECT_THROW(evaluate(task), Error);
    task = problem.task;
    task.n_places = 3;
    EXPECT_THROW(evaluate(task), Error);
    EXPECT_TRUE(engines.grid->evaluate(std::span<const PairTask>()).empty());
}

}  // namespace
