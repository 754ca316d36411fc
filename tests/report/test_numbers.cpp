// Numbers as people write them.
#include <cmath>

#include <gtest/gtest.h>

#include <xsift/report/page.hpp>

namespace {

using namespace xsift;
using namespace xsift::report;

TEST(Numbers, AreWrittenWithPowersOfTenWhereTheyAreNeeded) {
    EXPECT_EQ(pretty(1.2345e-13, 3), "1.23 × 10⁻¹³");
    EXPECT_EQ(pretty(0.25, 4), "0.25");
    EXPECT_EQ(pretty(1396.5554, 8), "1396.5554");
    EXPECT_EQ(pretty(20.0, 2), "20");
    EXPECT_EQ(pretty(-1132.0, 4), "−1132");
    EXPECT_EQ(pretty(0.0), "0");
    EXPECT_EQ(pretty(std::nan("")), "–");
    EXPECT_EQ(pretty(INFINITY), "∞");
    EXPECT_EQ(power_of_ten(-120), "10⁻¹²⁰");
}

TEST(Numbers, ErrorsDecideHowManyDigitsAreShown) {
    EXPECT_EQ(pretty(error_cell(1396.5554, 0.31)), "1396.56 ± 0.31");
    EXPECT_EQ(pretty(error_cell(12347.0, 320.0)), "12347 ± 320");
    EXPECT_EQ(pretty(error_cell(6.97921202, 5.5e-6)), "6.9792120 ± 0.0000055");
    EXPECT_EQ(pretty(error_cell(7.1605e-4, 1.6e-7)), "(7.1605 ± 0.0016) × 10⁻⁴");
    EXPECT_EQ(pretty(error_cell(5.0, not_measured)), "5");
    EXPECT_EQ(pretty(error_cell(not_measured, 1.0)), "–");
}

TEST(Numbers, IntervalsShareThePowerOfTheirValue) {
    EXPECT_EQ(pretty(interval_cell({1.323e-13, 1.27e-13, 1.377e-13})), "1.323 [1.270, 1.377] × 10⁻¹³");
    EXPECT_EQ(pretty(interval_cell({0.0, 0.0, 0.0065})), "0 [0, 0.0065]");
    EXPECT_EQ(pretty(interval_cell({1.7, 1.5, not_measured})), "1.70 [1.50, –]");
    EXPECT_EQ(pretty(interval_cell({1.7, not_measured, not_measured})), "1.7");
}

}  // namespace
