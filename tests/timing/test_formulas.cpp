#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include <xsift/core/random.hpp>
#include <xsift/timing/aliases.hpp>
#include <xsift/timing/lomb_scargle.hpp>
#include <xsift/timing/phase.hpp>
#include <xsift/timing/significance.hpp>
#include <xsift/timing/uncertainty.hpp>
#include <xsift/timing/window.hpp>
#include <xsift/timing/z2.hpp>

namespace xsift::timing {
namespace {

/// The difference of two phases in turns, around the circle.
double apart(double a, double b) {
    return std::fabs(std::remainder(a - b, 1.0));
}

TEST(Phase, IsExactAfterManyCycles) {
    // Exact rational arithmetic on the binary values of f and t.
    EXPECT_LT(apart(turns(fixed_phase(13.63133, 190508838.05251855)), 0.41043767173228596), 1e-15);
    EXPECT_LT(apart(turns(fixed_phase(9.87654321, 1e8 / 3)), 0.999999969800889), 1e-15);
    EXPECT_LT(apart(turns(fixed_phase(-9.87654321, 1e8 / 3)), -0.999999969800889), 1e-15);
    EXPECT_EQ(fixed_phase(0.5, 3.0), FixedPhase{1} << 63);
    EXPECT_EQ(fixed_phase(0.25, -1.0), FixedPhase{3} << 62);
}

TEST(Phase, GridMultiplesStayExact) {
    const double df = 1.0 / (4 * 40026.74), t = 38765.4321;
    const FixedPhase step = fixed_phase(df, t);
    for (const std::uint64_t m : {1ull, 1000ull, 1096421ull, 4000000007ull}) {
        const long double exact = static_cast<long double>(df) * static_cast<long double>(t) * m;
        EXPECT_LT(apart(turns(step * m), static_cast<double>(exact - std::floor(exact))), 1e-8);
    }
}

TEST(Phase, PhasorMatchesTheLibrary) {
    RandomStream random(1, 0);
    for (int i = 0; i < 20000; ++i) {
        const FixedPhase phase = random.bits();
        const Phasor p = phasor(phase);
        EXPECT_NEAR(p.cosine, std::cos(constants::two_pi * turns(phase)), 6e-16);
        EXPECT_NEAR(p.sine, std::sin(constants::two_pi * turns(phase)), 6e-16);
    }
    EXPECT_EQ(phasor(FixedPhase{1} << 62).sine, 1.0);
    EXPECT_EQ(phasor(FixedPhase{1} << 63).cosine, -1.0);
}

TEST(HTestStatistic, TakesTheBestNumberOfHarmonics) {
    HTest<double> h;
    for (const double term : {3.0, 20.0, 1.0, 9.0, 2.0}) h.add(term);
    EXPECT_DOUBLE_EQ(h.z2, 35.0);
    EXPECT_DOUBLE_EQ(h.h, 33.0 - 12.0);
    EXPECT_EQ(h.best_m, 4);
    HTest<double> first;
    first.add(0.5);
    EXPECT_DOUBLE_EQ(first.h, 0.5);
    EXPECT_EQ(first.best_m, 1);
}

TEST(Significance, Chi2SurvivalMatchesSixtyDigitArithmetic) {
    EXPECT_NEAR(log10_chi2_survival(30.0, 1), -6.514417228548777, 1e-13);
    EXPECT_NEAR(log10_chi2_survival(30.0, 2), -5.310297245892853, 1e-13);
    EXPECT_NEAR(log10_chi2_survival(50.0, 4), -7.388620977811341, 1e-13);
    EXPECT_NEAR(log10_chi2_survival(300.0, 20), -40.82518542271454, 1e-13);
    EXPECT_NEAR(log10_chi2_survival(0.5, 3), -0.0009397420759834384, 1e-13);
    EXPECT_NEAR(log10_chi2_survival(7078.616, 1), -1537.1019341560345, 3e-12);
    EXPECT_NEAR(log10_chi2_survival(2015.349, 2), -434.62372386292094, 9e-13);
    EXPECT_NEAR(log10_chi2_survival(2000000.0, 20), -434197.5669896214, 9e-10);
    EXPECT_EQ(log10_chi2_survival(0.0, 2), 0.0);
    EXPECT_EQ(log10_chi2_survival(-1.0, 2), 0.0);
}

TEST(Significance, HSurvival) {
    EXPECT_NEAR(log10_h_survival(50.0), std::log10(std::exp(-20.0)), 1e-12);
    EXPECT_EQ(log10_h_survival(-3.0), 0.0);
}

TEST(Significance, FalseAlarmOverTrials) {
    EXPECT_NEAR(log10_false_alarm(-20.0, 1e6), -14.0, 1e-9);
    EXPECT_NEAR(log10_false_alarm(-4000.0, 1e6), -3994.0, 1e-9);
    EXPECT_NEAR(log10_false_alarm(-1.0, 3.0), std::log10(1 - 0.9 * 0.9 * 0.9), 1e-12);
    EXPECT_EQ(log10_false_alarm(0.0, 3.0), 0.0);
    EXPECT_NEAR(log10_false_alarm(-3.0, 1e7), 0.0, 1e-12);
    // Both branches meet.
    EXPECT_NEAR(log10_false_alarm(-289.999, 1e5) - log10_false_alarm(-290.001, 1e5), 0.002, 1e-9);
}

/// Light curve and answers of astropy 5.2 (LombScargle, fit_mean, standard normalisation).
class LombScargleTest : public ::testing::Test {
  protected:
    std::vector<double> t{0, 1.1, 2.3, 3.1, 4.7, 5.2, 6.6, 7.9, 8.4, 9.5, 11., 12.2};
    std::vector<double> y{1, 2, .5, 1.7, .2, 2.2, 1.1, .9, 1.6, .4, 2.1, .3};
    std::vector<double> dy{.1, .2, .1, .3, .2, .1, .2, .1, .3, .2, .1, .2};

