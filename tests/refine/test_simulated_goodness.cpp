// Goodness of fit and bootstrap by simulation: right and wrong models, the same for a seed, uniform when the
// model is right; intervals of the bootstrap beside those of the profile.
#include "simulated_spectrum.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include <xsift/refine/spectra.hpp>

namespace {

using namespace xsift;
using namespace xsift::refine;

double goodness_of(const spectral::PreparedSpectrum& spectrum, const std::string& model, int simulations,
                   std::uint64_t seed) {
    spectral::FitOptions options;
    options.posterior = false;
    options.goodness_simulations = simulations;
    const SpectralFit fit = fit_spectrum(spectrum, model, {}, options);
    const FitData data(spectrum);
    const FitInput input{&spectrum, &data};
    return simulate_fits(std::span(&input, 1), test::model(model), fit, options, seed).gof_pvalue;
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

TEST(Bootstrap, IntervalsAreThoseOfTheProfileWhereCountsAreMany) {
    const auto s = test::simulated_spectrum({"tbabs*powerlaw", 0.3, 1.8, 0.0, 6000.0}, 11, {});
    spectral::FitOptions options;
    options.posterior = false;
    options.bootstrap_simulations = 200;
    const SpectralFit fit = fit_spectrum(s, "tbabs*powerlaw", {}, options);
    const FitData data(s);
    const FitInput input{&s, &data};
    const SimulatedFits found =
        simulate_fits(std::span(&input, 1), test::model("tbabs*powerlaw"), fit, options, 5);
    EXPECT_TRUE(std::isnan(found.gof_pvalue));
    ASSERT_EQ(found.parameters.size(), fit.parameters.size());
    for (std::size_t k = 0; k < fit.parameters.size(); ++k) {
        const Estimate& e = fit.parameters[k].estimate;
        const Bootstrap& b = found.parameters[k];
        const double half = 0.5 * (e.hi - e.lo);
        // of 200 values a 5% quantile is known to 0.09 of the interval's half-width, a median to 0.05
        EXPECT_NEAR(b.lo, e.lo, 0.35 * half) << k;
        EXPECT_NEAR(b.hi, e.hi, 0.35 * half) << k;
        EXPECT_NEAR(b.median, e.value, 0.25 * half) << k;
    }
}

TEST(Bootstrap, UsesTheSimulationsOfTheGoodness) {
    const std::string text = "tbabs*(apec+apec)";
    spectral::FitOptions options;
    options.posterior = false;
    options.parameters = {"apec2.kT = 3 frozen", "apec2.norm = apec1.norm"};
    options.goodness_simulations = 9;
    const auto s = test::simulated_spectrum({"tbabs*apec", 0.3, 1.5, 0.0, 500.0}, 12, options);
    const SpectralFit fit = fit_spectrum(s, text, {}, options);
    const FitData data(s);
    const FitInput input{&s, &data};
    const auto model = test::model(text, options);
    const SimulatedFits alone = simulate_fits(std::span(&input, 1), model, fit, options, 6);
    options.bootstrap_simulations = 21;
    const SimulatedFits both = simulate_fits(std::span(&input, 1), model, fit, options, 6);
    EXPECT_EQ(alone.gof_pvalue, both.gof_pvalue);
    double norm = not_measured, tied = not_measured;
    for (std::size_t k = 0; k < fit.parameters.size(); ++k) {
        const FittedParameter& p = fit.parameters[k];
        EXPECT_TRUE(std::isnan(alone.parameters[k].median));
        EXPECT_EQ(std::isnan(both.parameters[k].lo), (p.flags & parameter_frozen) != 0) << p.name;
        if (p.name == "norm") (p.flags & parameter_tied ? tied : norm) = both.parameters[k].hi;
    }
    EXPECT_GT(norm, 0.0);
    EXPECT_EQ(norm, tied);
}

}  // namespace
