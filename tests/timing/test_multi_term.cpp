#include <cmath>

#include <gtest/gtest.h>

#include <xsift/core/random.hpp>
#include <xsift/timing/multi_term.hpp>
#include <xsift/timing/phase.hpp>

namespace xsift::timing {
namespace {

template <typename Real>
MultiTermSums<Real> sums_of(const std::vector<double>& time, const std::vector<double>& value,
                            double frequency, int terms) {
    MultiTermSums<Real> m;
    const double w = 1.0 / static_cast<double>(time.size());
    for (std::size_t j = 0; j < time.size(); ++j) {
        const FixedPhase phase = fixed_phase(frequency, time[j]);
        m.y += static_cast<Real>(w * value[j]);
        m.yy += static_cast<Real>(w * value[j] * value[j]);
        for (int k = 1; k <= 2 * terms; ++k) {
            const Phasor p = phasor(static_cast<FixedPhase>(k) * phase);
            m.c[k] += static_cast<Real>(w * p.cosine);
            m.s[k] += static_cast<Real>(w * p.sine);
            if (k > terms) continue;
            m.yc[k] += static_cast<Real>(w * value[j] * p.cosine);
            m.ys[k] += static_cast<Real>(w * value[j] * p.sine);
        }
    }
    return m;
}

TEST(MultiTerm, OneTermIsTheLombScarglePower) {
    RandomStream random(4, 0);
    std::vector<double> time, value;
    for (int i = 0; i < 50; ++i) {
        time.push_back(1000.0 * random.uniform());
        value.push_back(random.normal());
    }
    for (const double f : {0.0017, 0.013, 0.4}) {
        const auto m = sums_of<double>(time, value, f, 3);
        const auto fit = fit_terms(m, 3, false);
        EXPECT_NEAR(fit.power[0], multi_term_power(m, fit, 1), 1e-13);
        EXPECT_LT(fit.power[0], fit.power[1]);
        EXPECT_LT(fit.power[1], fit.power[2]);
        EXPECT_LT(fit.power[2], 1.0);
    }
}

TEST(MultiTerm, CoefficientsAreThoseOfTheProfile) {
    RandomStream random(5, 0);
    std::vector<double> time, value;
    for (int i = 0; i < 90; ++i) {
        time.push_back(1000.0 * random.uniform());
        const double x = constants::two_pi * 0.0131 * time.back();
        value.push_back(7.0 + 2.0 * std::cos(x) - 0.5 * std::sin(x) + 0.25 * std::sin(2 * x) +
                        1.5 * std::cos(3 * x));
    }
    const auto fit = fit_terms(sums_of<double>(time, value, 0.0131, 3), 3, true);
    const double expected[] = {2.0, -0.5, 0.0, 0.25, 1.5, 0.0};
    for (int i = 0; i < 6; ++i) EXPECT_NEAR(fit.coefficient[i], expected[i], 1e-11);
    EXPECT_NEAR(fit.power[2], 1.0, 1e-12);
    EXPECT_LT(fit.power[1], 0.9);
}

TEST(MultiTerm, ComponentsThatTheTimesCannotTellApartAreLeftOut) {
    // Times on a raster of 10 s: at f = 1/30 Hz harmonic 3 is constant, 2 is the mirror of 1, 4 is 1 again.
    std::vector<double> time, value;
    RandomStream random(6, 0);
    for (int i = 0; i < 60; ++i) {
        time.push_back(10.0 * i);
        value.push_back(random.normal());
    }
    const auto fit = fit_terms(sums_of<double>(time, value, 1.0 / 30, 4), 4, true);
    EXPECT_GT(fit.power[0], 0.0);
    for (int m = 1; m < 4; ++m) EXPECT_DOUBLE_EQ(fit.power[m], fit.power[0]);
    for (int i = 2; i < 8; ++i) EXPECT_EQ(fit.coefficient[i], 0.0);
    const auto rough = fit_terms(sums_of<float>(time, value, 1.0 / 30, 4), 4, false);
    EXPECT_NEAR(static_cast<double>(rough.power[3]), fit.power[0], 1e-5);
}

TEST(MultiTerm, HarmonicsAboveTheLimitAreNotUsed) {
    EXPECT_EQ(usable_terms(0.1, 0.5, 10), 5);
    EXPECT_EQ(usable_terms(0.1, 0.49, 10), 4);
    EXPECT_EQ(usable_terms(0.3, 0.2, 10), 1);
    EXPECT_EQ(usable_terms(0.3, INFINITY, 10), 10);
}

TEST(MultiTerm, SingleTrialProbabilityIsTheBetaDistribution) {
    // The density z^(a-1) (1-z)^(b-1) / B(a, b), a = terms, b = (n - 1 - 2 terms)/2, integrated numerically.
    EXPECT_NEAR(log10_multi_term_single(0.3, 40, 2), -1.9149043, 1e-6);
    EXPECT_NEAR(log10_multi_term_single(0.5, 60, 4), -4.9901945, 1e-6);
    EXPECT_NEAR(log10_multi_term_single(0.2, 100, 3), -2.7701183, 1e-6);
    EXPECT_NEAR(log10_multi_term_single(0.05, 50, 10), -3.408e-8, 1e-6);
    for (const double z : {0.01, 0.3, 0.9})
        EXPECT_DOUBLE_EQ(log10_multi_term_single(z, 33, 1), log10_lomb_scargle_single(z, 33));
    EXPECT_EQ(log10_multi_term_single(0.9, 9, 4), 0.0) << "as many parameters as points";
    EXPECT_EQ(log10_multi_term_single(1.0, 30, 4), -INFINITY);
}

TEST(MultiTerm, BaluevFactors) {
    EXPECT_DOUBLE_EQ(baluev_alpha(1), 1.0);
    EXPECT_DOUBLE_EQ(baluev_alpha(2), 14.0 / 9.0);
    // The mean over the simplex by simulation (4e6 points).
    EXPECT_NEAR(baluev_alpha(3), 1.06233, 2e-3 * 1.06233);
    EXPECT_NEAR(baluev_alpha(5), 0.136308, 2e-3 * 0.136308);
    EXPECT_NEAR(baluev_alpha(10), 1.69587e-5, 2e-3 * 1.69587e-5);
}

TEST(MultiTerm, SignificanceOfOneTermIsThatOfLombScargle) {
    const auto a = multi_term_significance(0.4, 80, 1, 0.01, 1e8),
               b = lomb_scargle_significance(0.4, 80, 0.01, 1e8);
    EXPECT_EQ(a.log10_fap, b.log10_fap);
    EXPECT_EQ(a.trials, b.trials);
    EXPECT_LT(multi_term_significance(0.99, 3000, 4, 0.01, 1e8).log10_fap, -2500.0);
    EXPECT_NEAR(multi_term_significance(1e-3, 80, 4, 0.01, 1e8).log10_fap, 0.0, 1e-6);
}

TEST(MultiTerm, FalseAlarmsOfNoiseAreAsManyAsPromised) {
    // 400 curves of noise with 40 points, three harmonics, 5 points per 1/T and harmonic.
    constexpr int curves = 400, n = 40, terms = 3;
    constexpr double span = 1000.0, fmax = 0.03;
    int below_half = 0, below_tenth = 0;
    RandomStream random(17, 0);
    for (int i = 0; i < curves; ++i) {
        std::vector<double> time, value;
        double mean = 0.0, square = 0.0;
        for (int j = 0; j < n; ++j) {
            time.push_back(span * random.uniform());
            value.push_back(random.normal());
            mean += time.back() / n;
            square += time.back() * time.back() / n;
        }
        double highest = 0.0;
        for (double f = 0.5 / span; f < fmax; f += 1.0 / (5 * terms * span))
            highest =
                std::max(highest, fit_terms(sums_of<double>(time, value, f, terms), terms, false).power[2]);
        const double fap = multi_term_significance(highest, n, terms, fmax, square - mean * mean).log10_fap;
        below_half += fap < std::log10(0.5);
        below_tenth += fap < -1.0;
    }
    // An upper bound, near the truth where it is small: 40 +- 6 expected below 0.1.
    EXPECT_LT(below_tenth, 40 + 3 * 6.3);
    EXPECT_GT(below_tenth, 0.4 * 40);
    EXPECT_LT(below_half, 200 + 3 * 10);
    EXPECT_GT(below_half, 60);
}

}  // namespace
}  // namespace xsift::timing
