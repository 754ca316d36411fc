// Several models for one spectrum: which are refined, what the others keep, failures of one of them.
#include "simulated_spectrum.hpp"

#include <cmath>
#include <stdexcept>

#include <gtest/gtest.h>

#include <xsift/refine/spectra.hpp>

namespace {

using namespace xsift;
using namespace xsift::refine;

const char* const names[] = {"tbabs*powerlaw", "tbabs*bbody", "tbabs*apec", "tbabs*(bbody+powerlaw)"};

std::vector<SpectralFit> fits_of(
    const spectral::PreparedSpectrum& s, const spectral::FitOptions& options,
    const StepGuard& guard = [](std::size_t, const auto& step) { step(); }) {
    const FitData data(s);
    const FitInput input{&s, &data};
    std::vector<ModelTask> tasks;
    for (const char* name : names) tasks.push_back({test::model(name), {}});
    std::vector<SpectralFit> fits = fit_models(std::span(&input, 1), tasks, options, guard);
    select_model(fits, options.criterion);
    return fits;
}

TEST(FitModels, RefinesWhatCanBeOfferedAndSaysSoOfTheRest) {
    spectral::FitOptions options;
    for (const double counts : {60.0, 600.0, 6000.0}) {
        SCOPED_TRACE(counts);
        const auto s = test::simulated_spectrum({"tbabs*powerlaw", 0.2, 1.8, 0.0, counts}, 3, options);
        options.refine = spectral::Refine::automatic;
        const std::vector<SpectralFit> some = fits_of(s, options);
        options.refine = spectral::Refine::all;
        const std::vector<SpectralFit> all = fits_of(s, options);
        double offered = std::numeric_limits<double>::infinity();
        for (const SpectralFit& fit : some)
            if (fit.selected) offered = fit.aicc;
        for (std::size_t m = 0; m < some.size(); ++m) {
            SCOPED_TRACE(names[m]);
            const SpectralFit &one = some[m], &other = all[m];
            EXPECT_EQ(one.selected, other.selected);
            EXPECT_EQ(other.flags & fit_not_refined, 0U);
            // the way to the ends of intervals may find a lower minimum, of two components mostly
            EXPECT_GE(one.stat, other.stat - 1e-3);
            if (m < 3) {
                EXPECT_NEAR(one.stat, other.stat, 1e-3);
            }
            if ((one.flags & fit_not_refined) == 0) {
                EXPECT_EQ(one.norm.lo, other.norm.lo);
                EXPECT_EQ(one.flux.hi, other.flux.hi);
                EXPECT_EQ(one.gof_sigma, other.gof_sigma);
                continue;
            }
            EXPECT_FALSE(one.selected);
            EXPECT_NE(one.choice, "");
            if (one.choice == "HIGHER_AICC") {
                EXPECT_GT(one.aicc, offered + spectral::refined_within);
            }
            for (const FittedParameter& p : one.parameters)
                if ((p.flags & (parameter_frozen | parameter_tied)) == 0) {
                    EXPECT_TRUE(p.flags & parameter_not_profiled) << p.name;
                }
            EXPECT_TRUE(one.fluxes[0].flags & flux_not_profiled);
            if (!std::isnan(one.log_evidence)) {
                EXPECT_LE(one.aicc, offered + spectral::integrated_within);
            }
        }
    }
}

TEST(FitModels, CovarianceIntervalsAreNearTheProfilesWhereErrorsAreSmall) {
    spectral::FitOptions options;
    const auto s = test::simulated_spectrum({"tbabs*powerlaw", 0.2, 1.8, 0.0, 20000}, 3, options);
    const std::vector<SpectralFit> some = fits_of(s, options);
    options.refine = spectral::Refine::all;
    const std::vector<SpectralFit> all = fits_of(s, options);
    ASSERT_TRUE(some[2].flags & fit_not_refined);  // apec
    const auto near = [](const Estimate& a, const Estimate& b) {
        const double width = b.hi - b.lo;
        EXPECT_NEAR(a.lo, b.lo, 0.15 * width);
        EXPECT_NEAR(a.hi, b.hi, 0.15 * width);
    };
    near(some[2].nh, all[2].nh);
    near(some[2].kt, all[2].kt);
    near(some[2].norm, all[2].norm);
    near(some[2].flux, all[2].flux);
}

TEST(FitModels, AFailureLeavesTheOthers) {
    const spectral::FitOptions options;
    const auto s = test::simulated_spectrum({"tbabs*powerlaw", 0.2, 1.8, 0.0, 600}, 3, options);
    int failed = 0;
    const std::vector<SpectralFit> fits = fits_of(s, options, [&](std::size_t m, const auto& step) {
        if (m == 1)
            ++failed;  // as if it had thrown
        else
            step();
    });
    EXPECT_EQ(failed, 1);
    EXPECT_EQ(fits[1].model, "");
    for (const std::size_t m : {0, 2, 3}) EXPECT_EQ(fits[m].model, names[m]);
    EXPECT_THROW(fits_of(s, options, [](std::size_t, const auto&) { throw std::runtime_error("full"); }),
                 std::runtime_error);
}

TEST(FitModels, ByEvidenceAllModelsHaveOne) {
    spectral::FitOptions options;
    options.criterion = spectral::Criterion::evidence;
    const auto s = test::simulated_spectrum({"tbabs*powerlaw", 0.2, 1.8, 0.0, 3000}, 3, options);
    const std::vector<SpectralFit> fits = fits_of(s, options);
    for (const std::size_t m : {0, 1, 2}) EXPECT_TRUE(std::isfinite(fits[m].log_evidence)) << names[m];
    EXPECT_TRUE(fits[0].selected);
    EXPECT_EQ(fits[0].flags & fit_not_refined, 0U);
    EXPECT_TRUE(fits[1].flags & fit_not_refined);
}

/// The slow way: the parameter frozen at an end, everything else fitted from coarse starting points behind
/// the whole response.
TEST(FitModels, ProfileEndsAreWhereTheStatisticHasRisen) {
    spectral::FitOptions options;
    options.posterior = false;
    const struct {
        const char *model, *parameter;
    } cases[] = {{"tbabs*bremss", "bremss.kT"}, {"tbabs*apec", "apec.kT"}, {"tbabs*apec", "tbabs.nH"}};
    for (const char* number : {"0007", "0079"}) {
        const auto s = spectral::prepare(test::pn_spectrum(number), options);
        for (const auto& c : cases) {
            SCOPED_TRACE(std::string(number) + ' ' + c.model + ' ' + c.parameter);
            const SpectralFit fit = fit_spectrum(s, c.model, {}, options);
            const bool nh = std::string(c.parameter) == "tbabs.nH";
            const FittedParameter& p = fit.parameters[nh ? 0 : 1];
            const auto rise_at = [&](double value) {
                spectral::FitOptions frozen = options;
                frozen.parameters = {c.parameter + std::string(" = ") + std::to_string(value) + " frozen"};
                return fit_spectrum(s, c.model, {}, frozen).stat - fit.stat;
            };
            if ((p.flags & parameter_no_lower_end) == 0) {
                EXPECT_NEAR(rise_at(p.estimate.lo), options.confidence_delta, 0.15);
            }
            if ((p.flags & parameter_no_upper_end) == 0) {
                EXPECT_NEAR(rise_at(p.estimate.hi), options.confidence_delta, 0.15);
            }
        }
    }
}

/// A soft and a hard component that can exchange their roles: another minimum within the rise of the
/// interval.
TEST(FitModels, IntervalsHoldFurtherMinima) {
    spectral::FitOptions options;
    options.posterior = false;
    int several = 0;
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
        SCOPED_TRACE(seed);
        auto s = test::simulated_spectrum({"tbabs*powerlaw", 0.1, 1.8, 0.0, 400}, seed, options);
        const auto soft = test::simulated_spectrum({"tbabs*bbody", 0.1, 0.2, 0.0, 400}, seed + 100, options);
        ASSERT_EQ(soft.n_bins(), s.n_bins());
        for (std::size_t k = 0; k < s.n_bins(); ++k) s.counts[k] += soft.counts[k];
        const SpectralFit fit = fit_spectrum(s, "tbabs*(bbody+powerlaw)", {}, options);
        // every value of kT that a fit with kT frozen reaches within the rise is in the interval
        for (const double kt : {0.12, 0.17, 0.22, 1.0, 1.4, 1.9}) {
            spectral::FitOptions frozen = options;
            frozen.parameters = {"bbody.kT = " + std::to_string(kt) + " frozen"};
            const double rise = fit_spectrum(s, "tbabs*(bbody+powerlaw)", {}, frozen).stat - fit.stat;
            if (rise > 0.9 * options.confidence_delta) continue;
            EXPECT_LE(fit.kt.lo, kt);
            EXPECT_GE(fit.kt.hi, kt);
            several += (kt > 0.7) != (fit.kt.value > 0.7) ? 1 : 0;
        }
    }
    EXPECT_GE(several, 1);
}

}  // namespace
