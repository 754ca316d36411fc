// Intervals from posteriors in place of profiles.
#include "simulated_spectrum.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <xsift/refine/spectra.hpp>
#include <xsift/spectral/model.hpp>
#include <xsift/spectral/profile.hpp>

namespace {

using namespace xsift;
using namespace xsift::refine;

spectral::FitOptions credible() {
    spectral::FitOptions options;
    options.errors = spectral::Errors::posterior;
    return options;
}

spectral::PreparedSpectrum spectrum_of(double nh, double counts) {
    return test::simulated_spectrum({"tbabs*powerlaw", nh, 1.8, 0.0, counts}, 11, spectral::FitOptions{});
}

void expect_near(const Estimate& ours, const Estimate& other, double tolerance) {
    const double width = other.hi - other.lo;
    EXPECT_EQ(ours.value, other.value);
    EXPECT_NEAR(ours.lo, other.lo, tolerance * width);
    EXPECT_NEAR(ours.hi, other.hi, tolerance * width);
}

TEST(CredibleIntervals, OfABrightSourceAreItsProfiles) {
    for (const double delta : {2.706, 1.0}) {
        SCOPED_TRACE(delta);
        const auto s = spectrum_of(0.3, 30000.0);
        spectral::FitOptions options = credible();
        options.confidence_delta = delta;
        const SpectralFit fit = fit_spectrum(s, "tbabs*powerlaw", {}, options);
        options.errors = spectral::Errors::profile;
        const SpectralFit profiled = fit_spectrum(s, "tbabs*powerlaw", {}, options);
        EXPECT_TRUE(fit.flags & fit_credible);
        EXPECT_FALSE(fit.flags & fit_not_refined);
        EXPECT_FALSE(profiled.flags & fit_credible);
        for (std::size_t k = 0; k < 3; ++k) {
            EXPECT_TRUE(fit.parameters[k].flags & parameter_credible);
            expect_near(fit.parameters[k].estimate, profiled.parameters[k].estimate, 0.05);
        }
        EXPECT_EQ(fit.fluxes[0].flags, flux_credible);
        expect_near(fit.flux, profiled.flux, 0.05);
        expect_near(fit.flux_unabsorbed, profiled.flux_unabsorbed, 0.05);
    }
}

TEST(CredibleIntervals, AreTheQuantilesOfThePosterior) {
    spectral::FitOptions options = credible();
    const auto s = spectrum_of(0.3, 400.0);
    const SpectralFit at90 = fit_spectrum(s, "tbabs*powerlaw", {}, options);
    options.confidence_delta = 1.0;
    const SpectralFit at68 = fit_spectrum(s, "tbabs*powerlaw", {}, options);
    for (std::size_t k = 0; k < 3; ++k) {
        const double width = at90.parameters[k].posterior.hi90 - at90.parameters[k].posterior.lo90;
        EXPECT_NEAR(at90.parameters[k].estimate.lo, at90.parameters[k].posterior.lo90, 1e-3 * width);
        EXPECT_NEAR(at90.parameters[k].estimate.hi, at90.parameters[k].posterior.hi90, 1e-3 * width);
        EXPECT_NEAR(at68.parameters[k].estimate.lo, at68.parameters[k].posterior.lo68, 1e-3 * width);
        EXPECT_NEAR(at68.parameters[k].estimate.hi, at68.parameters[k].posterior.hi68, 1e-3 * width);
    }
}

TEST(CredibleIntervals, OfFluxesAreThoseOfADirectIntegration) {
    const spectral::FitOptions options = credible();
    const auto s = spectrum_of(0.3, 600.0);
    const SpectralFit fit = fit_spectrum(s, "tbabs*powerlaw", {}, options);
    const auto definition = test::model("tbabs*powerlaw");
    spectral::ModelEvaluator model(definition, options.abundance,
                                   spectral::EnergyBins::from_bounds(s.energy_lo, s.energy_hi));
    spectral::FluxBand band(definition, options.abundance, options.flux_lo, options.flux_hi);
    std::vector<std::pair<double, double>> absorbed, unabsorbed;  // flux, weight
    constexpr int n = 50;
    for (int i = 0; i < n; ++i)
        for (int j = 0; j < n; ++j) {
            const double root = (i + 0.5) / n, nh = 1.6 * root * root, index = 0.7 + 2.5 * (j + 0.5) / n;
            const std::vector<double> at{nh, index, 1.0}, photons = model.photons(at);
            std::vector<double> rate(s.n_bins());
            spectral::fold<1>(s, {photons.data()}, {rate.data()});
            const double through = band.absorbed(at, false).unit[0], bare = band.unabsorbed(at, false).unit[0];
            for (int k = 0; k < n; ++k) {
                const double norm = fit.norm.value * std::exp(3.0 * ((k + 0.5) / n - 0.4));
                double stat = 0.0;
                for (std::size_t b = 0; b < s.n_bins(); ++b)
                    stat += spectral::bin_statistic(s.counts[b], s.background_counts[b], s.source_exposure,
                                                    s.background_exposure_of(b), norm * rate[b]);
                const double weight =
                    std::exp(-0.5 * (stat - fit.stat)) * root / (nh + spectral::nh_prior_scale);
                absorbed.emplace_back(norm * through, weight);
                unabsorbed.emplace_back(norm * bare, weight);
            }
        }
    const auto quantile = [](std::vector<std::pair<double, double>>& of, double q) {
        std::sort(of.begin(), of.end());
        double total = 0.0, sum = 0.0;
        for (const auto& [flux, weight] : of) total += weight;
        for (const auto& [flux, weight] : of)
            if ((sum += weight) >= q * total) return flux;
        return of.back().first;
    };
    for (auto* of : {&absorbed, &unabsorbed}) {
        const Estimate& flux = of == &absorbed ? fit.flux : fit.flux_unabsorbed;
        const double lo = quantile(*of, 0.05), hi = quantile(*of, 0.95);
        EXPECT_NEAR(flux.lo, lo, 0.06 * (hi - lo));
        EXPECT_NEAR(flux.hi, hi, 0.06 * (hi - lo));
    }
}

TEST(CredibleIntervals, EndAtLimitsThatTheStatisticDoesNotExclude) {
    const SpectralFit fit = fit_spectrum(spectrum_of(0.0, 300.0), "tbabs*powerlaw", {}, credible());
    const FittedParameter& nh = fit.parameters[0];
    ASSERT_TRUE(nh.flags & parameter_credible);
    EXPECT_EQ(nh.estimate.lo, 0.0);
    EXPECT_TRUE(nh.flags & parameter_no_lower_end);
    EXPECT_GT(nh.posterior.lo90, 0.0);
    EXPECT_NEAR(nh.estimate.hi, nh.posterior.hi90, 1e-3 * nh.estimate.hi);
    for (const FittedParameter& p : fit.parameters) {
        EXPECT_LE(p.estimate.lo, p.estimate.value);
        EXPECT_GE(p.estimate.hi, p.estimate.value);
    }
}

TEST(CredibleIntervals, ModelsWithoutAPosteriorKeepProfiles) {
    const auto s = spectrum_of(0.2, 6000.0);
    const SpectralFit pair = fit_spectrum(s, "tbabs*(bbody+powerlaw)", {}, credible());
    EXPECT_EQ(pair.flags & (fit_credible | fit_not_refined), 0U);
    for (const FittedParameter& p : pair.parameters)
        EXPECT_EQ(p.flags & (parameter_credible | parameter_not_profiled), 0U) << p.name;
    // a norm that may be 0 has no posterior
    const SpectralFit faint = fit_spectrum(spectrum_of(0.2, 3.0), "tbabs*powerlaw", {}, credible());
    EXPECT_EQ(faint.flags & fit_credible, 0U);
}

TEST(CredibleIntervals, DoNotChangeWhatIsOffered) {
    for (const double counts : {60.0, 600.0, 6000.0}) {
        SCOPED_TRACE(counts);
        const auto s = spectrum_of(0.2, counts);
        const FitData data(s);
        const FitInput input{&s, &data};
        const auto offered = [&](const spectral::FitOptions& options) {
            std::vector<ModelTask> tasks;
            for (const char* name : {"tbabs*powerlaw", "tbabs*bbody", "tbabs*apec"})
                tasks.push_back({test::model(name), {}});
            auto fits = fit_models(
                std::span(&input, 1), tasks, options, [](std::size_t, const auto& step) { step(); });
            select_model(fits, options.criterion);
            std::vector<std::pair<std::string, double>> out;
            for (const SpectralFit& fit : fits)
                out.emplace_back(fit.selected ? fit.model : fit.choice, fit.stat);
            return out;
        };
        EXPECT_EQ(offered(credible()), offered({}));
    }
}

}  // namespace
