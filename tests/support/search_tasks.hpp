#pragma once
/// @file
/// Simulated photons and search tasks for the engine suites.

#include <algorithm>
#include <cmath>
#include <cstdint>

#include <gtest/gtest.h>

#include <xsift/core/random.hpp>
#include <xsift/engine/period_search.hpp>

namespace xsift::test {

/// Photons over `span` s, sinusoidally modulated with semi-amplitude `fraction` at `frequency`, outside the
/// gap.
inline EventList photons(std::size_t n, double span, double frequency, double fraction, std::uint64_t seed) {
    EventList list;
    RandomStream random(seed, 0);
    while (list.time.size() < n) {
        const double t = span * random.uniform();
        if (t > 0.4 * span && t < 0.55 * span) continue;
        if (random.uniform() * (1 + fraction) < 1 + fraction * std::cos(constants::two_pi * frequency * t))
            list.time.push_back(t);
    }
    std::sort(list.time.begin(), list.time.end());
    list.gti.start = {0.0, 0.55 * span};
    list.gti.stop = {0.4 * span, span};
    return list;
}

inline engine::EventTask task_of(const EventList& list, std::int64_t first, std::int64_t count) {
    using Kind = timing::Statistic::Kind;
    engine::EventTask task;
    task.time = list.time;
    task.weight = list.weight;
    task.grid = {1.0 / (4.0 * list.gti.stop.back()), first, count};
    task.statistics = {{Kind::z2, 1}, {Kind::z2, 2}, {Kind::z2, 4}, {Kind::h, 20}};
    task.max_peaks = 40;
    task.min_separation = 1.5 / list.gti.stop.back();
    // A band of one trial, edges within and at the ends of a block, and one that reaches beyond the grid.
    task.band_edges = {0, 1, count / 10, count / 3, count - 1, count + 5};
    return task;
}

/// Equal to the last bit.
inline void expect_equal(const engine::SearchOutcome& a, const engine::SearchOutcome& b) {
    ASSERT_EQ(a.statistics.size(), b.statistics.size());
    for (std::size_t s = 0; s < a.statistics.size(); ++s) {
        const auto &x = a.statistics[s], &y = b.statistics[s];
        EXPECT_EQ(x.mean, y.mean);
        ASSERT_EQ(x.band_maxima.size(), y.band_maxima.size());
        for (std::size_t band = 0; band < x.band_maxima.size(); ++band) {
            ASSERT_EQ(x.band_maxima[band].size(), y.band_maxima[band].size());
            for (std::size_t i = 0; i < x.band_maxima[band].size(); ++i) {
                EXPECT_EQ(x.band_maxima[band][i].index, y.band_maxima[band][i].index);
                EXPECT_EQ(x.band_maxima[band][i].value, y.band_maxima[band][i].value);
            }
        }
        ASSERT_EQ(x.peaks.size(), y.peaks.size());
        for (std::size_t i = 0; i < x.peaks.size(); ++i) {
            EXPECT_EQ(x.peaks[i].index, y.peaks[i].index);
            EXPECT_EQ(x.peaks[i].value, y.peaks[i].value);
        }
    }
}

}  // namespace xsift::test
