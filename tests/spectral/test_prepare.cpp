// Channels, bins and the grouped response, on a real pn spectrum and on small made-up ones.
#include "pn_spectrum.hpp"

#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

#include <xsift/core/error.hpp>
#include <xsift/spectral/prepared.hpp>

namespace {

using namespace xsift;
using namespace xsift::spectral;

FitOptions options(const char* binning, double lo = 0.5, double hi = 10.0) {
    FitOptions o;
    o.binning = parse_binning(binning);
    o.energy_lo = lo;
    o.energy_hi = hi;
    return o;
}

/// 4 channels of 1 keV from 0, 3 energies; rows overlap.
Spectrum small_spectrum() {
    auto r = std::make_shared<Response>();
    r->name = "small.rmf";
    r->hash = "small";
    r->channel_lo = {0, 1, 2, 3};
    r->channel_hi = {1, 2, 3, 4};
    r->energy_lo = {0, 1, 2};
    r->energy_hi = {1, 2, 4};
    r->row_group = {0, 1, 3, 4};
    r->group_first = {0, 0, 2, 1};
    r->group_count = {2, 1, 1, 3};
    r->group_value = {0, 2, 3, 4};
    r->value = {0.5F, 0.25F, 0.125F, 0.5F, 0.125F, 0.25F, 0.5F};
    Spectrum s;
    s.exposure.file = "small.pha";
    s.exposure.livetime = 10.0;
    s.counts = {1, 2, 3, 4};
    s.quality = {0, 0, 0, 0};
    s.area_scale = 0.5;
    s.back_scale = 2.0;
    s.background_counts = {0, 5, 0, 1};
    s.background_exposure = 20.0;
    s.background_area_scale = 1.0;
    s.background_back_scale = 8.0;
    s.effective_area = {10, 20, 40};
    s.response = r;
    return s;
}

std::string code_of(const Spectrum& s, const FitOptions& o) {
    try {
        prepare(s, o);
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::input);
        EXPECT_NE(std::string(error.what()).find(s.exposure.file), std::string::npos) << error.what();
        return error.code();
    }
    return "";
}

TEST(Prepare, SmallSpectrumByHand) {
    const PreparedSpectrum p = prepare(small_spectrum(), options("none", 0.0, 10.0));
    EXPECT_EQ(p.counts, (std::vector<double>{1, 2, 3, 4}));
    EXPECT_EQ(p.background_counts, (std::vector<double>{0, 5, 0, 1}));
    EXPECT_DOUBLE_EQ(p.source_exposure, 5.0);
    EXPECT_DOUBLE_EQ(p.background_exposure, 80.0);
    EXPECT_EQ(p.flags, 0U);
    EXPECT_EQ(p.energy_lo, (std::vector<double>{0.1, 1, 2}));  // 0 made positive
    EXPECT_EQ(p.row_first, (std::vector<std::int32_t>{0, 0, 1}));
    EXPECT_EQ(p.row_count, (std::vector<std::int32_t>{2, 3, 3}));
    EXPECT_EQ(p.value, (std::vector<double>{5, 2.5, 2.5, 0, 10, 5, 10, 20}));
    const std::vector<double> photons{1, 2, 3};
    std::vector<double> rate(4), twice(4), doubled{2, 4, 6};
    fold<2>(p, {photons.data(), doubled.data()}, {rate.data(), twice.data()});
    EXPECT_EQ(rate, (std::vector<double>{10, 17.5, 50, 60}));
    EXPECT_EQ(twice, (std::vector<double>{20, 35, 100, 120}));
}

TEST(Prepare, BadChannelsSplitBinsAndDropOut) {
    Spectrum s = small_spectrum();
    s.quality = {0, 0, 1, 0};
    const PreparedSpectrum p = prepare(s, options("min:3", 0.0, 10.0));
    EXPECT_EQ(p.bin_first, (std::vector<std::int32_t>{0, 3}));
    EXPECT_EQ(p.bin_last, (std::vector<std::int32_t>{1, 3}));
    EXPECT_EQ(p.counts, (std::vector<double>{3, 4}));
    EXPECT_EQ(p.row_first, (std::vector<std::int32_t>{0, 0, 0}));
    EXPECT_EQ(p.row_count, (std::vector<std::int32_t>{1, 1, 2}));
    EXPECT_EQ(p.value, (std::vector<double>{7.5, 2.5, 5, 20}));
}

