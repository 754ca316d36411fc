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

/// A fit with its spectra, and its simulations with and without a lattice.
struct Simulated {
    std::vector<spectral::PreparedSpectrum> spectra;
    std::vector<FitData> data;
    std::vector<FitInput> inputs;
    spectral::FitOptions options;
    std::string model;
    SpectralFit fit;

    Simulated(std::vector<spectral::PreparedSpectrum> together, std::string of, int draws,
              spectral::FitOptions with = {})
        : spectra(std::move(together)),
          data(spectra.begin(), spectra.end()),
          options(std::move(with)),
          model(std::move(of)) {
        options.posterior = false;
        options.bootstrap_simulations = draws;
        options.goodness_simulations = draws / 2;
        for (std::size_t i = 0; i < spectra.size(); ++i) inputs.push_back({&spectra[i], &data[i]});
        fit = fit_spectra(inputs, test::model(model, options), {}, options);
    }
    Simulated(spectral::PreparedSpectrum one, const std::string& of, int draws,
              const spectral::FitOptions& with = {})
        : Simulated(std::vector{std::move(one)}, of, draws, with) {}
    Simulated(const Simulated&) = delete;
    Simulated& operator=(const Simulated&) = delete;

    Simulations simulations(bool on_lattice) const {
        return {inputs, test::model(model, options), fit, options, 21, on_lattice};
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

TEST(Simulations, OfSeveralInstrumentsTogether) {
    const test::SimulatedTruth power_law{"tbabs*powerlaw", 0.1, 1.8, 2e-5, 0.0},
        plasma{"tbabs*apec", 0.1, 1.3, 5e-5, 0.0};
    for (const test::SimulatedTruth& truth : {power_law, plasma}) {
        SCOPED_TRACE(truth.model);
        std::vector<spectral::PreparedSpectrum> spectra{test::simulated_spectrum(truth, 31, {}, "0007"),
                                                        test::simulated_spectrum(truth, 32, {}, "000E", 0.8),
                                                        test::simulated_spectrum(truth, 33, {}, "0079", 1.2)};
        expect_those_of_refits({spectra, truth.model, 60}, 6);
        spectra.pop_back();
        spectra.back().background_counts.clear();
        spectra.back().background_exposure = 0.0;
        expect_those_of_refits({spectra, truth.model, 40}, 4);
    }
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
                       "tbabs*powerlaw", 20);
    const Simulations simulations = of.simulations(true);
    auto found = found_on(simulations);
    ASSERT_EQ(found.size(), 20U);
    found[1].converged = false;
    found[4].at.column = 0.0;  // photon index: its limit is far
    const auto fits = simulations.fits(found), refits = simulations.fits({});
    for (const std::size_t d : {std::size_t{1}, std::size_t{4}}) {
        EXPECT_TRUE(fits[d].refitted);
        EXPECT_EQ(fits[d].stat, refits[d].stat);
        EXPECT_EQ(fits[d].values, refits[d].values);
    }
    EXPECT_FALSE(fits[0].refitted);
    for (std::size_t d = 0; d < 4; ++d) found[d].converged = false;
    const auto all = simulations.fits(found);
    EXPECT_TRUE(std::all_of(all.begin(), all.end(), [](const DrawnFit& f) { return f.refitted; }))
        << "those that stay on a lattice that many leave are no sample";
}

TEST(Simulations, FactorsKeepToTheirLimits) {
    test::SimulatedTruth truth{"tbabs*powerlaw", 0.1, 1.8, 4e-5, 0.0};
    const auto first = test::simulated_spectrum(truth, 31, {});
    // a second instrument that saw next to nothing of the source: 0.05 is the lowest factor
    const Simulated of({first, test::simulated_spectrum(truth, 32, {}, "0007", 0.02)}, truth.model, 30);
    const Simulations simulations = of.simulations(true);
    const auto fits = simulations.fits(found_on(simulations)), refits = simulations.fits({});
    int at_limit = 0;
    for (std::size_t d = 0; d < fits.size(); ++d) {
        const double factor = fits[d].values.back();
        EXPECT_GE(factor, 0.05 * (1.0 - 1e-9));
        EXPECT_NEAR(factor, refits[d].values.back(), 0.01) << d;
        EXPECT_NEAR(fits[d].stat, refits[d].stat, 0.05) << d;
        at_limit += factor < 0.0501 && !fits[d].refitted ? 1 : 0;
    }
    EXPECT_GT(at_limit, 3);
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
    EXPECT_TRUE(Simulated(std::vector(3, s), "tbabs*powerlaw", 3).simulations(true).task());
    EXPECT_FALSE(Simulated(std::vector(4, s), "tbabs*powerlaw", 3).simulations(true).task());
    const Simulated of(s, "tbabs*powerlaw", 3);
    SpectralFit fit = of.fit;
    fit.statistic = "chi2";
    EXPECT_FALSE(Simulations(of.inputs, test::model("tbabs*powerlaw"), fit, of.options, 1, true).task());
}

}  // namespace
