// What one cell of a grid does: by one thread, in each instruction set, and in double.
#include "../../src/engine/nufft.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <xsift/core/random.hpp>
#include <xsift/engine/grid_task.hpp>

namespace xsift::engine {
namespace {

/// Counts around an expectation, some bins empty, and rates that may have little to do with them.
struct Cell {
    std::vector<float> rate;  ///< filled up with zeros
    std::vector<double> counts, background;
    GridTask task;

    Cell(std::int64_t bins, double mean, bool background_known, std::uint64_t seed) {
        RandomStream random(seed, static_cast<std::uint64_t>(bins));
        rate.resize(static_cast<std::size_t>(CellCounts::padded(bins)), 0.0f);
        for (std::int64_t k = 0; k < bins; ++k) {
            rate[k] = static_cast<float>(std::exp(3.0 * random.normal()));
            const double expected = random.uniform() < 0.3 ? 0.0 : mean * static_cast<double>(rate[k]);
            counts.push_back(static_cast<double>(random.poisson(expected + 0.1)));
            if (background_known)
                background.push_back(
                    static_cast<double>(random.poisson(random.uniform() < 0.5 ? 0.3 : mean)));
        }
        task.n_bins = bins;
        task.exposure = 1e3;
        task.background_exposure = background_known ? 2.7e4 : 0.0;
        task.counts = counts;
        task.background_counts = background;
    }
    double statistic(double norm) const {
        double sum = 0.0;
        for (std::size_t k = 0; k < counts.size(); ++k)
            sum += spectral::bin_statistic(counts[k], background.empty() ? 0.0 : background[k], task.exposure,
                                           task.background_exposure, norm * static_cast<double>(rate[k]));
        return sum;
    }
    double lowest_statistic() const {
        double lo = std::log(task.norm_min), hi = std::log(task.norm_max);
        while (hi - lo > 1e-10) {
            const double a = lo + (hi - lo) / 3.0, b = hi - (hi - lo) / 3.0;
            (statistic(std::exp(a)) <= statistic(std::exp(b)) ? hi : lo) =
                statistic(std::exp(a)) <= statistic(std::exp(b)) ? b : a;
        }
        return statistic(std::exp(lo));
    }
};

TEST(GridBodies, CellsAgreeWithDoublesInEveryInstructionSetAndByOneThread) {
    for (const bool background : {true, false})
        for (const std::int64_t bins : {1, 15, 16, 17, 120, 995})
            for (const double mean : {0.02, 1.0, 30.0, 3000.0})
                for (std::uint64_t seed = 0; seed < 5; ++seed) {
                    SCOPED_TRACE(fmt::format("{} bins, {} a bin, seed {}", bins, mean, seed));
                    const Cell cell(bins, mean, background, seed);
                    const CellCounts counts(cell.task);
                    const CellData data = counts.data();
                    const double lowest = cell.lowest_statistic();
                    // a step of rounding, what the parabola may leave, and single precision of a misfit
                    const double tolerance = 0.5 / stat_steps + 2.5e-4 + 1e-6 * lowest;
                    std::vector<GridCell> found{
                        fit_cell(7, data, SerialBins<HostBinOps>{&data, cell.rate.data(), 1})};
                    for (const NufftKernel* kernel : nufft_kernels()) {
                        kernel->grid_cells(
                            {data, cell.rate.data(), std::ssize(cell.rate), 7, 1, &found.emplace_back()});
                        EXPECT_NEAR(found.back().stat, found.front().stat, 1.0 / stat_steps + 1e-6 * lowest)
                            << kernel->name;
                    }
                    for (const GridCell& f : found) {
                        EXPECT_EQ(f.index, 7);
                        EXPECT_NEAR(f.stat, lowest, tolerance);
                        EXPECT_NEAR(cell.statistic(f.norm), lowest, tolerance);
                    }
                }
}

TEST(GridBodies, BinsAreThoseOfTheStatisticsInDouble) {
    constexpr double ts = 1.0, tb = 12.0;
    for (const double s : {0.0, 1.0, 7.0, 400.0, 1e5})
        for (const double b : {0.0, 1.0, 60.0, 3e4})
            for (const double mu : {1e-9, 0.01, 0.3, 1.0, 6.99, 7.01, 395.0, 1e5, 3e6})
                for (const bool wstat : {true, false}) {
                    SCOPED_TRACE(fmt::format("S {} B {} mu {} {}", s, b, mu, wstat ? "W" : "C"));
                    const auto n = static_cast<float>(s), m = static_cast<float>(b),
                               ratio = wstat ? 12.0f : 0.0f, at = static_cast<float>(mu);
                    if (!wstat && b > 0.0) continue;
                    const double rate = static_cast<double>(at);
                    const float phi = expected_background<HostBinOps>(n, m, ratio, at);
                    const BinSlope<float> slope = bin_slope<HostBinOps>(n, m, at, phi);
                    const double statistic = spectral::bin_statistic(s, b, ts, wstat ? tb : 0.0, rate),
                                 scale = s + b + mu;
                    EXPECT_NEAR(2.0 * static_cast<double>(bin_half<HostBinOps>(n, m, ratio, at, phi)),
                                statistic, 1e-6 * statistic + 2e-9 * scale + 1e-12);
                    const spectral::NormSlope exact =
                        spectral::norm_slope(s, b, ts, wstat ? tb : 0.0, 1.0, rate);
                    EXPECT_NEAR(static_cast<double>(slope.first), 0.5 * rate * exact.first,
                                5e-7 * std::max(rate, std::fabs(0.5 * rate * exact.first)));
                    EXPECT_NEAR(static_cast<double>(slope.second), 0.5 * rate * rate * exact.second,
                                2e-5 * std::max(0.5 * rate * rate * exact.second, 1e-6 * scale));
                }
}

TEST(GridBodies, NormsOfAPairAreTheLowestWithinTheirLimits) {
    RandomStream random(5, 0);
    int inside = 0, without = 0, at_most = 0;
    for (int i = 0; i < 300; ++i) {
        // scalar products of two vectors, so that the matrix is one
        const double a[2] = {random.uniform(), random.uniform()}, b[2] = {random.uniform(), random.uniform()},
                     x0 = 1.5 * random.uniform() - 0.5, y0 = 1.5 * random.uniform() - 0.5;
        spectral::PairParabola p{a[0] * a[0] + a[1] * a[1], a[0] * b[0] + a[1] * b[1],
                                 b[0] * b[0] + b[1] * b[1]};
        p.a = p.aa * x0 + p.ab * y0;
        p.b = p.ab * x0 + p.bb * y0;
        const double most[2] = {0.2 + random.uniform(), 0.2 + random.uniform()};
        const spectral::PairNorms best = spectral::best_pair_norms(p, most);
        for (int g = 0; g < 2; ++g) {
            ASSERT_GE(best.norm[g], 0.0);
            ASSERT_LE(best.norm[g], most[g]);
        }
        EXPECT_NEAR(best.value, p.value(best.norm[0], best.norm[1]), 1e-9 * (1.0 + std::fabs(best.value)));
        const bool zero = best.norm[0] <= 0.0 || best.norm[1] <= 0.0,
                   full = best.norm[0] >= most[0] || best.norm[1] >= most[1];
        (full ? at_most : zero ? without : inside) += 1;
        for (int step_x = 0; step_x <= 50; ++step_x)
            for (int step_y = 0; step_y <= 50; ++step_y)
                EXPECT_GE(p.value(most[0] * step_x / 50.0, most[1] * step_y / 50.0), best.value - 1e-9);
    }
    EXPECT_GT(inside, 30);
    EXPECT_GT(without, 30);
    EXPECT_GT(at_most, 30);
}

TEST(GridBodies, AComponentWithoutNormIsNotThere) {
    const spectral::PairShape two{3, 5, 6, false};
    std::vector<spectral::PairEntry> entries(static_cast<std::size_t>(two.count()), {1.0, {1.0F, 1.0F}});
    const auto put = [&](const spectral::PairShape& shape, spectral::PairIndex at, float first,
                         float second) {
        entries[static_cast<std::size_t>(shape.number(at))] = {0.0, {first, second}};
        return shape.number(at);
    };
    const auto near = [&](const spectral::PairShape& shape, std::int64_t a, std::int64_t b) {
        EXPECT_EQ(neighbours(shape, entries.data(), a, b), neighbours(shape, entries.data(), b, a));
        return neighbours(shape, entries.data(), a, b);
    };
    const auto both = two.number({1, 1, 1});
    EXPECT_TRUE(near(two, both, two.number({2, 2, 0})));
    EXPECT_FALSE(near(two, both, two.number({1, 1, 3})));
    const auto alone = put(two, {1, 2, 0}, 1.0F, 0.0F), as_well = put(two, {0, 1, 5}, 1.0F, 0.0F),
               elsewhere = put(two, {1, 4, 0}, 1.0F, 0.0F), other = put(two, {1, 2, 1}, 0.0F, 1.0F);
    EXPECT_TRUE(near(two, alone, as_well));
    EXPECT_FALSE(near(two, alone, elsewhere));
    EXPECT_FALSE(near(two, alone, other));
    EXPECT_FALSE(near(two, alone, both));
    // of the same component twice it does not matter which of the two is there
    const spectral::PairShape same{1, 6, 6, true};
    entries.assign(static_cast<std::size_t>(same.count()), {1.0, {1.0F, 1.0F}});
    EXPECT_TRUE(near(same, put(same, {0, 3, 5}, 1.0F, 0.0F), put(same, {0, 0, 3}, 0.0F, 1.0F)));
    EXPECT_FALSE(near(same, put(same, {0, 3, 5}, 1.0F, 0.0F), put(same, {0, 0, 5}, 0.0F, 1.0F)));
}

TEST(GridBodies, EachValleyOfPairsComesFirst) {
    // one place; valleys at (1, 1), wide, and (4, 6), far above the slopes of the first
    const spectral::PairShape shape{1, 6, 8, false};
    std::vector<spectral::PairEntry> entries;
    for (std::int64_t i = 0; i < shape.count(); ++i) {
        const spectral::PairIndex at = shape.index(i);
        const auto square = [](std::int64_t x) { return static_cast<double>(x * x); };
        const double wide = square(at.first - 1) + square(at.second - 1),
                     deep = 15.0 + 20.0 * (square(at.first - 4) + square(at.second - 6));
        entries.push_back({std::min(wide, deep), {1.0F, 1.0F}});
    }
    const auto number = [&](std::int64_t first, std::int64_t second) {
        return shape.number({0, first, second});
    };
    const auto kept = spectral::best_pairs(shape, entries, 3);
    ASSERT_EQ(kept.size(), 3U);
    EXPECT_EQ(kept[0], number(1, 1));
    EXPECT_EQ(kept[1], number(4, 6));
    EXPECT_EQ(kept[2], number(1, 3));  // 4 above the first, as (3, 1): ties by number
    EXPECT_EQ(spectral::best_pairs(shape, entries, 1), std::vector<std::int64_t>{number(1, 1)});
    entries.assign(entries.size(), spectral::PairEntry{});
    EXPECT_TRUE(spectral::best_pairs(shape, entries, 3).empty());
}

TEST(GridBodies, AGridOffersItsMinima) {
    // a valley along the diagonal of 5 x 4, and a second dip in the corner; row-major
    const std::vector<double> stat{9, 8, 7, 1, 8, 2, 6, 9, 3, 3, 9, 9, 5, 9, 9, 4, 9, 9, 5, 9};
    std::vector<GridCell> cells;
    for (std::size_t i = 0; i < stat.size(); ++i)
        cells.push_back({static_cast<std::int64_t>(i), 1.0, stat[i]});
    GridTask task;
    task.columns = 4;
    const auto indices = [&] {
        std::vector<std::int64_t> out;
        for (const GridCell& cell : best_cells(task, cells).best) out.push_back(cell.index);
        return out;
    };
    EXPECT_EQ(indices(), (std::vector<std::int64_t>{3, 5, 15}));
    task.within = 2.5;
    EXPECT_EQ(indices(), (std::vector<std::int64_t>{3, 5}));
    task.max_cells = 1;
    EXPECT_EQ(indices(), (std::vector<std::int64_t>{3}));
    task.columns = 0;
    task.max_cells = 8;
    EXPECT_EQ(indices(), (std::vector<std::int64_t>{3, 5, 8, 9}));
    cells.assign(20, {0, 1.0, 2.0});
    for (std::size_t i = 0; i < cells.size(); ++i) cells[i].index = static_cast<std::int64_t>(i);
    task.columns = 4;
    EXPECT_EQ(indices(), (std::vector<std::int64_t>{0}));  // of equals the first
}

TEST(GridBodies, OrderOfCells) {
    EXPECT_TRUE(better_cell({3, 1.0, 5.0}, {1, 1.0, 6.0}));
    EXPECT_TRUE(better_cell({1, 1.0, 5.0}, {3, 1.0, 5.0}));
    EXPECT_FALSE(better_cell({3, 1.0, 5.0}, {1, 1.0, 5.0}));
    EXPECT_TRUE(better_cell({3, 1.0, 5.0}, {1, 1.0, NAN}));
    EXPECT_FALSE(better_cell({1, 1.0, NAN}, {3, 1.0, 5.0}));
    EXPECT_TRUE(better_cell({1, 1.0, NAN}, {3, 1.0, NAN}));
}

}  // namespace
}  // namespace xsift::engine
