// Fits by chi2, the rule that chooses the statistic, and what a choice of model may depend on.
#include "simulated_spectrum.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include <xsift/refine/spectra.hpp>

namespace {

using namespace xsift;
using namespace xsift::refine;
using spectral::FitStatistic;

constexpr FitStatistic all_chi2[] = {FitStatistic::chi2_data, FitStatistic::chi2_gehrels,
                                     FitStatistic::chi2_churazov, FitStatistic::chi2_model};

spectral::FitOptions by(FitStatistic statistic) {
    spectral::FitOptions options;
    options.statistic = statistic;
    options.binning = {spectral::Binning::Kind::min_counts, 20};
    options.posterior = false;
    return options;
}

/// Bins of at least 25 expected counts hold 20 nearly always; a draw that does not is drawn again.
spectral::PreparedSpectrum grouped(double counts, std::uint64_t seed, const spectral::FitOptions& options) {
    for (;; seed += 1000) {
        auto s = test::simulated_spectrum({"tbabs*powerlaw", 0.3, 1.8, 0.0, counts}, seed, options);
        bool enough = true;
        for (const double n : s.counts) enough = enough && n >= 20.0;
        if (enough) return s;
    }
}

TEST(Chi2Fits, FindTheTruthAndTheirNullProbability) {
    for (const FitStatistic statistic : all_chi2) {
        const auto options = by(statistic);
        const auto s = grouped(60000.0, 3, options);
        const SpectralFit fit = fit_spectrum(s, "tbabs*powerlaw", {}, options);
        SCOPED_TRACE(fit.statistic);
        EXPECT_EQ(fit.statistic, spectral::to_string(statistic));
        EXPECT_EQ(fit.statistic_rule, "ASKED");
        EXPECT_NEAR(fit.gamma.value, 1.8, 0.06);
        EXPECT_NEAR(fit.nh.value, 0.3, 0.04);
        EXPECT_LT(fit.gamma.lo, fit.gamma.value);
        EXPECT_GT(fit.gamma.hi, fit.gamma.value);
        EXPECT_GT(fit.null_prob, 1e-3);
        EXPECT_LE(fit.null_prob, 1.0);
        EXPECT_NEAR(fit.reduced, fit.stat / fit.dof, 1e-12);
        EXPECT_NEAR(fit.gof_sigma, (fit.stat - fit.dof) / std::sqrt(2.0 * fit.dof), 1e-12);
        EXPECT_LT(fit_spectrum(s, "tbabs*bbody", {}, options).null_prob, 1e-6);
    }
}

TEST(Chi2Fits, IsNotOfferedForFewCounts) {
    spectral::FitOptions options;  // the default bins do not count source counts
    options.statistic = FitStatistic::chi2_gehrels;
    options.posterior = false;
    auto s = test::simulated_spectrum({"tbabs*powerlaw", 0.3, 1.8, 0.0, 2000.0}, 2, options);
    const SpectralFit fine = fit_spectrum(s, "tbabs*powerlaw", {}, options);
    double total = 0.0;
    for (double& n : s.counts) {
        n = std::min(n, 99.0 - total);
        total += n;
    }
    const SpectralFit faint = fit_spectrum(s, "tbabs*powerlaw", {}, options);
    EXPECT_EQ(faint.statistic_rule, "FEW_COUNTS");
    EXPECT_EQ(faint.statistic, "wstat");
    EXPECT_EQ(fine.statistic_rule, "FEW_COUNTS_A_BIN");
    EXPECT_EQ(fine.statistic, "wstat");
    EXPECT_TRUE(std::isnan(fine.null_prob));
    spectral::FitOptions poisson;
    const SpectralFit usual =
        fit_spectrum(test::simulated_spectrum({"tbabs*powerlaw", 0.3, 1.8, 0.0, 500.0}, 2, poisson),
                     "tbabs*powerlaw", {}, poisson);
    EXPECT_EQ(usual.statistic_rule, "DEFAULT");
}

TEST(Choice, UnconstrainedComponentsAreFlaggedAndNeverOffered) {
    spectral::FitOptions options;
    options.posterior = false;
    int unconstrained = 0;
    for (int seed = 0; seed < 4; ++seed) {
        const auto s = test::simulated_spectrum({"tbabs*powerlaw", 0.1, 1.8, 0.0, 150.0},
                                                static_cast<std::uint64_t>(seed), options);
        std::vector<SpectralFit> fits{fit_spectrum(s, "tbabs*(bbody+powerlaw)", {}, options),
                                      fit_spectrum(s, "tbabs*powerlaw", {}, options)};
        select_model(fits);
        if (fits[0].flags & (fit_parameter_unconstrained | fit_norm_unconstrained)) {
            ++unconstrained;
            EXPECT_FALSE(fits[0].selected);
            EXPECT_TRUE(fits[0].choice == "PARAMETER_UNCONSTRAINED" || fits[0].choice == "NORM_UNCONSTRAINED")
                << fits[0].choice;
        }
        for (const SpectralFit& fit : fits)
            EXPECT_NEAR(fit.gof_rough, (fit.stat - fit.n_bins) / std::sqrt(2.0 * fit.n_bins), 1e-12);
        EXPECT_LT(std::fabs(fits[1].gof_rough), 3.0);
    }
    EXPECT_GE(unconstrained, 3);
}

TEST(Choice, DoesNotDependOnTheNullProbability) {
    const auto fit = [](double aicc, double null_prob) {
        SpectralFit f;
        f.spectrum = "a";
        f.n_bins = 50;
        f.dof = 47;
        f.aicc = aicc;
        f.bic = aicc + 2.0;
        f.null_prob = null_prob;
        return f;
    };
    for (const double first : {0.999, 1e-6, not_measured})
        for (const double second : {0.999, 1e-6, not_measured})
            for (const auto criterion : {spectral::Criterion::aicc, spectral::Criterion::bic}) {
                std::vector<SpectralFit> fits{fit(40.0, first), fit(41.0, second)};
                EXPECT_EQ(select_model(fits, criterion), 0);
                EXPECT_EQ(fits[1].choice,
                          criterion == spectral::Criterion::aicc ? "HIGHER_AICC" : "HIGHER_BIC");
            }
}

}  // namespace
