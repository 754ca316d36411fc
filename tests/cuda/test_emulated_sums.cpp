// The kernel of the sums in double, whole, on a block of host threads.
#include "emulated_block.hpp"
#include "search_tasks.hpp"
#include "sums_body.cuh"

#include <limits>
#include <memory>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>

#include <xsift/engine/search_tasks.hpp>

namespace xsift::cuda {
namespace {

/// Lists of unequal length with indices that do not fill the last block; what no thread writes stays NaN.
TEST(EmulatedSums, AreTheDirectSumsOfEachPart) {
    constexpr double df = 1.0 / 1.6e5;
    const EventList list = test::photons(300, 4e4, 0.0123, 0.4, 3);
    std::vector<float> weight(list.size());
    for (std::size_t j = 0; j < weight.size(); ++j) weight[j] = 0.3f + 0.01f * static_cast<float>(j % 70);
    std::vector<std::uint64_t> index(sum_threads + 37);
    std::iota(index.begin(), index.end(), std::uint64_t{190'000});
    const auto n_indices = static_cast<std::int32_t>(index.size());
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    std::vector<timing::Complex> plain(index.size(), {nan, nan}), weighted = plain;
    const std::vector<PartOnDevice> parts{
        {list.time.data(), nullptr, index.data(), plain.data(), df, 5, n_indices},
        {list.time.data(), weight.data(), index.data(), weighted.data(), df, 300, n_indices}};
    for (const SumTile tile : {SumTile{0, 0}, {0, sum_threads}, {1, 0}, {1, sum_threads}}) {
        const auto shared = std::make_unique<SharedPhotons>();
        test::run_block(sum_threads, [&](int thread) { sum_tile(*shared, thread, parts.data(), tile); });
    }
    const auto step = engine::phase_steps(list.time, df);
    for (std::size_t i = 0; i < index.size(); ++i) {
        const timing::Complex few = engine::direct_sum(step.data(), nullptr, 5, index[i]),
                              all = engine::direct_sum(step.data(), weight.data(), 300, index[i]);
        EXPECT_NEAR(plain[i].re, few.re, 1e-12) << i;
        EXPECT_NEAR(plain[i].im, few.im, 1e-12) << i;
        EXPECT_NEAR(weighted[i].re, all.re, 1e-11) << i;
        EXPECT_NEAR(weighted[i].im, all.im, 1e-11) << i;
    }
}

}  // namespace
}  // namespace xsift::cuda
