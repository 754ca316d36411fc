// Time series of the XMM-Newton pipeline, whose headers hold its own CHI2PROB and FVAR, and event lists of
// pulsars.

#include "reference_values.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include <xsift/characterise/variability.hpp>
#include <xsift/core/chi2.hpp>
#include <xsift/io/event_file.hpp>
#include <xsift/io/light_curve_file.hpp>

namespace {

using namespace xsift;

struct PipelineValues {
    const char* file;
    double log10_chi2prob, fvar, fvar_error;
    double bin_width;  ///< s of exposure, of their test
    int counts_of_its_bins;
};

class PipelineSeries : public testing::TestWithParam<PipelineValues> {};

/// chi2 that is exceeded with this probability.
double chi2_of(double log10_p, double dof) {
    double lo = 0.0, hi = 1e5;
    for (int i = 0; i < 100; ++i) {
        const double middle = 0.5 * (lo + hi);
        (log10_chi2_survival(middle, dof) > log10_p ? lo : hi) = middle;
    }
    return lo;
}

// In the bins of the file (in pn 13 of them joined, of the 20 s of its keyword CHI2TBIN) the pipeline's chi2
// comes back within its own standard deviation, sqrt(2 dof): their CHI2PROB is this test. What the default
// bins gain is in the next.
TEST_P(PipelineSeries, ProbabilityInThePipelinesBins) {
    const PipelineValues& want = GetParam();
    const LightCurve curve = io::read_light_curve(test::data_path(std::string("lightcurves/") + want.file));
    characterise::VariabilityOptions options;
    options.min_counts = want.counts_of_its_bins;
    std::vector<Flare> flares;
    const Variability v = characterise::assess(curve, options, flares);
    EXPECT_NEAR(v.bin_width, want.bin_width, 0.07 * want.bin_width);
    EXPECT_NEAR(v.chi2, chi2_of(want.log10_chi2prob, v.chi2_dof), std::sqrt(2.0 * v.chi2_dof))
        << v.log10_p_chi2;
    EXPECT_LT(std::fabs(v.fvar - want.fvar), std::hypot(v.fvar_error, want.fvar_error)) << v.fvar;
    RecordProperty("log10_p_chi2", std::to_string(v.log10_p_chi2));
    RecordProperty("fvar", std::to_string(v.fvar) + " +- " + std::to_string(v.fvar_error));
    RecordProperty("chi2", std::to_string(v.chi2) + "/" + std::to_string(v.chi2_dof) + ", theirs " +
                               std::to_string(chi2_of(want.log10_chi2prob, v.chi2_dof)));
}

// By default bins have 20 counts: chi2 cannot be the same, the verdict and the amplitude can.
TEST_P(PipelineSeries, VerdictAndAmplitudeAgree) {
    const PipelineValues& want = GetParam();
    const LightCurve curve = io::read_light_curve(test::data_path(std::string("lightcurves/") + want.file));
    std::vector<Flare> flares;
    const Variability v = characterise::assess(curve, {}, flares);
    EXPECT_EQ(v.log10_p_chi2 < -3.0, want.log10_chi2prob < -3.0) << v.log10_p_chi2;
    ASSERT_FALSE(std::isnan(v.fvar));
    EXPECT_LT(std::fabs(v.fvar - want.fvar), std::hypot(v.fvar_error, want.fvar_error))
        << v.fvar << " +- " << v.fvar_error;
    // The first flickers from bin to bin without a change that lasts: chi2 sees it, blocks do not.
    if (want.log10_chi2prob > -3.0) {
        EXPECT_EQ(v.n_blocks, 1);
    }
    EXPECT_EQ(v.flags, 0u);
    RecordProperty("chi2", std::to_string(v.chi2) + "/" + std::to_string(v.chi2_dof));
    RecordProperty("log10_p_chi2", std::to_string(v.log10_p_chi2));
    RecordProperty("fvar", std::to_string(v.fvar) + " +- " + std::to_string(v.fvar_error));
    RecordProperty("blocks", std::to_string(v.n_blocks) + ", flares " + std::to_string(v.n_flares));
}

INSTANTIATE_TEST_SUITE_P(
    Xmm, PipelineSeries,
    testing::Values(PipelineValues{"P0886090801M1S001SRCTSR8001.FTZ", -6.827, 0.218, 0.023, 20.0, 5},
                    PipelineValues{"P0886090801PNS003SRCTSR8001.FTZ", -37.143, 0.204, 0.010, 17.9, 16},
                    PipelineValues{"P0916811501M1S001SRCTSR8001.FTZ", -0.805, 0.104, 0.063, 30.0, 6}));

TEST(RealEvents, ALongPeriodIsVariabilityAndAShortOneIsNot) {
    std::vector<Flare> flares;
    // 1396.55 s, 40% deep.
    const Variability slow = characterise::assess(
        io::read_events(test::data_path("events/xmm_pn_rxj0146.fits.gz"), {}), {}, flares);
    EXPECT_LT(slow.log10_p_chi2, -100.0);
    EXPECT_GT(slow.n_blocks, 20);
    EXPECT_NEAR(slow.counts, 33712.0, 100.0);
    RecordProperty("rxj0146", std::to_string(slow.log10_p_ks) + " " + std::to_string(slow.log10_p_chi2) +
                                  " " + std::to_string(slow.fvar) + " blocks " +
                                  std::to_string(slow.n_blocks) + " flares " + std::to_string(slow.n_flares));
    // 6.98 s, about a bin of 20 counts in each 0.9 s: the pulse is seen in part.
    const Variability fast =
        characterise::assess(io::read_events(test::data_path("events/nicer_1e2259.fits.gz"), {}), {}, flares);
    EXPECT_LT(fast.fvar, slow.fvar);
    RecordProperty("1e2259", std::to_string(fast.log10_p_ks) + " " + std::to_string(fast.log10_p_chi2) + " " +
                                 std::to_string(fast.fvar) + " blocks " + std::to_string(fast.n_blocks));
}

}  // namespace
