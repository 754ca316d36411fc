#include <algorithm>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include <xsift/core/random.hpp>
#include <xsift/timing/red_noise.hpp>
#include <xsift/timing/trigonometric_sums.hpp>

namespace xsift::timing {
namespace {

struct List {
    std::vector<double> time;
    std::vector<float> weight;

    explicit List(std::size_t n) {
        RandomStream random(41, n);
        for (std::size_t j = 0; j < n; ++j) {
            time.push_back(7e8 + 3e4 * random.uniform());
            weight.push_back(static_cast<float>(0.2 + random.uniform()));
        }
    }
};

Complex by_definition(const SumTask& task, std::int64_t index) {
    Complex sum;
    for (std::size_t j = 0; j < task.photons.time.size(); ++j) {
        const Phasor p = phasor(fixed_phase(task.df, task.photons.time[j] - task.photons.origin) *
                                static_cast<FixedPhase>(index));
        const double w = task.photons.weight.empty() ? 1.0 : static_cast<double>(task.photons.weight[j]);
        sum = sum + Complex{w * p.cosine, w * p.sine};
    }
    return sum;
}

TEST(TrigonometricSums, AreThoseOfTheDefinitionWhateverTheSteps) {
    for (const std::size_t n : {1u, 255u, 1000u}) {
        const List list(n);
        const std::vector<std::int64_t> indices = noise_indices({1e-5, 7, 400'000}, 1.0 / 3e4);
        ASSERT_GT(indices.size(), 1000u);
        for (const bool weighted : {false, true}) {
            const SumTask task{
                {list.time, weighted ? std::span<const float>(list.weight) : std::span<const float>(), 7e8},
                1e-5,
                indices};
            const auto found = sums_of(task);
            ASSERT_EQ(found.size(), indices.size());
            for (std::size_t i = 0; i < indices.size(); i += 3) {
                const Complex truth = by_definition(task, indices[i]);
                EXPECT_NEAR(found[i].re, truth.re, 2e-10 * static_cast<double>(n)) << i;
                EXPECT_NEAR(found[i].im, truth.im, 2e-10 * static_cast<double>(n)) << i;
            }
        }
    }
    EXPECT_TRUE(sums_of({}).empty());
}

TEST(TrigonometricSums, PartsHaveEqualStepsAndFollowEachOther) {
    std::vector<std::int64_t> indices;
    for (std::int64_t i = 3; i < 1200; ++i) indices.push_back(i);
    for (std::int64_t i = 1201; i < 1900; i += 3) indices.push_back(i);
    indices.push_back(2500);
    const auto parts = equal_steps({{}, 1.0, indices});
    std::vector<std::int64_t> joined;
    for (const SumTask& part : parts) {
        ASSERT_FALSE(part.indices.empty());
        EXPECT_LE(part.indices.size(), 512u);
        for (std::size_t i = 2; i < part.indices.size(); ++i)
            EXPECT_EQ(part.indices[i] - part.indices[i - 1], part.indices[1] - part.indices[0]);
        joined.insert(joined.end(), part.indices.begin(), part.indices.end());
    }
    EXPECT_EQ(joined, indices);
    EXPECT_LE(parts.size(), 6u);
}

}  // namespace
}  // namespace xsift::timing
