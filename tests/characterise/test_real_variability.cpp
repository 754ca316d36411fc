// Time series of the XMM-Newton pipeline, whose headers hold its own CHI2PROB and FVAR, and event lists of
// pulsars.

#include "reference_values.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include <xsift/characterise/variability.hpp>
#include <xsift/io/event_file.hpp>
#include <xsift/io/light_curve_file.hpp>

namespace {

using namespace xsift;

struct PipelineValues {
    const char* file;
    double log10_chi2prob, fvar, fvar_error;
};

class PipelineSeries : public testing::TestWithParam<PipelineValues> {};

// The pipeline bins otherwise (20 or 30 s, not a number of counts): chi2 cannot be the same, the verdict and
// the amplitude can.
TEST_P(PipelineSeries, VerdictAndAmplitudeAgree) {
    const PipelineValues& want = GetParam();
    const LightCurve curve = io::read_light_curve(test::data_path(std::string("lightcurves/") + want.file));
    std::vector<Flare> flares;
    const Variability v = characterise::assess(curve, {}, flares);
    EXPECT_EQ(v.log10_p_chi2 < -3.0, want.log10_chi2prob < -3.0) << v.log10_p_chi2;
    ASSERT_FALSE(std::isnan(v.fvar));
    EXPECT_LT(std::fabs(v.fvar - want.fvar), 3.0 * std::hypot(v.fvar_error, want.fvar_error))
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
    testing::Values(PipelineValues{"P0886090801M1S001SRCTSR8001.FTZ", -6.83, 0.218, 0.023},
                    PipelineValues{"P0886090801PNS003SRCTSR8001.FTZ", -37.14, 0.204, 0.010},
                    PipelineValues{"P0916811501M1S001SRCTSR8001.FTZ", -0.80, 0.104, 0.063}));

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
