// Channels, bins and the grouped response, on a real pn spectrum and on small made-up ones.
#include "pn_spectrum.hpp"

#include <algorithm>
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

TEST(Prepare, BinsHoldMoreBackgroundWhereTheBackgroundIsMoreOfTheCounts) {
    Spectrum s = test::pn_spectrum("0007");
    s.background_exposure = s.exposure.livetime;
    s.background_back_scale = 20.0 * s.back_scale;
    // One background count in every `channels`; the source region holds that number over 20 times `factor`.
    const auto least_of_bins = [&](int channels, double factor) {
        std::fill(s.counts.begin(), s.counts.end(), factor / (20.0 * channels));
        for (std::size_t c = 0; c < s.counts.size(); ++c)
            s.background_counts[c] = c % static_cast<std::size_t>(channels) == 0 ? 1.0 : 0.0;
        const std::vector<double> counts = prepare(s, options("default", 0.3, 10.0)).background_counts;
        return *std::min_element(counts.begin(), counts.end());
    };
    // 1,940 channels of the band hold 1,940 background counts: a seventieth is more than 20
    EXPECT_EQ(least_of_bins(1, 1.0), 20.0);
    EXPECT_EQ(least_of_bins(1, 0.5), 20.0) << "the background fluctuates above the source region";
    EXPECT_EQ(least_of_bins(1, 2.0), 20.0) << "half of the counts are background";
    EXPECT_EQ(least_of_bins(1, 4.0), 12.0) << "a quarter: 5 + 15/2";
    // 970 background counts
    EXPECT_EQ(least_of_bins(2, 1.0), 13.0) << "about 70 bins are left";
    EXPECT_EQ(least_of_bins(2, 1000.0), 5.0) << "the source's counts are nearly all";
    EXPECT_EQ(least_of_bins(10, 1.0), 5.0) << "194 background counts make fewer bins of 5 than 70";
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

/// The response channel by channel, an energy's row spread over all channels.
std::vector<double> all_channels(const Response& r, std::size_t energy) {
    std::vector<double> out(r.n_channels(), 0.0);
    for (std::int64_t g = r.row_group[energy]; g < r.row_group[energy + 1]; ++g)
        for (std::int32_t j = 0; j < r.group_count[g]; ++j)
            out[r.group_first[g] + j] = static_cast<double>(r.value[r.group_value[g] + j]);
    return out;
}

/// Compares with sums channel by channel.
void expect_grouped(const Spectrum& s, const FitOptions& o) {
    const PreparedSpectrum p = prepare(s, o);
    const Response& r = *s.response;
    std::size_t k = 0;  // energy of p
    for (std::size_t i = 0; i < r.n_energies(); ++i) {
        const std::vector<double> channels = all_channels(r, i);
        const double area = s.effective_area.empty() ? 1.0 : s.effective_area[i];
        std::vector<double> row;
        for (std::size_t b = 0; b < p.n_bins(); ++b) {
            row.push_back(0.0);
            for (std::int32_t c = p.bin_first[b]; c <= p.bin_last[b]; ++c)
                row.back() += area * channels[c] * (s.area_scales.empty() ? 1.0 : s.area_scales[c]);
        }
        const auto some = [](double v) { return v != 0.0; };
        const auto first = std::find_if(row.begin(), row.end(), some) - row.begin();
        const auto count = first == std::ssize(row)
                               ? 0
                               : std::find_if(row.rbegin(), row.rend(), some).base() - row.begin() - first;
        if (k == p.n_energies() || r.energy_hi[i] != p.energy_hi[k]) {
            EXPECT_EQ(count, 0) << i;  // left out at either end
            continue;
        }
        ASSERT_EQ(p.row_count[k], count) << i;
        if (count > 0) {
            EXPECT_EQ(p.row_first[k], first) << i;
        }
        for (std::int32_t j = 0; j < count; ++j)
            EXPECT_NEAR(p.value[p.row_value[k] + j], row[first + j], 1e-14 * row[first + j]) << i << ' ' << j;
        ++k;
    }
    EXPECT_EQ(k, p.n_energies());
}

TEST(Prepare, GroupedRowsAreSumsChannelByChannel) {
    Spectrum s = test::pn_spectrum("000E");
    for (const char* binning : {"none", "default", "min:25"}) {
        SCOPED_TRACE(binning);
        expect_grouped(s, options(binning, 0.4, 9.0));
    }
    // bad channels inside the band, scales that differ by channel, and a response without its own area
    for (std::size_t c = 300; c < 310; ++c) s.quality[c] = 1;
    for (std::size_t c = 0; c < s.counts.size(); ++c) {
        s.area_scales.push_back(0.5 + 1e-4 * static_cast<double>(c));
        s.background_scales.push_back(10.0);
    }
    expect_grouped(s, options("min:5", 0.4, 9.0));
    s.effective_area.clear();
    expect_grouped(s, options("min:5", 0.4, 9.0));
    Spectrum small = small_spectrum();
    small.effective_area = {10, 0, 40};  // a row of zeros between others
    expect_grouped(small, options("none", 0.0, 10.0));
    small.counts = {1, 2, 3, 0};
    small.effective_area = {10, 20, 0};  // nothing reaches the last channel: its bin is taken out
    expect_grouped(small, options("none", 0.0, 10.0));
}

TEST(Prepare, ResolutionIsThatOfTheWholeRow) {
    const auto expect_width = [](const Response& r, std::size_t energy) {
        const std::vector<double> row = all_channels(r, energy);
        const auto peak = std::max_element(row.begin(), row.end()) - row.begin();
        auto lo = peak, hi = peak;
        while (lo > 0 && row[lo - 1] >= 0.5 * row[peak]) --lo;
        while (hi + 1 < std::ssize(row) && row[hi + 1] >= 0.5 * row[peak]) ++hi;
        const double width = row[peak] > 0.0 ? r.channel_hi[hi] - r.channel_lo[lo] : 0.0;
        EXPECT_EQ(resolution_fwhm(r, 0.5 * (r.energy_lo[energy] + r.energy_hi[energy])), width) << energy;
    };
    const Spectrum s = test::pn_spectrum("0007");
    for (std::size_t i = 0; i < s.response->n_energies(); i += 7) expect_width(*s.response, i);
    // groups that touch, a tie between groups given from above, and an empty row
    Response r = *small_spectrum().response;
    r.row_group = {0, 2, 4, 4};
    r.group_first = {0, 2, 3, 0};
    r.group_count = {2, 2, 1, 2};
    r.group_value = {0, 2, 4, 5};
    r.value = {0.1F, 0.5F, 0.25F, 0.1F, 0.5F, 0.5F, 0.3F};
    for (std::size_t i = 0; i < 3; ++i) expect_width(r, i);
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
