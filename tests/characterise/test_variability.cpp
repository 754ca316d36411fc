// Variability: tails against scipy, blocks against astropy and against the search of all pairs, probabilities
// that are uniform for constant sources with gaps, amplitudes of sources that vary by a known amount.

#include "reference_values.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

#include <xsift/characterise/bayesian_blocks.hpp>
#include <xsift/characterise/tail_probabilities.hpp>
#include <xsift/characterise/variability.hpp>
#include <xsift/core/chi2.hpp>
#include <xsift/core/random.hpp>

namespace {

using namespace xsift;
using namespace xsift::characterise;

/// Good time with gaps; the first second of `time` lies at 1000.
GoodTimeIntervals with_gaps() {
    return {{1000.0, 4000.0, 9000.0, 9100.0}, {3000.0, 7000.0, 9050.0, 14050.0}};
}

/// Events of a rate that is `shape(t)` of its maximum, in the good time.
template <typename Shape>
EventList events_of(double expected, std::uint64_t stream, const GoodTimeIntervals& gti, const Shape& shape) {
    RandomStream random(41, stream);
    EventList events;
    events.gti = gti;
    const GoodClock clock(gti);
    const auto n = random.poisson(expected);
    for (std::int64_t i = 0; i < n; ++i) {
        const double t = clock.elapsed(random.uniform() * clock.exposure(), true);
        if (random.uniform() < shape(t)) events.time.push_back(t);
    }
    std::sort(events.time.begin(), events.time.end());
    return events;
}

EventList constant(double expected, std::uint64_t stream) {
    return events_of(expected, stream, with_gaps(), [](double) { return 1.0; });
}

Variability assessed(const EventList& events) {
    std::vector<Flare> flares;
    return assess(events, {}, flares);
}

TEST(Tails, KolmogorovSmirnovAgreesWithScipy) {
    const test::ReferenceTable table("characterise/ks_tail.csv");
    ASSERT_GT(table.rows(), 80u);
    for (std::size_t i = 0; i < table.rows(); ++i) {
        const auto n = static_cast<long>(table["n"][i]);
        const double p = std::pow(10.0, log10_ks_survival(table["d"][i], n)), want = table["p"][i];
        // Exact up to n = 140; the expansion beyond leaves out terms of n^-1.5.
        const double tolerance = n <= 140 ? 3e-6 * want + 1e-13 : 0.08 * std::pow(n, -1.5);
        EXPECT_NEAR(p, want, tolerance) << "n " << n << " d " << table["d"][i];
    }
}

TEST(Tails, Chi2AgreesWithScipy) {
    const test::ReferenceTable table("characterise/chi2_tail.csv");
    ASSERT_GT(table.rows(), 30u);
    for (std::size_t i = 0; i < table.rows(); ++i)
        EXPECT_NEAR(log10_chi2_survival(table["x"][i], table["dof"][i]), table["log10_p"][i],
                    1e-10 * (1.0 + std::fabs(table["log10_p"][i])))
            << table["dof"][i] << ' ' << table["x"][i];
}

std::vector<double> astropy_edges(bool rates, double p0) {
    const test::ReferenceTable table("characterise/block_edges.csv");
    std::vector<double> edges;
    for (std::size_t i = 0; i < table.rows(); ++i)
        if ((table["rates"][i] != 0.0) == rates && table["p0"][i] == p0) edges.push_back(table["edge"][i]);
    return edges;
}

TEST(BayesianBlocks, EventsAgreeWithAstropy) {
    EventList events;
    events.time = test::ReferenceTable("characterise/block_events.csv")["time"];
    events.gti = {{events.time.front()}, {events.time.back()}};
    for (const double p0 : {0.001, 0.05}) {
        const std::vector<double> want = astropy_edges(false, p0);
        const auto blocks = rate_blocks(events, p0);
        ASSERT_EQ(blocks.size() + 1, want.size());
        ASSERT_GE(blocks.size(), 5u);
        for (std::size_t i = 0; i < blocks.size(); ++i) {
            EXPECT_NEAR(blocks[i].start, want[i], 1e-9);
            EXPECT_NEAR(blocks[i].stop, want[i + 1], 1e-9);
        }
    }
}

TEST(BayesianBlocks, RatesAgreeWithAstropy) {
    const test::ReferenceTable table("characterise/block_rates.csv");
    BlockCells cells;
    cells.kind = BlockCells::Kind::rates;
    for (const double rate : table["rate"]) {
        cells.a.push_back(rate / 0.25);
        cells.b.push_back(1.0 / 0.25);
    }
    for (const double p0 : {0.001, 0.05}) {
        const std::vector<double> want = astropy_edges(true, p0);
        const auto starts = bayesian_blocks(cells, block_penalty(cells.size(), p0));
        ASSERT_EQ(starts.size() + 1, want.size());
        ASSERT_GE(starts.size(), 3u);
        for (std::size_t i = 1; i < starts.size(); ++i)
            EXPECT_DOUBLE_EQ(static_cast<double>(starts[i]) - 0.5, want[i]);
    }
}

double total_fitness(const BlockCells& cells, std::vector<std::size_t> starts, double penalty) {
    double sum = 0.0;
    starts.push_back(cells.size());
    for (std::size_t k = 0; k + 1 < starts.size(); ++k) {
        double a = 0.0, b = 0.0;
        for (std::size_t i = starts[k]; i < starts[k + 1]; ++i) a += cells.a[i], b += cells.b[i];
        sum += (cells.kind == BlockCells::Kind::events ? a * std::log(a / b) : 0.5 * a * a / b) - penalty;
    }
    return sum;
}

TEST(BayesianBlocks, PrunedSearchFindsWhatAllPairsFind) {
    std::size_t most = 0;
    for (const auto kind : {BlockCells::Kind::events, BlockCells::Kind::rates})
        for (std::uint64_t stream = 0; stream < 60; ++stream) {
            RandomStream random(7, stream);
            BlockCells cells;
            cells.kind = kind;
            const auto n = static_cast<std::size_t>(20 + 1000 * random.uniform());
            double rate = 1.0;
            for (std::size_t i = 0; i < n; ++i) {
                if (random.uniform() < 0.01 * static_cast<double>(stream % 6))
                    rate = std::exp(3.0 * random.normal());
                if (kind == BlockCells::Kind::events) {
                    cells.a.push_back(1.0 + std::floor(0.3 * random.exponential()));
                    cells.b.push_back(random.exponential() / rate);
                } else {
                    const double sigma = 0.2 + random.uniform();
                    cells.a.push_back((rate + sigma * random.normal()) / (sigma * sigma));
                    cells.b.push_back(1.0 / (sigma * sigma));
                }
            }
            const double penalty = block_penalty(n, stream % 2 == 0 ? 0.05 : 1e-4);
            const auto fast = bayesian_blocks(cells, penalty), slow = bayesian_blocks_direct(cells, penalty);
            // Where two divisions are equally good, rounding chooses; the fitness decides.
            const double want = total_fitness(cells, slow, penalty);
            EXPECT_NEAR(total_fitness(cells, fast, penalty), want, 1e-9 * (1.0 + std::fabs(want))) << stream;
            EXPECT_EQ(fast.size(), slow.size()) << stream;
            most = std::max(most, slow.size());
        }
    EXPECT_GT(most, 20u);
}

TEST(BayesianBlocks, HundredThousandEventsWithOneBurst) {
    EventList events = events_of(1e5, 1, with_gaps(), [](double) { return 1.0; });
    RandomStream random(9, 9);
    for (int i = 0; i < 60; ++i) events.time.push_back(5000.0 + 0.5 * random.uniform());
    std::sort(events.time.begin(), events.time.end());
    const auto blocks = rate_blocks(events, 0.001);
    ASSERT_EQ(blocks.size(), 3u);
    EXPECT_NEAR(blocks[1].start, 5000.0, 0.1);
    EXPECT_NEAR(blocks[1].stop, 5000.5, 0.1);
}

TEST(BayesianBlocks, FewConstantSourcesShowAChange) {
    int changed = 0;
    constexpr int sources = 800;
    for (std::uint64_t i = 0; i < sources; ++i) changed += assessed(constant(300, i)).n_blocks > 1;
    EXPECT_LE(changed, 24);  // p0 = 0.01 asks for 8; validation states the rates measured
}

/// Share of p values below `level`, and that it is `level` within 4 sigma.
void expect_level(const std::vector<double>& log10_p, double level) {
    const double n = static_cast<double>(log10_p.size());
    const auto below = static_cast<double>(
        std::count_if(log10_p.begin(), log10_p.end(), [&](double p) { return p <= std::log10(level); }));
    EXPECT_NEAR(below / n, level, 4.0 * std::sqrt(level * (1.0 - level) / n)) << "p <= " << level;
}

TEST(Variability, ProbabilitiesOfConstantSourcesAreUniform) {
    for (const double counts : {12.0, 150.0, 900.0}) {
        std::vector<double> ks, chi2;
        for (std::uint64_t i = 0; i < 1500; ++i) {
            const Variability v = assessed(constant(counts, 100000 + i));
            if (!std::isnan(v.log10_p_ks)) ks.push_back(v.log10_p_ks);
            if (!std::isnan(v.log10_p_chi2)) chi2.push_back(v.log10_p_chi2);
        }
        ASSERT_GT(ks.size(), 1480u);
        for (const double level : {0.5, 0.1, 0.01}) {
            expect_level(ks, level);
            if (counts >= 100.0) {
                ASSERT_EQ(chi2.size(), 1500u);
                expect_level(chi2, level);
            }
        }
    }
}

TEST(Variability, ExcessVarianceOfASinusoid) {
    // Rate 1 + 0.5 sin: fractional variance 0.5 / sqrt 2. The period is long against the bins.
    double sum = 0.0, error = 0.0, steady = 0.0, steady_error = 0.0;
    constexpr int sources = 60;
    for (std::uint64_t i = 0; i < sources; ++i) {
        const Variability v = assessed(events_of(6000, i, {{0.0}, {10000.0}}, [](double t) {
            return (1.0 + 0.5 * std::sin(2e-3 * std::acos(-1.0) * t)) / 1.5;
        }));
        ASSERT_GT(v.fvar, 0.0);
        EXPECT_LT(v.log10_p_chi2, -10.0);
        sum += v.fvar;
        error += v.fvar_error * v.fvar_error;
        const Variability c = assessed(constant(4000, 5000 + i));
        steady += c.excess_variance;
        steady_error += c.excess_variance_error * c.excess_variance_error;
    }
    EXPECT_NEAR(sum / sources, 0.5 / std::sqrt(2.0), 0.01);
    EXPECT_LT(std::sqrt(error / sources), 0.02);
    EXPECT_NEAR(steady / sources, 0.0, 4.0 * std::sqrt(steady_error) / sources);
}

TEST(Variability, AFlareIsMeasured) {
    // 0.5 count/s, and 10 times that from 6000 to 6400 s; good time stops for 100 s inside the flare.
    const EventList events = events_of(40000, 3, {{0.0, 6200.0}, {6100.0, 14000.0}},
                                       [](double t) { return t >= 6000.0 && t < 6400.0 ? 1.0 : 0.1; });
    std::vector<Flare> flares;
    EventList dated = events;
    dated.exposure.time_zero = 1e8;
    const Variability v = assess(dated, {}, flares);
    ASSERT_EQ(flares.size(), 1u);
    EXPECT_EQ(v.n_flares, 1);
    const double rate = 40000.0 / 13900.0;
    EXPECT_NEAR(flares[0].start, 1e8 + 6000.0, 5.0);
    EXPECT_NEAR(flares[0].stop, 1e8 + 6400.0, 5.0);
    EXPECT_NEAR(flares[0].duration, 400.0, 8.0);
    EXPECT_NEAR(flares[0].rise, 200.0, 5.0);
    EXPECT_NEAR(flares[0].peak_rate, rate, 4.0 * flares[0].peak_rate_error);
    EXPECT_NEAR(flares[0].quiescent_rate, 0.1 * rate, 0.01);
    EXPECT_NEAR(flares[0].excess_counts, 0.9 * rate * 300.0, 4.0 * std::sqrt(rate * 300.0));
    EXPECT_EQ(flares[0].flags, 0u);
    EXPECT_LT(v.log10_p_ks, -30.0);
}

TEST(Variability, AnExposureThatBeginsInAFlareSaysSo) {
    std::vector<Flare> flares;
    assess(events_of(8000, 4, {{0.0}, {10000.0}}, [](double t) { return t < 1000.0 ? 1.0 : 0.2; }), {},
           flares);
    ASSERT_EQ(flares.size(), 1u);
    EXPECT_EQ(flares[0].flags, flare_starts_before);
}

TEST(Variability, ConstantLightCurvesWithEmptyBinsAreConstant) {
    // 0.3 counts a bin of 10 s: three in four bins are empty and claim an error of nearly zero.
    std::vector<double> log10_p;
    int changed = 0;
    for (std::uint64_t source = 0; source < 600; ++source) {
        RandomStream random(17, source);
        LightCurve curve;
        curve.bin_width = 10.0;
        for (int i = 0; i < 2000; ++i) {
            const double exposed = i % 7 == 0 ? 0.4 : 0.95,
                         back = 0.1 * static_cast<double>(random.poisson(1.0));
            const double n = static_cast<double>(random.poisson(0.3 * exposed + 0.1));
            curve.time.push_back(10.0 * i);
            curve.fractional_exposure.push_back(exposed);
            curve.rate.push_back((n - back) / (10.0 * exposed));
            curve.error.push_back(std::max(0.003, std::sqrt(n + 0.1 * back) / (10.0 * exposed)));
        }
        std::vector<Flare> flares;
        const Variability v = assess(curve, {}, flares);
        log10_p.push_back(v.log10_p_chi2);
        changed += v.n_blocks > 1;
        EXPECT_NEAR(v.rate, 0.03, 0.0075);
    }
    for (const double level : {0.5, 0.1, 0.01}) expect_level(log10_p, level);
    EXPECT_LE(changed, 18);
}

TEST(Variability, NothingIsClaimedOfTooFewCounts) {
    EventList events;
    events.gti = {{0.0}, {100.0}};
    events.time = {1.0, 2.0, 3.0};
    const Variability v = assessed(events);
    EXPECT_TRUE(std::isnan(v.log10_p_ks));
    EXPECT_TRUE(std::isnan(v.log10_p_chi2));
    EXPECT_TRUE(v.flags & variability_few_counts);
    EXPECT_TRUE(std::isnan(combined_log10_p({v})));
    EXPECT_TRUE(std::isnan(combined_log10_p({})));
}

TEST(Variability, TestsAreCountedInTheCombinedProbability) {
    Variability a, b;
    a.log10_p_ks = -5.0;
    a.log10_p_chi2 = -1.0;
    b.log10_p_ks = -0.3;
    EXPECT_NEAR(combined_log10_p({a, b}), -5.0 + std::log10(3.0), 1e-12);
    EXPECT_EQ(combined_log10_p({b, b, b}), 0.0);
}

TEST(GoodClock, GoesThereAndBack) {
    const GoodClock clock(with_gaps());
    EXPECT_EQ(clock.exposure(), 2000.0 + 3000.0 + 50.0 + 4950.0);
    EXPECT_EQ(clock.good(500.0), 0.0);
    EXPECT_EQ(clock.good(3500.0), 2000.0);
    EXPECT_EQ(clock.good(9025.0), 5025.0);
    EXPECT_EQ(clock.good(1e6), clock.exposure());
    EXPECT_EQ(clock.elapsed(2000.0, true), 4000.0);
    EXPECT_EQ(clock.elapsed(2000.0, false), 3000.0);
    EXPECT_EQ(clock.elapsed(0.0, true), 1000.0);
    EXPECT_EQ(clock.elapsed(clock.exposure(), false), 14050.0);
}

}  // namespace
