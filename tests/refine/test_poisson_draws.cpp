// Few draws for all counts: Gauss rules against the moments of the Poisson distribution, moments of W-stat
// against sums over all counts.
#include "../../src/refine/goodness.hpp"
#include "../../src/refine/poisson_draws.hpp"

#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

#include <xsift/core/random.hpp>
#include <xsift/spectral/goodness.hpp>

namespace xsift::refine {
namespace {

TEST(PoissonDraws, RulesHaveTheMomentsOfTheDistribution) {
    for (std::size_t r = 0; r < poisson_rules().size(); ++r) {
        const PoissonRule& rule = poisson_rules()[r];
        const int n = rule.counts + rule.points;
        for (const double part : {0.0, 0.1, 0.5, 0.9, 1.0}) {
            const double mean = rule.least * std::pow(std::fmin(rule.most, 1e8) / rule.least, part);
            SCOPED_TRACE(::testing::Message()
                         << rule.counts << " counts, " << rule.points << " points, mean " << mean);
            std::vector<double> count(static_cast<std::size_t>(n)), weight(count);
            apply_poisson_rule(r, mean, count.data(), weight.data());
            // moments about the mean in powers of the deviation, from their recurrence:
            // m[k + 1] = mean (sum over j < k of (k over j) m[j])
            std::vector<double> moment{1.0};
            for (int k = 0; k + 1 < 2 * rule.points; ++k) {
                double sum = 0.0, choose = 1.0;
                for (int j = 0; j < k; ++j) {
                    sum += choose * moment[static_cast<std::size_t>(j)] * std::pow(mean, 0.5 * (j + 1 - k));
                    choose *= static_cast<double>(k - j) / (j + 1);
                }
                moment.push_back(sum);
            }
            for (int k = 0; k < 2 * rule.points; ++k) {
                double sum = 0.0, size = 0.0;
                for (std::size_t i = 0; i < count.size(); ++i) {
                    const double term = weight[i] * std::pow((count[i] - mean) / std::sqrt(mean), k);
                    sum += term;
                    size += std::fabs(term);
                }
                EXPECT_NEAR(sum, moment[static_cast<std::size_t>(k)], 2e-7 * size) << k;
            }
        }
    }
}

TEST(PoissonDraws, WstatHasTheMomentsOfAllCounts) {
    RandomStream random(23, 1);
    const auto between = [&](double lo, double hi) { return lo * std::pow(hi / lo, random.uniform()); };
    WstatMoments moments;
    for (int i = 0; i < 3000; ++i) {
        const double ts = 1000.0, tb = ts * between(0.5, 200.0), counts = between(0.02, 300.0),
                     background = i % 20 == 0 ? 0.0 : between(0.1, 600.0), m = counts / ts,
                     f = background / tb;
        SCOPED_TRACE(::testing::Message()
                     << counts << " counts, background " << background << " in " << tb / ts << " exposures");
        const spectral::Moments fast = moments(ts, tb, m, f), slow = spectral::wstat_moments(ts, tb, m, f);
        const double v = std::sqrt(slow.variance), g = std::sqrt(slow.gg);
        constexpr double second = 2e-4, third = 1e-3;
        EXPECT_NEAR(fast.mean, slow.mean, second * slow.mean);
        EXPECT_NEAR(fast.variance, slow.variance, second * slow.variance);
        EXPECT_NEAR(fast.vg, slow.vg, second * v * g);
        EXPECT_NEAR(fast.gg, slow.gg, second * slow.gg);
        EXPECT_NEAR(fast.vvv, slow.vvv, third * (v * v * v + std::fabs(slow.vvv)));
        EXPECT_NEAR(fast.vvg, slow.vvg, third * (v * v * g + std::fabs(slow.vvg)));
        EXPECT_NEAR(fast.vgg, slow.vgg, third * (v * g * g + std::fabs(slow.vgg)));
        EXPECT_NEAR(fast.ggg, slow.ggg, third * (g * g * g + std::fabs(slow.ggg)));
    }
}

}  // namespace
}  // namespace xsift::refine
