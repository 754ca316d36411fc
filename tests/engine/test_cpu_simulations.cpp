// Simulated fits on the CPU are the same to the last bit for any instruction set and number of threads.
#include "../../src/engine/simulations.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace xsift::engine {
namespace {

TEST(CpuSimulations, DoNotDependOnInstructionSetsOrThreads) {
    constexpr int rows = 7, columns = 6, n_bins = 37;
    std::vector<double> log_counts, expected, background;
    for (int i = 0; i < rows; ++i)
        for (int j = 0; j < columns; ++j)
            for (int k = 0; k < n_bins; ++k) {
                const double e = 0.4 + 0.15 * k;
                log_counts.push_back(-0.3 * j * std::log(e) - 0.1 * i / (e * e));
            }
    for (int k = 0; k < n_bins; ++k) {
        const double e = 0.4 + 0.15 * k;
        expected.push_back(2.0 * std::exp(-0.9 * std::log(e) - 0.2 / (e * e)) + 0.4);
        background.push_back(4.0);
    }
    const SimulationTask task{rows,       columns, false, {{n_bins, 10.0}}, log_counts, expected,
                              background, 5,       300};
    const ThreadPool one(1), three(3);
    const auto wanted = simulate_on(one, std::span(&task, 1), nufft_baseline).at(0).fits;
    ASSERT_EQ(wanted.size(), 300U);
    const auto expect_same = [&](const std::vector<spectral::LatticeMinimum>& fits) {
        for (std::size_t d = 0; d < wanted.size(); ++d) {
            EXPECT_EQ(fits[d].stat, wanted[d].stat) << d;
            EXPECT_EQ(fits[d].at.row, wanted[d].at.row) << d;
            EXPECT_EQ(fits[d].at.column, wanted[d].at.column) << d;
            EXPECT_EQ(fits[d].at.log_scale[0], wanted[d].at.log_scale[0]) << d;
        }
    };
    for (const NufftKernel* kernel : nufft_kernels()) {
        SCOPED_TRACE(kernel->name);
        expect_same(simulate_on(three, std::span(&task, 1), *kernel).at(0).fits);
    }
}

}  // namespace
}  // namespace xsift::engine
