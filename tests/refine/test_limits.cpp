#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include <xsift/core/random.hpp>
#include <xsift/engine/factory.hpp>
#include <xsift/refine/limits.hpp>
#include <xsift/refine/periods.hpp>
#include <xsift/timing/light_curve.hpp>
#include <xsift/timing/pulsed_fraction.hpp>

namespace xsift::refine {
namespace {

constexpr double span = 3e4;

EventList photons(std::size_t n, double frequency, double fraction, std::uint64_t seed) {
    EventList list;
    RandomStream random(seed, 0);
    const double phase = random.uniform();
    while (list.time.size() < n) {
        const double t = span * random.uniform();
        if (random.uniform() * (1 + fraction) <
            1 + fraction * std::cos(constants::two_pi * (frequency * t + phase)))
            list.time.push_back(t);
    }
    std::sort(list.time.begin(), list.time.end());
    list.gti = {{0.0}, {span}};
    return list;
}

struct Searched {
    std::vector<PeriodCandidate> candidates;
    std::vector<PulsedFractionLimit> limits;
};

Searched search(const EventList& events, const timing::SearchOptions& options) {
    ThreadPool pool(1);
    const auto grid = timing::make_grid(events, options);
    const engine::EventTask task = engine::make_task(events, grid, options);
    const auto found = engine::make_cpu_engines(pool).search->search(std::span(&task, 1)).at(0).statistics;
    Searched out;
    out.candidates = polish_events(events, grid, found, options);
    out.limits = pulsed_fraction_limits(events, grid, found, out.candidates, options);
    return out;
}

timing::SearchOptions quick(double fmin, double fmax) {
    timing::SearchOptions options;
    options.fmin = fmin;
    options.fmax = fmax;
    options.z2_harmonics = {2, 1};
    options.h_harmonics = 0;
    options.max_candidates = 3;
    return options;
}

TEST(Limits, ConstantSourceHasOneForEachBandAndTheWholeRange) {
    const auto limits = search(photons(1000, 0.01, 0.0, 3), quick(1e-4, 0.2)).limits;
    ASSERT_EQ(limits.size(), 4u);  // 1e-4 to 1e-3, 1e-2, 0.2
    EXPECT_NEAR(limits[0].frequency_lo, 1e-4, 1e-5);
    EXPECT_NEAR(limits[0].frequency_hi, 0.2, 1e-4);
    double highest = 0.0;
    for (std::size_t b = 1; b < limits.size(); ++b) {
        highest = std::max(highest, limits[b].pf_ul);
        EXPECT_GE(limits[b].frequency, limits[b].frequency_lo - 1e-5);
        EXPECT_LE(limits[b].frequency, limits[b].frequency_hi + 1e-5);
        EXPECT_EQ(limits[b].n_harmonics, 1);
        EXPECT_EQ(limits[b].n_photons, 1000.0);
        EXPECT_GT(limits[b].pf_ul, 0.1);
        EXPECT_LT(limits[b].pf_ul, 0.35);
        EXPECT_EQ(limits[b].flags, limit_of_all | limit_frame_time_unknown);
    }
    EXPECT_EQ(limits[0].pf_ul, highest);
    // Above the window's limit the maximum over frequency is allowed for; the photons' second harmonic is
    // noise.
    EXPECT_NEAR(limits[3].pf_ul, timing::maximised_fraction_limit(limits[3].statistic, 1, 1000, 0.9, NAN),
                0.005);
    EXPECT_LT(limits[3].pf_ul, timing::pulsed_fraction_limit(limits[3].statistic, 1, 1000, 0.9));
}

TEST(Limits, NoneWithAPeriod) {
    const Searched s = search(photons(1000, 0.0123, 0.7, 4), quick(1e-3, 0.1));
    EXPECT_GE(select_period(s.candidates, {}), 0);
    EXPECT_TRUE(s.limits.empty());
}

/// The limit holds at the top of its band, where the frame time leaves least of a modulation, and what the
/// data cannot confirm has no limit.
TEST(Limits, AllowForTheFrameTime) {
    EventList list = photons(1000, 0.01, 0.0, 5);
    const double open = search(list, quick(0.05, 0.18)).limits.at(0).pf_ul;
    list.exposure.frame_time = 2.6;
    const auto limits = search(list, quick(0.05, 0.25)).limits;
    ASSERT_EQ(limits.size(), 2u);
    EXPECT_LE(limits[0].frequency_hi, 0.5 / 2.6);
    EXPECT_GT(limits[0].frequency_hi, 0.19);
    EXPECT_NEAR(limits[0].pf_ul / open, constants::pi / 2, 0.15);
    EXPECT_FALSE(limits[0].flags & limit_frame_time_unknown);
}

TEST(Limits, FewPhotonsConstrainNothingAndAreFlagged) {
    const auto limits = search(photons(12, 0.01, 0.0, 6), quick(1e-3, 0.1)).limits;
    ASSERT_FALSE(limits.empty());
    EXPECT_GT(limits[0].pf_ul, 1.0);
    EXPECT_TRUE(limits[0].flags & limit_unconstraining);
}

/// Signals too faint to be found: the limit of the band lies above them in at least 90% of the cases, and no
/// higher than the noise of the band makes it.
TEST(Limits, CoverWhatWasInjected) {
    constexpr int n = 300;
    constexpr double fraction = 0.25;
    int covered = 0, without = 0;
    for (int i = 0; i < n; ++i) {
        const auto limits =
            search(photons(500, 0.0123 + 1e-5 * i, fraction, 900 + i), quick(0.01, 0.02)).limits;
        if (limits.empty()) continue;
        ++without;
        covered += limits[0].pf_ul > fraction ? 1 : 0;
    }
    EXPECT_GT(without, n / 2);
    EXPECT_GE(covered, 0.9 * without - 3 * std::sqrt(0.09 * without));
}

/// Orbits of 5,500 s with half of each in the Earth's shadow make a constant source look periodic at 1/5500
/// Hz and its multiples. None of that is offered.
TEST(Limits, AConstantSourceSeenOnceAnOrbitHasNoPeriodButLimits) {
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
        EventList list;
        RandomStream random(seed, 0);
        for (int i = 0; i < 15; ++i) {
            const double start = 5500.0 * i + 100.0 * random.uniform(),
                         stop = start + 2800.0 + 300.0 * random.uniform();
            list.gti.start.push_back(start);
            list.gti.stop.push_back(stop);
            const std::int64_t n = random.poisson(0.2 * static_cast<double>(seed * seed) * (stop - start));
            for (std::int64_t j = 0; j < n; ++j)
                list.time.push_back(start + (stop - start) * random.uniform());
        }
        std::sort(list.time.begin(), list.time.end());
        timing::SearchOptions options;
        options.fmax = 0.05;
        const Searched s = search(list, options);
        EXPECT_EQ(select_period(s.candidates, options), -1) << list.size();
        for (const auto& c : s.candidates)
            EXPECT_TRUE(c.veto != 0 || c.log10_fap > options.log10_fap) << c.frequency * 5500;
        ASSERT_GE(s.limits.size(), 3u);
        // With N photons the limit comes down as sqrt(60 / N).
        EXPECT_LT(s.limits[0].pf_ul, std::sqrt(150.0 / static_cast<double>(list.size())));
    }
}

TEST(Limits, LightCurves) {
    LightCurve curve;
    RandomStream random(8, 0);
    curve.bin_width = 100.0;
    for (int i = 0; i < 400; ++i) {
        curve.time.push_back(50.0 + 100.0 * i);
        curve.rate.push_back(5.0 + 0.5 * random.normal());
        curve.error.push_back(0.5);
    }
    timing::SearchOptions options;
    ThreadPool pool(1);
    const auto grid = timing::make_grid(curve, options);
    const auto bins = timing::usable_bins(curve);
    const engine::LightCurveTask task = engine::make_task(bins, curve.bin_width, grid, options);
    const auto found = engine::make_cpu_engines(pool).search->search(std::span(&task, 1)).at(0).statistics;
    const auto candidates = polish_light_curve(curve, grid, found, options);
    const auto limits = pulsed_fraction_limits(curve, grid, found, candidates, options);
    ASSERT_GE(limits.size(), 2u);
    EXPECT_EQ(limits[0].method, "GLS");
    EXPECT_TRUE(std::isnan(limits[0].n_photons));
    // chi2 = lambda = n a^2 mean^2 / (2 sigma^2) is 20 a^2 x 1000; a lambda of 15 to 40, through 100-s bins.
    EXPECT_GT(limits[0].pf_ul, std::sqrt(15.0 / 20'000));
    EXPECT_LT(limits[0].pf_ul, 1.6 * std::sqrt(40.0 / 20'000));
}

}  // namespace
}  // namespace xsift::refine
