#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include <xsift/core/random.hpp>
#include <xsift/engine/factory.hpp>
#include <xsift/refine/composite_periods.hpp>
#include <xsift/refine/periods.hpp>
#include <xsift/timing/significance.hpp>
#include <xsift/timing/trials.hpp>

namespace xsift::refine {
namespace {

using Kind = timing::Statistic::Kind;
using Rows = std::vector<PeriodCandidate>;

constexpr double span = 3e4;

/// Photons of 1 + a cos(2 pi (f t + fdot t^2 / 2)), t from the middle.
EventList photons(std::size_t n, double f, double fdot, double a, std::uint64_t seed,
                  const char* instrument = "EPN") {
    EventList list;
    RandomStream random(seed, 0);
    while (list.time.size() < n) {
        const double t = span * (random.uniform() - 0.5);
        if (random.uniform() * (1 + a) < 1 + a * std::cos(constants::two_pi * (f * t + 0.5 * fdot * t * t)))
            list.time.push_back(t);
    }
    std::sort(list.time.begin(), list.time.end());
    list.gti.start = {-0.5 * span};
    list.gti.stop = {0.5 * span};
    list.exposure.file = std::string(instrument) + ".fits";
    list.exposure.instrument = instrument;
    list.exposure.mjd_reference = 50814.0;
    list.exposure.time_zero = 1e8;
    list.exposure.frame_time = 0.0734;
    return list;
}

engine::CompositeTask task_of(const EventList& events, const timing::FrequencyGrid& grid) {
    engine::CompositeTask task;
    task.members = {{events.time, events.weight, events.gti.start, events.gti.stop, {}}};
    task.grid = grid;
    task.max_peaks = 32;
    task.min_separation = 1.5 / span;
    return task;
}

std::vector<CompositeStart> starts_of(const engine::CompositeTask& task) {
    ThreadPool pool(1);
    const auto found = engine::make_cpu_engines(pool).search->search(std::span(&task, 1)).at(0).peaks;
    std::vector<CompositeStart> starts;
    for (std::size_t s = 0; s < found.size(); ++s)
        for (const auto& p : found[s])
            starts.push_back(
                {task.statistics[s], p.peak.frequency, task.drift.fdot(p.drift, p.peak.frequency)});
    return starts;
}

timing::SearchOptions options_up_to(double fmax) {
    timing::SearchOptions options;
    options.fmax = fmax;
    options.z2_harmonics = {1};
    return options;
}

TEST(Drift, InjectedDerivativesAreRecovered) {
    timing::SearchOptions options = options_up_to(0.03);
    options.max_fdot = 2e-8;
    double chi2_f = 0.0, chi2_d = 0.0;
    constexpr int n = 6;
    for (int i = 0; i < n; ++i) {
        const double f = 0.0123456 + 1e-6 * i, fdot = (i % 2 ? 1 : -1) * (1e-8 + 1e-9 * i);
        const EventList events = photons(800, f, fdot, 0.9, 40 + i);
        const timing::FrequencyGrid grid = timing::make_grid(events, options);
        engine::CompositeTask task = task_of(events, grid);
        task.statistics = {{Kind::z2, 1}};
        task.drift = make_drift(events, grid, options);
        EXPECT_NEAR(task.drift.step * static_cast<double>(task.drift.half), 2e-8, 1e-16);
        EXPECT_LE(task.drift.step, std::sqrt(72.0) / constants::pi / (span * span) * 1.0001);
        const Rows rows = add_composite_rows(events, grid, task.drift, starts_of(task), {}, options);
        const int best = select_period(rows, options);
        ASSERT_GE(best, 0);
        const PeriodCandidate& c = rows[static_cast<std::size_t>(best)];
        EXPECT_NEAR(c.fdot, fdot, 6 * c.fdot_error);
        EXPECT_NEAR(c.frequency, f, 6 * c.frequency_error);
        EXPECT_DOUBLE_EQ(c.epoch, 50814.0 + 1e8 / 86400.0);
        // The curvature of a sinusoid: var(t^2 / 2 | t) = T^4 / 720 and var(t) = T^2 / 12.
        const double strength = std::sqrt(c.statistic);
        EXPECT_NEAR(c.fdot_error, std::sqrt(180.0) / (constants::pi * span * span * strength),
                    0.25 * c.fdot_error);
        EXPECT_NEAR(c.frequency_error, std::sqrt(3.0) / (constants::pi * span * strength),
                    0.25 * c.frequency_error);
        EXPECT_NEAR(c.n_trials,
                    static_cast<double>(task.drift.count()) *
                        timing::z2_trials(c.statistic, 1, timing::search_extent(events, grid)),
                    1e-6 * c.n_trials);
        chi2_f += std::pow((c.frequency - f) / c.frequency_error, 2);
        chi2_d += std::pow((c.fdot - fdot) / c.fdot_error, 2);
    }
    EXPECT_LT(chi2_f / n, 3.0);
    EXPECT_LT(chi2_d / n, 3.0);
}

TEST(Drift, AConstantFrequencyMakesNoRow) {
    timing::SearchOptions options = options_up_to(0.03);
    options.max_fdot = 2e-8;
    const EventList events = photons(800, 0.0123456, 0.0, 0.9, 3);
    const timing::FrequencyGrid grid = timing::make_grid(events, options);
    engine::CompositeTask task = task_of(events, grid);
    task.statistics = {{Kind::z2, 1}};
    task.drift = make_drift(events, grid, options);
    for (const PeriodCandidate& c :
         add_composite_rows(events, grid, task.drift, starts_of(task), {}, options))
        EXPECT_TRUE(std::fabs(c.frequency - 0.0123456) > 1e-4 || c.log10_fap > -3.0);
}

TEST(Drift, BothKindsAtOnceOrTooManyTrialsAreRefused) {
    timing::SearchOptions options = options_up_to(0.03);
    const EventList events = photons(100, 0.01, 0.0, 0.9, 3);
    const timing::FrequencyGrid grid = timing::make_grid(events, options);
    EXPECT_EQ(make_drift(events, grid, options).count(), 1);
    options.max_fdot = 1.0;
    EXPECT_ANY_THROW(make_drift(events, grid, options));
    options.max_fdot = 1e-9;
    options.max_acceleration = 1.0;
    EXPECT_ANY_THROW(make_drift(events, grid, options));
    options.max_fdot = 0.0;
    options.max_acceleration = 1000.0;
    EXPECT_TRUE(make_drift(events, grid, options).acceleration);
}

TEST(EpochFolding, FindsThePeriodOfASharpPulse) {
    timing::SearchOptions options = options_up_to(0.03);
    EventList events = photons(1500, 0.01, 0.0, 0.0, 9);
    for (double t = -0.5 * span + 20; t < 0.5 * span; t += 87.654) events.time.push_back(t);
    std::sort(events.time.begin(), events.time.end());
    const timing::FrequencyGrid grid = timing::make_grid(events, options);
    engine::CompositeTask task = task_of(events, grid);
    task.statistics = {{Kind::ef, 20}};
    const Rows rows = add_composite_rows(events, grid, {}, starts_of(task), {}, options);
    const int best = select_period(rows, options);
    ASSERT_GE(best, 0);
    const PeriodCandidate& c = rows[static_cast<std::size_t>(best)];
    EXPECT_EQ(c.method, "EF");
    EXPECT_EQ(c.n_harmonics, 20);
    EXPECT_NEAR(c.period, 87.654, 0.05);
    EXPECT_FALSE(c.flags & candidate_few_counts_per_bin);
}

TEST(Joint, WeakSignalsOfTwoExposuresAddUp) {
    timing::SearchOptions options = options_up_to(0.03);
    const EventList a = photons(700, 0.0123456, 0.0, 0.28, 11),
                    b = photons(700, 0.0123456, 0.0, 0.28, 12, "EMOS1");
    EventList c = photons(700, 0.0123456, 0.0, 0.28, 13);
    c.exposure.time_zero = 3e8;
    const std::vector<const EventList*> lists{&a, &b, &c};
    const auto groups = joint_groups(lists);
    ASSERT_EQ(groups.size(), 2u) << "a and b are simultaneous, c is not";
    EXPECT_EQ(groups[0].time.size(), 1400u);
    const timing::FrequencyGrid grid = joint_grid(lists, options);
    engine::CompositeTask task = task_of(a, grid);
    task.members.clear();
    for (const JointGroup& g : groups)
        task.members.push_back({g.time, g.weight, g.gti_start, g.gti_stop, g.gti_rate, g.confirmable});
    task.statistics = {{Kind::z2, 1}};
    const Rows rows = joint_rows(lists, groups, grid, starts_of(task), {}, options);
    const int best = select_period(rows, options);
    ASSERT_GE(best, 0);
    const PeriodCandidate& row = rows[static_cast<std::size_t>(best)];
    EXPECT_EQ(row.exposure, "joint");
    EXPECT_EQ(row.instrument, "EPN+EMOS1");
    EXPECT_NEAR(row.frequency, 0.0123456, 5 * row.frequency_error);
    // chi2 with 2 n g = 4 degrees of freedom; the local noise is a little above white at most.
    EXPECT_NEAR(row.log10_p_single, timing::log10_chi2_survival(row.statistic, 2), 1.0);
    EXPECT_GE(row.noise_level, 1.0);
    EXPECT_LT(row.noise_level, 1.6);
    EXPECT_EQ(row.log10_fap, row.log10_fap_local);
    EXPECT_GE(row.log10_fap_local, row.log10_fap_white);
}

TEST(Joint, APeriodInOneInstrumentOnlyIsFlagged) {
    timing::SearchOptions options = options_up_to(0.03);
    const EventList pulsed = photons(2000, 0.0123456, 0.0, 0.7, 21),
                    steady = photons(1500, 0.01, 0.0, 0.0, 22, "EMOS1"),
                    also = photons(1500, 0.0123456, 0.0, 0.7, 23, "EMOS1");
    PeriodCandidate c;
    c.exposure = pulsed.exposure.file;
    c.instrument = "EPN";
    c.method = "Z2";
    c.n_harmonics = 1;
    c.frequency = 0.0123456;
    c.statistic = 480.0;
    c.log10_fap = -90.0;
    const auto flagged = [&](const EventList& other) {
        const std::vector<const EventList*> lists{&pulsed, &other};
        Rows rows{c};
        flag_one_instrument(lists, rows, options);
        return (rows[0].flags & candidate_one_instrument_only) != 0;
    };
    EXPECT_TRUE(flagged(steady));
    EXPECT_FALSE(flagged(also));
    EventList blind = steady;
    blind.exposure.frame_time = 60.0;  // Nyquist 0.0083 Hz
    EXPECT_FALSE(flagged(blind));
    EventList faint = photons(10, 0.01, 0.0, 0.0, 24, "EMOS1");
    EXPECT_FALSE(flagged(faint));
    EventList later = steady;
    later.exposure.time_zero += 1e6;
    EXPECT_FALSE(flagged(later));
}

}  // namespace
}  // namespace xsift::refine
