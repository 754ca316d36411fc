#include <cmath>
#include <cstdio>
#include <fstream>

#include <expect_error.hpp>
#include <gtest/gtest.h>

#include <xsift/pipeline/search_costs.hpp>

namespace xsift::pipeline {
namespace {

class SearchCostsFile : public ::testing::Test {
  protected:
    std::string path = ::testing::TempDir() + "xsift-search-costs.json";
    void write(const std::string& text) const { std::ofstream(path) << text; }
    void TearDown() override { std::remove(path.c_str()); }
};

TEST_F(SearchCostsFile, IsReadBackAsWritten) {
    const engine::SearchCosts costs{5.25, 0.5, 0.03, 2.5, 40.0};
    write(search_costs_json(costs));
    const engine::SearchCosts read = read_search_costs(path);
    EXPECT_EQ(read.direct_pair, costs.direct_pair);
    EXPECT_EQ(read.matrix_trial, costs.matrix_trial);
    EXPECT_EQ(read.matrix_pair, costs.matrix_pair);
    EXPECT_EQ(read.nufft_trial, costs.nufft_trial);
    EXPECT_EQ(read.nufft_photon, costs.nufft_photon);
}

TEST_F(SearchCostsFile, WhatIsNoneIsAUsageError) {
    const auto read = [&] { static_cast<void>(read_search_costs(path)); };
    test::expect_error("BAD_SETTING", path, read);  // missing
    for (const std::string text :
         {"", "{", "[]", "{}", R"({"search_costs": 3})", R"({"search_costs": {"matrix_pair_ns": 1}})"}) {
        write(text);
        test::expect_error("BAD_SETTING", path, read);
    }
    engine::SearchCosts costs;
    costs.matrix_pair = -1.0;
    write(search_costs_json(costs));
    test::expect_error("BAD_SETTING", "matrix_pair_ns", read);
}

TEST(SearchCosts, AreMeasuredOnThisMachine) {
    const engine::SearchCosts costs = measure_search_costs(1, 0.05);
    for (const double cost :
         {costs.direct_pair, costs.matrix_trial, costs.matrix_pair, costs.nufft_trial, costs.nufft_photon}) {
        EXPECT_TRUE(std::isfinite(cost));
        EXPECT_GT(cost, 0.0);
    }
    EXPECT_GT(costs.direct_pair, costs.matrix_pair);
}

}  // namespace
}  // namespace xsift::pipeline
