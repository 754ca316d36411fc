// Posteriors: against a direct integration over all parameters, priors, evidences, contours.
#include "simulated_spectrum.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

#include <xsift/refine/posterior.hpp>
#include <xsift/spectral/profile.hpp>

namespace {

using namespace xsift;
using namespace xsift::refine;

double at_quantile(const std::vector<double>& x, const std::vector<double>& density, double q) {
    std::vector<double> sum(x.size(), 0.0);
    for (std::size_t i = 1; i < x.size(); ++i)
        sum[i] = sum[i - 1] + 0.5 * (density[i] + density[i - 1]) * (x[i] - x[i - 1]);
    const auto i =
        static_cast<std::size_t>(std::lower_bound(sum.begin(), sum.end(), q * sum.back()) - sum.begin());
    return x[i - 1] + (q * sum.back() - sum[i - 1]) / (sum[i] - sum[i - 1]) * (x[i] - x[i - 1]);
}

/// Trapezoidal sums over nH, photon index and ln norm of the likelihood of the full spectrum: no Gaussians,
/// no merged energies, no interpolation.
struct Oracle {
    std::vector<double> nh, index, log_norm, nh_density, index_density, norm_density;
    double log_evidence = 0.0;

    Oracle(const spectral::PreparedSpectrum& s, const SpectralFit& fit, const spectral::FitOptions& options,
           double nh_end, double index_lo, double index_hi) {
        constexpr int n_nh = 71, n_index = 61, n_norm = 41;
        // points denser at low nH, where the prior is steep
        for (int i = 0; i < n_nh; ++i) nh.push_back(nh_end * std::pow(i / (n_nh - 1.0), 2));
        for (int i = 0; i < n_index; ++i)
            index.push_back(index_lo + (index_hi - index_lo) * i / (n_index - 1.0));
        const double reach = 3.0 * std::log(fit.norm.hi / fit.norm.lo);
        for (int i = 0; i < n_norm; ++i)
            log_norm.push_back(std::log(fit.norm.value) - reach / 2 + reach * i / (n_norm - 1.0) +
                               0.2 * reach / 3.0);
        nh_density.assign(nh.size(), 0.0);
        index_density.assign(index.size(), 0.0);
        norm_density.assign(log_norm.size(), 0.0);
        const auto width = [](const std::vector<double>& x, std::size_t i) {
            return 0.5 * (x[std::min(i + 1, x.size() - 1)] - x[i == 0 ? 0 : i - 1]);
        };
        spectral::ModelEvaluator model(test::model("tbabs*powerlaw"), options.abundance,
                                       spectral::EnergyBins::from_bounds(s.energy_lo, s.energy_hi));
        double total = 0.0;
        for (std::size_t i = 0; i < nh.size(); ++i)
            for (std::size_t j = 0; j < index.size(); ++j) {
                const auto photons = model.photons(std::vector{nh[i], index[j], 1.0});
                std::vector<double> rate(s.n_bins());
                spectral::fold<1>(s, {photons.data()}, {rate.data()});
                for (std::size_t k = 0; k < log_norm.size(); ++k) {
                    double stat = 0.0;
                    for (std::size_t b = 0; b < s.n_bins(); ++b)
                        stat += spectral::bin_statistic(s.counts[b], s.background_counts[b],
                                                        s.source_exposure, s.background_exposure_of(b),
                                                        std::exp(log_norm[k]) * rate[b]);
                    const double prior = options.nh_prior == spectral::NhPrior::flat
                                             ? 1.0 / 50.0
                                             : 1.0 / ((nh[i] + 0.01) * std::log(50.01 / 0.01));
                    const double value = std::exp(-0.5 * (stat - fit.stat)) * prior / 13.0 / std::log(1e12);
                    nh_density[i] += value * width(index, j) * width(log_norm, k);
                    index_density[j] += value * width(nh, i) * width(log_norm, k);
                    norm_density[k] += value * width(nh, i) * width(index, j);
                    total += value * width(nh, i) * width(index, j) * width(log_norm, k);
                }
            }
        log_evidence = std::log(total) - 0.5 * fit.stat;
    }
};

void expect_posterior(const Posterior& ours, const std::vector<double>& x, const std::vector<double>& density,
                      const char* name) {
    const auto quantile = [&](double q) { return at_quantile(x, density, q); };
    // far from the best fit merged energies are not exact
    const double width = quantile(0.95) - quantile(0.05), tolerance = 0.06 * width;
    EXPECT_NEAR(ours.median, quantile(0.5), tolerance) << name;
    EXPECT_NEAR(ours.lo90, quantile(0.05), tolerance) << name;
    EXPECT_NEAR(ours.hi90, quantile(0.95), tolerance) << name;
    EXPECT_NEAR(ours.lo68, quantile(0.15865525), tolerance) << name;
    EXPECT_NEAR(ours.hi68, quantile(0.84134475), tolerance) << name;
    if (std::isnan(ours.mean)) return;
    double sum = 0.0, mean = 0.0;
    for (std::size_t i = 1; i < x.size(); ++i) {
        sum += 0.5 * (density[i] + density[i - 1]) * (x[i] - x[i - 1]);
        mean += 0.5 * (density[i] * x[i] + density[i - 1] * x[i - 1]) * (x[i] - x[i - 1]);
    }
    EXPECT_NEAR(ours.mean, mean / sum, tolerance) << name;
}

TEST(Posterior, IsThatOfADirectIntegration) {
    struct Case {
        double nh, counts;
        spectral::NhPrior prior;
        double nh_end, index_lo, index_hi;
    };
    for (const Case& c : {Case{0.3, 600.0, spectral::NhPrior::logarithmic, 1.4, 0.7, 3.2},
                          Case{0.04, 250.0, spectral::NhPrior::logarithmic, 3.0, 0.5, 6.0},
                          Case{0.04, 250.0, spectral::NhPrior::flat, 4.0, 0.3, 6.5}}) {
        spectral::FitOptions options;
        options.nh_prior = c.prior;
        const auto s = test::simulated_spectrum({"tbabs*powerlaw", c.nh, 1.8, 0.0, c.counts}, 11, options);
        const SpectralFit fit = fit_spectrum(s, "tbabs*powerlaw", {}, options);
        const Oracle oracle(s, fit, options, c.nh_end, c.index_lo, c.index_hi);
        SCOPED_TRACE(c.counts);
        EXPECT_NEAR(fit.log_evidence, oracle.log_evidence, 0.05);
        expect_posterior(fit.parameters[0].posterior, oracle.nh, oracle.nh_density, "nH");
        expect_posterior(fit.parameters[1].posterior, oracle.index, oracle.index_density, "PhoIndex");
        const Posterior& norm = fit.parameters[2].posterior;
        expect_posterior({not_measured, std::log(norm.median), std::log(norm.lo68), std::log(norm.hi68),
                          std::log(norm.lo90), std::log(norm.hi90)},
                         oracle.log_norm, oracle.norm_density, "ln norm");
    }
}

TEST(Posterior, OfABrightSourceIsTheProfile) {
    const spectral::FitOptions options;
    const auto s = test::simulated_spectrum({"tbabs*powerlaw", 0.3, 1.8, 0.0, 30000.0}, 2, options);
    const SpectralFit fit = fit_spectrum(s, "tbabs*powerlaw", {}, options);
    for (const FittedParameter& p : fit.parameters) {
        const double width = p.estimate.hi - p.estimate.lo;
        EXPECT_NEAR(p.posterior.mean, p.estimate.value, 0.05 * width) << p.name;
        EXPECT_NEAR(p.posterior.lo90, p.estimate.lo, 0.05 * width) << p.name;
        EXPECT_NEAR(p.posterior.hi90, p.estimate.hi, 0.05 * width) << p.name;
        EXPECT_NEAR(p.posterior.hi68 - p.posterior.lo68, 2.0 * p.error, 0.1 * p.error) << p.name;
    }
}

TEST(Posterior, OfAJointFitHasItsFactor) {
    const spectral::FitOptions options;
    const std::vector<spectral::PreparedSpectrum> pair{
        test::simulated_spectrum({"tbabs*powerlaw", 0.3, 1.8, 2e-4}, 1, options, "0007"),
        test::simulated_spectrum({"tbabs*powerlaw", 0.3, 1.8, 2e-4}, 2, options, "0001", 0.8)};
    const FitData one(pair[0]), other(pair[1]);
    const std::vector<FitInput> inputs{{&pair[0], &one}, {&pair[1], &other}};
    const SpectralFit fit = fit_spectra(inputs, test::model("tbabs*powerlaw"), {}, options);
    const FittedParameter& factor = fit.parameters.back();
    const double width = factor.estimate.hi - factor.estimate.lo;
    EXPECT_NEAR(factor.posterior.median, factor.estimate.value, 0.05 * width);
    EXPECT_NEAR(factor.posterior.lo90, factor.estimate.lo, 0.07 * width);
    EXPECT_NEAR(factor.posterior.hi90, factor.estimate.hi, 0.07 * width);
    EXPECT_TRUE(std::isfinite(fit.log_evidence));
}

TEST(Posterior, TheEvidenceKnowsTheModelOfABrightSource) {
    const spectral::FitOptions options;
    const auto s = test::simulated_spectrum({"tbabs*powerlaw", 0.1, 1.8, 0.0, 3000.0}, 5, options);
    std::vector<SpectralFit> fits;
    for (const char* model : {"tbabs*bbody", "tbabs*powerlaw", "tbabs*(bbody+powerlaw)"})
        fits.push_back(fit_spectrum(s, model, {}, options));
    EXPECT_EQ(select_model(fits, spectral::Criterion::evidence), 1);
    EXPECT_GT(fits[1].model_probability, 0.99);
    EXPECT_NEAR(fits[0].model_probability + fits[1].model_probability, 1.0, 1e-12);
    EXPECT_TRUE(std::isnan(fits[2].log_evidence));  // two norms: not made
    EXPECT_TRUE(fits[2].choice == "NO_EVIDENCE" || !disqualification(fits[2]).empty());
    EXPECT_EQ(fits[0].choice, "LOWER_EVIDENCE");
}

TEST(Posterior, ContoursHoldTheirShareOfTheMap) {
    const spectral::FitOptions options;
    const auto s = test::simulated_spectrum({"tbabs*powerlaw", 0.3, 1.8, 0.0, 1000.0}, 7, options);
    const FitData data(s);
    const FitInput input{&s, &data};
    const SpectralFit fit = fit_spectra(std::span(&input, 1), test::model("tbabs*powerlaw"), {}, options);
    const PosteriorMap map =
        posterior(std::span(&input, 1), test::model("tbabs*powerlaw"), fit, {}, options).map;
    EXPECT_EQ(map.x_name, "tbabs.nH");
    EXPECT_EQ(map.y_name, "powerlaw.PhoIndex");
    ASSERT_EQ(map.log_density.size(), map.x.size() * map.y.size());
    EXPECT_LT(map.level90, map.level68);
    EXPECT_LT(map.level68, 0.0);
    // two Gaussian parameters: levels of exp(-r^2/2) that hold p are 1 - p
    EXPECT_NEAR(map.level68, std::log(1.0 - 0.6826894921370859), 0.15);
    EXPECT_NEAR(map.level90, std::log(0.1), 0.3);
    const auto highest = std::max_element(map.log_density.begin(), map.log_density.end());
    const auto at = static_cast<std::size_t>(highest - map.log_density.begin());
    EXPECT_EQ(*highest, 0.0);
    EXPECT_NEAR(map.y[at % map.y.size()], fit.gamma.value, 0.3 * (fit.gamma.hi - fit.gamma.lo));
}

TEST(Posterior, IsNotMadeWithoutASource) {
    const spectral::FitOptions options;
    const auto s = test::simulated_spectrum({"tbabs*powerlaw", 0.3, 1.8, 0.0, 1e-6}, 5, options);
    const SpectralFit fit = fit_spectrum(s, "tbabs*powerlaw", {}, options);
    EXPECT_TRUE(std::isnan(fit.log_evidence));
    EXPECT_TRUE(std::isnan(fit.parameters[1].posterior.mean));
}

}  // namespace
