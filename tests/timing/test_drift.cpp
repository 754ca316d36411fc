#include <cmath>
#include <complex>

#include <gtest/gtest.h>
#include <reference_values.hpp>

#include <xsift/timing/drift.hpp>
#include <xsift/timing/epoch_folding.hpp>
#include <xsift/timing/significance.hpp>

namespace xsift::timing {
namespace {

double apart(double a, double b) {
    return std::fabs(std::remainder(a - b, 1.0));
}

TEST(DriftPhase, KeepsAMillionthOfACycleAfterABillion) {
    // Exact rational arithmetic on the binary values (scripts/make-timing-references.py).
    const test::ReferenceTable table("timing/phases.csv");
    ASSERT_EQ(table.rows(), 200u);
    double most_cycles = 0.0;
    for (std::size_t i = 0; i < table.rows(); ++i) {
        const double f = table["frequency_hz"][i], fdot = table["fdot_hz_s"][i], t = table["time_s"][i];
        EXPECT_LT(apart(turns(fixed_phase(f, t)), table["phase"][i]), 1e-12);
        EXPECT_LT(apart(turns(fixed_phase(f, t) + drift_phase(fdot, t)), table["phase_with_fdot"][i]), 1e-12);
        // As the searches form it: a multiple of the advance per step of the grid.
        const auto index = std::uint64_t{1'234'567};
        const double df = f / static_cast<double>(index);
        const double exact = static_cast<double>(std::fmod(static_cast<long double>(df) * t * index, 1.0L));
        EXPECT_LT(apart(turns(fixed_phase(df, t) * index), exact), 1e-6);
        most_cycles = std::max(most_cycles, std::fabs(f * t));
    }
    EXPECT_GT(most_cycles, 1e9);
}

TEST(DriftSteps, LoseWhatTheyMay) {
    const double start[] = {-1000.0, 700.0}, stop[] = {300.0, 1100.0};
    const double one_start = -2000.0, one_stop = 2000.0;
    EXPECT_NEAR(quadratic_variance(&one_start, &one_stop, 1), std::pow(4000.0, 4) / 180, 1.0);
    EXPECT_NEAR(drift_step(0.1, 1, std::pow(4000.0, 4) / 180), std::sqrt(72.0) / constants::pi / 1.6e7,
                1e-12);
    for (const int k : {1, 4})
        for (const double loss : {0.05, 0.1, 0.2}) {
            // Power of a signal half a step away from the trial, the frequency chosen for the best.
            const double d = 0.5 * drift_step(loss, k, quadratic_variance(start, stop, 2));
            double best = 0.0;
            for (double shift = -2e-3; shift <= 2e-3; shift += 1e-6) {
                std::complex<double> sum;
                int n = 0;
                for (int g = 0; g < 2; ++g)
                    for (double t = start[g] + 0.5; t < stop[g]; t += 1.0, ++n)
                        sum += std::polar(1.0, constants::two_pi * (shift * t + k * d * t * t / 2));
                best = std::max(best, std::norm(sum) / n / n);
            }
            EXPECT_GT(best, 1.0 - loss);
            EXPECT_LT(best, 1.0 - 0.7 * loss) << "finer than need be";
        }
}

TEST(DriftWindow, IsTheMeanOfThePhasor) {
    const double start[] = {-1000.0, 700.0}, stop[] = {300.0, 1100.0}, rate[] = {1.0, 3.0};
    for (const double f : {0.0, 2e-4, 1.7e-3})
        for (const double fdot : {0.0, 1e-7, -3e-6}) {
            std::complex<double> sum;
            double weight = 0.0;
            for (int g = 0; g < 2; ++g)
                for (double t = start[g] + 0.05; t < stop[g]; t += 0.1) {
                    sum += rate[g] * std::polar(1.0, constants::two_pi * (f * t + fdot * t * t / 2));
                    weight += rate[g];
                }
            const Complex w = drift_window(f, fdot, start, stop, rate, 2);
            EXPECT_NEAR(w.re, sum.real() / weight, 1e-3);
            EXPECT_NEAR(w.im, sum.imag() / weight, 1e-3);
        }
    const Complex still = drift_window(1.7e-3, 0.0, start, stop, nullptr, 2),
                  plain = gti_window(1.7e-3, start, stop, 2);
    EXPECT_NEAR(still.re, plain.re, 1e-14);
    EXPECT_NEAR(still.im, plain.im, 1e-14);
}

TEST(DriftGrid, AccelerationIsAFrequencyDerivative) {
    const DriftGrid grid{2.0, 3, true};
    EXPECT_EQ(grid.count(), 7);
    EXPECT_EQ(grid.value(3), 0.0);
    EXPECT_DOUBLE_EQ(grid.fdot(6, 100.0), 100.0 * 6.0 / 299792458.0);
    const double t = 5000.0, f = 100.0;
    EXPECT_LT(apart(turns(fixed_phase(f, accelerated_time(t, 6.0))),
                    turns(fixed_phase(f, t) + drift_phase(grid.fdot(6, f), t))),
              1e-9);
}

TEST(Chi2, SurvivalForAnyNumberOfDegreesOfFreedom) {
    // Tabulated critical values.
    EXPECT_NEAR(log10_chi2_survival_dof(3.841458820694124, 1), std::log10(0.05), 1e-12);
    EXPECT_NEAR(log10_chi2_survival_dof(24.99579013972863, 15), std::log10(0.05), 1e-12);
    EXPECT_NEAR(log10_chi2_survival_dof(37.69730, 15), -3.0, 1e-6);
    EXPECT_EQ(log10_chi2_survival_dof(50.0, 16), log10_chi2_survival(50.0, 8));
    EXPECT_NEAR(log10_chi2_survival_dof(1190.0, 7),
                log10_chi2_survival_dof(1210.0, 7) + 10.0 / constants::ln10, 0.03);
    for (const double x : {5.0, 80.0, 3000.0}) {
        EXPECT_LT(log10_chi2_survival_dof(x, 14), log10_chi2_survival_dof(x, 15));
        EXPECT_LT(log10_chi2_survival_dof(x, 15), log10_chi2_survival_dof(x, 16));
    }
    EXPECT_EQ(log10_chi2_survival_dof(0.0, 15), 0.0);
}

TEST(EpochFolding, ExposureOfPhaseBins) {
    double share[4] = {};
    add_phase_exposure(-0.1, 2.4, 1.0, 4, share);  // 2.5 cycles
    const double expected[] = {0.75, 0.65, 0.5, 0.6};
    for (int i = 0; i < 4; ++i) EXPECT_NEAR(share[i], expected[i], 1e-12);
    EXPECT_EQ(phase_bin(FixedPhase{0}, 10), 0);
    EXPECT_EQ(phase_bin(~FixedPhase{0}, 10), 9);
}

}  // namespace
}  // namespace xsift::timing
