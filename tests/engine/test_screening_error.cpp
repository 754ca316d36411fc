// How far screened values may be from those in double, and how exact phases stay.
#include "../../src/engine/nufft.hpp"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include <xsift/core/random.hpp>
#include <xsift/engine/direct_sum.hpp>
#include <xsift/engine/search_tasks.hpp>
#include <xsift/timing/z2.hpp>

namespace xsift::engine {
namespace {

struct Line {
    alignas(64) float value[16];
};

struct Case {
    std::size_t photons;
    double span;          ///< s
    std::int64_t centre;  ///< grid index, 1/(4 span) apart
    int harmonic, block;
    bool weighted;
};

/// Errors of the term of one harmonic over a block group, every value compared with direct sums in double.
/// Strong values may be wrong by 1e-4 of themselves.
struct Errors {
    double square = 0.0, worst = 0.0;
    int n = 0;

    void add(double screened, double exact) {
        const double error = std::fabs(screened - exact) / std::fmax(1.0, exact / 100.0);
        square += error * error;
        worst = std::fmax(worst, error);
        ++n;
    }
    double rms() const { return std::sqrt(square / n); }
};

Errors errors_of(const Case& c, const NufftKernel& kernel, RandomStream& random) {
    std::vector<double> time(c.photons);
    std::vector<float> weight;
    double sum_w2 = 0.0;
    for (double& t : time) {
        t = c.span * (random.uniform() - 0.5);
        if (c.weighted) weight.push_back(static_cast<float>(random.uniform()));
        const double w = c.weighted ? static_cast<double>(weight.back()) : 1.0;
        sum_w2 += w * w;
    }
    const std::vector<timing::FixedPhase> step = phase_steps(time, 1.0 / (4.0 * c.span));
    const NufftPlan plan(c.block, kernel);
    std::vector<Line> grid(plan.grid_floats() / 16), out(plan.sum_floats() / 32);
    float* z2 = out.data()->value;
    plan.spread(step, weight, c.harmonic, c.centre, c.block, grid.data()->value);
    plan.finish_powers(grid.data()->value, static_cast<float>(2.0 / sum_w2), z2);
    Errors errors;
    const int stride = static_cast<int>(1 + c.photons * static_cast<std::size_t>(c.block) / 100'000);
    for (int i = 0; i < static_cast<int>(nufft_lanes) * c.block; i += stride) {
        const std::int64_t index = c.harmonic * (c.centre + i - c.block / 2);
        const timing::Complex sum =
            direct_sum(step.data(), weight.empty() ? nullptr : weight.data(),
                       static_cast<std::int64_t>(step.size()), static_cast<std::uint64_t>(index));
        errors.add(static_cast<double>(z2[i]), timing::z2_term(sum.re, sum.im, sum_w2));
    }
    return errors;
}

TEST(ScreeningError, StaysBelowItsLimitsAtEverySize) {
    const Case cases[] = {
        {5, 100.0, 300, 1, 256, false},          {50, 4e4, 2000, 1, 512, false},
        {300, 4e4, 800'000, 1, 2048, false},     {300, 4e4, 800'000, 20, 2048, false},
        {300, 2e6, 80'000'000, 4, 2048, true},   {3000, 1e5, 4096, 1, 4096, false},
        {3000, 1e5, 1'000'000, 7, 4096, true},   {30'000, 4e4, 500'000, 1, 8192, false},
        {30'000, 4e4, 8192, 2, 8192, false},     {1000, 1e7, 4'000'000'000, 1, 2048, false},
        {100'000, 3e4, 400'000, 1, 8192, false},
    };
    RandomStream random(23, 0);
    for (const NufftKernel* kernel : nufft_kernels())
        for (const Case& c : cases) {
            const Errors errors = errors_of(c, *kernel, random);
            EXPECT_GT(errors.n, 5);
            EXPECT_LT(errors.rms(), 1e-3) << kernel->name << ' ' << c.photons << ' ' << c.harmonic;
            EXPECT_LT(errors.worst, 1e-2) << kernel->name << ' ' << c.photons << ' ' << c.harmonic;
        }
}

TEST(ScreeningError, PhasesKeepAMillionthOfATurnAfterABillionTurns) {
    RandomStream random(24, 0);
    for (int i = 0; i < 2000; ++i) {
        const double span = std::pow(10.0, 2.0 + 6.0 * random.uniform()), df = 1.0 / (4.0 * span);
        const double t = span * (random.uniform() - 0.5);
        const std::int64_t index = 8'000'000'000;  // 1e9 turns at the ends of the span
        const timing::FixedPhase phase =
            phase_steps(std::vector<double>{t}, df).front() * static_cast<timing::FixedPhase>(index);
        // 64 bits of mantissa at least: 1e9 turns are exact to 1e-10.
        const long double turns =
            static_cast<long double>(df) * static_cast<long double>(t) * static_cast<long double>(index);
        const auto error = static_cast<double>(turns - std::round(turns)) - timing::turns(phase);
        EXPECT_LT(std::fabs(error - std::round(error)), 1e-6) << t;
    }
}

}  // namespace
}  // namespace xsift::engine
