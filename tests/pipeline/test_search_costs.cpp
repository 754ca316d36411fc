#include <cmath>
#include <cstdio>
#include <fstream>

#include <expect_error.hpp>
#include <gtest/gtest.h>

#include <xsift/engine/factory.hpp>
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
    write(search_costs_json({costs, {}}));
    EXPECT_FALSE(read_search_costs(path).device);
    const engine::SearchCosts read = read_search_costs(path).cpu;
    EXPECT_EQ(read.direct_pair, costs.direct_pair);
    EXPECT_EQ(read.matrix_trial, costs.matrix_trial);
    EXPECT_EQ(read.matrix_pair, costs.matrix_pair);
    EXPECT_EQ(read.nufft_trial, costs.nufft_trial);
    EXPECT_EQ(read.nufft_photon, costs.nufft_photon);

    write(search_costs_json({costs, engine::DeviceCosts{11.5, 0.25, 99.0, 0.0625}}));
    const auto device = read_search_costs(path).device;
    ASSERT_TRUE(device);
    EXPECT_EQ(device->product_tile, 11.5);
    EXPECT_EQ(device->product_photon, 0.25);
    EXPECT_EQ(device->transform_tile, 99.0);
    EXPECT_EQ(device->transform_photon, 0.0625);
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
    write(search_costs_json({costs, engine::DeviceCosts{0.0, 1.0, 1.0, 1.0}}));
    test::expect_error("BAD_SETTING", "product_tile_ns", read);
    costs.matrix_pair = -1.0;
    write(search_costs_json({costs, {}}));
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

/// The procedure, with the CPU's product and transform in place of a device's.
TEST(SearchCosts, OfTilesAreMeasuredByEnginesThatDoAllOneWay) {
    engine::SearchCosts product, transform;
    product.nufft_trial = product.direct_pair = 1e12;
    transform.matrix_trial = transform.direct_pair = 1e12;
    const ThreadPool pool(1);
    const auto by_product = engine::make_cpu_engines(pool, product),
               by_transform = engine::make_cpu_engines(pool, transform);
    const engine::DeviceCosts costs = measure_device_costs(*by_product.search, *by_transform.search, 1, 0.01);
    for (const double cost :
         {costs.product_tile, costs.product_photon, costs.transform_tile, costs.transform_photon}) {
        EXPECT_TRUE(std::isfinite(cost));
        EXPECT_GT(cost, 0.0);
    }
}

}  // namespace
}  // namespace xsift::pipeline
