// Posteriors of a backend: against sums over all three parameters, and what depends on what.
#include "backend.hpp"
#include "posterior_lattice.hpp"

#include <array>
#include <limits>
#include <map>
#include <memory>
#include <numeric>

#include <gtest/gtest.h>

#include <xsift/core/error.hpp>
#include <xsift/spectral/profile.hpp>

namespace xsift::engine {
namespace {

using spectral::DensitySummary;
using test::PosteriorLattice;
using Lattice = std::unique_ptr<const PosteriorLattice>;

class PosteriorSuite : public test::BackendTest {
  protected:
    PosteriorOutcome integral_of(const PosteriorLattice& lattice) {
        const PosteriorTask task = lattice.task();
        return engines.grid->evaluate(std::span(&task, 1)).at(0);
    }
};

/// Weights by value, for quantiles.
struct Marginal {
    double cell = 0.0;  ///< width of what a value stands for
    std::map<double, double> weights{};

    void add(double value, double weight) { weights[value] += weight; }
    double quantile(double q) const {
        double total = 0.0, sum = 0.0;
        for (const auto& [value, weight] : weights) total += weight;
        for (const auto& [value, weight] : weights) {
            if (sum + weight >= q * total) return value + cell * ((q * total - sum) / weight - 0.5);
            sum += weight;
        }
        return weights.rbegin()->first;
    }
};

/// The likelihood on a dense grid of both shape parameters and of ln norm: no Gaussians, no interpolation.
struct Oracle {
    Marginal row, column, norm, flux;
    double log_integral = 0.0, lowest = std::numeric_limits<double>::infinity();

