// The distribution of the statistic of a right model: its limits, and fits of simulated spectra.
#include "../../src/refine/goodness.hpp"
#include "simulated_spectrum.hpp"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include <xsift/core/chi2.hpp>
#include <xsift/core/random.hpp>

namespace {

using namespace xsift;
using namespace xsift::refine;

TEST(ExpectedStatistic, WithTheMomentsOfChiSquareItIsThat) {
    const ExpectedStatistic e{40.0, 80.0, 320.0}, mirrored{40.0, 80.0, -320.0}, even{40.0, 80.0, 0.0};
    for (const double stat : {10.0, 30.0, 40.0, 55.0, 90.0}) {
        const double right = std::pow(10.0, log10_chi2_survival(stat, 40.0));
        EXPECT_NEAR(e.probability_above(stat), right, 1e-12);
        EXPECT_NEAR(mirrored.probability_above(80.0 - stat), 1.0 - right, 1e-12);
        EXPECT_NEAR(even.probability_above(stat), 0.5 * std::erfc(e.deviations(stat) / std::sqrt(2.0)),
                    1e-12);
    }
    EXPECT_EQ(e.probability_above(-1.0), 1.0);
}

/// A spectrum without background, counts drawn from a power law.
spectral::PreparedSpectrum without_background(double counts, std::uint64_t seed,
                                              const spectral::FitOptions& options) {
    auto p = spectral::prepare(test::pn_spectrum("0007"), options);
    p.background_counts.clear();
    const auto photons =
        test::photons("tbabs*powerlaw", 0.3, 1.8, options.abundance, p.energy_lo, p.energy_hi);
    std::vector<double> rate(p.n_bins());
    spectral::fold<1>(p, {photons.data()}, {rate.data()});
    double total = 0.0;
    for (const double r : rate) total += r;
    RandomStream random(seed, 1);
    for (std::size_t k = 0; k < rate.size(); ++k)
        p.counts[k] = static_cast<double>(random.poisson(counts * rate[k] / total));
    return p;
}

SpectralFit fit_to(const spectral::PreparedSpectrum& s) {
    spectral::FitOptions options;
    options.posterior = false;
    return fit_spectrum(s, "tbabs*powerlaw", {}, options);
}

TEST(ExpectedStatistic, ManyCountsLoseOneForEachParameter) {
    const SpectralFit fit = fit_to(without_background(1e7, 1, {}));
    EXPECT_EQ(fit.statistic, "cstat");
    EXPECT_NEAR(fit.gof_expected, fit.dof, 0.1);
    EXPECT_NEAR(fit.gof_sigma, (fit.stat - fit.dof) / std::sqrt(2.0 * fit.dof), 0.05);
    EXPECT_NEAR(fit.gof_probability, std::pow(10.0, log10_chi2_survival(fit.stat, fit.dof)), 0.01);
}

/// Mean and deviation of GOF_SIGMA and the largest distance of GOF_PROB from a uniform distribution.
struct Calibration {
    double mean = 0.0, deviation = 0.0, distance = 0.0;
};

template <typename Draw>
Calibration calibrate(int n, const Draw& draw) {
    Calibration out;
    std::vector<double> p;
    for (int i = 0; i < n; ++i) {
        const SpectralFit fit = fit_to(draw(static_cast<std::uint64_t>(i)));
        p.push_back(fit.gof_probability);
        out.mean += fit.gof_sigma / n;
        out.deviation += fit.gof_sigma * fit.gof_sigma / n;
    }
    out.deviation = std::sqrt(out.deviation - out.mean * out.mean);
    std::sort(p.begin(), p.end());
    for (int i = 0; i < n; ++i)
        out.distance = std::max({out.distance, (i + 1.0) / n - p[i], p[i] - static_cast<double>(i) / n});
    return out;
}

constexpr int simulations = 120;
// three standard deviations of a mean and of a deviation of so many; one in a thousand is further from
// uniform
constexpr double mean_within = 0.28, deviation_within = 0.2, distance_within = 0.178;

TEST(ExpectedStatistic, FewCountsInFineBins) {
    // 40 counts in some hundred bins: the statistic is nearly linear in them, and a fit takes most of its
    // variance away
    const spectral::FitOptions options;
    const Calibration c =
        calibrate(simulations, [&](std::uint64_t i) { return without_background(40.0, 100 + i, options); });
    EXPECT_NEAR(c.mean, 0.0, mean_within);
    EXPECT_NEAR(c.deviation, 1.0, deviation_within);
    EXPECT_LT(c.distance, distance_within);
}

TEST(ExpectedStatistic, FewCountsAboveABackground) {
    for (const double counts : {40.0, 400.0}) {
        SCOPED_TRACE(counts);
        const Calibration c = calibrate(simulations, [&](std::uint64_t i) {
            return test::simulated_spectrum({"tbabs*powerlaw", 0.3, 1.8, 0.0, counts}, 300 + i, {});
        });
        EXPECT_NEAR(c.mean, 0.0, mean_within);
        EXPECT_NEAR(c.deviation, 1.0, deviation_within);
        EXPECT_LT(c.distance, distance_within);
    }
}

}  // namespace
