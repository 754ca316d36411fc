// Expected statistics against direct Poisson sums.
#include <cmath>

#include <gtest/gtest.h>

#include <xsift/spectral/goodness.hpp>

namespace {

using namespace xsift::spectral;

double poisson(double mean, int k) {
    return std::exp(k * std::log(mean) - mean - std::lgamma(k + 1.0));
}

Moments direct_cstat(double mu) {
    double first = 0.0, second = 0.0;
    for (int k = 0; k < 3000; ++k) {
        const double value = cstat(k, 1.0, mu), p = poisson(mu, k);
        first += p * value;
        second += p * value * value;
    }
    return {first, second - first * first};
}

/// Moments about the means, by two passes.
template <typename Visit>
Moments direct(const Visit& visit) {
    double v_mean = 0.0, g_mean = 0.0;
    visit([&](double p, double v, double g) { v_mean += p * v, g_mean += p * g; });
    Moments m;
    m.mean = v_mean;
    visit([&](double p, double v, double g) {
        v -= v_mean, g -= g_mean;
        m.variance += p * v * v, m.vg += p * v * g, m.gg += p * g * g;
        m.vvv += p * v * v * v, m.vvg += p * v * v * g, m.vgg += p * v * g * g, m.ggg += p * g * g * g;
    });
    return m;
}

Moments direct_wstat(double ts, double tb, double m, double f) {
    return direct([&](const auto& add) {
        for (int s = 0; s < 400; ++s)
            for (int b = 0; b < 400; ++b) {
                const double p = poisson(ts * (m + f), s) * poisson(tb * f, b);
                if (p < 1e-16) continue;
                add(p, wstat(s, b, ts, tb, m), -0.5 * wstat_derivatives(s, b, ts, tb, m).first);
            }
    });
}

/// Those beyond the variance, each in units of the deviations it is made of.
void expect_same_shape(const Moments& found, const Moments& meant, double tolerance) {
    const double v = std::sqrt(meant.variance), g = std::sqrt(meant.gg);
    EXPECT_NEAR(found.gg, meant.gg, tolerance * meant.gg);
    EXPECT_NEAR(found.vg, meant.vg, tolerance * v * g);
    EXPECT_NEAR(found.vvv, meant.vvv, tolerance * (v * v * v + std::fabs(meant.vvv)));
    EXPECT_NEAR(found.vvg, meant.vvg, tolerance * (v * v * g + std::fabs(meant.vvg)));
    EXPECT_NEAR(found.vgg, meant.vgg, tolerance * (v * g * g + std::fabs(meant.vgg)));
    EXPECT_NEAR(found.ggg, meant.ggg, tolerance * (g * g * g + std::fabs(meant.ggg)));
}

TEST(Goodness, KaastrasFormulasAreThePoissonSums) {
    for (double mu = 0.003; mu < 500.0; mu *= 1.17) {
        const Moments exact = direct_cstat(mu);
        EXPECT_NEAR(cstat_mean(mu), exact.mean, 0.003 * exact.mean + 0.001) << mu;
        EXPECT_NEAR(cstat_variance(mu), exact.variance, 0.02 * exact.variance) << mu;
    }
    EXPECT_EQ(cstat_mean(0.0), 0.0);
    EXPECT_EQ(cstat_variance(0.0), 0.0);
}

TEST(Goodness, WstatMomentsAreTheDoubleSums) {
    for (double source : {0.02, 0.7, 5.0, 9.2, 60.0})
        for (double background : {0.05, 0.8, 6.0, 40.0})
            for (double ratio : {0.5, 4.0}) {
                const double ts = 10.0, m = source / ts, f = background / ts;
                const Moments exact = direct_wstat(ts, ratio * ts, m, f),
                              fast = wstat_moments(ts, ratio * ts, m, f);
                SCOPED_TRACE(::testing::Message() << source << ' ' << background << ' ' << ratio);
                EXPECT_NEAR(fast.mean, exact.mean, 1e-5 * exact.mean);
                EXPECT_NEAR(fast.variance, exact.variance, 1e-5 * exact.variance);
                expect_same_shape(fast, exact, 2e-4);
            }
}

TEST(Goodness, CstatMomentsAreThePoissonSums) {
    for (const double mu : {0.01, 0.3, 2.0, 30.0, 300.0}) {
        SCOPED_TRACE(mu);
        const double ts = 10.0, m = mu / ts;
        const Moments exact = direct([&](const auto& add) {
            for (int k = 0; k < 1000; ++k)
                add(poisson(mu, k), cstat(k, ts, m), -0.5 * cstat_derivatives(k, ts, m).first);
        });
        const Moments fast = cstat_moments(ts, m);
        EXPECT_NEAR(fast.mean, exact.mean, 0.003 * exact.mean + 0.001);
        EXPECT_NEAR(fast.variance, exact.variance, 0.02 * exact.variance);
        expect_same_shape(fast, exact, 0.02);
        EXPECT_NEAR(fast.gg, ts / m, 1e-3 * ts / m);  // the information of a Poisson rate
    }
}

TEST(Goodness, ManyCountsMakeAChiSquare) {
    const Moments w = wstat_moments(1.0, 3.0, 400.0, 300.0);
    EXPECT_NEAR(w.mean, 1.0, 0.01);
    EXPECT_NEAR(w.variance, 2.0, 0.03);
    EXPECT_NEAR(w.vvv, 8.0, 0.3);
    EXPECT_NEAR(w.vgg / w.gg, 2.0, 0.05);  // v is the square of a score of variance 1
    EXPECT_NEAR(w.gg, 0.5 * expected_curvature(1.0, 3.0, 400.0, 300.0), 1e-3 * w.gg);
}

}  // namespace
