#include <algorithm>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include <xsift/core/error.hpp>
#include <xsift/core/random.hpp>
#include <xsift/pipeline/shard_plan.hpp>

namespace {

using namespace xsift;
using pipeline::ShardPlan;
using Range = std::pair<std::int64_t, std::int64_t>;

/// Costs as unequal as those of a survey: most sources cheap, a few a thousand times dearer.
std::vector<std::int64_t> uneven(std::int64_t n) {
    std::vector<std::int64_t> costs;
    for (std::int64_t i = 0; i < n; ++i) costs.push_back(i % 97 == 13 ? 5000000 : 1000 + 37 * (i % 11));
    return costs;
}

TEST(ShardPlan, CoversASurveyOnce) {
    for (const std::int64_t sources : {0, 1, 7, 1000}) {
        const std::vector<std::int64_t> costs = uneven(sources);
        const ShardPlan plan(costs);
        for (const std::int64_t shards : {1, 3, 8, 1200}) {
            std::int64_t next = 0, empty = 0;
            for (std::int64_t k = 1; k <= shards; ++k) {
                const auto [first, end] = plan.shard(k, shards);
                EXPECT_EQ(first, next);
                EXPECT_GE(end, first);
                empty += end == first ? 1 : 0;
                next = end;
            }
            EXPECT_EQ(next, sources);
            EXPECT_EQ(empty, std::max<std::int64_t>(0, shards - sources));
        }
    }
}

TEST(ShardPlan, BalancesCostsToOneSource) {
    const std::vector<std::int64_t> costs = uneven(20000);
    const ShardPlan plan(costs);
    const double mean = plan.seconds(0, plan.sources()) / 16;
    const double dearest = 1e-9 * static_cast<double>(*std::max_element(costs.begin(), costs.end()));
    for (std::int64_t k = 1; k <= 16; ++k) {
        const auto [first, end] = plan.shard(k, 16);
        EXPECT_NEAR(plan.seconds(first, end), mean, dearest) << k;
    }
}

TEST(ShardPlan, PartsCoverTheirShard) {
    const ShardPlan plan(uneven(1000));
    const Range shard = plan.shard(3, 8);
    std::int64_t next = shard.first;
    for (std::int64_t k = 1; k <= 5; ++k) {
        const auto [first, end] = plan.part(shard, k, 5);
        EXPECT_EQ(first, next);
        next = end;
    }
    EXPECT_EQ(next, shard.second);
}

TEST(ShardPlan, RefusesNonsense) {
    const ShardPlan plan(uneven(10));
    EXPECT_THROW(plan.shard(0, 3), Error);
    EXPECT_THROW(plan.shard(4, 3), Error);
    EXPECT_THROW(plan.shard(1, 0), Error);
}

TEST(ShardPlan, SizesShardsByTime) {
    const ShardPlan plan(std::vector<std::int64_t>(1000, 1000000000));  // a second each
    EXPECT_EQ(plan.shards_of(100.0, 500), 10);
    EXPECT_EQ(plan.shards_of(0.5, 500), 500);
    EXPECT_EQ(plan.shards_of(1e9, 500), 1);
}

TEST(PredictedCost, GrowsWithTheWork) {
    const pipeline::RunConfiguration configuration;
    io::SourceLoad small, large, spectra;
    small.events.push_back({300, 30000.0, 0.0734});
    large.events.push_back({30000, 60000.0, 0.0734});
    spectra.spectra = 1;
    spectra.channels = 4096;
    const auto cost = [&](const io::SourceLoad& load) { return predicted_cost(load, configuration); };
    EXPECT_GT(cost(small), cost({}));
    EXPECT_GT(cost(large), 2 * cost(small));
    EXPECT_GT(cost(spectra), cost({}));
    pipeline::RunConfiguration periods = configuration;
    periods.fit_spectra = false;
    EXPECT_EQ(predicted_cost(spectra, periods), predicted_cost({}, periods));
}

}  // namespace