TEST(Prepare, EnergiesThatReachNoBinAreLeftOut) {
    const PreparedSpectrum p = prepare(small_spectrum(), options("none", 3.5, 10.0));
    EXPECT_EQ(p.counts, (std::vector<double>{4}));
    EXPECT_EQ(p.energy_lo, (std::vector<double>{2}));
    EXPECT_EQ(p.value, (std::vector<double>{20}));
}

TEST(Prepare, LeftOverChannelsJoinTheLastBin) {
    const PreparedSpectrum p = prepare(small_spectrum(), options("min:6", 0.0, 10.0));
    EXPECT_EQ(p.counts, (std::vector<double>{10}));
    EXPECT_EQ(prepare(small_spectrum(), options("min:100", 0.0, 10.0)).counts, (std::vector<double>{10}));
}

TEST(Prepare, ScalingsByChannel) {
    Spectrum s = small_spectrum();
    s.area_scales = {0.5, 1.0, 0.5, 0.0};
    s.background_scales = {4.0, 2.0, 8.0, 4.0};
    const PreparedSpectrum p = prepare(s, options("none", 0.0, 10.0));
    EXPECT_EQ(p.counts, (std::vector<double>{1, 2, 3}));  // AREASCAL 0: not exposed
    EXPECT_DOUBLE_EQ(p.source_exposure, 10.0);
    EXPECT_EQ(p.value, (std::vector<double>{2.5, 2.5, 1.25, 0, 5, 5, 5}));  // AREASCAL is in the response
    EXPECT_EQ(p.bin_background_exposure, (std::vector<double>{160, 40, 320}));
    EXPECT_EQ(p.background_exposure_of(1), 40.0);
    // a bin's counts stand for as many in the source region as those of its channels: 5/40 + 0/320 + 0/160
    const PreparedSpectrum one = prepare(s, options("min:6", 0.0, 10.0));
    EXPECT_EQ(one.counts, (std::vector<double>{6}));
    EXPECT_DOUBLE_EQ(one.bin_background_exposure.at(0), 40.0);
    EXPECT_DOUBLE_EQ(one.background_exposure, 40.0);
    // all alike is the scalar case
    s.area_scales = {0.5, 0.5, 0.5, 0.5};
    s.background_scales = {4.0, 4.0, 4.0, 4.0};
    const PreparedSpectrum same = prepare(s, options("none", 0.0, 10.0)),
                           scalar = prepare(small_spectrum(), options("none", 0.0, 10.0));
    for (std::size_t b = 0; b < 4; ++b)
        EXPECT_DOUBLE_EQ(same.background_exposure_of(b) / same.source_exposure,
                         scalar.background_exposure_of(b) / scalar.source_exposure);
    for (std::size_t k = 0; k < same.value.size(); ++k)
        EXPECT_DOUBLE_EQ(same.value[k] * same.source_exposure, scalar.value[k] * scalar.source_exposure);
}

TEST(Prepare, BinsThatNothingReaches) {
    Spectrum s = small_spectrum();
    s.effective_area = {10, 0, 0};  // channels 2 and 3 are reached by the other energies alone
    EXPECT_EQ(code_of(s, options("none", 0.0, 10.0)), "ZERO_AREA");
    s.counts = {1, 2, 0, 0};
    EXPECT_EQ(prepare(s, options("none", 0.0, 10.0)).counts, (std::vector<double>{1, 2}));
}

