// Evidence of models of two norms: against a direct integration over both norms, and over a shape parameter.
#include "simulated_spectrum.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include <xsift/refine/spectra.hpp>
#include <xsift/spectral/profile.hpp>

namespace {

using namespace xsift;
using namespace xsift::refine;

spectral::FitOptions with_pairs(std::vector<std::string> parameters) {
    spectral::FitOptions options;
    options.pair_evidence = true;
    options.parameters = std::move(parameters);
    return options;
}

SpectralFit fit_pair(const spectral::PreparedSpectrum& s, const std::string& model,
                     const spectral::FitOptions& options) {
    return fit_spectrum(s, model, {}, options);
}

/// ln of the sum over a grid of ln of both norms, behind the full spectrum.
double direct(const spectral::PreparedSpectrum& s, const std::string& text, const SpectralFit& fit,
              const spectral::FitOptions& options, double lowest_second) {
    spectral::ModelEvaluator model(test::model(text, options), options.abundance,
                                   spectral::EnergyBins::from_bounds(s.energy_lo, s.energy_hi));
    std::vector<double> values;
    for (const auto& p : fit.parameters) values.push_back(p.estimate.value);
    model.evaluate(values, false);
    std::vector<double> unit[2];
    for (std::size_t g = 0; g < 2; ++g) {
        unit[g].resize(s.n_bins());
        spectral::fold<1>(s, {model.unit(g).data()}, {unit[g].data()});
    }
    constexpr double step = 0.05;
    // the component that the data need within e of its best value, the other one down to nothing
    const double first_best = std::log(fit.norm2.value);
    double sum = 0.0;
    for (double a = first_best - 1.5; a < first_best + 1.0; a += step)
        for (double b = std::log(lowest_second); b < std::log(fit.norm.hi) + 3.0; b += step) {
            double stat = 0.0;
            for (std::size_t k = 0; k < s.n_bins(); ++k)
                stat += spectral::bin_statistic(s.counts[k], s.background_counts[k], s.source_exposure,
                                                s.background_exposure_of(k),
                                                std::exp(b) * unit[0][k] + std::exp(a) * unit[1][k]);
            sum += std::exp(-0.5 * (stat - fit.stat)) * step * step;
        }
    return std::log(sum) - 0.5 * fit.stat - 2.0 * std::log(std::log(1e12));
}

TEST(PairEvidence, IsThatOfADirectIntegrationOverBothNorms) {
    const std::string text = "tbabs*(bbody+powerlaw)";
    for (const double counts : {300.0, 3000.0}) {
        const spectral::FitOptions options =
            with_pairs({"tbabs.nH = 0.2 frozen", "bbody.kT = 0.5 frozen", "powerlaw.PhoIndex = 1.8 frozen"});
        const auto s = test::simulated_spectrum({"tbabs*powerlaw", 0.2, 1.8, 0.0, counts}, 4, options);
        const SpectralFit fit = fit_pair(s, text, options);
        EXPECT_NEAR(fit.log_evidence, direct(s, text, fit, options, 1e-12), 0.05) << counts;
    }
}

TEST(PairEvidence, OfAFreeShapeIsTheIntegralOverItsFrozenValues) {
    const std::string text = "tbabs*(bbody+powerlaw)";
    const spectral::FitOptions free = with_pairs({"tbabs.nH = 0.2 frozen", "bbody.kT = 0.5 frozen"});
    const auto s = test::simulated_spectrum({"tbabs*powerlaw", 0.2, 1.8, 0.0, 1000}, 4, free);
    const SpectralFit fit = fit_pair(s, text, free);
    double sum = 0.0, mean = 0.0;
    constexpr double step = 0.05;
    for (double index = 0.8; index < 3.2; index += step) {
        spectral::FitOptions frozen = free;
        frozen.parameters.push_back("powerlaw.PhoIndex = " + std::to_string(index) + " frozen");
        const double density = std::exp(fit_pair(s, text, frozen).log_evidence - fit.log_evidence);
        sum += density * step / 13.0;  // uniform between -3 and 10
        mean += index * density * step / 13.0;
    }
    EXPECT_NEAR(std::log(sum), 0.0, 0.05);
    const Posterior& index = fit.parameters[3].posterior;
    EXPECT_NEAR(index.mean, mean / sum, 0.05 * (index.hi90 - index.lo90));
    EXPECT_LT(index.lo90, index.lo68);
}

TEST(PairEvidence, PrefersTwoComponentsWhereTheyAreNeeded) {
    const spectral::FitOptions options = with_pairs({});
    const auto plain = test::simulated_spectrum({"tbabs*powerlaw", 0.2, 1.8, 0.0, 2000}, 4, options);
    // half of the prior of a second norm, uniform in its logarithm, lies where it does nothing: an evidence
    // of a second component that is not there falls little short of that of the first alone, and rises little
    // above it
    EXPECT_NEAR(fit_spectrum(plain, "tbabs*powerlaw", {}, options).log_evidence,
                fit_pair(plain, "tbabs*(bbody+powerlaw)", options).log_evidence, 2.0);
    auto both = test::simulated_spectrum({"tbabs*powerlaw", 0.2, 1.5, 0.0, 2000}, 4, options);
    const auto soft = test::simulated_spectrum({"tbabs*bbody", 0.2, 0.15, 0.0, 2000}, 5, options);
    for (std::size_t k = 0; k < both.n_bins() && soft.n_bins() == both.n_bins(); ++k)
        both.counts[k] += soft.counts[k];
    ASSERT_EQ(soft.n_bins(), both.n_bins());
    EXPECT_GT(fit_pair(both, "tbabs*(bbody+powerlaw)", options).log_evidence,
              fit_spectrum(both, "tbabs*powerlaw", {}, options).log_evidence + 5.0);
}

TEST(PairEvidence, IsNotMadeUnlessAskedFor) {
    spectral::FitOptions options;
    const auto s = test::simulated_spectrum({"tbabs*powerlaw", 0.2, 1.8, 0.0, 1000}, 4, options);
    EXPECT_TRUE(std::isnan(fit_pair(s, "tbabs*(bbody+powerlaw)", options).log_evidence));
    options.criterion = spectral::Criterion::evidence;
    EXPECT_TRUE(std::isfinite(fit_pair(s, "tbabs*(bbody+powerlaw)", options).log_evidence));
}

}  // namespace
