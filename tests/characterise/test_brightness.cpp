// Values of a published survey report of one source: G 17.6, parallax 1.9836 mas, flux 3.06e-14 erg/cm2/s.

#include <cmath>

#include <gtest/gtest.h>

#include <xsift/characterise/brightness.hpp>

namespace {

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

TEST(Brightness, MaccacaroRatio) {
    // Fx = 1e-12, V = 15: -12 + 6 + 5.37.
    EXPECT_NEAR(maccacaro_ratio(1e-12, 15.0), -0.63, 1e-12);
}

TEST(Brightness, NoDistanceFromAnUncertainParallax) {
    EXPECT_FALSE(distance_from_parallax(1.0, 0.2).has_value());
    EXPECT_FALSE(distance_from_parallax(-1.0, 0.01).has_value());
    EXPECT_FALSE(distance_from_parallax(1.0, 0.0).has_value());
    EXPECT_FALSE(distance_from_parallax(std::nan(""), 0.1).has_value());
    EXPECT_TRUE(distance_from_parallax(1.0, 0.19).has_value());
}

}  // namespace
