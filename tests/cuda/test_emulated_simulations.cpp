// The kernel of simulated fits, whole, on a block of host threads, against the CPU engine.
#include "emulated_block.hpp"
#include "simulation_body.cuh"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include <xsift/engine/factory.hpp>
#include <xsift/engine/simulation_arrays.hpp>

namespace xsift::cuda {
namespace {

using engine::SimulationArrays;
using engine::SimulationTask;
using spectral::LatticeMinimum;

struct Problem {
    std::vector<double> log_counts, expected, background;
    SimulationTask task;

    Problem(int rows, int columns, const std::vector<spectral::LatticeSpectrum>& spectra,
            std::int64_t n_draws, bool tabulated = false) {
        std::int64_t n_bins = 0;
        bool wstat = false;
        for (const spectral::LatticeSpectrum& s : spectra) {
            n_bins += s.n_bins;
            wstat = wstat || s.ratio > 0.0;
        }
        for (int i = 0; i < rows; ++i)
            for (int j = 0; j < columns; ++j)
                for (std::int64_t k = 0; k < n_bins; ++k) {
                    const double e = 0.5 + 0.2 * static_cast<double>(k);
                    log_counts.push_back(-0.4 * j * std::log(e) - 0.2 * i / (e * e));
                }
        for (std::int64_t k = 0; k < n_bins; ++k) {
            const double e = 0.5 + 0.2 * static_cast<double>(k);
            expected.push_back(9.0 * std::exp(-0.8 * std::log(e) - 0.3 / (e * e)) + 0.7);
            if (wstat) background.push_back(5.6);
        }
        task = {rows, columns, tabulated, spectra, log_counts, expected, background, 77, n_draws};
    }
    Problem(const Problem&) = delete;
    Problem& operator=(const Problem&) = delete;
};

TEST(EmulatedSimulations, UnequalTasksShareALaunch) {
    const Problem a(6, 5, {{21, 8.0}}, 70), b(7, 1, {{9, 0.0}}, 3), c(1, 1, {{2, 8.0}}, 64),
        d(4, 6, {{17, 8.0}}, 66, true), e(5, 4, {{11, 8.0}, {6, 0.0}, {7, 8.0}}, 65);
    const std::vector<SimulationTask> tasks{a.task, b.task, c.task, d.task, e.task};
    std::vector<std::unique_ptr<SimulationArrays>> arrays;
    std::vector<std::vector<LatticeMinimum>> found;
    std::vector<SimulationJob> jobs;
    std::vector<SimulationItem> single, joint;
    std::int64_t most_places = 0;
    found.reserve(tasks.size());
    for (const SimulationTask& task : tasks) {
        arrays.push_back(std::make_unique<SimulationArrays>(task));
        most_places = std::max(most_places, arrays.back()->data.n_places);
        auto& fits =
            found.emplace_back(static_cast<std::size_t>(task.n_draws), LatticeMinimum{{}, -7.0, false});
        jobs.push_back({arrays.back()->data, task.n_draws, fits.data()});
        for (std::int64_t first = 0; first < task.n_draws; first += simulation_threads)
            (task.spectra.size() == 1 ? single : joint)
                .push_back({static_cast<std::int32_t>(jobs.size() - 1), first});
    }
    std::vector<float> room(static_cast<std::size_t>(2 * simulation_threads * most_places),
                            std::numeric_limits<float>::quiet_NaN());
    unsigned ticket = 0, next[2] = {0, 0};
    test::run_block(simulation_threads, [&](int thread) {
        simulate_items<engine::HostBinOps, 1>(ticket, thread, jobs.data(), single.data(),
                                              static_cast<unsigned>(single.size()), &next[0], room.data());
    });
    test::run_block(simulation_threads, [&](int thread) {
        simulate_items<engine::HostBinOps, spectral::most_lattice_spectra>(
            ticket, thread, jobs.data(), joint.data(), static_cast<unsigned>(joint.size()), &next[1],
            room.data());
    });
    const ThreadPool pool(1);
    const auto wanted = engine::make_cpu_engines(pool).grid->evaluate(std::span<const SimulationTask>(tasks));
    for (std::size_t i = 0; i < tasks.size(); ++i)
        for (std::size_t draw = 0; draw < found[i].size(); ++draw) {
            SCOPED_TRACE(testing::Message() << "task " << i << ", draw " << draw);
            const LatticeMinimum &ours = found[i][draw], &theirs = wanted[i].fits[draw];
            EXPECT_TRUE(ours.converged);
            EXPECT_NEAR(ours.stat, theirs.stat, 1e-6);
            EXPECT_NEAR(ours.at.row, theirs.at.row, 1e-3);
            EXPECT_NEAR(ours.at.column, theirs.at.column, 1e-3);
            for (std::size_t s = 0; s < tasks[i].spectra.size(); ++s)
                EXPECT_NEAR(ours.at.log_scale[s], theirs.at.log_scale[s], 1e-3);
        }
}

}  // namespace
}  // namespace xsift::cuda
