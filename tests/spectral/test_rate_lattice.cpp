// Between the nodes of a lattice: values at nodes, derivatives, and what is exact by definition.
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include <xsift/spectral/rate_lattice.hpp>

namespace {

using namespace xsift::spectral;

constexpr int rows = 5, columns = 6;
constexpr std::int64_t n_bins = 7;

struct Lattice {
    std::vector<double> log_counts;
    RateLattice rates;

    explicit Lattice(bool tabulated) {
        for (int i = 0; i < rows; ++i)
            for (int j = 0; j < columns; ++j)
                for (std::int64_t k = 0; k < n_bins; ++k)
                    log_counts.push_back(std::sin(0.7 * i + 0.3 * static_cast<double>(k)) * 0.4 -
                                         0.5 * j / (1.0 + static_cast<double>(k)) + 0.05 * i * j);
        rates = {log_counts.data(), rows, columns, n_bins, tabulated};
    }
    LogCounts at(double row, double column, std::int64_t k) const {
        return log_counts_at(rates, cell_at(rates, row, column, static_cast<int>(column)), k);
    }
    double node(int i, int j, std::int64_t k) const {
        return log_counts[static_cast<std::size_t>((i * columns + j) * n_bins + k)];
    }
};

TEST(RateLattice, IsItsNodes) {
    for (const bool tabulated : {false, true}) {
        const Lattice lattice(tabulated);
        for (int i = 0; i < rows; ++i)
            for (int j = 0; j < columns - 1; ++j)
                EXPECT_NEAR(lattice.at(i, j, 3).value, lattice.node(i, j, 3), 1e-12) << i << ", " << j;
        EXPECT_NEAR(log_counts_at(lattice.rates, cell_at(lattice.rates, 2.0, 4.0, 3), 5).value,
                    lattice.node(2, 4, 5), 1e-12)
            << "a column from the interval below";
    }
}

TEST(RateLattice, DerivativesAreThoseOfDifferences) {
    constexpr double h = 1e-4;
    for (const bool tabulated : {false, true}) {
        const Lattice lattice(tabulated);
        for (const auto& [u, v] : {std::pair{1.3, 2.6}, std::pair{0.2, 4.9}, std::pair{3.8, 0.4}})
            for (std::int64_t k = 0; k < n_bins; ++k) {
                const auto f = [&](int i, int j) { return lattice.at(u + i * h, v + j * h, k).value; };
                const LogCounts at = lattice.at(u, v, k);
                EXPECT_NEAR(at.u, (f(1, 0) - f(-1, 0)) / (2.0 * h), 1e-7);
                EXPECT_NEAR(at.v, (f(0, 1) - f(0, -1)) / (2.0 * h), 1e-7);
                EXPECT_NEAR(at.uu, (f(1, 0) - 2.0 * f(0, 0) + f(-1, 0)) / (h * h), 1e-6);
                EXPECT_NEAR(at.vv, (f(0, 1) - 2.0 * f(0, 0) + f(0, -1)) / (h * h), 1e-6);
                EXPECT_NEAR(at.uv, (f(1, 1) - f(1, -1) - f(-1, 1) + f(-1, -1)) / (4.0 * h * h), 1e-6);
            }
    }
}

TEST(RateLattice, CountsAreLinearBetweenTabulatedColumns) {
    const Lattice lattice(true);
    for (std::int64_t k = 0; k < n_bins; ++k)
        EXPECT_NEAR(std::exp(lattice.at(2, 3.25, k).value),
                    0.75 * std::exp(lattice.node(2, 3, k)) + 0.25 * std::exp(lattice.node(2, 4, k)), 1e-12);
}

}  // namespace
