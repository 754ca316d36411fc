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
                NoiseSpectrum(powers(400, 10.0 * std::pow(100.0, index), index, i), 1.0).at(100.0);
            const double x = std::log(level.level / 11.0);
            mean += x / n;
            squares += x * x * level.powers / n;
        }
        EXPECT_NEAR(mean, 0.0, 0.03) << index;
        EXPECT_NEAR(squares, 1.0, 0.35) << index;  // the scatter is as stated
    }
}

/// What a level is worth: powers at a frequency whose neighbours alone are known exceed what the mixture
/// gives a probability of p with the frequency p. Few neighbours, steep and flat.
TEST(RedNoise, PowersAreAsImprobableAsTheLevelsSay) {
    for (const double index : {1.0, 2.0})
        for (const std::size_t at : {5u, 40u}) {
            int alarms = 0;
            constexpr int n = 1000;
            for (int i = 0; i < n; ++i) {
                auto all = powers(128, 60.0, index, 5'000 + 1'000 * at + i);
                const NoisePower here = all[at - 1];
                all.erase(all.begin() + static_cast<std::ptrdiff_t>(at) - 2,
                          all.begin() + static_cast<std::ptrdiff_t>(at) + 1);
                const NoiseLevel level = NoiseSpectrum(all, 1.0).at(here.frequency);
                const double local = log10_chi2_survival_local(here.power / level.estimate, 1, level.powers);
                alarms +=
                    log10_mixture(level.white, -0.5 * here.power / constants::ln10, local) < -2.0 ? 1 : 0;
            }
            EXPECT_GE(alarms, 3) << index << ' ' << at;  // 10 expected
            EXPECT_LE(alarms, 20) << index << ' ' << at;
        }
}

/// Powers at multiples of 1 Hz of a noise with such levels.
template <typename Level>
std::vector<NoisePower> powers_of(const Level& level, int n, int seed) {
    std::vector<NoisePower> all = powers(n, 0.0, 0.0, seed);
    for (NoisePower& p : all) p.power *= level(p.frequency);
    return all;
}

/// A power law in the window around a knee is a fifth too low in its middle.
TEST(RedNoise, AKneeIsFollowed) {
    for (const std::size_t at : {8u, 12u}) {
        int alarms = 0;
        double mean = 0.0;
        constexpr int n = 1000;
        const auto truth = [](double f) { return 1.0 + 200.0 / (1.0 + std::pow(f / 8.0, 2.0)); };
        for (int i = 0; i < n; ++i) {
            auto all = powers_of(truth, 128, 90'000 + 1'000 * static_cast<int>(at) + i);
            const NoisePower here = all[at - 1];
            all.erase(all.begin() + static_cast<std::ptrdiff_t>(at) - 2,
                      all.begin() + static_cast<std::ptrdiff_t>(at) + 1);
            const NoiseLevel level = NoiseSpectrum(all, 1.0).at(here.frequency);
            mean += std::log(level.estimate / truth(here.frequency)) / n;
            alarms += log10_chi2_survival_local(here.power / level.estimate, 1, level.powers) < -2.0 ? 1 : 0;
        }
        // The mean of ln of a mean of few powers is below that of the level.
        EXPECT_NEAR(mean, -0.05, 0.1) << at;
        EXPECT_GE(alarms, 3) << at;  // 10 expected
        EXPECT_LE(alarms, 20) << at;
    }
}

