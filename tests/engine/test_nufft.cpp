#include "../../src/engine/nufft.hpp"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include <xsift/core/random.hpp>
#include <xsift/engine/direct_sum.hpp>

namespace xsift::engine {
namespace {

/// Every kernel that this processor can run.
std::vector<const NufftKernel*> kernels() {
    return nufft_kernels();
}

/// Worst difference between the sums of one block group and direct sums, relative to the sum of the weights.
double worst_error(const NufftPlan& plan, const std::vector<std::uint64_t>& step,
                   const std::vector<float>& weight, int harmonic, std::int64_t centre, std::int64_t stride) {
    struct alignas(64) Line {
        float value[16];
    };
    std::vector<Line> grid(plan.grid_floats() / 16), sums(plan.sum_floats() / 16);
    float* out = sums.data()->value;
    plan.run(step, weight, harmonic, centre, stride, grid.data()->value, out);
    double worst = 0.0, total = 0.0;
    for (std::size_t j = 0; j < step.size(); ++j)
        total += weight.empty() ? 1.0 : static_cast<double>(weight[j]);
    for (unsigned lane = 0; lane < nufft_lanes; ++lane)
        for (int l = 0; l < plan.block(); l += 1 + plan.block() / 97) {
            const std::int64_t index = harmonic * (centre + lane * stride + l - plan.block() / 2);
            const timing::Complex exact =
                direct_sum(step.data(), weight.empty() ? nullptr : weight.data(),
                           static_cast<std::int64_t>(step.size()), static_cast<std::uint64_t>(index));
            const std::size_t at = static_cast<std::size_t>(2 * l) * nufft_lanes + lane;
            worst = std::max(worst, std::hypot(static_cast<double>(out[at]) - exact.re,
                                               static_cast<double>(out[at + nufft_lanes]) - exact.im));
        }
    return worst / total;
}

TEST(Nufft, EveryKernelAgreesWithDirectSums) {
    RandomStream random(17, 0);
    std::vector<std::uint64_t> step(201);
    std::vector<float> weight;
    for (auto& s : step) {
        s = random.bits() >> 2;
        weight.push_back(static_cast<float>(random.uniform()));
    }
    for (const NufftKernel* kernel : kernels())
        for (const int block : {256, 512, 2048, 8192}) {
            const NufftPlan plan(block, *kernel);
            EXPECT_LT(worst_error(plan, step, {}, 1, 1'000'000, block - 10), 3e-6)
                << kernel->name << ' ' << block;
            EXPECT_LT(worst_error(plan, step, weight, 1, block / 2, block), 3e-6)
                << kernel->name << ' ' << block;
            EXPECT_LT(worst_error(plan, step, weight, 7, 123'456'789, block), 3e-6)
                << kernel->name << ' ' << block;
        }
}

TEST(Nufft, PhotonsInPhaseAddUp) {
    const std::vector<std::uint64_t> step(1000, std::uint64_t{1} << 60);  // 1/16 of a turn an index
    for (const NufftKernel* kernel : kernels()) {
        const NufftPlan plan(256, *kernel);
        EXPECT_LT(worst_error(plan, step, {}, 1, 128, 200), 1e-5) << kernel->name;
    }
}

}  // namespace
}  // namespace xsift::engine
