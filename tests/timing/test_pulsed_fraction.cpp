#include <cmath>

#include <gtest/gtest.h>

#include <xsift/core/random.hpp>
#include <xsift/timing/pulsed_fraction.hpp>
#include <xsift/timing/significance.hpp>

namespace xsift::timing {
namespace {

struct Known {
    int n;
    double lambda, x, cdf, survival;
};

/// Values of scipy 1.10 (stats.ncx2, which calls Boost).
TEST(NoncentralChi2, MatchesScipy) {
    const Known known[] = {
        {1, 0.0, 3.0, 0.7768698398515702, 0.2231301601484298},
        {1, 1.0, 2.0, 0.4698696378029046, 0.5301303621970954},
        {1, 30.0, 20.0, 0.1342201679960841, 0.8657798320039161},
        {1, 30.0, 60.0, 0.9858128237298066, 0.01418717627019333},
        {2, 12.5, 30.0, 0.9453257507334947, 0.05467424926650528},
        {4, 100.0, 80.0, 0.07688316663234021, 0.9231168333676597},
        {20, 50.0, 120.0, 0.9550813322046834, 0.04491866779531661},
        {1, 1000.0, 900.0, 0.05060548521966183, 0.9493945147803384},
        {1, 10000.0, 10100.0, 0.689265178882512, 0.3107348211174903},
        {2, 100000.0, 99000.0, 0.05593240295383921, 0.944067597046171},
        {10, 100000.0, 101000.0, 0.939097140163437, 0.06090285983657272},
        {1, 100000.0, 100000.0, 0.4993692160810071, 0.5006307839189964},
        {1, 0.01, 50.0, 0.9999999999843254, 1.567442991833137e-11},
    };
    for (const Known& k : known) {
        EXPECT_NEAR(noncentral_chi2_cdf(k.x, k.n, k.lambda), k.cdf, 1e-12) << k.lambda;
        EXPECT_NEAR(noncentral_chi2_survival(k.x, k.n, k.lambda), k.survival, 1e-12) << k.lambda;
    }
    EXPECT_NEAR(noncentral_chi2_survival(50.0, 1, 0.01) / 1.567442991833137e-11, 1.0, 1e-9);
}

TEST(NoncentralChi2, WithoutSignalIsTheCentralOne) {
    for (const int n : {1, 2, 4, 20})
        for (const double x : {0.5, 10.0, 60.0})
            EXPECT_NEAR(std::log10(noncentral_chi2_survival(x, n, 0.0)), log10_chi2_survival(x, n), 1e-9);
}

TEST(NoncentralChi2, BothSidesSumToOneAtAnySize) {
    for (const double lambda : {0.0, 0.3, 7.0, 1e3, 1e6, 1e8})
        for (const double offset : {-3.0, 0.0, 3.0}) {
            const double x = std::max(0.1, lambda + offset * 2.0 * std::sqrt(lambda));
            EXPECT_NEAR(noncentral_chi2_cdf(x, 2, lambda) + noncentral_chi2_survival(x, 2, lambda), 1.0,
                        1e-12)
                << lambda << ' ' << offset;
        }
    EXPECT_EQ(noncentral_chi2_cdf(0.0, 1, 3.0), 0.0);
    EXPECT_EQ(noncentral_chi2_cdf(1.0, 1, 1e5), 0.0);
    EXPECT_EQ(noncentral_chi2_survival(-1.0, 1, 3.0), 1.0);
}

/// Values of scipy 1.10 (brentq on stats.ncx2.cdf).
TEST(NoncentralChi2, NoncentralityMatchesScipy) {
    const struct {
        int n;
        double x, probability, lambda;
    } known[] = {
        {1, 30.0, 0.1, 44.5667599524134},      {1, 30.0, 0.05, 49.5815446256279},
        {1, 30.0, 0.95, 13.8490791437803},     {2, 45.0, 0.1, 60.5538333085189},
        {4, 200.0, 0.95, 149.601678928081},    {20, 300.0, 0.1, 305.583896445498},
        {1, 7078.616, 0.05, 7357.08972019895}, {1, 7078.616, 0.95, 6803.55344703449},
        {1, 58049.0, 0.1, 58667.17738332},     {1, 5.0, 0.1, 11.0955937034703},
        {2, 100000.0, 0.1, 100809.16067588},
    };
    for (const auto& k : known)
        EXPECT_NEAR(noncentrality_at(k.x, k.n, k.probability) / k.lambda, 1.0, 1e-9) << k.x;
    EXPECT_EQ(noncentrality_at(0.2, 1, 0.1), 0.0);  // noise alone exceeds it in 90% of cases
    EXPECT_EQ(noncentrality_at(-1.0, 1, 0.1), 0.0);
    EXPECT_TRUE(std::isnan(noncentrality_at(NAN, 1, 0.1)));
    EXPECT_TRUE(std::isnan(noncentrality_at(3.0, 1, 1.0)));
}

TEST(NoncentralChi2, NoncentralityInvertsAtAnyScale) {
    for (const double x : {0.3, 2.0, 9.0, 40.0, 3e3, 1e6})
        for (const int n : {1, 4, 20})
            for (const double p : {0.001, 0.05, 0.5, 0.95}) {
                const double lambda = noncentrality_at(x, n, p);
                if (lambda == 0.0)
                    EXPECT_LE(noncentral_chi2_cdf(x, n, 0.0), p);
                else
                    EXPECT_NEAR(noncentral_chi2_cdf(x, n, lambda), p, 1e-9) << x << ' ' << n;
            }
}

/// One more degree of freedom: sums of Poisson probabilities and incomplete gamma functions, made apart.
TEST(NoncentralChi2, MaximumOverFrequency) {
    const struct {
        int n;
        double x, lambda, cdf;
    } known[] = {
        {1, 3.0, 1e-09, 0.608374823575},   {1, 2.0, 1.0, 0.308252507665},
        {1, 20.0, 30.0, 0.113474086175},   {1, 60.0, 30.0, 0.982803371457},
        {2, 30.0, 12.5, 0.931613898531},   {4, 80.0, 100.0, 0.0695297283703},
        {20, 120.0, 50.0, 0.949573058391}, {1, 900.0, 1000.0, 0.0489373627496},
    };
    for (const auto& k : known) EXPECT_NEAR(maximum_cdf(k.x, k.n, k.lambda), k.cdf, 1e-8) << k.x;
    EXPECT_EQ(maximum_cdf(0.0, 1, 3.0), 0.0);
    EXPECT_EQ(maximum_cdf(1.0, 1, 1e4), 0.0);
    EXPECT_NEAR(maximum_cdf(1e4, 1, 1.0), 1.0, 1e-12);
    // Hardly any scatter of the amplitude itself: what is left is the chi2 of 2n.
    EXPECT_NEAR(maximum_cdf(106.0, 1, 100.0, 1e-4), 1.0 - std::exp(-3.0), 1e-3);
}

TEST(PulsedFraction, Formulas) {
    EXPECT_NEAR(amplitude_of(0.5 * 1000 * 0.09, 1000), 0.3, 1e-15);
    EXPECT_EQ(amplitude_of(-1.0, 1000), 0.0);
    EXPECT_NEAR(frame_attenuation(0.5 / 2.6, 2.6), 2.0 / constants::pi, 1e-15);
    EXPECT_NEAR(frame_attenuation(1e-5, 2.6), 1.0 - std::pow(constants::pi * 2.6e-5, 2) / 6, 1e-15);
    EXPECT_EQ(frame_attenuation(3.0, NAN), 1.0);
    EXPECT_NEAR(pulsed_fraction_limit(30.0, 1, 1000, 0.9), std::sqrt(2 * 44.5667599524134 / 1000), 1e-12);
    const PulsedFraction p = pulsed_fraction(31.0, 1, 1000, 0.9);
    EXPECT_NEAR(p.value, std::sqrt(2 * 29.0 / 1000), 1e-15);
    EXPECT_NEAR(p.lo, std::sqrt(2 * 13.8490791437803 / 1000), 1e-10);
    EXPECT_NEAR(p.hi, std::sqrt(2 * 49.5815446256279 / 1000), 1e-10);
    EXPECT_NEAR(chi2_of_power(0.5, 103), 100.0, 1e-12);
    EXPECT_TRUE(std::isnan(chi2_of_power(1.0, 103)));
}

/// Without a maximisation, z is noncentral chi2 of photons: the limit covers as often as it says.
TEST(PulsedFraction, LimitCoversKnownSignals) {
    constexpr int n = 4000, photons = 500;
    for (const double a : {0.2, 0.35}) {
        int covered = 0;
        for (int i = 0; i < n; ++i) {
            RandomStream random(31, static_cast<std::uint64_t>(i));
            double c = 0.0, s = 0.0;
            for (int j = 0; j < photons;) {
                const double phase = constants::two_pi * random.uniform();
                if (random.uniform() * (1 + a) > 1 + a * std::cos(phase)) continue;
                c += std::cos(phase);
                s += std::sin(phase);
                ++j;
            }
            covered += pulsed_fraction_limit(2 * (c * c + s * s) / photons, 1, photons, 0.9) > a ? 1 : 0;
        }
        EXPECT_NEAR(covered, 0.9 * n, 4 * std::sqrt(0.09 * n)) << a;
    }
}

/// Photons whose phases have a density 1 + a cos + b cos 2, and with what a maximisation over frequency adds:
/// the limit covers as often as it says, for shallow modulations and deep ones, sinusoids and pulses.
TEST(PulsedFraction, MaximisedLimitCoversDeepModulations) {
    constexpr int n = 4000, photons = 60;
    struct Profile {
        double a, b;
    };
    for (const Profile p : {Profile{0.5, 0.0}, Profile{1.0, 0.0}, Profile{0.9, 0.4}}) {
        int covered = 0, plain = 0;
        for (int i = 0; i < n; ++i) {
            RandomStream random(32, static_cast<std::uint64_t>(i));
            double c = 0.0, s = 0.0, c2 = 0.0, s2 = 0.0;
            for (int j = 0; j < photons;) {
                const double phase = constants::two_pi * random.uniform();
                if (random.uniform() * (1.0 + p.a + p.b) >
                    1.0 + p.a * std::cos(phase) + p.b * std::cos(2.0 * phase))
                    continue;
                c += std::cos(phase);
                s += std::sin(phase);
                c2 += std::cos(2.0 * phase);
                s2 += std::sin(2.0 * phase);
                ++j;
            }
            const double g = random.normal(), z = 2.0 * (c * c + s * s) / photons + g * g,
                         twice = 2.0 * std::atan2(s, c);
            const double angle = (c2 * std::cos(twice) + s2 * std::sin(twice)) / photons;
            covered += maximised_fraction_limit(z, 1, photons, 0.9, angle) > p.a ? 1 : 0;
            plain += pulsed_fraction_limit(z, 1, photons, 0.9) > p.a ? 1 : 0;
        }
        EXPECT_NEAR(covered, 0.9 * n, 0.02 * n) << p.a << ' ' << p.b;
        EXPECT_GT(plain, covered) << p.a;
    }
}

}  // namespace
}  // namespace xsift::timing
