// The matrix product of the model grids against sums in double, in every instruction set, at sizes that fill
// no tile.

#include "../../src/engine/nufft.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include <xsift/core/random.hpp>

namespace xsift::engine {
namespace {

std::vector<float> uniform(std::int64_t n, RandomStream& random) {
    std::vector<float> values;
    for (std::int64_t i = 0; i < n; ++i) values.push_back(static_cast<float>(random.uniform()));
    return values;
}

std::vector<float> product(const NufftKernel& kernel, const std::vector<float>& templates,
                           const std::vector<float>& fold, std::int64_t energies, std::int64_t bins) {
    constexpr float untouched = -7.0f;
    const std::int64_t rows = std::ssize(templates) / energies;
    std::vector<float> rate(static_cast<std::size_t>(rows * bins + 1), untouched),
        space(grid_product_floats(energies));
    kernel.grid_product({templates.data(), fold.data(), rows, energies, bins, rate.data(), bins},
                        space.data());
    EXPECT_EQ(rate.back(), untouched) << kernel.name;
    rate.pop_back();
    return rate;
}

TEST(GridProduct, IsThatOfDoubleSumsInEveryInstructionSet) {
    RandomStream random(31, 0);
    for (const std::int64_t rows : {1, 8, 13, 64})
        for (const std::int64_t energies : {1, 37, 200})
            for (const std::int64_t bins : {1, 8, 47, 48, 49, 150}) {
                const auto templates = uniform(rows * energies, random);
                auto fold = uniform(energies * bins, random);
                for (std::int64_t e = 0; e < energies;
                     ++e)  // a band, as a response is; some bins get nothing
                    for (std::int64_t k = 0; k < bins; ++k)
                        if (energies > 100 && std::abs(e - 2 * k) > 20) fold[e * bins + k] = 0.0f;
                for (const NufftKernel* kernel : nufft_kernels()) {
                    const auto rate = product(*kernel, templates, fold, energies, bins);
                    for (std::int64_t r = 0; r < rows; ++r)
                        for (std::int64_t k = 0; k < bins; ++k) {
                            double sum = 0.0;
                            for (std::int64_t e = 0; e < energies; ++e)
                                sum += static_cast<double>(templates[r * energies + e]) *
                                       static_cast<double>(fold[e * bins + k]);
                            // All terms are positive: each addition rounds by half a unit of a partial sum at
                            // most.
                            const double bound = static_cast<double>(energies + 1) *
                                                 static_cast<double>(std::numeric_limits<float>::epsilon()) /
                                                 2;
                            ASSERT_NEAR(static_cast<double>(rate[r * bins + k]), sum, bound * sum)
                                << kernel->name << ' ' << rows << ' ' << energies << ' ' << bins;
                        }
                }
            }
}

TEST(GridProduct, ARowDoesNotDependOnThoseBesideIt) {
    RandomStream random(32, 0);
    constexpr std::int64_t rows = 21, energies = 60, bins = 70;
    const auto templates = uniform(rows * energies, random), fold = uniform(energies * bins, random);
    for (const NufftKernel* kernel : nufft_kernels()) {
        const auto all = product(*kernel, templates, fold, energies, bins);
        for (std::int64_t r = 0; r < rows; ++r) {
            const std::vector<float> row(templates.begin() + r * energies,
                                         templates.begin() + (r + 1) * energies);
            const auto alone = product(*kernel, row, fold, energies, bins);
            ASSERT_TRUE(std::equal(alone.begin(), alone.end(), all.begin() + r * bins))
                << kernel->name << ' ' << r;
        }
    }
}

TEST(Ceilings, HighestRateCountsWhatItComputes) {
    for (const NufftKernel* kernel : nufft_kernels()) {
        std::array<float, peak_floats> values{};
        kernel->peak(1000, values.data());
        // x -> 0.999 x + 0.001 from 0 is 1 - 0.999^n; each chain adds it to the value it belongs to.
        const double one = 1.0 - std::pow(0.999, 1000.0);
        double chains = 0.0;
        for (const float value : values) chains += static_cast<double>(value) / one;
        EXPECT_GE(chains, 0.99) << kernel->name;
        EXPECT_NEAR(chains, std::round(chains), 1e-3) << kernel->name;
        // Two operations a chain and lane.
        EXPECT_NEAR(std::remainder(kernel->peak_flop, 2.0 * std::round(chains)), 0.0, 1e-9) << kernel->name;
    }
}

}  // namespace
}  // namespace xsift::engine