    LombScargleSums<double> sums(double f) const {
        double total = 0.0;
        for (const double e : dy) total += 1 / (e * e);
        LombScargleSums<double> m;
        m.c2 = 0.0;
        for (std::size_t i = 0; i < t.size(); ++i) {
            const double w = 1 / (dy[i] * dy[i] * total), a = constants::two_pi * f * t[i];
            m.y += w * y[i];
            m.yy += w * y[i] * y[i];
            m.c += w * std::cos(a);
            m.s += w * std::sin(a);
            m.yc += w * y[i] * std::cos(a);
            m.ys += w * y[i] * std::sin(a);
            m.c2 += w * std::cos(2 * a);
            m.s2 += w * std::sin(2 * a);
        }
        return m;
    }
};

TEST_F(LombScargleTest, PowerAndAmplitudeMatchAstropy) {
    EXPECT_NEAR(lomb_scargle_power(sums(0.1)), 0.024455165939037776, 1e-12);
    EXPECT_NEAR(lomb_scargle_power(sums(0.37)), 0.43897339577527883, 1e-12);
    EXPECT_NEAR(lomb_scargle_power(sums(0.9)), 0.6647962908968663, 1e-12);
    const Sinusoid best = lomb_scargle_sinusoid(sums(0.37));
    EXPECT_NEAR(best.sine, 0.84559687, 1e-7);
    EXPECT_NEAR(best.cosine, 0.44116663, 1e-7);
}

TEST_F(LombScargleTest, SignificanceMatchesAstropy) {
    const double variance = 15.239400615225923;
    EXPECT_NEAR(log10_lomb_scargle_single(0.7, 12), std::log10(0.004436552715791848), 1e-12);
    EXPECT_NEAR(lomb_scargle_significance(0.7, 12, 1.0, variance).log10_fap, std::log10(0.18858999835994383),
                1e-12);
    EXPECT_NEAR(lomb_scargle_significance(0.9999, 12, 1.0, variance).log10_fap,
                std::log10(3.0189544732183808e-15), 1e-11);
    const auto deep = lomb_scargle_significance(0.99, 2000, 1.0, variance);
    EXPECT_NEAR(deep.log10_fap, log10_lomb_scargle_single(0.99, 2000) + std::log10(deep.trials), 1e-9);
    EXPECT_EQ(lomb_scargle_significance(0.0, 12, 1.0, variance).log10_fap, 0.0);
}

TEST(Uncertainty, MatchesThePublishedErrorOfRXJ0146) {
    // Z2_1 = 7078.6 over 40,026.7 s at 1396.55 s: the published error is 0.30 s.
    const double f = 1 / 1396.55, z = 7078.6, span = 40026.7;
    const double curvature = -2.0 / 3.0 * z * std::pow(constants::pi * span, 2);
    const double error = frequency_error_from_curvature(curvature);
    EXPECT_NEAR(error, std::sqrt(3.0) / (constants::pi * span * std::sqrt(z)), 1e-12);
    EXPECT_NEAR(period_error(f, error), 0.30, 0.03);
    EXPECT_TRUE(std::isnan(frequency_error_from_curvature(1.0)));
}

TEST(Aliases, FrameTime) {
    const double frame = 13.63133, f0 = 1 / 1396.55, tolerance = 2.5e-5;
    EXPECT_DOUBLE_EQ(nyquist_frequency(2.6), 0.5 / 2.6);
    EXPECT_TRUE(is_frame_alias(13.63134, frame, f0, tolerance, {}));
    EXPECT_TRUE(is_frame_alias(13.63133 - f0, frame, f0, tolerance, {}));
    EXPECT_TRUE(is_frame_alias(2 * 13.63133 + 2 * f0, frame, f0, tolerance, {}));
    EXPECT_FALSE(is_frame_alias(13.63133 - f0, frame, 0.0, tolerance, {}));
    EXPECT_FALSE(is_frame_alias(13.6319, frame, f0, tolerance, {}));
    EXPECT_FALSE(is_frame_alias(f0, frame, f0, tolerance, {}));
}

TEST(Aliases, HarmonicRelations) {
    EXPECT_TRUE(is_harmonically_related(0.286565, 0.1432825, 1e-5, 1, 20));
    EXPECT_TRUE(is_harmonically_related(0.07164125, 0.1432825, 1e-5, 2, 20));
    EXPECT_FALSE(is_harmonically_related(0.07164125, 0.1432825, 1e-5, 1, 20));
    EXPECT_TRUE(is_harmonically_related(0.1432825 * 2 / 3, 0.1432825, 1e-5, 3, 20));
    EXPECT_FALSE(is_harmonically_related(0.1432825 * 3, 0.1432825, 1e-5, 1, 2));
    EXPECT_FALSE(is_harmonically_related(0.15, 0.1432825, 1e-6, 4, 20));
}

TEST(Window, MatchesNumericalIntegration) {
    const std::vector<double> start{3.0, 20.0, 31.0}, stop{10.0, 30.0, 50.0};
    for (const double f : {1e-7, 0.01, 0.13, 2.0}) {
        double c = 0, s = 0, exposure = 0;
        constexpr int points = 20000;
        for (std::size_t i = 0; i < start.size(); ++i) {
            const double step = (stop[i] - start[i]) / points;
            for (int j = 0; j < points; ++j) {
                c += step * std::cos(constants::two_pi * f * (start[i] + (j + 0.5) * step));
                s += step * std::sin(constants::two_pi * f * (start[i] + (j + 0.5) * step));
            }
            exposure += stop[i] - start[i];
        }
        const Complex w = gti_window(f, start.data(), stop.data(), 3);
        EXPECT_NEAR(w.re, c / exposure, 1e-6);
        EXPECT_NEAR(w.im, s / exposure, 1e-6);
    }
}

}  // namespace
}  // namespace xsift::timing
