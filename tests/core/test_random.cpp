#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include <xsift/core/random.hpp>

namespace xsift {
namespace {

struct KnownAnswer {
    std::uint64_t key, counter_high, counter_low;
    std::array<std::uint32_t, 4> words;
};

// kat_vectors of Random123 (Salmon et al. 2011), philox4x32 with 10 rounds.
TEST(Philox, MatchesThePublishedVectors) {
    const KnownAnswer answers[] = {
        {0, 0, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {~0ull, ~0ull, ~0ull, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {0x299f31d0a4093822,
         0x0370734413198a2e,
         0x85a308d3243f6a88,
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (const KnownAnswer& answer : answers) {
        const PhiloxBlock block = philox(answer.key, answer.counter_high, answer.counter_low);
        for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(block.word[i], answer.words[i]);
    }
}

TEST(RandomStream, IsTheSequenceOfItsCounter) {
    RandomStream random(5, 7);
    for (std::uint64_t counter = 0; counter < 3; ++counter) {
        const PhiloxBlock block = philox(5, 7, counter);
        EXPECT_EQ(random.bits(), (std::uint64_t{block.word[0]} << 32) | block.word[1]);
        EXPECT_EQ(random.bits(), (std::uint64_t{block.word[2]} << 32) | block.word[3]);
    }
}

TEST(RandomStream, BeginsAtAnyOfItsNumbers) {
    RandomStream whole(5, 7);
    for (std::uint64_t first = 0; first < 7; ++first) {
        RandomStream from(5, 7, first), rest = whole;
        for (int i = 0; i < 5; ++i) EXPECT_EQ(from.bits(), rest.bits());
        static_cast<void>(whole.bits());
    }
}

TEST(RandomStream, ACopyBranchesAndStreamsDiffer) {
    RandomStream random(1, 2), other(1, 3);
    random.bits();
    RandomStream copy = random;
    const std::uint64_t next = random.bits();
    EXPECT_EQ(copy.bits(), next);
    EXPECT_NE(other.bits(), next);
}

struct Moments {
    double mean = 0.0, variance = 0.0;
};
template <typename Draw>
Moments moments(int n, const Draw& draw) {
    double sum = 0.0, squares = 0.0;
    for (int i = 0; i < n; ++i) {
        const double x = draw();
        sum += x;
        squares += x * x;
    }
    return {sum / n, (squares - sum * sum / n) / (n - 1)};
}

TEST(RandomStream, UniformNormalExponentialHaveTheirMoments) {
    constexpr int n = 200000;
    RandomStream random(11, 0);
    double least = 1.0, greatest = 0.0;
    const Moments uniform = moments(n, [&] {
        const double u = random.uniform();
        least = std::min(least, u);
        greatest = std::max(greatest, u);
        return u;
    });
    EXPECT_GT(least, 0.0);
    EXPECT_LT(greatest, 1.0);
    // Tolerances: five standard errors of the mean, and of the variance sqrt((kurtosis - 1)/n) sigma^2.
    EXPECT_NEAR(uniform.mean, 0.5, 5 * std::sqrt(1.0 / 12 / n));
    EXPECT_NEAR(uniform.variance, 1.0 / 12, 5 * std::sqrt(0.8 / n) / 12);
    const Moments normal = moments(n, [&] { return random.normal(); });
    EXPECT_NEAR(normal.mean, 0.0, 5 * std::sqrt(1.0 / n));
    EXPECT_NEAR(normal.variance, 1.0, 5 * std::sqrt(2.0 / n));
    const Moments exponential = moments(n, [&] { return random.exponential(); });
    EXPECT_NEAR(exponential.mean, 1.0, 5 * std::sqrt(1.0 / n));
    EXPECT_NEAR(exponential.variance, 1.0, 5 * std::sqrt(8.0 / n));
}

class Poisson : public testing::TestWithParam<double> {};
// Both methods, on both sides of the change from one to the other at 30.
INSTANTIATE_TEST_SUITE_P(Means, Poisson, testing::Values(0.05, 1.0, 9.5, 29.9, 30.0, 75.0, 1234.5, 1e6));

TEST_P(Poisson, HasMeanAndVarianceOfItsMean) {
    constexpr int n = 100000;
    const double mean = GetParam();
    RandomStream random(23, 4);
    const Moments found = moments(n, [&] { return static_cast<double>(random.poisson(mean)); });
    EXPECT_NEAR(found.mean, mean, 5 * std::sqrt(mean / n));
    EXPECT_NEAR(found.variance, mean, 5 * mean * std::sqrt((2.0 + 1.0 / mean) / n));
}

TEST_P(Poisson, FollowsTheMassFunction) {
    constexpr int n = 100000;
    const double mean = GetParam(), sigma = std::sqrt(mean);
    const auto low = static_cast<std::int64_t>(std::max(0.0, std::floor(mean - 3.0 * sigma)));
    const auto width = static_cast<std::int64_t>(std::ceil(sigma / 10.0));  // at most 61 cells
    std::vector<double> seen(static_cast<std::size_t>(6.0 * sigma / static_cast<double>(width)) + 1);
    RandomStream random(29, 1);
    for (int i = 0; i < n; ++i) {
        const std::int64_t k = random.poisson(mean) - low;
        if (k >= 0 && static_cast<std::size_t>(k / width) < seen.size())
            ++seen[static_cast<std::size_t>(k / width)];
    }
    double chi2 = 0.0;
    int cells = 0;
    for (std::size_t cell = 0; cell < seen.size(); ++cell) {
        double expected = 0.0;
        for (std::int64_t i = 0; i < width; ++i) {
            const auto k = static_cast<double>(low + static_cast<std::int64_t>(cell) * width + i);
            expected += n * std::exp(k * std::log(mean) - mean - std::lgamma(k + 1.0));
        }
        if (expected < 10.0) continue;
        chi2 += (seen[cell] - expected) * (seen[cell] - expected) / expected;
        ++cells;
    }
    EXPECT_GE(cells, 2);
    EXPECT_LT(chi2, cells + 5.0 * std::sqrt(2.0 * cells));
}

TEST(RandomStream, PoissonOfNothingIsNothing) {
    RandomStream random(1, 1);
    EXPECT_EQ(random.poisson(0.0), 0);
    EXPECT_EQ(random.poisson(-1.0), 0);
    EXPECT_EQ(random.poisson(std::nan("")), 0);
}

}  // namespace
}  // namespace xsift
