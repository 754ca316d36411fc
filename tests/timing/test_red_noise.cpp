#include <cmath>

#include <gtest/gtest.h>

#include <xsift/core/random.hpp>
#include <xsift/timing/red_noise.hpp>
#include <xsift/timing/significance.hpp>

namespace xsift::timing {
namespace {

std::vector<NoisePower> powers(std::size_t n, double excess, double index, std::uint64_t seed) {
    RandomStream random(seed, 0);
    std::vector<NoisePower> out;
    for (std::size_t i = 1; i <= n; ++i) {
        const double f = static_cast<double>(i);
        out.push_back({f, 2.0 * (1.0 + excess * std::pow(f, -index)) * random.exponential()});
    }
    return out;
}

TEST(RedNoise, SamplesAreDenseAtLowFrequencies) {
    const FrequencyGrid grid{0.25, 4, 4'000'000};
    const auto index = noise_indices(grid, 1.0);
    for (std::size_t i = 0; i < 256; ++i) EXPECT_EQ(index[i], 4 * static_cast<std::int64_t>(i + 1));
    for (std::size_t i = 1; i < index.size(); ++i) EXPECT_GT(index[i], index[i - 1]);
    EXPECT_EQ(index.size(), 255u + 128u * 11u + 1u + 116u);  // 2^8 to 2^19 in octaves, then to 10^6
    EXPECT_LT(index.back(), grid.first + grid.count);
    EXPECT_TRUE(noise_indices(grid, 0.0).empty());
    const auto above = noise_indices({0.25, 4001, 100}, 1.0);
    EXPECT_EQ(above.front(),
              4016);  // every eighth multiple of 1/T between 512 and 1024, none before the grid
}

TEST(RedNoise, LevelsAreThoseThatPowersWereDrawnFrom) {
    for (const double index : {0.0, 1.0, 2.0}) {
        double mean = 0.0, squares = 0.0;
        constexpr int n = 200;
        for (int i = 0; i < n; ++i) {
            const NoiseLevel level =
                local_noise_level(100.0, powers(400, 10.0 * std::pow(100.0, index), index, i), 1.0);
            const double x = std::log(level.level / 11.0);
            mean += x / n;
            squares += x * x * level.powers / n;
        }
        EXPECT_NEAR(mean, 0.0, 0.03) << index;
        EXPECT_NEAR(squares, 1.0, 0.35) << index;  // the scatter is as stated
    }
}

TEST(RedNoise, WhiteNoiseStaysWhite) {
    double mean = 0.0;
    for (int i = 0; i < 50; ++i) {
        const NoiseLevel level = local_noise_level(100.0, powers(400, 0.0, 0.0, 900 + i), 1.0);
        EXPECT_GE(level.level, 1.0);
        EXPECT_GT(level.white, 0.02);
        mean += level.white / 50;
    }
    EXPECT_GT(mean, 0.9);
    const NoiseLevel red = local_noise_level(100.0, powers(400, 2.0, 0.0, 7), 1.0);
    EXPECT_LT(red.white, 1e-3);
    const NoiseLevel nothing = local_noise_level(100.0, {}, 1.0);
    EXPECT_EQ(nothing.level, 1.0);
    EXPECT_EQ(nothing.white, 0.5);
}

TEST(RedNoise, ALineDoesNotRaiseTheLevel) {
    auto all = powers(400, 0.0, 0.0, 3);
    const double before = local_noise_level(100.0, all, 1.0).estimate;
    all[99].power = 1e6;
    EXPECT_NEAR(local_noise_level(100.0, all, 1.0).estimate, before, 0.05 * before);
}

/// Fisher's F: values from scipy.stats.f.logsf(z/(2n), 2n, 2k) / ln 10.
TEST(RedNoise, LocalSurvivalIsFishersF) {
    EXPECT_NEAR(log10_chi2_survival_local(20.0, 1, 10.0), -3.010299956639812, 1e-12);  // (1 + 10/10)^-10
    EXPECT_NEAR(log10_chi2_survival_local(30.0, 2, 50.0), -4.598923363245, 1e-9);
    EXPECT_NEAR(log10_chi2_survival_local(60.0, 10, 25.0), -3.070898671743, 1e-9);
    for (const int n : {1, 2, 4, 20})
        EXPECT_NEAR(log10_chi2_survival_local(80.0, n, 1e9), log10_chi2_survival(80.0, n), 1e-5);
    EXPECT_NEAR(log10_h_survival_local(50.0, 1e9), log10_h_survival(50.0), 1e-6);
    EXPECT_EQ(log10_chi2_survival_local(0.0, 3, 10.0), 0.0);
}

TEST(RedNoise, MixturesAreSums) {
    EXPECT_NEAR(log10_mixture(0.25, -2.0, -3.0), std::log10(0.25e-2 + 0.75e-3), 1e-12);
    EXPECT_EQ(log10_mixture(1.0, -2.0, 0.0), -2.0);
    EXPECT_EQ(log10_mixture(0.0, -2.0, -5.0), -5.0);
    EXPECT_NEAR(log10_mixture(0.5, -1e6, -2e6), -1e6 + std::log10(0.5), 1e-6);
}

}  // namespace
}  // namespace xsift::timing
