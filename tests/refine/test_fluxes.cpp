// Intervals of fluxes: against a search of all models of a fine grid, one-sided limits, bands.
#include "simulated_spectrum.hpp"

#include <cmath>
#include <limits>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <xsift/refine/spectra.hpp>
#include <xsift/spectral/model.hpp>
#include <xsift/spectral/profile.hpp>

namespace {

using namespace xsift;
using namespace xsift::refine;

/// The lowest W-stat of all power laws of a grid whose flux in the band is a given one: no descent, no
/// derivatives.
class FluxOracle {
  public:
    FluxOracle(const spectral::PreparedSpectrum& s, const SpectralFit& fit,
               const spectral::FitOptions& options, bool unabsorbed)
        : s_(s) {
        constexpr int n = 61;
        spectral::FluxBand band(test::model("tbabs*powerlaw"), options.abundance, options.flux_lo,
                                options.flux_hi);
        spectral::ModelEvaluator model(test::model("tbabs*powerlaw"), options.abundance,
                                       spectral::EnergyBins::from_bounds(s.energy_lo, s.energy_hi));
        const auto value = [](const Estimate& e, int i) {
            return e.value +
                   1.6 * (i < n / 2 ? e.value - e.lo : e.hi - e.value) * (2.0 * i / (n - 1.0) - 1.0);
        };
        for (int i = 0; i < n; ++i)
            for (int j = 0; j < n; ++j) {
                const double nh = std::max(0.0, value(fit.nh, i)), index = value(fit.gamma, j);
                const std::vector<double> values{nh, index, 1.0};
                const auto photons = model.photons(values);
                std::vector<double> rate(s.n_bins());
                spectral::fold<1>(s, {photons.data()}, {rate.data()});
                rates_.push_back(std::move(rate));
                flux_.push_back(
                    (unabsorbed ? band.unabsorbed(values, false) : band.absorbed(values, false)).unit[0]);
            }
    }
    double lowest(double flux, double most_norm = 1.0) const {
        double best = std::numeric_limits<double>::infinity();
        for (std::size_t m = 0; m < rates_.size(); ++m) {
            if (flux / flux_[m] > most_norm) continue;
            double stat = 0.0;
            for (std::size_t k = 0; k < s_.n_bins(); ++k)
                stat += spectral::bin_statistic(s_.counts[k], s_.background_counts[k], s_.source_exposure,
                                                s_.background_exposure_of(k), flux / flux_[m] * rates_[m][k]);
            best = std::min(best, stat);
        }
        return best;
    }

  private:
    const spectral::PreparedSpectrum& s_;
    std::vector<std::vector<double>> rates_;
    std::vector<double> flux_;
};

TEST(FluxIntervals, EndWhereNoModelOfThatFluxIsAsGood) {
    spectral::FitOptions options;
    const auto s = test::simulated_spectrum({"tbabs*powerlaw", 0.3, 1.8, 0.0, 600.0}, 3, options);
    const SpectralFit fit = fit_spectrum(s, "tbabs*powerlaw", {}, options);
    ASSERT_EQ(fit.fluxes.size(), 1U);
    EXPECT_EQ(fit.fluxes[0].flags, 0U);
    for (const bool unabsorbed : {false, true}) {
        const FluxOracle oracle(s, fit, options, unabsorbed);
        const Estimate& flux = unabsorbed ? fit.flux_unabsorbed : fit.flux;
        // the grid is coarse: it may miss the lowest by a little, never undercut it
        for (const double end : {flux.lo, flux.hi}) {
            const double rise = oracle.lowest(end) - fit.stat;
            EXPECT_GT(rise, 0.97 * options.confidence_delta) << unabsorbed;
            EXPECT_LT(rise, 1.06 * options.confidence_delta) << unabsorbed;
        }
        EXPECT_LT(flux.lo, flux.value);
        EXPECT_GT(flux.hi, flux.value);
    }
    // covariance and profile agree where the statistic is nearly quadratic
    EXPECT_NEAR(fit.fluxes[0].absorbed_error * 2.0 * std::sqrt(2.706) / (fit.flux.hi - fit.flux.lo), 1.0,
                0.15);
}

TEST(FluxIntervals, HaveBothEndsWhereTheNormIsAtItsLimit) {
    spectral::FitOptions options;
    const auto s = test::simulated_spectrum({"tbabs*powerlaw", 0.3, 1.8, 0.0, 600.0}, 3, options);
    const SpectralFit free = fit_spectrum(s, "tbabs*powerlaw", {}, options);
    const double most_norm = 0.75 * free.norm.value;
    options.parameters = {fmt::format("powerlaw.norm in 1e-12:{}", most_norm)};
    const SpectralFit fit = fit_spectrum(s, "tbabs*powerlaw", {}, options);
    ASSERT_NEAR(fit.norm.value, most_norm, 1e-9 * most_norm);
    for (const bool unabsorbed : {false, true}) {
        SCOPED_TRACE(unabsorbed);
        const FluxOracle oracle(s, fit, options, unabsorbed);
        const Estimate& flux = unabsorbed ? fit.flux_unabsorbed : fit.flux;
        for (const double end : {flux.lo, flux.hi}) {
            // few shapes of the grid have the flux just at the limit of the norm: it misses the lowest by
            // more
            const double rise = oracle.lowest(end, most_norm) - fit.stat;
            EXPECT_GT(rise, 0.97 * options.confidence_delta) << end / flux.value;
            EXPECT_LT(rise, 1.15 * options.confidence_delta) << end / flux.value;
        }
    }
    EXPECT_EQ(fit.fluxes[0].flags, 0U);
}

TEST(FluxIntervals, OfFurtherBandsStandBesideThatOfTheFluxBand) {
    spectral::FitOptions options;
    options.flux_bands = {{0.5, 2.0}, {2.0, 10.0}};
    const auto s = test::simulated_spectrum({}, 3, options);
    const SpectralFit fit = fit_spectrum(s, "tbabs*powerlaw", {}, options);
    ASSERT_EQ(fit.fluxes.size(), 3U);
    EXPECT_EQ(fit.fluxes[0].band_lo, 0.2);
    EXPECT_EQ(fit.fluxes[2].band_hi, 10.0);
    for (const FluxEstimate& flux : fit.fluxes) {
        EXPECT_LT(flux.absorbed.lo, flux.absorbed.value);
        EXPECT_GT(flux.absorbed.hi, flux.absorbed.value);
        EXPECT_GE(flux.unabsorbed.value, flux.absorbed.value);
    }
    EXPECT_LT(fit.fluxes[1].absorbed.value + fit.fluxes[2].absorbed.value, fit.flux.value);
    // the index is known from all energies: the band with most of the counts is known best
    const auto relative = [](const Estimate& e) { return (e.hi - e.lo) / e.value; };
    EXPECT_LT(relative(fit.fluxes[1].absorbed), relative(fit.fluxes[2].absorbed));
}

TEST(FluxIntervals, WithoutASourceAreUpperLimits) {
    spectral::FitOptions options;
    const auto s = test::simulated_spectrum({"tbabs*powerlaw", 0.3, 1.8, 0.0, 1e-6}, 5, options);
    const SpectralFit fit = fit_spectrum(s, "tbabs*powerlaw", {}, options);
    EXPECT_TRUE(fit.fluxes[0].flags & flux_no_lower_end);
    EXPECT_EQ(fit.flux.lo, 0.0);
    EXPECT_TRUE(fit.flags & fit_flux_unconstrained);
}

}  // namespace
