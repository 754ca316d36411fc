// A spectrum arranged for fits: whole, and behind merged energies.
#include "model_photons.hpp"
#include "pn_spectrum.hpp"

#include <numeric>

#include <gtest/gtest.h>

#include <xsift/refine/fit_data.hpp>

namespace xsift::refine {
namespace {

std::vector<double> folded(const FitData& data, std::span<const double> photons) {
    const std::size_t width = FitData::padded(1);
    std::vector<double> side(data.n_energies() * width, 0.0), rate(data.n_bins());
    for (std::size_t i = 0; i < photons.size(); ++i) side[i * width] = photons[i];
    data.fold(side, 1, rate.data(), rate.size());
    return rate;
}

std::vector<double> photons_of(const FitData& data, double nh, double index) {
    return test::photons("tbabs*powerlaw", nh, index, spectral::Abundance::wilm, data.energy_lo,
                         data.energy_hi);
}

TEST(FitData, MergedEnergiesFoldNearlyTheSameAndExactlyWhenWeighted) {
    const auto prepared = spectral::prepare(test::pn_spectrum("0007"), {});
    const FitData whole(prepared);
    const FitData& coarse = whole.coarse();
    ASSERT_TRUE(whole.has_coarse());
    EXPECT_LT(2 * coarse.n_energies(), whole.n_energies());
    EXPECT_EQ(coarse.energy_lo.front(), whole.energy_lo.front());
    EXPECT_EQ(coarse.energy_hi.back(), whole.energy_hi.back());

    const auto photons = photons_of(whole, 0.1, 2.0), merged = photons_of(coarse, 0.1, 2.0);
    const std::vector<double> exact = folded(whole, photons), near = folded(coarse, merged),
                              same = folded(whole.weighted(photons, merged), merged);
    const double total = std::accumulate(exact.begin(), exact.end(), 0.0);
    for (std::size_t k = 0; k < exact.size(); ++k) {
        EXPECT_NEAR(near[k], exact[k], 0.02 * exact[k] + 1e-5 * total) << k;
        EXPECT_NEAR(same[k], exact[k], 1e-9 * exact[k]) << k;
    }
}

TEST(FitData, ModelsSideBySideAreFoldedAsAlone) {
    const FitData data(spectral::prepare(test::pn_spectrum("0007"), {}));
    for (const std::size_t n : {2u, 5u, 8u, 11u, 14u}) {  // narrow passes, wide ones, both, filled or not
        const std::size_t width = FitData::padded(n);
        std::vector<double> side(data.n_energies() * width, 0.0), rate(n * data.n_bins());
        for (std::size_t m = 0; m < n; ++m) {
            const auto photons = photons_of(data, 0.1 * static_cast<double>(m), 1.5);
            for (std::size_t i = 0; i < photons.size(); ++i) side[i * width + m] = photons[i];
        }
        data.fold(side, n, rate.data(), data.n_bins());
        for (std::size_t m = 0; m < n; ++m) {
            const auto alone = folded(data, photons_of(data, 0.1 * static_cast<double>(m), 1.5));
            for (std::size_t k = 0; k < alone.size(); ++k) EXPECT_EQ(rate[m * data.n_bins() + k], alone[k]);
        }
    }
}

}  // namespace
}  // namespace xsift::refine
