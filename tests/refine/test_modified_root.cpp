// Estimates without bias at few counts, against exact distributions and by simulation.
#include "../../src/refine/modified_root.hpp"
#include "simulated_spectrum.hpp"

#include <cmath>
#include <memory>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>

#include <xsift/core/random.hpp>
#include <xsift/refine/spectra.hpp>

namespace {

using namespace xsift;
using namespace xsift::refine;

/// One bin that one energy reaches: all that is known of a source is a count, and one of its background.
spectral::PreparedSpectrum one_bin(double counts, double background, double ratio) {
    spectral::PreparedSpectrum s;
    s.energy_lo = {1.0};
    s.energy_hi = {2.0};
    s.row_first = {0};
    s.row_count = {1};
    s.row_value = {0};
    s.value = {100.0F};
    s.counts = {counts};
    s.bin_first = s.bin_last = {0};
    s.source_exposure = 1000.0;
    if (ratio > 0.0) {
        s.background_counts = {background};
        s.background_exposure = ratio * s.source_exposure;
    }
    return s;
}

/// Its root in the norm, all else frozen.
class NormOfOneBin {
  public:
    explicit NormOfOneBin(spectral::PreparedSpectrum spectrum)
        : spectrum_(std::move(spectrum)), data_(spectrum_), input_{&spectrum_, &data_} {
        spectral::FitOptions options;
        options.parameters = {"tbabs.nH = 0 frozen", "powerlaw.PhoIndex = 2 frozen"};
        const FitData* data = &data_;
        objective_ = std::make_unique<Objective>(std::span(&data, 1), test::model("tbabs*powerlaw", options),
                                                 options.abundance);
        best_ = objective_->make_point();
        Vector x{};
        x[0] = std::log(1e-3);
        objective_->evaluate(x, best_);
        root_ = std::make_unique<ModifiedRoot>(std::span(&input_, 1), *objective_, options.abundance, best_);
    }
    /// At a count expected of the source.
    ModifiedRoot::Root at(double expected) { return root_->at(0, coordinate(expected)).value(); }
    double median() { return expected(root_->median_unbiased(0)); }

  private:
    double counts_at_best() const {
        return std::exp(best_.x[0]) * best_.rates[0] * spectrum_.source_exposure;
    }
    double coordinate(double expected) const { return best_.x[0] + std::log(expected / counts_at_best()); }
    double expected(double coordinate) const { return counts_at_best() * std::exp(coordinate - best_.x[0]); }

