// The terms of many bins at once against the formulas of one bin.
#include "../../src/refine/statistic_lanes.hpp"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include <xsift/core/random.hpp>
#include <xsift/spectral/profile.hpp>

namespace xsift::refine {
namespace {

struct Bins {
    std::vector<double> source_exposure, background_exposure, counts, background, source_scale,
        background_scale, rate;

    BinTable table() const {
        return {source_exposure.data(), background_exposure.data(), counts.data(),
                background.data(),      source_scale.data(),        background_scale.data()};
    }
};

/// n bins of all kinds: with and without counts, background counts and background, over eight decades of
/// rates.
Bins bins_of_all_kinds(std::size_t n) {
    RandomStream random(11, n);
    Bins out;
    for (std::size_t k = 0; k < (n + statistic_lanes - 1) / statistic_lanes * statistic_lanes; ++k) {
        const bool inside = k < n;
        const double ts = inside ? std::pow(10.0, 2.0 + 3.0 * random.uniform()) : 0.0,
                     tb = inside && k % 5 != 0 ? ts * (0.5 + 30.0 * random.uniform()) : 0.0,
                     counts = inside && k % 7 != 0 ? std::floor(std::pow(10.0, 4.0 * random.uniform())) : 0.0,
                     background =
                         tb > 0.0 && k % 3 != 0 ? std::floor(std::pow(10.0, 4.0 * random.uniform())) : 0.0;
        out.source_exposure.push_back(ts);
        out.background_exposure.push_back(tb);
        out.counts.push_back(counts);
        out.background.push_back(background);
        out.source_scale.push_back(counts > 0.0 ? ts / counts : 0.0);
        out.background_scale.push_back(background > 0.0 ? tb / background : 0.0);
        if (inside) out.rate.push_back(std::pow(10.0, -6.0 + 8.0 * random.uniform()));
    }
    if (n > 11) out.rate[11] = 0.0;  // below the lowest that is told apart
    return out;
}

TEST(StatisticLanes, AreTheFormulasOfOneBin) {
    for (const std::size_t n : {1u, 3u, 4u, 7u, 211u}) {
        const Bins b = bins_of_all_kinds(n);
        std::vector<double> value(n), first(n), second(n), expected(n);
        best_statistic_lanes().terms(b.table(), b.rate.data(), n,
                                     {value.data(), first.data(), second.data(), expected.data()});
        for (std::size_t k = 0; k < n; ++k) {
            const double ts = b.source_exposure[k], tb = b.background_exposure[k], s = b.counts[k],
                         back = b.background[k], m = std::max(b.rate[k], spectral::lowest_rate);
            const spectral::StatTerm by = tb > 0.0 ? spectral::wstat_derivatives(s, back, ts, tb, m)
                                                   : spectral::cstat_derivatives(s, ts, m);
            const double f = tb > 0.0 ? spectral::profiled_background(s, back, ts, tb, m) : 0.0,
                         mean = tb > 0.0 ? spectral::expected_curvature(ts, tb, m, f) : 2.0 * ts / m;
            EXPECT_NEAR(value[k], spectral::bin_statistic(s, back, ts, tb, m),
                        1e-12 * (1.0 + s + back + ts * m))
                << k;
            EXPECT_NEAR(first[k], by.first, 1e-12 * (ts + s / (m + f))) << k;
            EXPECT_NEAR(second[k], by.second, 1e-9 * by.second + 1e-100) << k;
            EXPECT_NEAR(expected[k], mean, 1e-9 * mean) << k;
        }
    }
}

TEST(StatisticLanes, AreTheSameToTheLastBitForAllInstructionSets) {
    constexpr std::size_t n = 211;
    const Bins b = bins_of_all_kinds(n);
    std::vector<double> found[2];
    const StatisticLanes* const sets[2] = {&statistic_lanes_baseline, &best_statistic_lanes()};
    for (int i = 0; i < 2; ++i) {
        std::vector<double> value(n), first(n), second(n), expected(n);
        sets[i]->terms(b.table(), b.rate.data(), n,
                       {value.data(), first.data(), second.data(), expected.data()});
        for (const auto& column : {value, first, second, expected})
            found[i].insert(found[i].end(), column.begin(), column.end());
        found[i].push_back(sets[i]->sum(value.data(), n));
        found[i].push_back(sets[i]->dot(first.data(), value.data(), n));
        found[i].push_back(sets[i]->triple(first.data(), value.data(), expected.data(), n));
        std::vector<double> x(n), density(n, 0.5);
        for (std::size_t k = 0; k < n; ++k) x[k] = -30.0 + 0.21 * static_cast<double>(k);
        for (const double skewness : {0.0, 1.0, 3.0})
            sets[i]->add_skewed({0.7, 3.0, 0.4, skewness}, x.data(), n, density.data());
        sets[i]->exponentials(x.data(), n);
        for (const auto& column : {x, density}) found[i].insert(found[i].end(), column.begin(), column.end());
    }
    EXPECT_EQ(found[0], found[1]);
}

TEST(StatisticLanes, SumOverBins) {
    const std::vector<double> a{1.0, 2.0, 3.0, 4.0, 5.0}, b{2.0, 0.5, -1.0, 1.0, 3.0},
        c{1.0, 2.0, 1.0, 0.5, -1.0};
    const StatisticLanes& lanes = best_statistic_lanes();
    EXPECT_DOUBLE_EQ(lanes.sum(a.data(), 5), 15.0);
    EXPECT_DOUBLE_EQ(lanes.dot(a.data(), b.data(), 5), 2.0 + 1.0 - 3.0 + 4.0 + 15.0);
    EXPECT_DOUBLE_EQ(lanes.triple(a.data(), b.data(), c.data(), 5), 2.0 + 2.0 - 3.0 + 2.0 - 15.0);
}

TEST(StatisticLanes, Exponentials) {
    std::vector<double> x;
    for (double at = -800.0; at < 709.0; at += 0.777) x.push_back(at);
    std::vector<double> found = x;
    best_statistic_lanes().exponentials(found.data(), found.size());
    for (std::size_t k = 0; k < x.size(); ++k)
        EXPECT_NEAR(found[k], std::exp(x[k]), 3e-16 * std::exp(x[k]) + 1e-300) << x[k];
}

TEST(StatisticLanes, SkewedDensitiesAreThoseOfNormalAndGammaVariates) {
    // ln of a gamma variate of shape a: density exp(a x - e^x) up to a constant, highest at ln a, skewness 1
    const double shape = 7.0, sigma = 1.0 / std::sqrt(shape), mean = std::log(shape);
    std::vector<double> at, gamma, normal, hardly;
    for (double x = mean - 5.0 * sigma; x < mean + 5.0 * sigma; x += 0.03) at.push_back(x);
    for (auto* density : {&gamma, &normal, &hardly}) density->assign(at.size(), 0.25);  // it is added to
    const StatisticLanes& lanes = best_statistic_lanes();
    lanes.add_skewed({2.0, mean, sigma, 1.0}, at.data(), at.size(), gamma.data());
    lanes.add_skewed({2.0, mean, sigma, 0.0}, at.data(), at.size(), normal.data());
    lanes.add_skewed({2.0, mean, sigma, 1e-4 / sigma}, at.data(), at.size(), hardly.data());
    for (std::size_t k = 0; k < at.size(); ++k) {
        const double z = (at[k] - mean) / sigma;
        EXPECT_NEAR(gamma[k], 0.25 + 2.0 / sigma * std::exp(shape * (at[k] - mean) - std::exp(at[k]) + shape),
                    1e-12);
        EXPECT_NEAR(normal[k], 0.25 + 2.0 / sigma * std::exp(-0.5 * z * z), 1e-12);
        EXPECT_NEAR(hardly[k], normal[k], 1e-2);
    }
}

}  // namespace
}  // namespace xsift::refine
