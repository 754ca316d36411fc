// Quantities of energies that are merged.
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <xsift/spectral/energy_bins.hpp>

namespace {

using namespace xsift::spectral;
using testing::DoubleEq;
using testing::ElementsAre;

TEST(MergedMeans, AreWeightedByPhotonsAndByWidthWhereThereAreNone) {
    const std::vector<double> quantity{1.0, 3.0, 10.0, 20.0, 5.0}, width{1.0, 3.0, 1.0, 1.0, 2.0};
    const std::vector<std::int32_t> merged{0, 0, 1, 1, 2};
    EXPECT_THAT(merged_means(quantity, {}, width, merged),
                ElementsAre(DoubleEq(2.5), DoubleEq(15.0), DoubleEq(5.0)));
    EXPECT_THAT(merged_means(quantity, std::vector<double>{3.0, 1.0, 0.0, 0.0, 7.0}, width, merged),
                ElementsAre(DoubleEq(1.5), DoubleEq(15.0), DoubleEq(5.0)));
    EXPECT_TRUE(merged_means({}, {}, {}, {}).empty());
}

}  // namespace
