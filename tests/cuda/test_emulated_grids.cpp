// The kernels of the grid likelihood, whole, on a block of host threads, against the CPU engine and sums in
// double.
#include "emulated_block.hpp"
#include "grid_body.cuh"
#include "tf32.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include <xsift/core/random.hpp>
#include <xsift/engine/factory.hpp>
#include <xsift/engine/grid_task.hpp>

namespace xsift::cuda {
namespace {

using engine::CellCounts;
using engine::GridTask;
using engine::PairTask;

struct BlockOps : engine::HostBinOps {
    static std::uint32_t to_tf32(float x) { return test::tf32_bits(x); }
    static void multiply_add(float (&d)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2]) {
        test::multiply_in_warp(d, a, b, test::host_tf32_mma);
    }
};

/// Smooth templates over a response of a band matrix, counts of one of them.
struct Problem {
    std::vector<float> templates, fold;
    std::vector<double> counts, background;

    Problem(engine::GridSpectrum& task, std::int64_t n_templates, bool wstat, std::uint64_t seed) {
        RandomStream random(seed, 0);
        for (std::int64_t t = 0; t < n_templates; ++t)
            for (std::int64_t e = 0; e < task.n_energies; ++e) {
                const double x = (static_cast<double>(e) + 1.0) / static_cast<double>(task.n_energies);
                // over twenty decades, as steep and absorbed spectra are
                templates.push_back(
                    static_cast<float>(std::pow(x, static_cast<double>(t % 9) - 4.0) *
                                       std::exp(-(static_cast<double>(t / 9) + random.uniform()) * 0.3 / x)));
            }
        for (std::int64_t e = 0; e < task.n_energies; ++e)
            for (std::int64_t k = 0; k < task.n_bins; ++k) {
                const double x = (static_cast<double>(e) + 0.5) / static_cast<double>(task.n_energies) -
                                 (static_cast<double>(k) + 0.5) / static_cast<double>(task.n_bins);
                fold.push_back(std::fabs(x) < 0.2 ? static_cast<float>(300.0 * std::exp(-100.0 * x * x))
                                                  : 0.0F);
            }
        for (std::int64_t k = 0; k < task.n_bins; ++k) {
            const double rate = rate_of(task, n_templates / 2, k);
            counts.push_back(static_cast<double>(random.poisson(5e3 * 3e-4 * rate + 1.0)));
            if (wstat) background.push_back(static_cast<double>(random.poisson(12.0)));
        }
        task.exposure = 5e3;
        task.background_exposure = wstat ? 6e4 : 0.0;
        task.fold = fold;
        task.counts = counts;
        task.background_counts = background;
    }
    Problem(const Problem&) = delete;
    Problem& operator=(const Problem&) = delete;

    double rate_of(const engine::GridSpectrum& task, std::int64_t t, std::int64_t k) const {
        double rate = 0.0;
        for (std::int64_t e = 0; e < task.n_energies; ++e)
            rate += static_cast<double>(templates[t * task.n_energies + e]) *
                    static_cast<double>(fold[e * task.n_bins + k]);
        return rate;
    }
};

/// Several tasks in memory that kernels can reach.
class EmulatedGrids {
  public:
    void add(const engine::GridSpectrum& task, std::span<const float> templates, std::int64_t n, float* rates,
             std::int64_t rate_stride) {
        counts_.push_back(std::make_unique<CellCounts>(task));
        cells_.push_back(
            std::make_unique<std::vector<GridCell>>(static_cast<std::size_t>(n), GridCell{-7, -7.0, -7.0}));
        jobs_.push_back({counts_.back()->data(), templates.data(), task.fold.data(), n, task.n_energies,
                         cells_.back()->data(), rates, rate_stride});
        for (std::int64_t t = 0; t < n; t += grid_threads)
            items_.push_back({static_cast<std::int32_t>(jobs_.size() - 1), static_cast<std::int32_t>(t)});
        room_ = std::max(room_, static_cast<std::size_t>(task.n_bins) * grid_threads);
    }
    void fit() {
        std::vector<float> room(room_, std::numeric_limits<float>::quiet_NaN());
        unsigned next = 0, ticket = 0;
        test::run_block(grid_threads, [&](int thread) {
            fold_and_fit<BlockOps>(ticket, thread, jobs_.data(), items_.data(),
                                   static_cast<unsigned>(items_.size()), &next, room.data());
        });
    }
    const GridJob& job(std::size_t i) const { return jobs_[i]; }
    const std::vector<GridCell>& cells(std::size_t i) const { return *cells_[i]; }

