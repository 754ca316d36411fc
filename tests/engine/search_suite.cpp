#include "backend.hpp"
#include "search_tasks.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include <gtest/gtest.h>

#include <xsift/core/random.hpp>
#include <xsift/engine/factory.hpp>
#include <xsift/engine/oracle_search.hpp>
#include <xsift/engine/search_tasks.hpp>

namespace xsift::engine {
namespace {

using test::expect_equal;
using test::photons;
using test::task_of;
using Kind = timing::Statistic::Kind;

/// The highest trials of each band must be the oracle's, or ones that the screening cannot tell from them.
void expect_band_maxima(const EventTask& task, const std::vector<double>& truth,
                        const std::vector<std::vector<timing::Peak>>& found) {
    ASSERT_EQ(found.size() + 1, std::max<std::size_t>(1, task.band_edges.size()));
    for (std::size_t b = 0; b < found.size(); ++b) {
        const std::int64_t from = std::clamp<std::int64_t>(task.band_edges[b], 0, task.grid.count),
                           to = std::clamp<std::int64_t>(task.band_edges[b + 1], 0, task.grid.count);
        std::vector<double> wanted(truth.begin() + from, truth.begin() + to);
        std::sort(wanted.begin(), wanted.end(), std::greater<>());
        ASSERT_EQ(found[b].size(), std::min<std::size_t>(band_depth, wanted.size()));
        for (std::size_t i = 0; i < found[b].size(); ++i) {
            const timing::Peak& peak = found[b][i];
            ASSERT_GE(peak.index, from);
            ASSERT_LT(peak.index, to);
            const double tolerance = 2e-2 * std::max(1.0, 1e-2 * wanted[i]);
            EXPECT_NEAR(peak.value, wanted[i], tolerance);
            EXPECT_NEAR(truth[static_cast<std::size_t>(peak.index)], wanted[i], tolerance);
            EXPECT_DOUBLE_EQ(peak.frequency, task.grid.frequency(peak.index));
            EXPECT_LE(peak.value, found[b][i > 0 ? i - 1 : 0].value);
        }
    }
}

/// Compares the screened peaks with those of the double-precision periodogram: same frequencies where the
/// values stand clear of each other, values to 1e-3 (rms) and 1e-2 (worst).
void expect_matches_oracle(PeriodSearch& engine, const EventTask& task) {
    const auto outcome = engine.search(std::span(&task, 1)).front();
    const auto truth = oracle_periodograms(task);
    ASSERT_EQ(outcome.statistics.size(), task.statistics.size());
    double sum_of_squares = 0.0;
    int n = 0;
    for (std::size_t s = 0; s < truth.size(); ++s) {
        const auto& found = outcome.statistics[s];
        EXPECT_EQ(found.n_trials, task.grid.count);
        EXPECT_EQ(found.statistic, task.statistics[s]);
        const auto wanted = oracle_peaks(truth[s], task.grid, task.max_peaks, task.min_separation);
        ASSERT_EQ(found.peaks.size(), wanted.size());
        double mean = 0.0;
        for (const double v : truth[s]) mean += v / static_cast<double>(truth[s].size());
        EXPECT_NEAR(found.mean, mean, 1e-3 * (1 + mean));
        for (std::size_t i = 0; i < wanted.size(); ++i) {
            EXPECT_NEAR(found.peaks[i].value, wanted[i].value, 1e-2 * std::max(1.0, 1e-2 * wanted[i].value));
            const double exact = truth[s][static_cast<std::size_t>(found.peaks[i].index)];
            const double error = (found.peaks[i].value - exact) / std::max(1.0, exact / 100);
            EXPECT_LT(std::fabs(error), 1e-2) << "statistic " << s << " index " << found.peaks[i].index;
            EXPECT_DOUBLE_EQ(found.peaks[i].frequency, task.grid.frequency(found.peaks[i].index));
            sum_of_squares += error * error;
            ++n;
        }
        ASSERT_FALSE(wanted.empty());
        expect_band_maxima(task, truth[s], found.band_maxima);
        EXPECT_EQ(found.peaks[0].index, wanted[0].index);
    }
    EXPECT_LT(std::sqrt(sum_of_squares / n), 1e-3);
}

using SearchSuite = test::BackendTest;

TEST_F(SearchSuite, AgreesWithDirectSumsForFewPhotons) {
    const EventList list = photons(300, 4e4, 0.0123, 0.7, 1);
    expect_matches_oracle(*engines.search, task_of(list, 4, 5001));
}

TEST_F(SearchSuite, AgreesWithDirectSumsAtHighIndex) {
    const EventList list = photons(77, 4e4, 3.21, 0.9, 2);
    expect_matches_oracle(*engines.search, task_of(list, 513'000, 2500));
}

TEST_F(SearchSuite, AgreesWithDirectSumsForManyPhotons) {
    const EventList list = photons(25'000, 4e4, 0.0123, 0.5, 3);
    expect_matches_oracle(*engines.search, task_of(list, 4, 500));
}

TEST_F(SearchSuite, AgreesWithDirectSumsWithWeights) {
    EventList list = photons(500, 4e4, 0.0123, 0.7, 4);
    RandomStream random(9, 0);
    for (std::size_t i = 0; i < list.size(); ++i) list.weight.push_back(static_cast<float>(random.uniform()));
    expect_matches_oracle(*engines.search, task_of(list, 4, 3000));
}

TEST_F(SearchSuite, AgreesWithDirectSumsWithWindowAndHarmonicLimit) {
    const EventList list = photons(3000, 4e4, 0.0123, 0.4, 5);
    EventTask task = task_of(list, 1, 5000);
    task.gti_start = list.gti.start;
    task.gti_stop = list.gti.stop;
    task.harmonic_fmax = 0.02;
    expect_matches_oracle(*engines.search, task);
}

TEST_F(SearchSuite, TheWindowHidesWhatAConstantSourceShows) {
    const EventList list = photons(20'000, 4e4, 0.1, 0.0, 6);
    EventTask task = task_of(list, 4, 2000);
    const double raw = engines.search->search(std::span(&task, 1))[0].statistics[0].peaks.at(0).value;
    task.gti_start = list.gti.start;
    task.gti_stop = list.gti.stop;
    const double clean = engines.search->search(std::span(&task, 1))[0].statistics[0].peaks.at(0).value;
    EXPECT_GT(raw, 500.0);
    EXPECT_LT(clean, 40.0);
}

TEST_F(SearchSuite, OutcomeDoesNotDependOnTheBatch) {
    const EventList a = photons(300, 4e4, 0.0123, 0.7, 1), b = photons(4000, 3e4, 0.3, 0.3, 7);
    const std::vector<EventTask> tasks{task_of(a, 4, 70'001), task_of(b, 4, 40'000), task_of(a, 9, 5)};
    const auto together = engines.search->search(tasks);
    for (std::size_t t = 0; t < tasks.size(); ++t) {
        const auto alone = engines.search->search(std::span(&tasks[t], 1)).front();
        expect_equal(alone, together[t]);
    }
}

TEST_F(SearchSuite, TimesMayBeFarFromZero) {
    const EventList list = photons(300, 4e4, 0.0123, 0.7, 1);
    std::vector<double> far = list.time;
    for (double& t : far) t += 268435456.0;  // 2^28 s, which leaves 2^-24 s of each time
    const EventTask near_task = task_of(list, 4, 3000);
    EventTask far_task = near_task;
    far_task.time = far;
    const auto near = engines.search->search(std::span(&near_task, 1))[0].statistics[0].peaks[0];
    const auto shifted = engines.search->search(std::span(&far_task, 1))[0].statistics[0].peaks[0];
    EXPECT_NEAR(shifted.value, near.value, 1e-3);
    EXPECT_EQ(shifted.index, near.index);
}

TEST_F(SearchSuite, LombScargleAgreesWithDirectSums) {
    RandomStream random(11, 0);
    std::vector<double> time, value, weight;
    for (int i = 0; i < 700; ++i) {
        time.push_back(50.0 * i + 10.0 * random.uniform());
        value.push_back(3.0 + std::sin(constants::two_pi * time.back() / 1234.5) + random.normal());
        weight.push_back(0.5 + random.uniform());
    }
    LightCurveTask task{time, value, weight, {1.0 / (4 * 35000.0), 4, 1400}, 30, 1.5 / 35000.0};
    const auto found = engines.search->search(std::span(&task, 1)).at(0).statistics.at(0);
    const auto truth = oracle_periodogram(task);
    const auto wanted = oracle_peaks(truth, task.grid, task.max_peaks, task.min_separation);
    EXPECT_EQ(found.statistic.kind, Kind::gls);
    ASSERT_EQ(found.peaks.size(), wanted.size());
    EXPECT_EQ(found.peaks[0].index, wanted[0].index);
    EXPECT_NEAR(found.peaks[0].frequency, 1 / 1234.5, 1e-5);
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        EXPECT_NEAR(found.peaks[i].value, wanted[i].value, 1e-5);
        EXPECT_NEAR(found.peaks[i].value, truth[static_cast<std::size_t>(found.peaks[i].index)], 1e-5);
    }
}

TEST_F(SearchSuite, LombScargleWithSeveralHarmonicsAgreesWithDirectSums) {
    RandomStream random(12, 0);
    std::vector<double> time, value, weight;
    for (int i = 0; i < 700; ++i) {
        time.push_back(50.0 * i + 10.0 * random.uniform());
        value.push_back(3.0 +
                        4.0 * std::exp(8.0 * (std::cos(constants::two_pi * time.back() / 1234.5) - 1.0)) +
                        random.normal());
        weight.push_back(0.5 + random.uniform());
    }
    LightCurveTask task{time, value, weight, {1.0 / (4 * 35000.0), 4, 2800}, 30, 1.5 / 35000.0};
    task.terms = {1, 2, 4, 10};
    task.harmonic_fmax = 0.0101;
    const auto found = engines.search->search(std::span(&task, 1)).at(0).statistics;
    const auto truth = oracle_periodograms(task);
    ASSERT_EQ(found.size(), 4u);
    for (std::size_t s = 0; s < found.size(); ++s) {
        const auto wanted = oracle_peaks(truth[s], task.grid, task.max_peaks, task.min_separation);
        EXPECT_EQ(found[s].statistic, (timing::Statistic{Kind::gls, task.terms[s]}));
        ASSERT_EQ(found[s].peaks.size(), wanted.size());
        EXPECT_EQ(found[s].peaks[0].index, wanted[0].index);
        EXPECT_NEAR(found[s].peaks[0].frequency, 1 / 1234.5, 1e-5);
        EXPECT_EQ(found[s].peaks[0].harmonics, task.terms[s]);
        for (std::size_t i = 0; i < wanted.size(); ++i) {
            EXPECT_NEAR(found[s].peaks[i].value, wanted[i].value, 5e-5);
            EXPECT_NEAR(found[s].peaks[i].value, truth[s][static_cast<std::size_t>(found[s].peaks[i].index)],
                        5e-5);
        }
    }
    EXPECT_GT(found[3].peaks[0].value, found[0].peaks[0].value + 0.1);
    // One harmonic is the same beside others as alone, and by the path made for it.
    task.terms = {1};
    const auto alone = engines.search->search(std::span(&task, 1)).at(0).statistics.at(0);
    ASSERT_EQ(alone.peaks.size(), found[0].peaks.size());
    for (std::size_t i = 0; i < alone.peaks.size(); ++i)
        EXPECT_NEAR(alone.peaks[i].value, found[0].peaks[i].value, 1e-6);
}

}  // namespace
}  // namespace xsift::engine
