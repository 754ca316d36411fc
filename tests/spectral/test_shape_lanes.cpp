// Shapes at many energies at once against the formulas of one energy, and their derivatives against
// differences.
#include "../../src/spectral/shape_lanes.hpp"

#include <cmath>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

namespace xsift::spectral {
namespace {

/// 0.05 to 100 keV, finer than any response at the low end; an odd number.
std::vector<double> energies() {
    std::vector<double> out;
    for (int i = 0; i < 1003; ++i) out.push_back(0.05 * std::pow(2000.0, i / 1002.0));
    return out;
}

struct Found {
    std::vector<double> value, derivative;
    explicit Found(std::size_t n) : value(n), derivative(n) {}
};

Found density(const ShapeLanes& lanes, Shape shape, double kT, const std::vector<double>& energy) {
    Found out(energy.size());
    lanes.density(shape, kT, energy.data(), energy.size(), out.value.data(), out.derivative.data());
    return out;
}

Found powerlaw(const ShapeLanes& lanes, double index, const std::vector<double>& log_edge) {
    Found out(log_edge.size() - 1);
    lanes.powerlaw(index, log_edge.data(), log_edge.size() - 1, out.value.data(), out.derivative.data());
    return out;
}

template <typename T>
T one_density(Shape shape, T kT, double energy) {
    return shape == Shape::bbody ? BbodyDensity<T>(kT)(energy) : BremssDensity<T>(kT)(energy);
}

TEST(ShapeLanes, AreTheFormulasOfOneEnergy) {
    const std::vector<double> energy = energies();
    // bremsstrahlung: cool gas (the table alone), both ways for one of the ions each, hot gas (Born alone)
    for (const Shape shape : {Shape::bbody, Shape::bremss})
        for (const double kT : {0.01, 0.05, 0.1, 0.3, 0.6, 2.0, 7.0, 13.0, 20.0, 60.0, 100.0}) {
            SCOPED_TRACE(kT);
            const Found found = density(best_shape_lanes(), shape, kT, energy);
            std::vector<double> alone(energy.size());
            best_shape_lanes().density(shape, kT, energy.data(), energy.size(), alone.data(), nullptr);
            for (std::size_t i = 0; i < energy.size(); ++i) {
                const Dual dual = one_density(shape, Dual(kT, 1.0), energy[i]);
                const double value = one_density(shape, kT, energy[i]);
                EXPECT_EQ(found.value[i], alone[i]) << energy[i];
                EXPECT_NEAR(alone[i], value, 2e-14 * value + 1e-290) << energy[i];
                EXPECT_NEAR(found.derivative[i], dual.derivative,
                            1e-12 * (std::fabs(dual.derivative) + value / kT) + 1e-280)
                    << energy[i];
            }
        }
    std::vector<double> log_edge;
    for (const double e : energy) log_edge.push_back(std::log(e));
    log_edge.insert(log_edge.end(), {5.0, 7.0});  // wide bins
    for (const double index : {-3.0, 0.0, 1.0 - 1e-9, 1.0, 1.7, 2.0, 9.5}) {
        SCOPED_TRACE(index);
        const Found found = powerlaw(best_shape_lanes(), index, log_edge);
        for (std::size_t i = 0; i + 1 < log_edge.size(); ++i) {
            const Dual dual = powerlaw_photons(log_edge[i], log_edge[i + 1], Dual(index, 1.0));
            EXPECT_NEAR(found.value[i], dual.value, 3e-14 * dual.value) << i;
            EXPECT_NEAR(found.derivative[i], dual.derivative,
                        1e-12 * (std::fabs(dual.derivative) + dual.value))
                << i;
        }
    }
}

TEST(ShapeLanes, DerivativesAreThoseOfDifferences) {
    const std::vector<double> energy = energies();
    int jumps = 0;
    for (const Shape shape : {Shape::bbody, Shape::bremss})
        for (const double kT : {0.12, 0.5, 1.5, 6.0, 30.0}) {
            const double step = 1e-5 * kT;
            const Found at = density(best_shape_lanes(), shape, kT, energy),
                        above = density(best_shape_lanes(), shape, kT + step, energy),
                        below = density(best_shape_lanes(), shape, kT - step, energy);
            for (std::size_t i = 0; i < energy.size(); i += 10) {
                if (energy[i] > 40.0 * kT) continue;
                // the published polynomials of the Gaunt factor do not meet where one follows the other
                const double left = (at.value[i] - below.value[i]) / step,
                             right = (above.value[i] - at.value[i]) / step,
                             slope = at.value[i] / kT * (1.0 + energy[i] / kT);
                if (std::fabs(left - right) > 1e-3 * slope) {
                    ++jumps;
                    continue;
                }
                EXPECT_NEAR(at.derivative[i], 0.5 * (left + right), 1e-5 * slope) << energy[i] << ' ' << kT;
            }
        }
    EXPECT_LE(jumps, 3);
}

TEST(ShapeLanes, TransmissionIsTheExponential) {
    const std::vector<double> sigma{0.0, 1e-12, 1e-3, 0.2, 3.0, 70.0, 1e5};
    for (const double column : {0.0, 1e-4, 0.04, 1.0, 50.0}) {
        std::vector<double> value(sigma.size()), by(sigma.size());
        best_shape_lanes().transmission(column, sigma.data(), sigma.size(), value.data(), by.data());
        for (std::size_t i = 0; i < sigma.size(); ++i) {
            const double exact = std::exp(-column * sigma[i]);
            EXPECT_NEAR(value[i], exact, 4e-16 * exact + 1e-300);
            EXPECT_DOUBLE_EQ(by[i], -sigma[i] * value[i]);
        }
    }
}

TEST(ShapeLanes, AreTheSameToTheLastBitForAllInstructionSets) {
    const std::vector<double> energy = energies();
    std::vector<double> log_edge;
    for (const double e : energy) log_edge.push_back(std::log(e));
    const auto all_of = [&](const ShapeLanes& lanes) {
        std::vector<double> out;
        const auto add = [&](const Found& found) {
            out.insert(out.end(), found.value.begin(), found.value.end());
            out.insert(out.end(), found.derivative.begin(), found.derivative.end());
        };
        for (const double kT : {0.05, 0.3, 3.0, 30.0})
            for (const Shape shape : {Shape::bbody, Shape::bremss}) add(density(lanes, shape, kT, energy));
        for (const double index : {0.5, 2.5}) add(powerlaw(lanes, index, log_edge));
        Found through(energy.size());
        lanes.transmission(0.3, energy.data(), energy.size(), through.value.data(),
                           through.derivative.data());
        add(through);
        return out;
    };
    EXPECT_EQ(all_of(shape_lanes_baseline), all_of(best_shape_lanes()));
}

}  // namespace
}  // namespace xsift::spectral