    explicit Oracle(const PosteriorLattice& of, int steps = 80) {
        const auto statistic = [&](const std::vector<double>& rates, double norm_at) {
            double sum = 0.0;
            for (std::size_t k = 0; k < rates.size(); ++k)
                sum += spectral::bin_statistic(of.counts[k], of.background[k], of.exposure,
                                               of.background_exposure[k], norm_at * rates[k]);
            return sum;
        };
        struct Place {
            double x, y, ln_norm, stat, volume;
        };
        std::vector<Place> places;
        const auto each = [&](const PosteriorLattice::Axis& axis, const auto& visit) {
            if (axis.n_nodes == 1) return visit(axis.lo, 1.0);
            const double step = axis.step * (axis.n_nodes - 1) / steps;
            (&axis == &of.row ? row : column).cell = step;
            for (int i = 0; i < steps; ++i) visit(axis.lo + (i + 0.5) * step, step);
        };
        each(of.row, [&](double x, double dx) {
            each(of.column, [&](double y, double dy) {
                std::vector<double> rates;
                double total = 0.0, counted = 0.0;
                for (std::size_t k = 0; k < of.counts.size(); ++k) {
                    rates.push_back(of.rate(x, y, static_cast<int>(k)));
                    total += of.exposure * rates.back();
                    counted += of.counts[k];
                }
                constexpr double step = 0.02;
                if (of.row.n_nodes * of.column.n_nodes == 1) norm.cell = step;
                const double middle = std::log(counted / total);
                for (int n = -90; n < 60; ++n) {
                    const double ln_norm = middle + step * n;
                    places.push_back({x, y, ln_norm, statistic(rates, std::exp(ln_norm)), dx * dy * step});
                    lowest = std::min(lowest, places.back().stat);
                }
            });
        });
        double sum = 0.0;
        for (const Place& p : places) {
            const double weight = p.volume * std::exp(-0.5 * (p.stat - lowest));
            sum += weight;
            if (weight < 1e-9 * p.volume) continue;
            row.add(p.x, weight);
            column.add(p.y, weight);
            norm.add(p.ln_norm, weight);
            flux.add(p.ln_norm + of.log_unit_flux(p.x, p.y), weight);
        }
        log_integral = std::log(sum);
    }
};

void expect_quantiles(const DensitySummary& found, const Marginal& wanted, double tolerance) {
    const double width = wanted.quantile(0.95) - wanted.quantile(0.05);
    const std::array<double, DensitySummary::n_quantiles> at{0.5, 0.15866, 0.84134, 0.05, 0.95, 0.05, 0.95};
    for (std::size_t q = 0; q < at.size(); ++q)
        EXPECT_NEAR(found.quantile[q], wanted.quantile(at[q]), tolerance * width) << at[q];
}

TEST_F(PosteriorSuite, IsTheSumOverAllParameters) {
    for (const bool w_stat : {true, false}) {
        SCOPED_TRACE(w_stat);
        const PosteriorLattice lattice({0.0, 0.12, 18}, {0.6, 0.12, 26}, 24, w_stat ? 400.0 : 300.0, w_stat,
                                       7);
        const PosteriorOutcome found = integral_of(lattice);
        Oracle oracle(lattice);
        EXPECT_NEAR(found.integral.log_integral - 0.5 * found.integral.lowest,
                    oracle.log_integral - 0.5 * oracle.lowest, 0.02);
        expect_quantiles(found.integral.row, oracle.row, 0.015);
        expect_quantiles(found.integral.column, oracle.column, 0.015);
        expect_quantiles(found.integral.norm, oracle.norm, 0.03);
        ASSERT_EQ(found.fluxes.size(), 1U);
        expect_quantiles(found.fluxes[0], oracle.flux, 0.03);
        EXPECT_GE(found.integral.row_width, 5);
        EXPECT_GE(found.integral.column_width, 5);
        EXPECT_GT(found.integral.row_edge[1], 16.0);
        EXPECT_GT(found.integral.column_edge[0], 16.0);
        EXPECT_GT(found.integral.column_edge[1], 16.0);
    }
}

TEST_F(PosteriorSuite, OfOneShapeParameterAndOfNone) {
    const PosteriorLattice one({0.0, 0.1, 25}, {1.8, 1.0, 1}, 15, 500.0, true, 3);
    Oracle oracle(one, 400);
    const PosteriorOutcome of_one = integral_of(one);
    expect_quantiles(of_one.integral.row, oracle.row, 0.02);
    expect_quantiles(of_one.integral.norm, oracle.norm, 0.03);
    const PosteriorLattice none({0.5, 1.0, 1}, {1.8, 1.0, 1}, 15, 2000.0, false, 4);
    Oracle of_norm(none);
    const PosteriorOutcome found = integral_of(none);
    expect_quantiles(found.integral.norm, of_norm.norm, 0.04);
    EXPECT_NEAR(found.integral.log_integral - 0.5 * found.integral.lowest,
                of_norm.log_integral - 0.5 * of_norm.lowest, 0.01);
    // C-stat: the best norm expects all counts, and is known to their square root
    const double total = std::accumulate(none.counts.begin(), none.counts.end(), 0.0);
    EXPECT_NEAR(found.integral.norm_sigma, 1.0 / std::sqrt(total), 1e-6);
}

TEST_F(PosteriorSuite, UnequalTasksDoNotTouchEachOther) {
    const std::vector<Lattice> lattices = [] {
        std::vector<Lattice> out;
        out.push_back(std::make_unique<PosteriorLattice>(
            PosteriorLattice::Axis(0.0, 0.1, 30), PosteriorLattice::Axis(0.5, 0.05, 64), 40, 900.0, true, 1));
        out.push_back(std::make_unique<PosteriorLattice>(
            PosteriorLattice::Axis(0.0, 0.2, 3), PosteriorLattice::Axis(1.0, 0.3, 2), 1, 5.0, false, 2));
        out.push_back(std::make_unique<PosteriorLattice>(
            PosteriorLattice::Axis(0.2, 0.02, 33), PosteriorLattice::Axis(1.8, 1.0, 1), 130, 5e4, true, 3));
        return out;
    }();
    std::vector<PosteriorTask> tasks;
    for (const Lattice& lattice : lattices) tasks.push_back(lattice->task());
    const auto together = engines.grid->evaluate(std::span<const PosteriorTask>(tasks));
    ASSERT_EQ(together.size(), tasks.size());
    for (std::size_t i = 0; i < tasks.size(); ++i) {
        SCOPED_TRACE(i);
        const PosteriorOutcome alone = integral_of(*lattices[i]);
        EXPECT_EQ(together[i].integral.lowest, alone.integral.lowest);
        EXPECT_EQ(together[i].integral.log_integral, alone.integral.log_integral);
        EXPECT_EQ(together[i].integral.norm.quantile[0], alone.integral.norm.quantile[0]);
        EXPECT_EQ(together[i].fluxes.at(0).quantile[6], alone.fluxes.at(0).quantile[6]);
        EXPECT_TRUE(std::isfinite(alone.integral.norm.mean));
    }
}

TEST_F(PosteriorSuite, RefusesTasksThatContradictThemselves) {
    PosteriorLattice lattice({0.0, 0.1, 6}, {1.0, 0.2, 6}, 5, 50.0, true, 1);
    lattice.first[4] = 6;  // three energies from there on are more than there are
    EXPECT_THROW(integral_of(lattice), Error);
    PosteriorTask task = lattice.task();
    task.counts = task.counts.first(4);
    EXPECT_THROW(engines.grid->evaluate(std::span(&task, 1)), Error);
    EXPECT_TRUE(engines.grid->evaluate(std::span<const PosteriorTask>()).empty());
}

}  // namespace
}  // namespace xsift::engine
