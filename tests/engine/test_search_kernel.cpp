// The bodies of the CUDA search kernels, run on the host over more trials than a warp or a block holds.
#include <algorithm>
#include <cmath>
#include <functional>

#include <gtest/gtest.h>

#include <xsift/core/random.hpp>
#include <xsift/engine/multi_term_kernel.hpp>
#include <xsift/engine/oracle_search.hpp>
#include <xsift/engine/search_kernel.hpp>

namespace xsift::engine {
namespace {

using Kind = timing::Statistic::Kind;

constexpr std::int64_t trials = 3 * 256 + 17;

struct Outcome {
    std::vector<float> value;
    std::vector<std::int32_t> best;
};

/// As the CUDA engine launches its passes, at most `per_pass` harmonics each.
template <int N>
Outcome run_passes(const EventTask& task) {
    const PreparedEvents events(task);
    Outcome out;
    out.value.resize(task.statistics.size() * static_cast<std::size_t>(task.grid.count));
    out.best.resize(out.value.size());
    std::vector<timing::HTest<float>> state(static_cast<std::size_t>(task.grid.count));
    EventPass pass;
    pass.step = events.step.data();
    pass.weight = task.weight.empty() ? nullptr : task.weight.data();
    pass.n_photons = static_cast<std::int64_t>(task.time.size());
    pass.first = task.grid.first;
    pass.count = task.grid.count;
    pass.df = task.grid.df;
    pass.harmonic_fmax = task.harmonic_fmax;
    pass.sum_w = events.sum_w;
    pass.sum_w2 = events.sum_w2;
    pass.gti_start = task.gti_start.data();
    pass.gti_stop = task.gti_stop.data();
    pass.n_gti = static_cast<int>(task.gti_start.size());
    pass.window_fmax = events.window_fmax;
    pass.harmonics = events.harmonics;
    pass.state = state.data();
    pass.n_statistics = static_cast<int>(task.statistics.size());
    for (std::size_t s = 0; s < task.statistics.size(); ++s) {
        pass.statistic_harmonics[s] = task.statistics[s].harmonics;
        pass.statistic_is_h[s] = task.statistics[s].kind == Kind::h;
    }
    pass.value = out.value.data();
    pass.best = out.best.data();
    for (; pass.first_harmonic <= pass.harmonics; pass.first_harmonic += N)
        for (std::int64_t i = 0; i < pass.count; ++i) event_trial<N>(pass, i);
    return out;
}

class SearchKernelTest : public ::testing::Test {
  protected:
    std::vector<double> time;
    std::vector<float> weight;
    std::vector<double> gti_start{0.0, 16'000.0}, gti_stop{15'000.0, 30'000.0};
    EventTask task;

    void SetUp() override {
        RandomStream random(21, 0);
        while (time.size() < 333) {
            const double t = 30'000 * random.uniform();
            if ((t < 15'000 || t > 16'000) &&
                2 * random.uniform() < 1 + std::cos(constants::two_pi * t / 137.0)) {
                time.push_back(t);
                weight.push_back(static_cast<float>(0.2 + random.uniform()));
            }
        }
        task.time = time;
        task.grid = {1.0 / (4 * 30'000.0), 500, trials};
        task.statistics = {{Kind::z2, 1}, {Kind::z2, 2}, {Kind::z2, 4}, {Kind::h, 20}};
    }

    template <int N>
    void expect_matches_oracle() const {
        const Outcome out = run_passes<N>(task);
        const auto truth = oracle_periodograms(task);
        for (std::size_t s = 0; s < truth.size(); ++s)
            for (std::size_t i = 0; i < truth[s].size(); ++i)
                ASSERT_NEAR(static_cast<double>(out.value[s * truth[s].size() + i]), truth[s][i],
                            2e-4 * std::max(1.0, truth[s][i]))
                    << "statistic " << s << " trial " << i;
    }
};

TEST_F(SearchKernelTest, AgreesWithTheOracleForAnyNumberOfHarmonicsAPass) {
    expect_matches_oracle<1>();
    expect_matches_oracle<2>();
    expect_matches_oracle<4>();
}

TEST_F(SearchKernelTest, AgreesWithWeightsWindowAndHarmonicLimit) {
    task.weight = weight;
    task.gti_start = gti_start;
    task.gti_stop = gti_stop;
    task.grid.first = 3;
    task.harmonic_fmax = 0.03;
    expect_matches_oracle<4>();
}

TEST_F(SearchKernelTest, HRemembersItsHarmonics) {
    const Outcome out = run_passes<4>(task);
    const auto at = 3 * static_cast<std::size_t>(trials);
    const auto highest =
        std::max_element(out.value.begin() + static_cast<std::ptrdiff_t>(at), out.value.end());
    const auto index = static_cast<std::size_t>(highest - out.value.begin());
    EventTask there = task;
    there.grid.first += static_cast<std::int64_t>(index - at);
    there.grid.count = 1;
    there.statistics = {{Kind::z2, out.best[index]}};
    EXPECT_NEAR(oracle_periodograms(there)[0][0] - 4 * (out.best[index] - 1), static_cast<double>(*highest),
                0.05);
    EXPECT_NEAR(task.grid.frequency(static_cast<std::int64_t>(index - at)), 1 / 137.0, task.grid.df);
}

TEST_F(SearchKernelTest, LombScargleAgreesWithTheOracle) {
    std::vector<double> value, inverse_variance;
    RandomStream random(5, 0);
    for (std::size_t i = 0; i < time.size(); ++i) {
        value.push_back(2.0 + std::sin(constants::two_pi * time[i] / 137.0) + random.normal());
        inverse_variance.push_back(0.5 + random.uniform());
    }
    const LightCurveTask curve_task{time, value, inverse_variance, task.grid, 10, 0.0};
    const PreparedLightCurve curve(curve_task);
    std::vector<float> power(static_cast<std::size_t>(trials));
    const LightCurvePass pass{curve.step.data(),
                              curve.weight.data(),
                              curve.weighted_value.data(),
                              static_cast<std::int64_t>(time.size()),
                              task.grid.first,
                              trials,
                              power.data()};
    for (std::int64_t i = 0; i < trials; ++i) light_curve_trial(pass, i);
    const auto truth = oracle_periodogram(curve_task);
    for (std::size_t i = 0; i < truth.size(); ++i)
        ASSERT_NEAR(static_cast<double>(power[i]), truth[i], 1e-5) << i;
}

TEST_F(SearchKernelTest, LombScargleWithSeveralHarmonicsAgreesWithTheOracle) {
    std::vector<double> value, inverse_variance;
    RandomStream random(5, 0);
    for (std::size_t i = 0; i < time.size(); ++i) {
        value.push_back(2.0 + std::exp(5.0 * std::sin(constants::two_pi * time[i] / 137.0) - 5.0) +
                        0.2 * random.normal());
        inverse_variance.push_back(0.5 + random.uniform());
    }
    LightCurveTask curve_task{time, value, inverse_variance, task.grid, 10, 0.0};
    curve_task.terms = {1, 3, 5};
    curve_task.harmonic_fmax = 0.035;
    const PreparedLightCurve curve(curve_task);
    std::vector<float> power(static_cast<std::size_t>(3 * trials));
    std::vector<std::int32_t> best(power.size());
    MultiTermPass pass;
    pass.step = curve.step.data();
    pass.weight = curve.weight.data();
    pass.weighted_value = curve.weighted_value.data();
    pass.n = static_cast<std::int64_t>(time.size());
    pass.first = task.grid.first;
    pass.count = trials;
    pass.df = task.grid.df;
    pass.harmonic_fmax = curve_task.harmonic_fmax;
    pass.terms = 5;
    pass.n_statistics = 3;
    std::copy(curve_task.terms.begin(), curve_task.terms.end(), pass.statistic_terms);
    pass.value = power.data();
    pass.best = best.data();
    for (std::int64_t i = 0; i < trials; ++i) multi_term_trial(pass, i);
    const auto truth = oracle_periodograms(curve_task);
    for (std::size_t s = 0; s < 3; ++s)
        for (std::size_t i = 0; i < truth[s].size(); ++i)
            ASSERT_NEAR(static_cast<double>(power[s * trials + i]), truth[s][i], 3e-5) << s << ' ' << i;
    EXPECT_EQ(best[2 * trials], 5);               // 0.0042 Hz: all five harmonics below 0.035 Hz
    EXPECT_EQ(best[2 * trials + trials - 1], 3);  // 0.0107 Hz: three
}

TEST_F(SearchKernelTest, PeaksAreThoseOfTheOracle) {
    const Outcome out = run_passes<4>(task);
    const std::vector<double> z2(out.value.begin(), out.value.begin() + trials);
    const double separation = 6.5 * task.grid.df;
    const std::int64_t halo = peak_halo(task.grid, separation);
    EXPECT_EQ(halo, 6);
    std::vector<std::int64_t> found, wanted;
    for (std::int64_t i = 0; i < trials; ++i)
        if (is_peak(out.value.data(), trials, i, halo)) found.push_back(i);
    for (const auto& peak : oracle_peaks(z2, task.grid, 10'000, separation)) wanted.push_back(peak.index);
    std::sort(wanted.begin(), wanted.end());
    EXPECT_EQ(found, wanted);
    EXPECT_GT(found.size(), 20u);
}

TEST_F(SearchKernelTest, BandMaximaAreThoseOfThePlainLoop) {
    const Outcome out = run_passes<4>(task);
    const std::vector<std::int64_t> edges{100, 101, 400, 401, 640, trials - 3};
    const std::int64_t first = 60, begin = 7, end = trials - first;  // value i is trial first + i
    const int bands = static_cast<int>(edges.size()) - 1;
    const float* value = out.value.data() + first;
    std::vector<unsigned long long> packed(edges.size() * band_depth, 0);
    for (std::int64_t from = begin; from < end; from += band_run)
        offer_run_to_bands(value, from, std::min(from + band_run, end), first, edges.data(), bands,
                           [&](int band, std::uint64_t trial) {
                               keep_in_band(packed.data() + band * band_depth, trial,
                                            [](unsigned long long* slot, std::uint64_t offered) {
                                                const std::uint64_t there = *slot;
                                                if (offered > there) *slot = offered;
                                                return there;
                                            });
                           });
    for (int b = 0; b < bands; ++b) {
        std::vector<std::uint64_t> wanted;
        for (std::int64_t trial = edges[b]; trial < edges[b + 1]; ++trial)
            wanted.push_back(packed_trial(out.value[static_cast<std::size_t>(trial)],
                                          static_cast<std::uint32_t>(trial - first)));
        std::sort(wanted.begin(), wanted.end(), std::greater<>());
        wanted.resize(band_depth, 0);
        for (int depth = 0; depth < band_depth; ++depth)
            EXPECT_EQ(packed[static_cast<std::size_t>(b * band_depth + depth)],
                      wanted[static_cast<std::size_t>(depth)]);
    }
    EXPECT_GT(packed_trial(2.0f, 5), packed_trial(2.0f, 6));
    EXPECT_GT(packed_trial(2.5f, 6), packed_trial(2.0f, 5));
}

TEST(SinglePhasor, IsRightToSinglePrecision) {
    RandomStream random(3, 0);
    for (int i = 0; i < 20'000; ++i) {
        const timing::FixedPhase phase = random.bits();
        const SinglePhasor p = SinglePhasor::of(phase);
        const timing::Phasor q = timing::phasor(phase);
        EXPECT_NEAR(static_cast<double>(p.cosine), q.cosine, 4e-7);
        EXPECT_NEAR(static_cast<double>(p.sine), q.sine, 4e-7);
    }
}

}  // namespace
}  // namespace xsift::engine
