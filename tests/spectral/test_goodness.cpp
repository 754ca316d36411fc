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

Moments direct_wstat(double ts, double tb, double m, double f) {
    double first = 0.0, second = 0.0;
    for (int s = 0; s < 400; ++s)
        for (int b = 0; b < 400; ++b) {
            const double p = poisson(ts * (m + f), s) * poisson(tb * f, b);
            if (p < 1e-16) continue;
            const double value = wstat(s, b, ts, tb, m);
            first += p * value;
            second += p * value * value;
        }
    return {first, second - first * first};
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
    for (double source : {0.02, 0.7, 5.0, 60.0})
        for (double background : {0.05, 0.8, 6.0, 40.0})
            for (double ratio : {0.5, 4.0}) {
                const double ts = 10.0, m = source / ts, f = background / ts;
                const Moments exact = direct_wstat(ts, ratio * ts, m, f),
                              fast = wstat_moments(ts, ratio * ts, m, f);
                EXPECT_NEAR(fast.mean, exact.mean, 2e-3 * exact.mean + 1e-4)
                    << source << ' ' << background << ' ' << ratio;
                EXPECT_NEAR(fast.variance, exact.variance, 5e-3 * exact.variance + 1e-4)
                    << source << ' ' << background << ' ' << ratio;
            }
}

TEST(Goodness, ManyCountsMakeAChiSquare) {
    const Moments w = wstat_moments(1.0, 3.0, 400.0, 300.0);
    EXPECT_NEAR(w.mean, 1.0, 0.01);
    EXPECT_NEAR(w.variance, 2.0, 0.03);
}

}  // namespace