TEST(Prepare, GroupingChoices) {
    EXPECT_EQ(prepare(small_spectrum(), options("back:5", 0.0, 10.0)).bin_last,
              (std::vector<std::int32_t>{3}));
    EXPECT_EQ(prepare(small_spectrum(), options("back:1", 0.0, 10.0)).bin_last,
              (std::vector<std::int32_t>{1, 3}));
    Spectrum s = small_spectrum();
    EXPECT_EQ(code_of(s, options("file", 0.0, 10.0)), "NO_GROUPING");
    s.grouping = {1, -1, -1, 1};
    EXPECT_EQ(prepare(s, options("file", 0.0, 10.0)).bin_last, (std::vector<std::int32_t>{2, 3}));
    s.grouping = {1, 1, 0, -1};  // 0: not grouped
    EXPECT_EQ(prepare(s, options("file", 0.0, 10.0)).bin_last, (std::vector<std::int32_t>{0, 1, 3}));
    for (const char* name : {"default", "none", "min:7", "back:3", "optimal", "file"})
        EXPECT_EQ(to_string(parse_binning(name)), name);
    EXPECT_THROW(parse_binning("back:0"), Error);
    EXPECT_THROW(parse_binning("5"), Error);
}

TEST(Prepare, OptimalBinsFollowKaastraAndBleeker) {
    // One full width at half maximum where counts are few, finer where there are many.
    Spectrum s = test::pn_spectrum("0007");
    const auto width_in_fwhm = [&](double energy) {
        const PreparedSpectrum p = prepare(s, options("optimal", 0.5, 8.0));
        const Response& r = *s.response;
        for (std::size_t b = 0; b < p.n_bins(); ++b)
            if (r.channel_hi[p.bin_last[b]] > energy) {
                const double lo = r.channel_lo[p.bin_first[b]];
                return (r.channel_hi[p.bin_last[b]] - lo) / resolution_fwhm(r, lo + 0.0025);
            }
        return 0.0;
    };
    s.background_counts.clear();
    std::fill(s.counts.begin(), s.counts.end(), 0.0);
    s.counts[200] = 1;
    EXPECT_NEAR(width_in_fwhm(6.0), 1.0, 0.02);
    // 1,000 counts a channel of 5 eV over the FWHM of 37 channels at 6 keV; the whole band has about 60
    // elements: x = ln(1.314 x 37,000 x (1 + 0.2 ln 60)) = 11.4, width (0.08 + 7/x + 1.8/x^2)/(1 + 5.9/x)
    std::fill(s.counts.begin(), s.counts.end(), 1000.0);
    EXPECT_NEAR(width_in_fwhm(6.0), 0.467, 0.02);
}

TEST(Prepare, WithoutBackgroundItIsCstat) {
    Spectrum s = small_spectrum();
    s.background_counts.clear();
    const PreparedSpectrum p = prepare(s, options("none"));
    EXPECT_FALSE(p.has_background());
    EXPECT_EQ(p.background_exposure, 0.0);
    EXPECT_TRUE(p.flags & spectrum_no_background);
}

TEST(Prepare, Errors) {
    const FitOptions all = options("none", 0.0, 10.0);
    Spectrum s = small_spectrum();
    EXPECT_EQ(code_of(s, all), "");
    EXPECT_EQ(code_of(s, options("none", 20.0, 30.0)), "NO_GOOD_CHANNELS");
    s.quality = {1, 1, 5, 2};
    EXPECT_EQ(code_of(s, all), "NO_GOOD_CHANNELS");
    s = small_spectrum();
    s.counts = {0, 0, 0, 0};
    EXPECT_EQ(code_of(s, all), "NO_COUNTS");
    s.counts = {0, -1, 0, 0};
    EXPECT_EQ(code_of(s, all), "NEGATIVE_COUNTS");
    s.counts = {0, NAN, 0, 0};
    EXPECT_EQ(code_of(s, all), "NEGATIVE_COUNTS");
    s.counts = {1, 2, 3};
    EXPECT_EQ(code_of(s, all), "CHANNEL_MISMATCH");
    s = small_spectrum();
    s.exposure.livetime = 0.0;
    EXPECT_EQ(code_of(s, all), "ZERO_EXPOSURE");
    s = small_spectrum();
    s.background_exposure = -1.0;
    EXPECT_EQ(code_of(s, all), "ZERO_EXPOSURE");
    s = small_spectrum();
    s.back_scale = 0.0;
    EXPECT_EQ(code_of(s, all), "BAD_SCALING");
    s = small_spectrum();
    s.effective_area = {0, 0, 0};
    EXPECT_EQ(code_of(s, all), "EMPTY_RESPONSE");
    s = small_spectrum();
    s.response.reset();
    EXPECT_EQ(code_of(s, all), "NO_RESPONSE");
}

