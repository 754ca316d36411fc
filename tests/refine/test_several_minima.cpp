// Two components that can exchange their roles, and faint plasmas that are hot or cold: intervals hold what
// the statistic holds, and say that they span two minima.
#include "model_photons.hpp"
#include "pn_spectrum.hpp"
#include "simulated_spectrum.hpp"

#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <xsift/core/random.hpp>
#include <xsift/refine/spectra.hpp>

namespace {

using namespace xsift;
using namespace xsift::refine;

const std::string text = "tbabs*(bremss+powerlaw)";
const std::vector<double> shapes{0.1, 0.3, 1.5};  // nH, kT, photon index

/// A real spectrum with counts drawn anew: half of them soft bremsstrahlung, half a power law, above the real
/// background.
spectral::PreparedSpectrum simulated(double counts, std::uint64_t seed, std::vector<double>& truth) {
    const spectral::FitOptions options;
    auto p = spectral::prepare(test::pn_spectrum("0007"), options);
    const auto model = test::model(text);
    truth = model->initial_values();
    std::vector<double> rate(p.n_bins(), 0.0);
    std::size_t shape = 0;
    std::vector<std::size_t> norms;
    for (std::size_t k = 0; k < truth.size(); ++k)
        if (model->parameters[k].is_norm)
            norms.push_back(k);
        else
            truth[k] = shapes[shape++];
    for (const std::size_t norm : norms) {
        std::vector<double> only = truth, unit(p.n_bins());
        for (const std::size_t k : norms) only[k] = k == norm ? 1.0 : 0.0;
        const auto photons = test::photons(text, only, options.abundance, p.energy_lo, p.energy_hi);
        spectral::fold<1>(p, {photons.data()}, {unit.data()});
        double total = 0.0;
        for (const double r : unit) total += p.source_exposure * r;
        truth[norm] = 0.5 * counts / total;
        for (std::size_t k = 0; k < rate.size(); ++k) rate[k] += truth[norm] * unit[k];
    }
    RandomStream random(seed, 0);
    for (std::size_t k = 0; k < rate.size(); ++k) {
        const double background = p.background_counts[k] / p.background_exposure;
        p.counts[k] = static_cast<double>(random.poisson(p.source_exposure * (rate[k] + background)));
        p.background_counts[k] = static_cast<double>(random.poisson(p.background_exposure * background));
    }
    return p;
}

/// How far the statistic rises with nH held at a value, from the truth and from the fit.
double rise_at(const spectral::PreparedSpectrum& s, const SpectralFit& fit, double nh,
               const std::vector<double>& truth) {
    spectral::FitOptions options;
    options.posterior = false;
    options.parameters = {fmt::format("tbabs.nH = {} frozen", nh)};
    std::vector<double> best;
    for (const FittedParameter& p : fit.parameters) best.push_back(p.estimate.value);
    const std::vector<StartingPoint> starts{truth, best};
    return fit_spectrum(s, text, starts, options).stat - fit.stat;
}

TEST(SeveralMinima, IntervalsReachAsFarAsTheOtherMinimumDoes) {
    // Here the hotter component may be either of the two. The other minimum's nH lies inside the interval
    // around the best one, but its own interval reaches further down: with that left out, the rise at the end
    // is 1.5.
    for (const std::uint64_t seed : {20, 28}) {
        SCOPED_TRACE(seed);
        std::vector<double> truth;
        const auto s = simulated(1000.0, seed, truth);
        spectral::FitOptions options;
        options.posterior = false;
        const SpectralFit fit = fit_spectrum(s, text, {}, options);
        const FittedParameter& nh = fit.parameters[0];
        ASSERT_EQ(nh.name, "nH");
        EXPECT_TRUE(nh.flags & parameter_several_minima);
        EXPECT_TRUE(fit.flags & fit_several_minima);
        EXPECT_NEAR(rise_at(s, fit, nh.estimate.lo, truth), options.confidence_delta, 0.08);
    }
}

TEST(SeveralMinima, AFaintPlasmaIsHotAndBareOrColdAndAbsorbed) {
    int several = 0;
    // nH, kT, abundance, redshift, norm; a run has the minima of its grid to begin from
    const std::vector<StartingPoint> starts{{0.02, 2.0, 1.0, 0.0, 1e-5}, {2.0, 0.15, 1.0, 0.0, 1e-3}};
    for (std::uint64_t seed = 1; seed <= 60 && several < 3; ++seed) {
        SCOPED_TRACE(seed);
        spectral::FitOptions options;
        options.posterior = false;
        const auto s = test::simulated_spectrum({"tbabs*apec", 0.04, 1.5, 0.0, 30.0}, seed, options);
        const SpectralFit fit = fit_spectrum(s, "tbabs*apec", starts, options);
        if ((fit.flags & fit_several_minima) == 0) continue;
        ++several;
        const FittedParameter& kt = fit.parameters[1];
        ASSERT_EQ(kt.name, "kT");
        for (const StartingPoint& start : starts) {
            const SpectralFit there = fit_spectrum(s, "tbabs*apec", std::span(&start, 1), options);
            if (there.stat - fit.stat > 0.9 * options.confidence_delta) continue;
            EXPECT_GE(there.kt.value, kt.estimate.lo);
            EXPECT_LE(there.kt.value, kt.estimate.hi);
        }
        EXPECT_LT(kt.estimate.lo, 0.4);
        EXPECT_GT(kt.estimate.hi, 0.9);
    }
    EXPECT_EQ(several, 3);
}

TEST(SeveralMinima, OneMinimumIsNotFlagged) {
    std::vector<double> truth;
    const auto s = simulated(1000.0, 30, truth);
    spectral::FitOptions options;
    options.posterior = false;
    const SpectralFit fit = fit_spectrum(s, text, {}, options);
    EXPECT_FALSE(fit.parameters[0].flags & parameter_several_minima);
    EXPECT_FALSE(fit_spectrum(s, "tbabs*powerlaw", {}, options).flags & fit_several_minima);
}

}  // namespace
