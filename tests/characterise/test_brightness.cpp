// Values of a published survey report of one source: G 17.6, parallax 1.9836 mas, flux 3.06e-14 erg/cm2/s.

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <xsift/characterise/brightness.hpp>

namespace {

using namespace xsift;
using namespace xsift::characterise;

TEST(Brightness, ReproducesTheReportOfAStar) {
    const double optical = optical_flux(17.598, gaia_g_zero_report);
    EXPECT_NEAR(optical, 9.59e-13, 0.01e-13);
    EXPECT_NEAR(3.06e-14 / optical, 0.032, 0.001);
    const auto distance = distance_from_parallax(1.9836, 0.09);
    ASSERT_TRUE(distance.has_value());
    EXPECT_NEAR(*distance, 504.1, 0.1);
    EXPECT_NEAR(luminosity(3.06e-14, *distance), 9.31e29, 0.01e29);
}

TEST(Brightness, FluxRatiosOfTheReportsFits) {
    // Fluxes of the report's four fits, 0.2-12 keV, from XSPEC's own model functions with its abundances
    // (tests/data/xspec-reference/fluxes.csv, rows angr). The report gives 0.03 to 0.06: the highest is 0.054
    // with its zero point, 0.056 with the physical one.
    const double report = optical_flux(17.598, gaia_g_zero_report),
                 physical = optical_flux(17.598, gaia_g_zero_physical);
    const std::pair<double, double> fits[]{
        {3.057e-14, 0.0319}, {3.288e-14, 0.0343}, {4.719e-14, 0.0492}, {5.226e-14, 0.0545}};
    for (const auto& [flux, ratio] : fits) {
        EXPECT_NEAR(flux / report, ratio, 0.0002);
        EXPECT_GT(flux / report, 0.03);
        EXPECT_LT(flux / physical, 0.06);
    }
    EXPECT_NEAR(fits[3].first / physical, 0.0565, 0.0002);
}

TEST(Brightness, MaccacaroRatio) {
    // Fx = 1e-12, V = 15: -12 + 6 + 5.37.
    EXPECT_NEAR(maccacaro_ratio(1e-12, 15.0), -0.63, 1e-12);
}

TEST(Brightness, VFromGaia) {
    // A star like the Sun, BP - RP 0.82: G - V is about -0.16.
    EXPECT_NEAR(johnson_v(10.0, 10.3, 9.48) - 10.0, 0.16, 0.02);
    // Barnard's star, an M4 dwarf with V = 9.51: G 8.194, BP 9.791, RP 6.959.
    EXPECT_NEAR(johnson_v(8.194, 9.791, 6.959), 9.51, 0.1);
    EXPECT_TRUE(std::isnan(johnson_v(10.0, 16.0, 10.0)));
    EXPECT_TRUE(std::isnan(johnson_v(10.0, NAN, 10.0)));
}

TEST(Brightness, NoDistanceFromAnUncertainParallax) {
    EXPECT_FALSE(distance_from_parallax(1.0, 0.2).has_value());
    EXPECT_FALSE(distance_from_parallax(-1.0, 0.01).has_value());
    EXPECT_FALSE(distance_from_parallax(1.0, 0.0).has_value());
    EXPECT_FALSE(distance_from_parallax(std::nan(""), 0.1).has_value());
    EXPECT_TRUE(distance_from_parallax(1.0, 0.19).has_value());
}

TEST(Brightness, DistanceOfAGoodParallaxIsItsInverse) {
    const Distance distance = distance_of(1.9836, 0.09, {0.0, 1350.0, 0.9});
    EXPECT_FALSE(distance.from_prior);
    EXPECT_NEAR(distance.value.value, 504.1, 0.1);
    EXPECT_NEAR(distance.value.lo, 1000.0 / (1.9836 + 1.644854 * 0.09), 1e-3);
    EXPECT_NEAR(distance.value.hi, 1000.0 / (1.9836 - 1.644854 * 0.09), 1e-3);
    EXPECT_NEAR(distance_of(1.9836, 0.09, {-0.017, 1350.0, 0.9}).value.value, 1000.0 / 2.0006, 1e-9);
}

TEST(Brightness, DistanceWithoutInformationIsThePrior) {
    // A parallax without weight leaves r^2 exp(-r/L): a gamma distribution of shape 3. Its quantiles at 5, 50
    // and 95% are 0.81769, 2.67406 and 6.29579 L.
    const Distance distance = distance_of(0.0, 1e4, {0.0, 1000.0, 0.9});
    EXPECT_TRUE(distance.from_prior);
    EXPECT_NEAR(distance.value.lo, 817.69, 0.1);
    EXPECT_NEAR(distance.value.value, 2674.06, 0.1);
    EXPECT_NEAR(distance.value.hi, 6295.79, 0.1);
    EXPECT_NEAR(posterior_mode(0.0, 1e4, 1000.0), 2000.0, 0.1);  // 2 L, Bailer-Jones (2015), section 7
}

TEST(Brightness, DistanceOfAnUncertainParallaxFollowsBothItsSides) {
    // Brute force: the posterior summed on a grid of 1 pc.
    const double parallax = 0.4, error = 0.2, scale = 1350.0;
    std::vector<double> sum{0.0};
    for (int r = 1; r < 60000; ++r) {
        const double pull = (parallax - 1000.0 / r) / error;
        sum.push_back(sum.back() + double(r) * r * std::exp(-r / scale - 0.5 * pull * pull));
    }
    auto quantile = [&](double share) {
        const auto at = std::lower_bound(sum.begin(), sum.end(), share * sum.back());
        return static_cast<double>(at - sum.begin());
    };
    const Distance distance = distance_of(parallax, error, {0.0, scale, 0.9});
    EXPECT_TRUE(distance.from_prior);
    EXPECT_NEAR(distance.value.lo, quantile(0.05), 2.0);
    EXPECT_NEAR(distance.value.value, quantile(0.5), 2.0);
    EXPECT_NEAR(distance.value.hi, quantile(0.95), 2.0);
    EXPECT_GT(distance.value.value, posterior_mode(parallax, error, scale));
    EXPECT_TRUE(std::isnan(distance_of(std::nan(""), 0.1, {}).value.value));
    EXPECT_TRUE(std::isnan(distance_of(0.4, std::nan(""), {}).value.value));
}

TEST(Brightness, LuminosityCarriesBothErrors) {
    const Estimate found = luminosity(Estimate{3.06e-14, 2.8e-14, 3.4e-14}, Estimate{504.1, 470.0, 545.0});
    EXPECT_NEAR(found.value, 9.31e29, 0.01e29);
    EXPECT_NEAR(std::log(found.lo / found.value),
                -std::hypot(std::log(2.8 / 3.06), 2 * std::log(470.0 / 504.1)), 1e-12);
    EXPECT_NEAR(std::log(found.hi / found.value),
                std::hypot(std::log(3.4 / 3.06), 2 * std::log(545.0 / 504.1)), 1e-12);
    EXPECT_TRUE(std::isnan(luminosity(Estimate{}, Estimate{504.1, 470.0, 545.0}).value));
    EXPECT_TRUE(
        std::isnan(luminosity(Estimate{1e-14, not_measured, not_measured}, Estimate{504.1, 1.0, 2.0}).lo));
}

}  // namespace
