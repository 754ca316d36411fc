// The kernels of simulated sources, whole, on a block of host threads.
#include "drawn_sources.hpp"
#include "emulated_block.hpp"
#include "source_draws_body.cuh"

#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include <xsift/engine/device_plan.hpp>
#include <xsift/engine/search_tasks.hpp>

namespace xsift::cuda {
namespace {

/// Lists of fewer photons than threads and more, with and without weights, against the host's draws.
TEST(EmulatedDraws, PhotonsAreThoseOfTheHost) {
    for (const std::size_t n : {1, 2, 3, 64, 127, 300})
        for (const bool weighted : {false, true}) {
            const EventList list = test::list_in_gaps(n, 0.5, weighted, n);
            const timing::ConstantSource source(list);
            std::vector<double> time(n, std::numeric_limits<double>::quiet_NaN());
            std::vector<float> weight = list.weight;
            const DrawJob job{source.rate(),
                              11,
                              5,
                              static_cast<std::int64_t>(n),
                              time.data(),
                              weighted ? weight.data() : nullptr};
            test::run_block(draw_threads, [&](int thread) { draw_photons(thread, job); });
            const timing::DrawnPhotons wanted = timing::draw_photons(source.rate(), n, list.weight, 11, 5);
            if (!weighted) std::sort(time.begin(), time.end());
            EXPECT_EQ(time, wanted.time) << n;
            EXPECT_EQ(weight, wanted.weight) << n;
        }
}

timing::SearchOptions options() {
    timing::SearchOptions options;
    options.fmin = 3e-4;
    options.fmax = 0.008;
    options.z2_harmonics = {1};
    options.h_harmonics = 3;
    options.max_candidates = 2;
    options.draws = 1;
    return options;
}

/// A draw's peaks as a search finds them, maximised by the kernel.
std::optional<std::vector<timing::FoundMaximum>> maximised(const test::DrawnSources& sources,
                                                           const EventList& drawn,
                                                           const engine::SearchOutcome& found) {
    const engine::DrawJudge judge(sources.task);
    const auto wanted = judge.wanted(found);
    if (!wanted) return std::nullopt;
    const engine::EventTask search = engine::make_task(drawn, sources.grid, sources.options);
    const engine::PreparedEvents events(search);
    const double rms = std::sqrt(events.sum_w2 / static_cast<double>(drawn.size()));
    std::vector<float> weight;
    for (const float w : drawn.weight) weight.push_back(static_cast<float>(static_cast<double>(w) / rms));
    ProductTask task = engine::product_task(search, events.sum_w, events.sum_w2, rms);
    task.weight = weight.empty() ? nullptr : weight.data();
    task.gti_start = search.gti_start.data();
    task.gti_stop = search.gti_stop.data();
    std::vector<engine::DrawJudge::Climbed> climbed;
    for (const auto& trial : *wanted) {
        const MaximumRequest request{drawn.time.data(),
                                     0.5 * (drawn.gti.start.front() + drawn.gti.stop.back()), trial.trial, 0,
                                     trial.statistic};
        MaximumFound maximum{};
        MomentRoom room{};
        test::run_block(exact_threads,
                        [&](int thread) { find_maximum(room, thread, &task, request, maximum); });
        climbed.push_back({trial.statistic, maximum.harmonics, maximum.frequency, maximum.value,
                           maximum.evidence, maximum.may_be_faster});
    }
    return judge.judged(climbed);
}

/// Maxima and what they amount to, against the polish of the host; of some draws nothing is left to it.
TEST(EmulatedDraws, MaximaAreThoseOfThePolish) {
    const ThreadPool pool(1);
    const auto cpu = engine::make_cpu_engines(pool);
    int all = 0, above_window = 0;  // maxima; those at frequencies that the gaps do not touch
    for (const bool weighted : {false, true}) {
        EventList list = test::list_in_gaps(140, 0.3, weighted, 6);
        list.exposure.frame_time = 60.0;  // above 0.0042 Hz a harmonic is missing
        const test::DrawnSources sources(std::move(list), options(), 21);
        const double window =
            engine::window_fmax(sources.task.search, 140.0, 140.0);  // about that of the weighted list
        for (std::uint64_t i = 0; i < 2; ++i) {
            const EventList drawn = sources.draw(i);
            const engine::SearchOutcome found = sources.found_in(drawn, *cpu.search);
            const auto maxima = maximised(sources, drawn, found);
            ASSERT_TRUE(maxima.has_value());
            const auto rows = refine::polish_events(drawn, sources.grid, found.statistics, sources.options);
            ASSERT_EQ(rows.size(), maxima->size());
            for (std::size_t r = 0; r < rows.size(); ++r) {
                const timing::FoundMaximum& m = (*maxima)[r];
                EXPECT_NEAR(m.frequency, rows[r].frequency, 1e-9);
                EXPECT_EQ(m.harmonics, rows[r].n_harmonics);
                EXPECT_NEAR(m.value, rows[r].statistic, 1e-6 * rows[r].statistic);
                EXPECT_NEAR(m.log10_p, rows[r].log10_p_single, 1e-6 * std::fabs(rows[r].log10_p_single));
                EXPECT_NEAR(m.log10_fap, rows[r].log10_fap_white, 1e-6);
                above_window += m.frequency > window ? 1 : 0;
                ++all;
            }
            EXPECT_NEAR(refine::smallest_log10_fap(*maxima, sources.f_frame(), sources.task.span, options()),
                        refine::smallest_log10_fap(rows), 1e-6);
        }
    }
    // Both ways to the evidence have been gone.
    EXPECT_GT(above_window, 0);
    EXPECT_LT(above_window, all);
}

/// A rate that changes makes slow maxima significant: they have too few cycles, and the alarm is another.
TEST(EmulatedDraws, SlowMaximaAreNoAlarms) {
    const ThreadPool pool(1);
    const auto cpu = engine::make_cpu_engines(pool);
    timing::SearchOptions slow = options();
    slow.fmin = 5e-5;
    slow.fmax = 0.02;
    slow.max_candidates = 3;
    const test::DrawnSources sources(test::list_in_gaps(300, 0.97, false, 6), slow, 22);
    int significant = 0;
    for (std::uint64_t i = 0; i < 2; ++i) {
        const EventList drawn = sources.draw(i);
        const engine::SearchOutcome found = sources.found_in(drawn, *cpu.search);
        const auto maxima = maximised(sources, drawn, found);
        ASSERT_TRUE(maxima.has_value());
        for (const timing::FoundMaximum& m : *maxima) significant += m.log10_fap <= slow.log10_fap ? 1 : 0;
        EXPECT_NEAR(
            refine::smallest_log10_fap(*maxima, sources.f_frame(), sources.task.span, sources.options),
            sources.polished(i, found), 1e-6);
    }
    EXPECT_GT(significant, 0);
}

}  // namespace
}  // namespace xsift::cuda