    spectral::PreparedSpectrum spectrum_;
    FitData data_;
    FitInput input_;
    std::unique_ptr<Objective> objective_;
    Point best_;
    std::unique_ptr<ModifiedRoot> root_;
};

double normal_above(double x) {
    return 0.5 * std::erfc(x / std::sqrt(2.0));
}

/// P(N > n) + P(N = n) / 2 of a Poisson number.
double middle_tail(int n, double mean) {
    double term = std::exp(-mean), below = 0.0;
    for (int k = 0; k < n; ++k) {
        below += term;
        term *= mean / (k + 1);
    }
    return 1.0 - below - 0.5 * term;
}

TEST(ModifiedRoot, OfAPoissonNumberIsThatOfItsCanonicalParameter) {
    for (const int n : {3, 10, 50}) {
        NormOfOneBin norm(one_bin(n, 0.0, 0.0));
        for (const double mean : {0.4 * n, 0.7 * n, 1.3 * n, 1.8 * n}) {
            const double r = std::copysign(std::sqrt(2.0 * (n * std::log(n / mean) - n + mean)), n - mean);
            const double u = std::sqrt(n) * std::log(n / mean);
            const auto found = norm.at(mean);
            EXPECT_NEAR(found.r, r, 1e-6);
            EXPECT_NEAR(found.modified, r + std::log(u / r) / r, 1e-4) << n << " " << mean;
            EXPECT_NEAR(normal_above(found.modified), middle_tail(n, mean), 0.012) << n << " " << mean;
        }
        // the mean of which n is the median of a continuous distribution through the Poisson numbers: n + 1/6
        EXPECT_NEAR(norm.median(), n + 1.0 / 6.0, 0.06);
    }
}

TEST(ModifiedRoot, WithABackgroundIsThatOfTheRatioOfTwoCounts) {
    // No source: the logarithm of the ratio of the counts, a canonical parameter, is that of the exposures; r
    // is then that of Li & Ma (1983). Given their sum, the source region's count is binomial.
    constexpr double ratio = 8.0;
    for (const auto& [on, off] : {std::pair{9, 30}, {14, 40}, {30, 120}}) {
        NormOfOneBin norm(one_bin(on, off, ratio));
        const double n = on + off, p = 1.0 / (1.0 + ratio);
        const double r =
            std::sqrt(2.0 * (on * std::log(on / (n * p)) + off * std::log(off / (n * (1.0 - p)))));
        const double u = std::log(on * ratio / off) * std::sqrt(on * off / n);
        const auto found = norm.at(1e-4);
        EXPECT_NEAR(found.r, r, 1e-3) << on;
        EXPECT_NEAR(found.modified, r + std::log(u / r) / r, 1e-3) << on;
        double term = std::pow(1.0 - p, n), below = 0.0;
        for (int k = 0; k < on; ++k) {
            below += term;
            term *= (n - k) * p / ((k + 1) * (1.0 - p));
        }
        EXPECT_NEAR(normal_above(found.modified) / (1.0 - below - 0.5 * term), 1.0, 0.1) << on;
    }
}

TEST(Elimination, OfASystemThatIsNotSymmetric) {
    Matrix a{};
    a[0] = {0.0, 9.0, 2.0, 1.0};  // a pivot of 0; coordinate 1 is left out
    a[1] = {9.0, 9.0, 9.0, 9.0};
    a[2] = {4.0, 9.0, -1.0, 3.0};
    a[3] = {1.0, 9.0, 5.0, 2.0};
    const Elimination solved = eliminate(a, {5.0, 9.0, 10.0, 19.0}, {true, false, true, true}, 4);
    // 2 y + z = 5, 4 x - y + 3 z = 10, x + 5 y + 2 z = 19 by Cramer's rule
    EXPECT_NEAR(solved.determinant, 2.0 * (1.0 * 3.0 - 4.0 * 2.0) + 1.0 * (4.0 * 5.0 + 1.0), 1e-12);
    const double x = solved.x[0], y = solved.x[2], z = solved.x[3];
    EXPECT_NEAR(2.0 * y + z, 5.0, 1e-12);
    EXPECT_NEAR(4.0 * x - y + 3.0 * z, 10.0, 1e-12);
    EXPECT_NEAR(x + 5.0 * y + 2.0 * z, 19.0, 1e-12);
    a[2] = a[0];
    EXPECT_EQ(eliminate(a, {}, {true, false, true, true}, 4).determinant, 0.0);
}

TEST(ModifiedRoot, LeavesBrightSourcesAlone) {
    const auto s = test::simulated_spectrum({"tbabs*powerlaw", 0.3, 1.8, 0.0, 30000.0}, 5, {});
    const SpectralFit fit = fit_spectrum(s, "tbabs*powerlaw", {}, {});
    for (const FittedParameter& p : fit.parameters)
        EXPECT_NEAR(p.unbiased, p.estimate.value, 0.05 * p.error) << p.name;
}

TEST(ModifiedRoot, HasTheTruthInTheMiddleWhereTheBestFitHasNot) {
    constexpr int n = 800;
    spectral::FitOptions options;
    options.posterior = false;
    spectral::PreparedSpectrum s = spectral::prepare(test::pn_spectrum("0007"), options);
    s.background_counts.clear();
    constexpr double counts = 40.0;
    const std::vector<double> photons =
        test::photons("tbabs*bbody", 0.04, 0.5, options.abundance, s.energy_lo, s.energy_hi);
    std::vector<double> rate(s.n_bins());
    spectral::fold<1>(s, {photons.data()}, {rate.data()});
    const double total = std::accumulate(rate.begin(), rate.end(), 0.0);
    int below = 0, best_below = 0, cut_off = 0;
    for (int i = 0; i < n; ++i) {
        RandomStream random(18, static_cast<std::uint64_t>(i));
        for (std::size_t k = 0; k < s.n_bins(); ++k)
            s.counts[k] = static_cast<double>(random.poisson(counts / total * rate[k]));
        const SpectralFit fit = fit_spectrum(s, "tbabs*bbody", {}, options);
        ASSERT_FALSE(std::isnan(fit.parameters[1].unbiased)) << i;
        for (const FittedParameter& p : fit.parameters) {
            EXPECT_GE(p.unbiased, p.estimate.lo) << i << " " << p.name;
            EXPECT_LE(p.unbiased, p.estimate.hi) << i << " " << p.name;
        }
        below += fit.parameters[1].unbiased < 0.5 ? 1 : 0;
        best_below += fit.kt.value < 0.5 ? 1 : 0;
        cut_off += fit.nh.value == 0.0 ? 1 : 0;
    }
    constexpr double deviation = 0.0177;  // of a share of a half
    EXPECT_NEAR(below / double(n), 0.5, 3.0 * deviation);
    EXPECT_GT(best_below / double(n), 0.5 + 4.0 * deviation);
    EXPECT_GT(cut_off, n / 10);
}

TEST(ModifiedRoot, OfJointFitsAndOfModelsItIsNotFor) {
    spectral::FitOptions options;
    const auto first = test::simulated_spectrum({"tbabs*powerlaw", 0.2, 1.8, 0.0, 200.0}, 3, options),
               second = test::simulated_spectrum({"tbabs*powerlaw", 0.2, 1.8, 0.0, 150.0}, 4, options);
    const FitData first_data(first), second_data(second);
    const FitInput both[] = {{&first, &first_data}, {&second, &second_data}};
    const SpectralFit joint = fit_spectra(both, test::model("tbabs*powerlaw", options), {}, options);
    ASSERT_EQ(joint.parameters.size(), 4U);
    for (const FittedParameter& p : joint.parameters) {
        EXPECT_FALSE(std::isnan(p.unbiased)) << p.name;
        EXPECT_LT(std::fabs(p.unbiased - p.estimate.value), p.error) << p.name;
    }
    for (const FittedParameter& p : fit_spectrum(first, "tbabs*(bbody+powerlaw)", {}, options).parameters)
        EXPECT_TRUE(std::isnan(p.unbiased)) << p.name;
    options.unbiased = false;
    for (const FittedParameter& p : fit_spectrum(first, "tbabs*powerlaw", {}, options).parameters)
        EXPECT_TRUE(std::isnan(p.unbiased)) << p.name;
}

TEST(ModifiedRoot, OfAParameterAtItsLimitIsTheLimit) {
    const auto s = test::simulated_spectrum({"tbabs*powerlaw", 0.2, 1.8, 0.0, 400.0}, 8, {});
    spectral::FitOptions options;
    options.parameters = {"powerlaw.PhoIndex in 2.5:4", "tbabs.nH = 0.2 frozen"};
    const SpectralFit fit = fit_spectrum(s, "tbabs*powerlaw", {}, options);
    ASSERT_EQ(fit.gamma.value, 2.5);
    EXPECT_EQ(fit.parameters[1].unbiased, 2.5);
    EXPECT_TRUE(std::isnan(fit.parameters[0].unbiased));  // frozen
    EXPECT_FALSE(std::isnan(fit.parameters[2].unbiased));
}

}  // namespace