  private:
    std::vector<std::unique_ptr<CellCounts>> counts_;
    std::vector<std::unique_ptr<std::vector<GridCell>>> cells_;
    std::vector<GridJob> jobs_;
    std::vector<GridItem> items_;
    std::size_t room_ = 0;
};

TEST(EmulatedGrids, UnequalTasksShareALaunch) {
    std::vector<GridTask> tasks(4);
    const std::int64_t templates[] = {150, 3, 17, 129}, energies[] = {21, 2, 9, 8}, bins[] = {37, 5, 70, 8},
                       columns[] = {25, 0, 17, 43};
    std::vector<std::unique_ptr<Problem>> problems;
    EmulatedGrids grids;
    for (std::size_t i = 0; i < tasks.size(); ++i) {
        GridTask& task = tasks[i];
        task.n_templates = templates[i];
        task.n_energies = energies[i];
        task.n_bins = bins[i];
        task.columns = columns[i];
        task.max_cells = i == 1 ? 20 : 4;
        if (i == 3) task.within = 25.0;
        problems.push_back(std::make_unique<Problem>(task, templates[i], i != 2, i));
        task.templates = problems.back()->templates;
        grids.add(task, task.templates, task.n_templates, nullptr, 0);
    }
    grids.fit();
    for (std::size_t i = 0; i < tasks.size(); ++i) {
        SCOPED_TRACE(i);
        const auto reference = engine::reference_cells(tasks[i]);
        const double lowest = std::min_element(reference.begin(), reference.end(), engine::better_cell)->stat;
        for (std::size_t t = 0; t < reference.size(); ++t) {
            const GridCell& cell = grids.cells(i)[t];
            EXPECT_EQ(cell.index, static_cast<std::int64_t>(t));
            EXPECT_NEAR(cell.stat, reference[t].stat, 1e-3 + 2e-6 * (reference[t].stat - lowest));
        }
        const std::vector<GridCell> wanted = engine::best_cells(tasks[i], grids.cells(i)).best;
        std::vector<GridCell> best(static_cast<std::size_t>(tasks[i].max_cells), GridCell{-7, 0.0, 0.0});
        int n_best = -7;
        const ChoiceJob choice{tasks[i].columns, tasks[i].within, tasks[i].max_cells, best.data(), &n_best};
        std::vector<GridCell> shared(grid_threads);
        test::run_block(grid_threads, [&](int thread) {
            choose_cells(*reinterpret_cast<GridCell(*)[grid_threads]>(shared.data()), thread, grids.job(i),
                         choice);
        });
        ASSERT_EQ(n_best, std::ssize(wanted));
        for (std::size_t k = 0; k < wanted.size(); ++k) {
            EXPECT_EQ(best[k].index, wanted[k].index);
            EXPECT_EQ(best[k].stat, wanted[k].stat);
        }
        for (std::size_t k = wanted.size(); k < best.size(); ++k) EXPECT_EQ(best[k].index, -7);
    }
}

TEST(EmulatedGrids, PairsAreThoseOfTheCpu) {
    const ThreadPool pool(2);
    const auto cpu = engine::make_cpu_engines(pool).grid;
    constexpr float untouched = -7.0F;
    for (const bool alike : {false, true})
        for (const bool wstat : {true, false}) {
            SCOPED_TRACE(alike);
            PairTask task;
            task.n_places = 2;
            task.n_first = alike ? 9 : 17;
            task.n_second = 9;
            task.n_energies = 17;
            task.n_bins = 21;
            task.alike = alike;
            const engine::PairShape shape = engine::shape_of(task);
            const std::int64_t n = shape.n_templates();
            Problem problem(task, n, wstat, 11);
            task.templates = problem.templates;
            std::vector<float> rates(static_cast<std::size_t>(grid_threads * task.n_bins), untouched);
            EmulatedGrids grids;
            grids.add(task, task.templates, n, rates.data(), grid_threads);
            grids.fit();
            for (std::int64_t k = 0; k < task.n_bins; ++k)
                for (std::int64_t t = 0; t < grid_threads; ++t) {
                    const float found = rates[k * grid_threads + t];
                    if (t >= n) {
                        EXPECT_EQ(found, untouched);
                        continue;
                    }
                    const double exact = problem.rate_of(task, t, k);
                    EXPECT_NEAR(static_cast<double>(found), exact, 6e-7 * exact);
                }
            const auto poisoned = std::numeric_limits<float>::quiet_NaN();
            std::vector<float> weight(static_cast<std::size_t>(task.n_bins), poisoned), target = weight;
            std::vector<PairSums> sums(static_cast<std::size_t>(n));
            std::vector<PairEntry> entries(static_cast<std::size_t>(shape.count()), PairEntry{-1e30, {}});
            std::vector<PairCell> best(static_cast<std::size_t>(task.max_pairs));
            int n_best = -7;
            const PairJob pairs{shape,          weight.data(),
                                target.data(),  sums.data(),

                                entries.data(), {task.norms_most[0], task.norms_most[1]},
                                task.max_pairs, best.data(),
                                &n_best};
            const auto shared = std::make_unique<SharedPairs>();
            test::run_block(grid_threads, [&](int thread) {
                choose_pairs<BlockOps>(*shared, thread, grids.job(0), pairs);
            });
            const auto wanted = cpu->evaluate(std::span<const PairTask>(&task, 1)).front().best;
            ASSERT_EQ(n_best, std::ssize(wanted));
            engine::sort_pairs(best);
            const auto number = [&](const PairCell& cell) { return shape.number(cell.index); };
            for (std::size_t i = 0; i < wanted.size(); ++i) {
                EXPECT_EQ(number(best[i]), number(wanted[i]));
                EXPECT_NEAR(best[i].stat, wanted[i].stat, 1.0 / engine::stat_steps + 1e-6 * wanted[i].stat);
                for (int g = 0; g < 2; ++g)
                    EXPECT_NEAR(best[i].norm[g], wanted[i].norm[g],
                                1e-3 * std::max(wanted[i].norm[0], wanted[i].norm[1]));
            }
        }
}

}  // namespace
}  // namespace xsift::cuda
