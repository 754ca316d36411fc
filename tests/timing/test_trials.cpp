// Probabilities of maxima: against published values, simpler formulas and simulations.

#include <algorithm>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include <xsift/core/constants.hpp>
#include <xsift/core/random.hpp>
#include <xsift/timing/lomb_scargle.hpp>
#include <xsift/timing/phase.hpp>
#include <xsift/timing/red_noise.hpp>
#include <xsift/timing/significance.hpp>
#include <xsift/timing/trials.hpp>
#include <xsift/timing/z2.hpp>

namespace xsift::timing {
namespace {

constexpr double kerr_rate = 0.398405;  // Kerr 2011, ApJ 732, 38: H with 20 harmonics

SearchExtent unit(double resolutions, double photons = INFINITY) {
    SearchExtent extent;
    extent.bandwidth = resolutions;
    extent.time_variance = 1.0 / 12.0;
    extent.photons = photons;
    return extent;
}

TEST(Trials, HOfManyHarmonicsFollowsThePublishedLaw) {
    for (const double h : {10.0, 20.0, 50.0})
        EXPECT_NEAR(log10_h_single(h, 20, {}), -kerr_rate * h / constants::ln10,
                    0.004 * h * 0.4 / constants::ln10)
            << h;
    // One harmonic is Z2_1.
    EXPECT_NEAR(log10_h_single(30.0, 1, {}), log10_chi2_survival(30.0, 1), 1e-12);
}

/// Against draws: powers over a level that is the mean of so many powers.
TEST(Trials, HInNoiseOfAnEstimatedLevelFollowsDraws) {
    constexpr int n = 10'000, harmonics = 20;
    constexpr double powers = 30.0;
    RandomStream random(77, 0);
    int alarms = 0;
    for (int i = 0; i < n; ++i) {
        double level = 0.0;
        for (int j = 0; j < static_cast<int>(powers); ++j) level += random.exponential() / powers;
        std::vector<double> power;
        for (int k = 0; k < harmonics; ++k) power.push_back(2.0 * random.exponential() / level);
        alarms += log10_h_single_local(power, powers, {}) < -2.0 ? 1 : 0;
    }
    EXPECT_NEAR(alarms, 0.01 * n, 0.003 * n);
    // A level that is surely known changes nothing.
    const std::vector<double> power{12.0, 30.0, 1.0, 0.5};
    EXPECT_NEAR(log10_h_single_local(power, 1e8, {}), log10_h_single(38.0, 4, {}), 2e-3);
    EXPECT_NEAR(log10_z2_single_local(30.0, 2, 50.0, {}), log10_chi2_survival_local(30.0, 2, 50.0), 1e-12);
    EXPECT_LT(log10_z2_single_local(30.0, 1, 50.0, unit(1e4, 20.0)),
              log10_chi2_survival_local(30.0, 1, 50.0));
}

TEST(Trials, OneHarmonicIsTheLombScargleFormulaForManyPoints) {
    const double power = 1e-4, n = 4e5;  // z2 = n power
    const SearchExtent extent = unit(1e5);
    const auto gls = lomb_scargle_significance(power, n, 1e5, 1.0 / 12.0);
    EXPECT_NEAR(log10_false_alarm(log10_z2_single(n * power, 1, extent), z2_trials(n * power, 1, extent)),
                gls.log10_fap, 2e-3);
}

TEST(Trials, GrowWithTheRootOfTheLevelAndTheWidthOfTheWindow) {
    const double a = z2_trials(40.0, 1, unit(1e4)), b = z2_trials(160.0, 1, unit(1e4));
    EXPECT_NEAR(b / a, 2.0, 1e-3);
    SearchExtent wide = unit(1e4);
    wide.time_variance *= 3.0;  // two short intervals at the ends
    EXPECT_NEAR(z2_trials(40.0, 1, wide) / a, std::sqrt(3.0), 1e-3);
    EXPECT_NEAR(a, 1e4 * std::sqrt(constants::pi / 3.0 * 20.0), 10.0);
    EXPECT_EQ(z2_trials(0.0, 1, unit(1e4)), 1.0);
}

TEST(Trials, TimeVarianceOfGoodTimeIntervals) {
    EventList events;
    events.gti = {{1e8, 1e8 + 300.0}, {1e8 + 100.0, 1e8 + 400.0}};
    // Two intervals of 100 s, centres 300 s apart.
    EXPECT_NEAR(time_variance(events), 100.0 * 100.0 / 12.0 + 150.0 * 150.0, 1e-6);
}

/// Few photons: the series of Greenwood & Durand (1955) for one harmonic; simulated values (a million draws
/// of 20 photons) for others.
TEST(Trials, TailsOfFewPhotons) {
    for (const double n : {20.0, 50.0, 200.0})
        for (const double k : {1.0, 2.0, 3.0}) {
            const double series =
                std::exp(-k) *
                (1.0 + (2.0 * k - k * k) / (4.0 * n) -
                 (24.0 * k - 132.0 * k * k + 76.0 * k * k * k - 9.0 * k * k * k * k) / (288.0 * n * n));
            EXPECT_NEAR(log10_z2_single(2.0 * k, 1, unit(1.0, n)), std::log10(series), 0.02) << n << ' ' << k;
        }
    RandomStream random(8, 8);
    int above = 0, above_h = 0;
    constexpr int draws = 200'000, photons = 20;
    const SearchExtent extent = unit(1.0, photons);
    for (int i = 0; i < draws; ++i) {
        double c[20] = {}, s[20] = {};
        for (int j = 0; j < photons; ++j) {
            const double phase = constants::two_pi * random.uniform(), x = std::cos(phase),
                         y = std::sin(phase);
            double a = x, b = y;
            for (int k = 0; k < 20; ++k) {
                c[k] += a;
                s[k] += b;
                const double next = a * x - b * y;
                b = a * y + b * x;
                a = next;
            }
        }
        double z = 0.0, h = 0.0, z1 = 0.0;
        for (int k = 0; k < 20; ++k) {
            z += 2.0 / photons * (c[k] * c[k] + s[k] * s[k]);
            h = std::max(h, z - 4.0 * k);
            if (k == 0) z1 = z;
        }
        above += log10_z2_single(z1, 1, extent) <= -3.0 ? 1 : 0;
        above_h += log10_h_single(h, 20, extent) <= -3.0 ? 1 : 0;
    }
    EXPECT_NEAR(above, 1e-3 * draws, 4.0 * std::sqrt(1e-3 * draws));
    EXPECT_NEAR(above_h, 1e-3 * draws, 4.0 * std::sqrt(1e-3 * draws));
}

/// The probabilities of H come from a table up to h = 90; beyond it, and for fewer harmonics, they are
/// computed.
TEST(Trials, HFromTheTableIsTheOneComputed) {
    for (const double edge : {6.0, 90.0}) {
        const double below = edge - 1e-9, above = edge + 1e-9;
        EXPECT_NEAR(h_trials(below, 20, unit(100)), h_trials(above, 20, unit(100)),
                    1e-5 * h_trials(edge, 20, unit(100)));
    }
    // Between the values of the table: the logarithm is smooth.
    for (const double h : {10.25, 30.5, 70.75}) {
        const auto log_at = [](double x) { return std::log(h_trials(x, 20, unit(100))); };
        EXPECT_NEAR(
            log_at(h),
            (-log_at(h - 0.2) + 4.0 * log_at(h - 0.1) + 4.0 * log_at(h + 0.1) - log_at(h + 0.2)) / 6.0, 1e-5)
            << h;
    }
}

/// A coarse grid misses the narrow maxima of many harmonics, and none of one harmonic.
TEST(Trials, FewerOfManyHarmonicsOnACoarseGrid) {
    SearchExtent coarse = unit(1e4), fine = unit(1e4);
    coarse.oversampling = 1.0;
    fine.oversampling = 8.0;
    const SearchExtent all = unit(1e4);
    EXPECT_NEAR(z2_trials(30.0, 1, coarse) / z2_trials(30.0, 1, all), 0.98, 1e-3);
    EXPECT_EQ(z2_trials(30.0, 1, fine), z2_trials(30.0, 1, all));
    for (const double h : {20.0, 30.0, 50.0}) {
        EXPECT_LT(h_trials(h, 20, coarse), h_trials(h, 20, fine)) << h;
        EXPECT_LT(h_trials(h, 20, fine), h_trials(h, 20, all)) << h;
        EXPECT_GT(h_trials(h, 20, coarse), 0.15 * h_trials(h, 20, all)) << h;
    }
    // Few photons: the tail is thin, its crossings a little more frequent.
    SearchExtent few = unit(1e4, 20.0);
    EXPECT_NEAR(z2_trials(30.0, 1, few) / z2_trials(30.0, 1, all), 1.13, 0.01);
}

/// Of all bounds at once, by drawing the powers of the harmonics.
TEST(Trials, StatisticsTogetherAgainstDraws) {
    const std::vector<Statistic> statistics{{Statistic::Kind::z2, 1},
                                            {Statistic::Kind::z2, 2},
                                            {Statistic::Kind::z2, 4},
                                            {Statistic::Kind::h, 20}};
    SearchExtent one;  // no bandwidth: a single trial
    const double level = -2.0, n = effective_statistics(statistics, level, one);
    RandomStream random(11, 3);
    int any = 0;
    constexpr int draws = 200'000;
    for (int i = 0; i < draws; ++i) {
        double z = 0.0, h = 0.0, p = 0.0;
        for (int m = 1; m <= 20; ++m) {
            z += 2.0 * random.exponential();
            h = std::max(h, z - 4.0 * (m - 1));
            if (m == 1 || m == 2 || m == 4) p = std::min(p, log10_chi2_survival(z, m));
        }
        any += std::min(p, log10_h_single(h, 20, one)) <= level ? 1 : 0;
    }
    const double expected = 1.0 - std::pow(0.99, n);
    EXPECT_NEAR(static_cast<double>(any) / draws, expected, 4.0 * std::sqrt(expected / draws));
    EXPECT_GT(n, 1.5);
    EXPECT_LT(n, 3.0);
    EXPECT_NEAR(effective_statistics(std::vector<Statistic>{{Statistic::Kind::z2, 2}}, level, one), 1.0,
                1e-6);
}

/// The false-alarm rate of the strongest of a finely sampled range in pure noise is what the formula says.
TEST(Trials, GiveTheRightFalseAlarmRateOnNoise) {
    constexpr int experiments = 400, photons = 200, resolutions = 60, first = 40, oversampling = 8;
    int alarms = 0;
    for (int e = 0; e < experiments; ++e) {
        RandomStream random(77, static_cast<std::uint64_t>(e));
        std::vector<FixedPhase> step;
        for (int j = 0; j < photons; ++j) step.push_back(fixed_phase(1.0 / oversampling, random.uniform()));
        double best = 0.0;
        for (int m = first * oversampling; m < (first + resolutions) * oversampling; ++m) {
            double c = 0.0, s = 0.0;
            for (const FixedPhase p : step) {
                const Phasor q = phasor(p * static_cast<FixedPhase>(m));
                c += q.cosine;
                s += q.sine;
            }
            best = std::fmax(best, z2_term<double>(c, s, photons));
        }
        const SearchExtent extent = unit(resolutions, photons);
        if (log10_false_alarm(log10_z2_single(best, 1, extent), z2_trials(best, 1, extent)) < std::log10(0.1))
            ++alarms;
    }
    EXPECT_NEAR(alarms, 0.1 * experiments, 4 * std::sqrt(0.09 * experiments));
}

}  // namespace
}  // namespace xsift::timing
