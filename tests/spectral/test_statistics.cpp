// C-stat and W-stat: hand values, a brute-force profile, derivatives, the profiled norm.
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include <xsift/core/random.hpp>
#include <xsift/spectral/profile.hpp>

namespace {

using namespace xsift::spectral;

/// 2 x [-ln L] of one Poisson count, 0 when the mean equals the count.
double poisson_term(double counts, double mean) {
    return 2.0 * (mean - counts + (counts > 0.0 ? counts * std::log(counts / mean) : 0.0));
}

/// W-stat by definition: the least C-stat of source and background over the background rate.
double brute_force_wstat(double s, double b, double ts, double tb, double m) {
    const auto at = [&](double f) { return poisson_term(s, ts * (m + f)) + poisson_term(b, tb * f); };
    double best = b == 0.0 ? at(0.0) : INFINITY, best_log = -30.0;
    for (double x = -30.0; x < 10.0; x += 1e-3)
        if (const double value = at(std::exp(x)); value < best) best = value, best_log = x;
    for (double x = best_log - 1e-3; x < best_log + 1e-3; x += 1e-7) best = std::min(best, at(std::exp(x)));
    return best;
}

struct Bin {
    double s, b, ts, tb, m;
};
const std::vector<Bin> bins{{0, 0, 2, 3, 0.7},   {0, 4, 2, 3, 0.7},    {5, 0, 2, 3, 0.4},
                            {5, 0, 2, 3, 1.0},   {5, 0, 2, 3, 1.7},    {3, 7, 2, 30, 0.1},
                            {12, 1, 10, 190, 1}, {1, 1, 1, 1, 1e-6},   {40, 300, 84, 1600, 0.3},
                            {2, 5, 1, 19, 2.5},  {1, 40, 1, 19, 0.001}};

TEST(Statistics, HandValues) {
    EXPECT_DOUBLE_EQ(cstat(0, 2.0, 1.5), 6.0);
    EXPECT_NEAR(cstat(3, 1.0, 3.0), 0.0, 1e-15);
    EXPECT_NEAR(cstat(2, 1.0, 4.0), 2.0 * (4.0 - 2.0 + 2.0 * std::log(0.5)), 1e-15);
    // S = 0: 2 [t_s m - B ln(t_b/(t_s+t_b))]
    EXPECT_NEAR(wstat(0, 4, 1.0, 3.0, 0.5), 2.0 * (0.5 + 4.0 * std::log(4.0 / 3.0)), 1e-15);
    // B = 0 below and above m = S/(t_s+t_b) = 1, continuous there
    EXPECT_NEAR(wstat(4, 0, 1.0, 3.0, 0.5), 2.0 * (-1.5 + 4.0 * std::log(4.0)), 1e-15);
    EXPECT_NEAR(wstat(4, 0, 1.0, 3.0, 2.0), 2.0 * (2.0 + 4.0 * (std::log(2.0) - 1.0)), 1e-15);
    EXPECT_NEAR(wstat(4, 0, 1.0, 3.0, 1.0 - 1e-12), wstat(4, 0, 1.0, 3.0, 1.0 + 1e-12), 1e-10);
    // the best m reproduces both counts: S = t_s (m + f), B = t_b f
    EXPECT_NEAR(wstat(7, 6, 1.0, 3.0, 5.0), 0.0, 1e-14);
    EXPECT_NEAR(profiled_background(7, 6, 1.0, 3.0, 5.0), 2.0, 1e-14);
}

TEST(Statistics, WstatIsTheBruteForceProfile) {
    for (const Bin& k : bins)
        EXPECT_NEAR(wstat(k.s, k.b, k.ts, k.tb, k.m), brute_force_wstat(k.s, k.b, k.ts, k.tb, k.m), 1e-8)
            << k.s << ' ' << k.b << ' ' << k.m;
}

TEST(Statistics, BackgroundRateHasNoCancellation) {
    // large m: the root tends to B/(t_s+t_b) x m/m; compare with the other, here stable, form
    const double f = profiled_background(1, 1e-3, 1.0, 1.0, 1e9);
    EXPECT_NEAR(f / (1e-3 / 2.0), 1.0, 1e-8);
}

TEST(Statistics, DerivativesAgainstDifferences) {
    for (const Bin& k : bins) {
        const double h = 1e-5 * k.m;
        const auto w = [&](double m) { return wstat(k.s, k.b, k.ts, k.tb, m); };
        const auto dw = [&](double m) { return wstat_derivatives(k.s, k.b, k.ts, k.tb, m).first; };
        if (k.s == 5 && k.b == 0 && k.m == 1.0) continue;  // the kink of the second derivative
        EXPECT_NEAR(dw(k.m), (w(k.m + h) - w(k.m - h)) / (2 * h), 1e-6 * (std::fabs(dw(k.m)) + 1));
        const double second = wstat_derivatives(k.s, k.b, k.ts, k.tb, k.m).second;
        EXPECT_NEAR(second, (dw(k.m + h) - dw(k.m - h)) / (2 * h), 1e-5 * (second + 1));
        const auto c = cstat_derivatives(k.s, k.ts, k.m);
        EXPECT_NEAR(c.first, (cstat(k.s, k.ts, k.m + h) - cstat(k.s, k.ts, k.m - h)) / (2 * h),
                    1e-6 * (std::fabs(c.first) + 1));
    }
}

TEST(Statistics, ExpectedCurvatureIsTheMeanOfTheObserved) {
    const double ts = 1.0, tb = 19.0, m = 4.0, f = 2.0;
    double sum = 0.0;
    const int n = 20000;
    for (int i = 0; i < n; ++i) {
        xsift::RandomStream random(11, static_cast<std::uint64_t>(i));
        const auto s = static_cast<double>(random.poisson(400.0 * ts * (m + f))) / 400.0;
        const auto b = static_cast<double>(random.poisson(400.0 * tb * f)) / 400.0;
        sum += wstat_derivatives(s, b, ts, tb, m).second;
    }
    EXPECT_NEAR(sum / n / expected_curvature(ts, tb, m, f), 1.0, 2e-3);
}

TEST(Profile, NormIsTheMinimumOfTheStatistic) {
    for (double tb : {0.0, 3.0, 19.0})
        for (double scale : {1e-9, 1e-3, 1.0}) {
            std::vector<double> s, b, unit;
            for (int k = 0; k < 37; ++k) {
                xsift::RandomStream random(5, static_cast<std::uint64_t>(k));
                unit.push_back((1.0 + std::sin(0.3 * k)) / scale + 0.01);
                s.push_back(static_cast<double>(random.poisson(0.3 * scale * unit.back() + 0.2)));
                b.push_back(static_cast<double>(random.poisson(0.2 * tb)));
            }
            const auto statistic = [&](double norm) {
                double sum = 0.0;
                for (std::size_t k = 0; k < s.size(); ++k)
                    sum += bin_statistic(s[k], b[k], 1.0, tb, norm * unit[k]);
                return sum;
            };
            const auto slope = [&](double norm) {
                NormSlope sum;
                for (std::size_t k = 0; k < s.size(); ++k) {
                    const NormSlope term = norm_slope(s[k], b[k], 1.0, tb, unit[k], norm);
                    sum.first += term.first;
                    sum.second += term.second;
                }
                return sum;
            };
            for (double start : {1e-12, 1e-5, 1.0, 1e3}) {
                const double norm = profiled_norm(slope, 1e-14, 1e4, start, 1e-11);
                EXPECT_NEAR(norm, profiled_norm(slope, 1e-14, 1e4, scale, 1e-11), 1e-8 * norm);
                EXPECT_LE(statistic(norm), statistic(norm * 1.001));
                EXPECT_LE(statistic(norm), statistic(norm * 0.999));
            }
        }
}

TEST(Profile, NormStopsAtItsLimits) {
    const auto rising = [](double norm) { return NormSlope{1.0 + norm, 1.0}; };
    const auto falling = [](double norm) { return NormSlope{-1.0 / norm, 0.0}; };
    for (double start : {1e-12, 1e-3, 10.0}) {
        EXPECT_EQ(profiled_norm(rising, 1e-12, 10.0, start, 1e-9), 1e-12);
        EXPECT_EQ(profiled_norm(falling, 1e-12, 10.0, start, 1e-9), 10.0);
    }
}

}  // namespace
