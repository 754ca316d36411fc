// Spectra drawn from a fit and fitted on a lattice, beside full refits of the same draws.
#include "found_by_engine.hpp"
#include "simulated_spectrum.hpp"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include <xsift/engine/factory.hpp>
#include <xsift/refine/simulations.hpp>

namespace {

using namespace xsift;
using namespace xsift::refine;

/// A fit with its spectrum, and its simulations with and without a lattice.
struct Simulated {
    spectral::PreparedSpectrum spectrum;
    FitData data{spectrum};
    FitInput input{&spectrum, &data};
    spectral::FitOptions options;
    SpectralFit fit;

    Simulated(spectral::PreparedSpectrum s, const std::string& model, int draws,
              spectral::FitOptions with = {})
        : spectrum(std::move(s)), options(std::move(with)) {
        options.posterior = false;
        options.bootstrap_simulations = draws;
        options.goodness_simulations = draws / 2;
        fit = fit_spectrum(spectrum, model, {}, options);
    }
    Simulated(const Simulated&) = delete;
    Simulated& operator=(const Simulated&) = delete;

    Simulations simulations(bool on_lattice) const {
        return {std::span(&input, 1), test::model(fit.model, options), fit, options, 21, on_lattice};
    }
};

std::vector<spectral::LatticeMinimum> found_on(const Simulations& simulations) {
    const ThreadPool pool(1);
    return test::found_by_engine(simulations, *engine::make_cpu_engines(pool).grid);
}

/// 84% less 16%, halved.
double scatter(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    const auto at = [&](double share) {
        return values[static_cast<std::size_t>(share * static_cast<double>(values.size()))];
    };
    return 0.5 * (at(0.84) - at(0.16));
}

void expect_those_of_refits(const Simulated& of, int most_refitted) {
    const Simulations whole = of.simulations(false), lattice = of.simulations(true);
    ASSERT_TRUE(lattice.task());
    const std::vector<DrawnFit> wanted = whole.fits({}), ours = lattice.fits(found_on(lattice));
    ASSERT_EQ(ours.size(), wanted.size());
    EXPECT_LE(std::count_if(ours.begin(), ours.end(), [](const DrawnFit& f) { return f.refitted; }),
              most_refitted);
    const auto n = std::ssize(ours);
    int far = 0;
    for (std::size_t d = 0; d < ours.size(); ++d) {
        // where the statistic is lower by more the refit has ended in another minimum
        EXPECT_LT(ours[d].stat, wanted[d].stat + 0.05) << d;
        far += std::fabs(ours[d].stat - wanted[d].stat) > 0.02 ? 1 : 0;
    }
    EXPECT_LE(far, n / 20);
    for (std::size_t k = 0; k < of.fit.parameters.size(); ++k) {
        std::vector<double> values;
        for (const DrawnFit& f : wanted) values.push_back(f.values[k]);
        const double sigma = scatter(values);
        far = 0;
        for (std::size_t d = 0; d < ours.size(); ++d)
            far += std::fabs(ours[d].values[k] - wanted[d].values[k]) > 0.1 * sigma ? 1 : 0;
        EXPECT_LE(far, n / 10) << of.fit.parameters[k].name;
    }
    EXPECT_NEAR(lattice.summarise(ours).gof_pvalue, whole.summarise(wanted).gof_pvalue,
                4.0 / static_cast<double>(n));
}

TEST(Simulations, OnALatticeAreThoseOfRefits) {
    for (const auto& [model, parameter] : {std::pair{"tbabs*powerlaw", 2.0}, std::pair{"tbabs*bbody", 0.5},
                                           std::pair{"tbabs*bremss", 3.0}, std::pair{"tbabs*apec", 1.3}})
        for (const double counts : {300.0, 4000.0}) {
            SCOPED_TRACE(testing::Message() << model << ", " << counts);
            expect_those_of_refits(
                {test::simulated_spectrum({model, 0.1, parameter, 0.0, counts}, 5, {}), model, 60}, 6);
        }
}

TEST(Simulations, OfARealSpectrum) {
    expect_those_of_refits({spectral::prepare(test::pn_spectrum("000E"), {}), "tbabs*powerlaw", 60}, 6);
}

TEST(Simulations, WithoutABackgroundOrASecondShapeParameter) {
    auto s = test::simulated_spectrum({"tbabs*powerlaw", 0.1, 1.8, 0.0, 900.0}, 8, {});
    s.background_counts.clear();
    s.background_exposure = 0.0;
    expect_those_of_refits({s, "tbabs*powerlaw", 40}, 4);
    spectral::FitOptions frozen;
    frozen.parameters = {"tbabs.nH = 0.1 frozen"};
    expect_those_of_refits({s, "tbabs*powerlaw", 40, frozen}, 4);
    frozen.parameters.push_back("powerlaw.PhoIndex = 1.8 frozen");
    expect_those_of_refits({s, "tbabs*powerlaw", 40, frozen}, 0);
}

// Columns at the tabulated temperatures, between which a spectrum is linear: nothing is interpolated but the
// column density.
TEST(Simulations, OfAPlasmaAreAsExactAsItsTable) {
    spectral::FitOptions frozen;
    frozen.parameters = {"tbabs.nH = 0.1 frozen"};
    const Simulated of(test::simulated_spectrum({"tbabs*apec", 0.1, 0.9, 0.0, 1500.0}, 8, {}), "tbabs*apec",
                       40, frozen);
    const Simulations whole = of.simulations(false), lattice = of.simulations(true);
    ASSERT_TRUE(lattice.task());
    EXPECT_TRUE(lattice.task()->tabulated);
    EXPECT_EQ(lattice.task()->rows, 1);
    const std::vector<DrawnFit> wanted = whole.fits({}), ours = lattice.fits(found_on(lattice));
    for (std::size_t d = 0; d < ours.size(); ++d) {
        EXPECT_NEAR(ours[d].stat, wanted[d].stat, 1e-4) << d;
        EXPECT_NEAR(ours[d].values[1], wanted[d].values[1], 2e-3 * wanted[d].values[1]) << d;
    }
}

TEST(Simulations, WhatTheLatticeDoesNotHoldIsRefitted) {
    const Simulated of(test::simulated_spectrum({"tbabs*powerlaw", 0.1, 1.8, 0.0, 600.0}, 9, {}),
                       "tbabs*powerlaw", 6);
    const Simulations simulations = of.simulations(true);
    auto found = found_on(simulations);
    ASSERT_EQ(found.size(), 6U);
    found[1].converged = false;
    found[4].at.column = 0.0;  // photon index: its limit is far
    const auto fits = simulations.fits(found), refits = simulations.fits({});
    for (const std::size_t d : {std::size_t{1}, std::size_t{4}}) {
        EXPECT_TRUE(fits[d].refitted);
        EXPECT_EQ(fits[d].stat, refits[d].stat);
        EXPECT_EQ(fits[d].values, refits[d].values);
    }
    EXPECT_FALSE(fits[0].refitted);
}

TEST(Simulations, SomeFitsHaveNoLattice) {
    const auto s = test::simulated_spectrum({"tbabs*powerlaw", 0.1, 1.8, 0.0, 3000.0}, 10, {});
    EXPECT_FALSE(Simulated(s, "tbabs*(bbody+powerlaw)", 3).simulations(true).task());
    spectral::FitOptions three;
    three.parameters = {"apec.Abundanc free"};
    EXPECT_FALSE(Simulated(s, "tbabs*apec", 3, three).simulations(true).task()) << "three shape parameters";
    EXPECT_FALSE(Simulated(s, "tbabs*powerlaw", 3).simulations(false).task());
    auto scaled = s;
    scaled.bin_background_exposure.assign(s.n_bins(), s.background_exposure);
    EXPECT_FALSE(Simulated(scaled, "tbabs*powerlaw", 3).simulations(true).task());
    auto faint = s;
    for (std::size_t k = 0; k < s.n_bins(); ++k)  // nothing of a source
        faint.counts[k] = std::floor(s.background_counts[k] * s.source_exposure / s.background_exposure);
    EXPECT_FALSE(Simulated(faint, "tbabs*powerlaw", 3).simulations(true).task());
    const Simulated of(s, "tbabs*powerlaw", 3);
    const std::vector<FitInput> two{of.input, of.input};
    SpectralFit fit = fit_spectra(two, test::model("tbabs*powerlaw"), {}, of.options);
    EXPECT_FALSE(Simulations(two, test::model("tbabs*powerlaw"), fit, of.options, 1, true).task());
    fit = of.fit;
    fit.statistic = "chi2";
    EXPECT_FALSE(
        Simulations(std::span(&of.input, 1), test::model("tbabs*powerlaw"), fit, of.options, 1, true).task());
}

}  // namespace
