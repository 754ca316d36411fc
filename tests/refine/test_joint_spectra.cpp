// Fits of several spectra at once: factors between them, what the second spectrum adds, limits.
#include "expect_error.hpp"
#include "simulated_spectrum.hpp"

#include <cmath>
#include <memory>

#include <gtest/gtest.h>

#include <xsift/refine/spectra.hpp>

namespace {

using namespace xsift;
using namespace xsift::refine;

SpectralFit fit_together(const std::vector<spectral::PreparedSpectrum>& spectra, const std::string& model,
                         const spectral::FitOptions& options) {
    std::vector<FitData> data(spectra.begin(), spectra.end());
    std::vector<FitInput> inputs;
    for (std::size_t i = 0; i < spectra.size(); ++i) inputs.push_back({&spectra[i], &data[i]});
    return fit_spectra(
        inputs, std::make_shared<const spectral::ModelDefinition>(spectral::define_model(model, options)), {},
        options);
}

const FittedParameter& factor_of(const SpectralFit& fit) {
    return fit.parameters.back();
}

TEST(JointSpectra, TheSameSpectrumTwiceIsTheSameFitWithNarrowerIntervals) {
    const spectral::FitOptions options;
    const auto one = test::simulated_spectrum({}, 1, options);
    const SpectralFit single = fit_together({one}, "tbabs*powerlaw", options),
                      twice = fit_together({one, one}, "tbabs*powerlaw", options);
    EXPECT_EQ(single.n_spectra, 1);
    EXPECT_EQ(twice.n_spectra, 2);
    EXPECT_NEAR(twice.stat, 2.0 * single.stat, 1e-3);
    EXPECT_NEAR(twice.gamma.value, single.gamma.value, 1e-3);
    EXPECT_NEAR(twice.nh.value, single.nh.value, 1e-3);
    EXPECT_NEAR(twice.flux.value / single.flux.value, 1.0, 1e-3);
    EXPECT_EQ(factor_of(twice).component, "constant2");
    EXPECT_NEAR(factor_of(twice).estimate.value, 1.0, 1e-3);
    EXPECT_NEAR((single.gamma.hi - single.gamma.lo) / (twice.gamma.hi - twice.gamma.lo), std::sqrt(2.0),
                0.05);
    EXPECT_EQ(twice.n_bins, 2 * single.n_bins);
    EXPECT_EQ(twice.dof, 2 * single.n_bins - 4);
    // the flux is that of the first spectrum: a free factor keeps the second from narrowing it as much
    EXPECT_LT(twice.flux.hi - twice.flux.lo, single.flux.hi - single.flux.lo);
    EXPECT_GT(twice.flux.hi - twice.flux.lo, (single.flux.hi - single.flux.lo) / std::sqrt(2.0));
}

TEST(JointSpectra, KnownFactorAndIndexAreFoundWithinTheirErrors) {
    const spectral::FitOptions options;
    constexpr double true_factor = 0.8, true_index = 1.8;
    constexpr int trials = 30;
    int factor_inside = 0, index_inside = 0;
    double narrower = 0.0;
    for (int seed = 0; seed < trials; ++seed) {
        const test::SimulatedTruth truth{"tbabs*powerlaw", 0.3, true_index, 1.2e-4};
        const auto key = static_cast<std::uint64_t>(seed);
        // sources of one observation: areas and backgrounds of their own, one response
        const std::vector<spectral::PreparedSpectrum> pair{
            test::simulated_spectrum(truth, key, options, "0007"),
            test::simulated_spectrum(truth, 1000 + key, options, "0001", true_factor)};
        const SpectralFit fit = fit_together(pair, "tbabs*powerlaw", options),
                          single = fit_together({pair[0]}, "tbabs*powerlaw", options);
        const Estimate& factor = factor_of(fit).estimate;
        factor_inside += factor.lo < true_factor && true_factor < factor.hi ? 1 : 0;
        index_inside += fit.gamma.lo < true_index && true_index < fit.gamma.hi ? 1 : 0;
        EXPECT_NEAR(factor.value, true_factor, 0.2) << seed;
        narrower += (fit.gamma.hi - fit.gamma.lo) / (single.gamma.hi - single.gamma.lo) / trials;
    }
    // 90% intervals: 27 expected, 22 is 3 sigma below
    EXPECT_GE(factor_inside, 22);
    EXPECT_GE(index_inside, 22);
    EXPECT_LT(narrower, 0.9);
}

TEST(JointSpectra, AFaintSecondSpectrumDoesNotDisqualifyTheFit) {
    const spectral::FitOptions options;
    const test::SimulatedTruth truth{"tbabs*powerlaw", 0.3, 1.8, 2e-4};
    const std::vector<spectral::PreparedSpectrum> pair{
        test::simulated_spectrum(truth, 3, options, "0007"),
        test::simulated_spectrum(truth, 4, options, "0001", 1e-9)};  // background only
    std::vector<SpectralFit> fits{fit_together(pair, "tbabs*powerlaw", options)};
    EXPECT_TRUE(fits[0].flags & fit_factor_unconstrained);
    EXPECT_FALSE(fits[0].flags & fit_parameter_unconstrained);
    EXPECT_EQ(select_model(fits), 0);
}

TEST(JointSpectra, TheJointFitGoesBeforeItsMembers) {
    const spectral::FitOptions options;
    const auto one = test::simulated_spectrum({}, 1, options);
    std::vector<SpectralFit> fits{fit_together({one}, "tbabs*powerlaw", options),
                                  fit_together({one, one}, "tbabs*powerlaw", options)};
    EXPECT_EQ(select_model(fits), 1);
    EXPECT_EQ(fits[0].choice, "OTHER_SPECTRUM");
}

TEST(JointSpectra, MoreSpectraThanAFitHoldsAreRefused) {
    const spectral::FitOptions options;
    const auto one = test::simulated_spectrum({}, 1, options);
    test::expect_error("TOO_MANY_SPECTRA", "20 spectra",
                       [&] { fit_together(std::vector(20, one), "tbabs*powerlaw", options); });
}

}  // namespace
