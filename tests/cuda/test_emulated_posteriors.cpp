// The kernels of posteriors, whole, on blocks of host threads, against the CPU engine.
#include "emulated_block.hpp"
#include "posterior_body.cuh"
#include "posterior_lattice.hpp"

#include <limits>
#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include <xsift/core/parallel.hpp>
#include <xsift/engine/factory.hpp>
#include <xsift/engine/posterior_arrays.hpp>

namespace xsift::cuda {
namespace {

using engine::PosteriorTask;
using spectral::DensitySummary;
using spectral::PosteriorIntegral;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// Memory of a job; what nobody writes is no number.
struct Memory {
    std::vector<spectral::PosteriorFluxData> fluxes;
    std::vector<spectral::PosteriorNode> nodes;
    std::vector<double> log_unit, weights;
    PosteriorIntegral integral;
    std::vector<DensitySummary> summaries;

    explicit Memory(const PosteriorTask& task)
        : nodes(static_cast<std::size_t>(task.row.n_nodes * task.column.n_nodes), {nan, nan, nan}),
          log_unit(nodes.size() * task.fluxes.size(), nan),
          weights(nodes.size(), nan),
          summaries(task.fluxes.size()) {
        for (const PosteriorTask::Flux& flux : task.fluxes)
            fluxes.push_back({flux.n_energies, flux.row_factor.data(), flux.column_factor.data()});
        integral.lowest = nan;
        integral.norm.mean = nan;
    }
    PosteriorJob job(const PosteriorTask& task) {
        return {engine::posterior_data(task),
                fluxes.data(),
                nodes.data(),
                log_unit.data(),
                weights.data(),
                &integral,
                summaries.data()};
    }
};

void expect_same(const DensitySummary& ours, const DensitySummary& theirs) {
    EXPECT_NEAR(ours.mean, theirs.mean, 1e-9 * std::fabs(theirs.mean));
    for (int q = 0; q < DensitySummary::n_quantiles; ++q)
        EXPECT_NEAR(ours.quantile[q], theirs.quantile[q], 1e-9 * (1.0 + std::fabs(theirs.quantile[q])));
}

TEST(EmulatedPosteriors, UnequalTasksShareALaunch) {
    using Axis = test::PosteriorLattice::Axis;
    const test::PosteriorLattice a(Axis(0.0, 0.12, 9), Axis(0.6, 0.15, 11), 17, 200.0, true, 1),
        b(Axis(0.5, 1.0, 1), Axis(1.8, 1.0, 1), 3, 30.0, false, 2),
        c(Axis(0.0, 0.1, 64), Axis(1.8, 1.0, 1), 8, 90.0, true, 3);
    const std::vector<PosteriorTask> tasks{a.task(), b.task(), c.task()};
    std::vector<std::unique_ptr<Memory>> memory;
    std::vector<PosteriorJob> jobs;
    std::vector<PosteriorItem> items;
    for (const PosteriorTask& task : tasks) {
        memory.push_back(std::make_unique<Memory>(task));
        jobs.push_back(memory.back()->job(task));
        for (int first = 0; first < jobs.back().data.nodes(); first += node_threads)
            items.push_back({static_cast<std::int32_t>(jobs.size() - 1), first});
    }
    std::vector<double> room(node_threads * 17, nan);
    unsigned ticket = 0, next = 0;
    test::run_block(node_threads, [&](int thread) {
        evaluate_nodes(ticket, thread, jobs.data(), items.data(), static_cast<unsigned>(items.size()), &next,
                       room.data());
    });
    for (const PosteriorJob& job : jobs) {
        const auto shared = std::make_unique<spectral::PosteriorRoom>();
        test::run_block(integral_threads,
                        [&](int thread) { integrate_job(*shared, thread, integral_threads, job); });
    }
    const ThreadPool pool(1);
    const auto wanted = engine::make_cpu_engines(pool).grid->evaluate(std::span<const PosteriorTask>(tasks));
    for (std::size_t i = 0; i < tasks.size(); ++i) {
        SCOPED_TRACE(i);
        const PosteriorIntegral &ours = memory[i]->integral, &theirs = wanted[i].integral;
        EXPECT_DOUBLE_EQ(ours.lowest, theirs.lowest);
        EXPECT_NEAR(ours.log_integral, theirs.log_integral, 1e-12);
        EXPECT_EQ(ours.row_width, theirs.row_width);
        EXPECT_EQ(ours.column_width, theirs.column_width);
        EXPECT_DOUBLE_EQ(ours.row_edge[1], theirs.row_edge[1]);
        expect_same(ours.norm, theirs.norm);
        expect_same(memory[i]->summaries.at(0), wanted[i].fluxes.at(0));
        if (tasks[i].row.n_nodes > 1) expect_same(ours.row, theirs.row);
        if (tasks[i].column.n_nodes > 1) expect_same(ours.column, theirs.column);
    }
}

}  // namespace
}  // namespace xsift::cuda
