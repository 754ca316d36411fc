// Weights of the bins of light curves.

#include <cmath>

#include <gtest/gtest.h>

#include <xsift/core/random.hpp>
#include <xsift/timing/light_curve.hpp>

namespace xsift::timing {
namespace {

/// Errors made from the counts of the bin: every bin gets the weight of the mean rate.
TEST(LightCurveBins, WeightsDoNotKnowTheirOwnCounts) {
    LightCurve curve;
    curve.bin_width = 10.0;
    RandomStream random(5, 1);
    double sum = 0.0;
    constexpr int bins = 200;
    for (int i = 0; i < bins; ++i) {
        const auto counts = static_cast<double>(random.poisson(3.0));
        sum += counts;
        curve.time.push_back(10.0 * i);
        curve.rate.push_back(counts / 10.0);
        curve.error.push_back(std::sqrt(counts) / 10.0);
    }
    const UsableBins usable = usable_bins(curve);
    ASSERT_EQ(usable.size(), static_cast<std::size_t>(bins));
    for (const double w : usable.weight) EXPECT_NEAR(w, 100.0 / (sum / bins), 1e-9 * w);
}

/// What the errors know besides stays: here a background that is four times as bright in the second half.
TEST(LightCurveBins, WeightsKeepWhatOthersAddToTheErrors) {
    LightCurve curve;
    curve.bin_width = 10.0;
    RandomStream random(5, 2);
    for (int i = 0; i < 400; ++i) {
        const double background = i < 200 ? 50.0 : 200.0,
                     counts = static_cast<double>(random.poisson(20.0 + background));
        curve.time.push_back(10.0 * i);
        curve.rate.push_back((counts - background) / 10.0);
        curve.error.push_back(std::sqrt(20.0 + background) / 10.0);
    }
    const UsableBins usable = usable_bins(curve);
    double first = 0.0, second = 0.0;
    for (std::size_t i = 0; i < 200; ++i) {
        first += usable.weight[i];
        second += usable.weight[i + 200];
    }
    EXPECT_NEAR(first / second, 220.0 / 70.0, 0.15);
}

/// Without errors and bin width all bins count the same; no exposure or no rate: not at all.
TEST(LightCurveBins, MissingErrorsAreReplaced) {
    LightCurve curve;
    curve.time = {0.0, 1.0, 2.0, 3.0};
    curve.rate = {1.0, 2.0, NAN, 4.0};
    curve.fractional_exposure = {1.0, 1.0, 1.0, 0.0};
    const UsableBins usable = usable_bins(curve);
    ASSERT_EQ(usable.size(), 2u);
    EXPECT_EQ(usable.weight[0], usable.weight[1]);
}

}  // namespace
}  // namespace xsift::timing
