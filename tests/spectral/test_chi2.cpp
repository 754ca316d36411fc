// chi2 of a bin: values, variances, derivatives against differences.
#include <cmath>

#include <gtest/gtest.h>

#include <xsift/spectral/chi2.hpp>

namespace {

using namespace xsift::spectral;

TEST(Chi2, ValuesByHand) {
    EXPECT_DOUBLE_EQ(net_counts(30.0, 40.0, 1000.0, 4000.0), 20.0);
    EXPECT_DOUBLE_EQ(net_counts(30.0, 0.0, 1000.0, 0.0), 30.0);
    EXPECT_DOUBLE_EQ(net_variance(30.0, 40.0, 1000.0, 4000.0), 32.5);
    EXPECT_DOUBLE_EQ(chi2(20.0, 32.5, 1000.0, 0.01).value, 100.0 / 32.5);
    EXPECT_DOUBLE_EQ(chi2_model_variance(20.0, 12.5, 1000.0, 0.01).value, 100.0 / 22.5);
    // Gehrels (1986), table 1: upper 1 sigma limits 1.841 of 0 counts, 13.11 of 9; his eq. 7 is good to 1.5%
    EXPECT_NEAR(std::sqrt(gehrels_variance(0.0)), 1.841, 0.03);
    EXPECT_NEAR(std::sqrt(gehrels_variance(9.0)), 13.11 - 9.0, 0.02);
}

TEST(Chi2, DerivativesAreThoseOfDifferences) {
    for (const double rate : {0.002, 0.01, 0.05})
        for (const bool model : {false, true}) {
            const auto at = [&](double m) {
                return model ? chi2_model_variance(20.0, 12.5, 1000.0, m) : chi2(20.0, 32.5, 1000.0, m);
            };
            const double step = 1e-4 * rate;
            EXPECT_NEAR((at(rate + step).value - at(rate - step).value) / (2.0 * step), at(rate).first,
                        1e-5 * std::fabs(at(rate).first) + 1e-4)
                << rate;
            EXPECT_NEAR((at(rate + step).first - at(rate - step).first) / (2.0 * step), at(rate).second,
                        1e-5 * at(rate).second)
                << rate;
        }
}

}  // namespace
