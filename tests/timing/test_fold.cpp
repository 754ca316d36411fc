#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

#include <xsift/core/random.hpp>
#include <xsift/timing/fold.hpp>
#include <xsift/timing/search.hpp>

namespace xsift::timing {
namespace {

/// Exposure of each bin by walking from bin edge to bin edge.
std::vector<double> walked(double frequency, double start, double stop, int bins) {
    std::vector<double> exposure(static_cast<std::size_t>(bins), 0.0);
    auto edge = static_cast<std::int64_t>(std::floor(start * frequency * bins));
    for (double t = start; t < stop; ++edge) {
        const double next = std::min(stop, static_cast<double>(edge + 1) / (frequency * bins));
        exposure[static_cast<std::size_t>((edge % bins + bins) % bins)] += std::max(0.0, next - t);
        t = std::max(t, next);
        if (next == stop) break;
    }
    return exposure;
}

TEST(Fold, ExposureOfPhaseBinsMatchesAWalk) {
    RandomStream random(4, 0);
    for (int i = 0; i < 200; ++i) {
        const double f = std::exp(8.0 * random.uniform() - 6.0), start = -50.0 + 200.0 * random.uniform(),
                     stop = start + 300.0 * random.uniform() * random.uniform() * random.uniform();
        const int bins = 1 + static_cast<int>(40 * random.uniform());
        std::vector<double> exposure(static_cast<std::size_t>(bins), 0.0);
        add_phase_exposure(f, start, stop, exposure.data(), bins);
        const auto wanted = walked(f, start, stop, bins);
        for (int b = 0; b < bins; ++b)
            ASSERT_NEAR(exposure[b], wanted[b], 1e-9) << f << ' ' << start << ' ' << stop;
    }
}

TEST(Fold, ExposureSumsToTheGoodTimeOverAMillionCycles) {
    double exposure[32] = {};
    add_phase_exposure(13.7, 0.25, 80'000.0, exposure, 32);
    add_phase_exposure(13.7, 90'000.0, 90'000.01, exposure, 32);
    EXPECT_NEAR(std::accumulate(exposure, exposure + 32, 0.0), 80'000.0 - 0.25 + 0.01, 1e-7);
    for (const double e : exposure) EXPECT_NEAR(e, 80'000.0 / 32, 0.01);
    double none[4] = {};
    add_phase_exposure(1.0, 5.0, 5.0, none, 4);
    add_phase_exposure(1.0, 5.0, 4.0, none, 4);
    EXPECT_EQ(none[0] + none[1] + none[2] + none[3], 0.0);
}

EventList gappy_constant(double rate, double period, int cycles, std::uint64_t seed) {
    EventList list;
    RandomStream random(seed, 0);
    for (int i = 0; i < cycles; ++i) {
        list.gti.start.push_back(period * i);
        list.gti.stop.push_back(period * (i + 0.55 + 0.02 * (i % 3)));
        const std::int64_t n = random.poisson(rate * (list.gti.stop.back() - list.gti.start.back()));
        for (std::int64_t j = 0; j < n; ++j)
            list.time.push_back(list.gti.start.back() +
                                random.uniform() * (list.gti.stop.back() - list.gti.start.back()));
    }
    std::sort(list.time.begin(), list.time.end());
    return list;
}

/// Folded at the period of its gaps, a constant source has counts in half of the bins and the same rate in
/// each.
TEST(Fold, AConstantSourceThroughPeriodicGapsIsFlat) {
    const double rate = 2.0, period = 5500.0;
    EventList list = gappy_constant(rate, period, 12, 9);
    list.exposure.mjd_reference = 50814.0;
    list.exposure.time_zero = 43'200.0;
    const PhaseProfile p = fold(list, 1 / period);
    EXPECT_DOUBLE_EQ(p.epoch, 50814.5);
    int exposed = 0;
    double chi2 = 0.0;
    for (std::size_t b = 0; b < profile_bins; ++b) {
        if (std::isnan(p.rate[b])) {
            EXPECT_EQ(p.counts[b], 0.0);
            continue;
        }
        ++exposed;
        chi2 += std::pow((p.rate[b] - rate) / p.rate_error[b], 2);
        EXPECT_NEAR(p.rate_error[b], std::sqrt(rate / p.exposure_time[b]), 0.2 * p.rate_error[b]);
    }
    EXPECT_EQ(exposed, 19);  // phases 0 to 0.59
    EXPECT_LT(chi2, exposed + 4 * std::sqrt(2.0 * exposed));
    EXPECT_GT(chi2, exposed - 4 * std::sqrt(2.0 * exposed));
    EXPECT_NEAR(std::accumulate(p.counts.begin(), p.counts.end(), 0.0), static_cast<double>(list.size()),
                1e-9);
}

TEST(Fold, WeightsCountAndEmptyBinsHaveTheErrorOfOneCount) {
    EventList list;
    list.time = {0.01, 0.51};
    list.weight = {2.0f, 0.5f};
    list.gti = {{0.0}, {3.0}};
    const PhaseProfile p = fold(list, 1.0);
    EXPECT_EQ(p.counts[0], 2.0);
    EXPECT_EQ(p.counts[16], 0.5);
    EXPECT_NEAR(p.rate_error[0], 2.0 / (3.0 / 32), 1e-9);
    EXPECT_NEAR(p.rate_error[5], std::sqrt((4.0 + 0.25) / 2) / (3.0 / 32), 1e-9);
    EXPECT_EQ(p.rate[5], 0.0);
}

TEST(Bands, DecadesOfTheSearchedRange) {
    const SearchOptions options;
    const FrequencyGrid grid{2.5e-5 / 4, 4, 1'000'000};  // 2.5e-5 to 6.25 Hz
    const auto edges = band_edges(grid, 1e9, options);
    ASSERT_EQ(edges.size(), 7u);
    EXPECT_EQ(edges.front(), 0);
    EXPECT_EQ(edges.back(), grid.count);
    for (int i = 1; i <= 5; ++i)
        EXPECT_NEAR(grid.frequency(edges[static_cast<std::size_t>(i)]), std::pow(10.0, i - 5), grid.df);
    // What cannot be confirmed is a band of its own.
    const auto cut = band_edges(grid, 5.00001, options);
    ASSERT_EQ(cut.size(), 8u);
    EXPECT_LE(grid.frequency(cut[6] - 1), 5.00001);
    EXPECT_GT(grid.frequency(cut[6]), 5.00001);
    SearchOptions own;
    own.limit_bands = {1e-9, 0.5, 1e3};
    EXPECT_EQ(band_edges(grid, 1e9, own).size(), 3u);
    EXPECT_EQ(band_edges({1.0, 1, 1}, 1e9, options), (std::vector<std::int64_t>{0, 1}));
    EXPECT_TRUE(band_edges({1.0, 1, 0}, 1e9, options).empty());
}

}  // namespace
}  // namespace xsift::timing