TEST(Prepare, RealSpectrumUngrouped) {
    const PreparedSpectrum p = prepare(test::pn_spectrum("0001"), options("none"));
    EXPECT_EQ(p.n_bins(), 1906U);
    EXPECT_EQ(std::accumulate(p.counts.begin(), p.counts.end(), 0.0), 5726.0);
}

TEST(Prepare, RealSpectrumByResolution) {
    const Spectrum s = test::pn_spectrum("0007");
    const PreparedSpectrum p = prepare(s, options("default", 0.3, 10.0));
    EXPECT_GT(p.n_bins(), 60U);
    EXPECT_LT(p.n_bins(), 250U);
    for (std::size_t b = 0; b < p.n_bins(); ++b) {
        const double lo = s.response->channel_lo[p.bin_first[b]], hi = s.response->channel_hi[p.bin_last[b]];
        EXPECT_GE(p.background_counts[b], 5.0);
        const double channel = s.response->channel_hi[p.bin_first[b]] - lo;  // FWHM/3 to the nearest channel
        EXPECT_GE(hi - lo + 0.51 * channel, resolution_fwhm(*s.response, lo + 0.5 * channel) / 3.0);
        if (b == 0) continue;
        EXPECT_EQ(p.bin_first[b], p.bin_last[b - 1] + 1);
    }
    EXPECT_EQ(p.flags & spectrum_background_mostly_empty, 0U);
    // counted by hand in the response's rows: 37 channels of 5 eV at 6 keV
    EXPECT_NEAR(resolution_fwhm(*s.response, 6.0), 0.185, 1e-4);
    EXPECT_NEAR(resolution_fwhm(*s.response, 1.5), 0.10, 0.025);
}

TEST(Prepare, GroupedResponseIsTheSumOfItsChannels) {
    const Spectrum s = test::pn_spectrum("000E");
    const PreparedSpectrum fine = prepare(s, options("none", 0.3, 10.0)),
                           coarse = prepare(s, options("min:25", 0.3, 10.0));
    std::vector<double> fine_rate(fine.n_bins()), rate(coarse.n_bins());
    ASSERT_EQ(fine.energy_lo, coarse.energy_lo);
    std::vector<double> photons;
    for (double e : fine.energy_lo) photons.push_back(std::pow(e, -1.3));
    fold<1>(fine, {photons.data()}, {fine_rate.data()});
    fold<1>(coarse, {photons.data()}, {rate.data()});
    for (std::size_t b = 0; b < coarse.n_bins(); ++b) {
        double sum = 0.0, counts = 0.0;
        for (std::size_t c = 0; c < fine.n_bins(); ++c)
            if (fine.bin_first[c] >= coarse.bin_first[b] && fine.bin_first[c] <= coarse.bin_last[b])
                sum += fine_rate[c], counts += fine.counts[c];
        EXPECT_NEAR(rate[b] / sum, 1.0, 1e-12);
        EXPECT_EQ(coarse.counts[b], counts);
        EXPECT_GE(counts, 25.0);
    }
}

TEST(Prepare, MostlyEmptyBackgroundIsFlagged) {
    Spectrum s = small_spectrum();
    EXPECT_EQ(prepare(s, options("none", 0.0, 10.0)).flags & spectrum_background_mostly_empty,
              0U);  // just half
    s.background_counts = {0, 0, 0, 1};
    EXPECT_TRUE(prepare(s, options("none", 0.0, 10.0)).flags & spectrum_background_mostly_empty);
    EXPECT_EQ(prepare(s, options("min:10", 0.0, 10.0)).flags & spectrum_background_mostly_empty, 0U);
}

}  // namespace