/// A hump is no shape of the whole: the powers around it say so.
TEST(RedNoise, AHumpIsNotTakenForTheRestOfTheSpectrum) {
    double mean = 0.0;
    constexpr int n = 200;
    const auto truth = [](double f) {
        return 1.0 + 100.0 / (f * f) + 20.0 / (1.0 + std::pow((f - 150.0) / 60.0, 2.0));
    };
    for (int i = 0; i < n; ++i)
        mean += std::log(NoiseSpectrum(powers_of(truth, 600, 120'000 + i), 1.0).at(150.0).estimate) / n;
    EXPECT_GT(mean, std::log(10.0));  // the window is wider than the hump
}

TEST(RedNoise, WhiteNoiseStaysWhite) {
    double mean = 0.0;
    for (int i = 0; i < 50; ++i) {
        const NoiseLevel level = NoiseSpectrum(powers(400, 0.0, 0.0, 900 + i), 1.0).at(100.0);
        EXPECT_GE(level.level, 1.0);
        EXPECT_GT(level.white, 0.02);
        mean += level.white / 50;
    }
    EXPECT_GT(mean, 0.9);
    const NoiseLevel red = NoiseSpectrum(powers(400, 2.0, 0.0, 7), 1.0).at(100.0);
    EXPECT_LT(red.white, 1e-3);
    const NoiseLevel nothing = NoiseSpectrum(std::vector<NoisePower>{}, 1.0).at(100.0);
    EXPECT_EQ(nothing.level, 1.0);
    EXPECT_EQ(nothing.white, 0.5);
}

TEST(RedNoise, ALineDoesNotRaiseTheLevel) {
    auto all = powers(400, 0.0, 0.0, 3);
    const double before = NoiseSpectrum(all, 1.0).at(100.0).estimate;
    all[99].power = 1e6;
    EXPECT_NEAR(NoiseSpectrum(all, 1.0).at(100.0).estimate, before, 0.05 * before);
}

/// Fisher's F: values from scipy.stats.f.logsf(z/(2n), 2n, 2k) / ln 10.
TEST(RedNoise, LocalSurvivalIsFishersF) {
    EXPECT_NEAR(log10_chi2_survival_local(20.0, 1, 10.0), -3.010299956639812, 1e-12);  // (1 + 10/10)^-10
    EXPECT_NEAR(log10_chi2_survival_local(30.0, 2, 50.0), -4.598923363245, 1e-9);
    EXPECT_NEAR(log10_chi2_survival_local(60.0, 10, 25.0), -3.070898671743, 1e-9);
    for (const int n : {1, 2, 4, 20})
        EXPECT_NEAR(log10_chi2_survival_local(80.0, n, 1e9), log10_chi2_survival(80.0, n), 1e-5);
    EXPECT_EQ(log10_chi2_survival_local(0.0, 3, 10.0), 0.0);
}

TEST(RedNoise, AnExcessFarAwayMakesTheNoiseRedHereToo) {
    // White above 60: alone, its own powers would say so.
    auto red = powers(400, 0.0, 0.0, 11);
    for (NoisePower& p : red) p.power *= 1.0 + std::pow(p.frequency / 30.0, -2.0);
    EXPECT_LT(NoiseSpectrum(red, 1.0).at(300.0).white, 1e-6);
    EXPECT_NEAR(NoiseSpectrum(red, 1.0).at(300.0).estimate, 1.05, 0.05);
    EXPECT_NEAR(NoiseSpectrum(red, 1.0).at(10.0).estimate, 10.0, 4.0);
}

TEST(RedNoise, AnExcessGoesOnBeyondThePowers) {
    const NoiseSpectrum spectrum(powers(400, 1e5, 2.0, 12), 1.0);
    for (const double f : {200.0, 400.0, 800.0}) {
        const NoiseLevel level = spectrum.at(f);
        EXPECT_LT(std::fabs(std::log(level.estimate / (1.0 + 1e5 / (f * f)))), 3.0 / std::sqrt(level.powers))
            << f;
        EXPECT_GT(level.powers, 20.0);
    }
}

TEST(RedNoise, MixturesAreSums) {
    EXPECT_NEAR(log10_mixture(0.25, -2.0, -3.0), std::log10(0.25e-2 + 0.75e-3), 1e-12);
    EXPECT_EQ(log10_mixture(1.0, -2.0, 0.0), -2.0);
    EXPECT_EQ(log10_mixture(0.0, -2.0, -5.0), -5.0);
    EXPECT_NEAR(log10_mixture(0.5, -1e6, -2e6), -1e6 + std::log10(0.5), 1e-6);
}

}  // namespace
}  // namespace xsift::timing
