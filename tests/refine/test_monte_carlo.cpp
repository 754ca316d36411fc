// False-alarm probabilities from simulated sources.

#include <algorithm>
#include <cmath>

#include <drawn_sources.hpp>
#include <gtest/gtest.h>

#include <xsift/core/constants.hpp>
#include <xsift/core/random.hpp>
#include <xsift/refine/monte_carlo.hpp>

namespace {

using namespace xsift;
using namespace xsift::refine;

EventList varying() {
    EventList events;
    events.exposure.file = "a.fits";
    events.gti = {{0.0, 3000.0}, {2000.0, 5000.0}};
    RandomStream random(3, 1);
    while (events.time.size() < 2000) {  // three times the rate in the second interval
        const double t = 5000.0 * random.uniform();
        if (t < 2000.0 ? random.uniform() < 1.0 / 3.0 : t >= 3000.0) events.time.push_back(t);
    }
    std::sort(events.time.begin(), events.time.end());
    for (std::size_t j = 0; j < events.time.size(); ++j) events.weight.push_back(j % 4 == 0 ? 1.0f : 0.25f);
    return events;
}

TEST(Simulated, KeepsGoodTimeRateAndWeights) {
    const EventList events = varying();
    const EventList drawn = simulated_constant(events, 7, 0), again = simulated_constant(events, 7, 0),
                    other = simulated_constant(events, 7, 1);
    EXPECT_EQ(drawn.time, again.time);
    EXPECT_EQ(drawn.weight, again.weight);
    EXPECT_NE(drawn.time, other.time);
    ASSERT_EQ(drawn.size(), events.size());
    EXPECT_TRUE(std::is_sorted(drawn.time.begin(), drawn.time.end()));
    int early = 0, early_before = 0;
    for (std::size_t j = 0; j < drawn.size(); ++j) {
        EXPECT_TRUE(drawn.time[j] <= 2000.0 || drawn.time[j] >= 3000.0);
        early += drawn.time[j] < 2500.0 ? 1 : 0;
        early_before += events.time[j] < 2500.0 ? 1 : 0;
    }
    EXPECT_NEAR(early, early_before, 5 * std::sqrt(0.19 * 2000));
    EXPECT_NE(drawn.weight, events.weight);
    auto a = drawn.weight, b = events.weight;
    std::sort(a.begin(), a.end());
    std::sort(b.begin(), b.end());
    EXPECT_EQ(a, b);
}

TEST(Simulated, SeedsAreOfTheNames) {
    Exposure a, b;
    a.file = "x";
    b.file = "y";
    EXPECT_EQ(simulation_seed("1", a), simulation_seed("1", a));
    EXPECT_NE(simulation_seed("1", a), simulation_seed("1", b));
    EXPECT_NE(simulation_seed("1", a), simulation_seed("2", a));
}

/// Draws whose probabilities are right give them back, in the body as shares and beyond all draws from the
/// tail.
TEST(Simulated, TailOfRightProbabilitiesIsTheIdentity) {
    std::vector<double> drawn;
    for (int i = 0; i < 4000; ++i) drawn.push_back(std::log10((i + 0.5) / 4000.0));
    const SimulatedTail tail(drawn);
    for (const double x : {-0.1, -0.5, -1.0, -2.0, -3.0})
        EXPECT_NEAR(tail.log10_probability(x), x, 0.03) << x;
    EXPECT_NEAR(tail.log10_probability(-10.0), -10.0, 0.3);
    EXPECT_FALSE(tail.beyond(-3.0));
    EXPECT_TRUE(tail.beyond(-5.0));
    // Three searches in one: each is three times as often so improbable.
    std::vector<double> three;
    for (double x : drawn) three.push_back(std::log10(1.0 - std::pow(1.0 - std::pow(10.0, x), 1.0 / 3.0)));
    EXPECT_NEAR(SimulatedTail(three).log10_probability(-3.0), -3.0 + std::log10(3.0), 0.05);
}

/// A candidate of too few cycles is no false alarm: it is never offered.
TEST(Simulated, VetoedRowsAreNoAlarms) {
    std::vector<PeriodCandidate> rows(2);
    rows[0].log10_fap_white = -6.0;
    rows[0].veto = veto_few_cycles;
    rows[1].log10_fap_white = -0.5;
    EXPECT_EQ(smallest_log10_fap(rows), -0.5);
    EXPECT_EQ(smallest_log10_fap({}), 0.0);
}

TEST(Simulated, ReplacesWhatItSearchedAndFlagsIt) {
    std::vector<double> drawn;
    for (int i = 0; i < 1000; ++i) drawn.push_back(std::log10((i + 0.5) / 1000.0) - 0.3);
    std::vector<PeriodCandidate> rows(3);
    for (PeriodCandidate& c : rows) c.log10_fap = c.log10_fap_white = c.log10_fap_local = -5.0;
    rows[0].method = rows[2].method = "Z2";
    rows[1].method = "EF";
    rows[2].fdot = 1e-10;
    apply_simulated(SimulatedTail(drawn), rows);
    EXPECT_NEAR(rows[0].log10_fap, -4.7, 0.2);
    EXPECT_EQ(rows[0].flags, std::uint32_t{candidate_simulated | candidate_extrapolated});
    EXPECT_EQ(rows[1].log10_fap, -5.0);
    EXPECT_EQ(rows[2].flags, 0u);
}

/// Where the level of the noise does not matter a polish says so, and what it would come to.
TEST(Simulated, AlarmsWithoutTheLevelOfTheNoiseAreThoseOfAllRows) {
    const ThreadPool pool(1);
    const auto cpu = engine::make_cpu_engines(pool);
    timing::SearchOptions options;
    options.fmin = 5e-5;
    options.fmax = 0.04;
    options.max_candidates = 6;
    int slow = 0, known = 0;
    for (const double slope : {0.0, 0.95}) {
        const test::DrawnSources sources(test::list_in_gaps(400, slope, false, 5), options, 11);
        for (std::uint64_t i = 0; i < 16; ++i) {
            const EventList drawn = sources.draw(i);
            const engine::EventTask task = engine::make_task(drawn, sources.grid, options);
            const auto found = cpu.search->search(std::span(&task, 1)).at(0).statistics;
            EventPolish polish(drawn, sources.grid, found, options);
            const auto alarm = polish.smallest_log10_fap();
            if (!alarm) continue;
            ++known;
            const auto rows = polish.finish(timing::sums_of(polish.noise_task()));
            EXPECT_EQ(*alarm, smallest_log10_fap(rows)) << slope << " " << i;
            slow += std::any_of(rows.begin(), rows.end(),
                                [](const PeriodCandidate& c) { return c.log10_fap_white <= -3.0; })
                        ? 1
                        : 0;
        }
    }
    EXPECT_GE(known, 24);
    EXPECT_GE(slow, 5);
    // A signal is looked at with the noise around it.
    EventList pulsed = test::list_in_gaps(400, 0.0, false, 5);
    for (double& t : pulsed.time) t = std::floor(t / 50.0) * 50.0 + 0.3 * std::fmod(t, 50.0);
    const auto grid = timing::make_grid(pulsed, options);
    const engine::EventTask task = engine::make_task(pulsed, grid, options);
    const auto found = cpu.search->search(std::span(&task, 1)).at(0).statistics;
    EXPECT_FALSE(EventPolish(pulsed, grid, found, options).smallest_log10_fap().has_value());
}

}  // namespace
