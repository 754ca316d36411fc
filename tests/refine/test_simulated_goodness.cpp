// Goodness of fit by simulation: right and wrong models, the same for a seed, uniform when the model is
// right.
#include "simulated_spectrum.hpp"

#include <gtest/gtest.h>

#include <xsift/refine/spectra.hpp>

namespace {

using namespace xsift;
using namespace xsift::refine;

double goodness_of(const spectral::PreparedSpectrum& spectrum, const std::string& model, int simulations,
                   std::uint64_t seed) {
    spectral::FitOptions options;
    options.posterior = false;
    const SpectralFit fit = fit_spectrum(spectrum, model, {}, options);
    const FitData data(spectrum);
    const FitInput input{&spectrum, &data};
    return simulated_goodness(std::span(&input, 1), test::model(model), fit, options, simulations, seed);
}

TEST(SimulatedGoodness, TellsAWrongModel) {
    const auto s = test::simulated_spectrum({"tbabs*powerlaw", 0.1, 1.8, 0.0, 6000.0}, 3, {});
    EXPECT_EQ(goodness_of(s, "tbabs*bbody", 39, 1), 1.0 / 40.0);
    EXPECT_GT(goodness_of(s, "tbabs*powerlaw", 39, 1), 0.05);
}

TEST(SimulatedGoodness, DependsOnTheSeedAlone) {
    const auto s = test::simulated_spectrum({"tbabs*powerlaw", 0.1, 1.8, 0.0, 200.0}, 4, {});
    const double once = goodness_of(s, "tbabs*powerlaw", 29, 17);
    EXPECT_EQ(goodness_of(s, "tbabs*powerlaw", 29, 17), once);
    EXPECT_GT(once, 0.0);
    EXPECT_LE(once, 1.0);
}

TEST(SimulatedGoodness, IsUniformForTheRightModel) {
    constexpr int spectra = 24, simulations = 19;
    double sum = 0.0;
    int below_half = 0;
    for (int i = 0; i < spectra; ++i) {
        const auto key = static_cast<std::uint64_t>(100 + i);
        const double p =
            goodness_of(test::simulated_spectrum({"tbabs*powerlaw", 0.1, 1.8, 0.0, 300.0}, key, {}),
                        "tbabs*powerlaw", simulations, key);
        sum += p;
        below_half += p <= 0.5 ? 1 : 0;
    }
    // 3 standard deviations of a mean of 24 uniform numbers are 0.18, of the half below 0.5 are 7
    EXPECT_NEAR(sum / spectra, 0.525, 0.18);
    EXPECT_NEAR(below_half, spectra / 2, 7);
}

}  // namespace
