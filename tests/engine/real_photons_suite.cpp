#include "backend.hpp"
#include "test_files.hpp"

#include <cstdlib>
#include <cstring>

#include <gtest/gtest.h>

#include <xsift/engine/oracle_search.hpp>

namespace xsift::test {
namespace {

using Kind = timing::Statistic::Kind;

/// Photon times of tests/data/photons; XSIFT_TEST_DATA_FOLDER says where that went when it travelled with a
/// pack.
std::vector<double> photon_times(const std::string& name) {
    const char* moved = std::getenv("XSIFT_TEST_DATA_FOLDER");
    const std::string file = "photons/" + name + ".f64";
    const std::string bytes = read_file(moved == nullptr ? data_path(file) : std::string(moved) + "/" + file);
    std::vector<double> times(bytes.size() / sizeof(double));
    std::memcpy(times.data(), bytes.data(), times.size() * sizeof(double));
    return times;
}

engine::EventTask task_around(const std::vector<double>& times, double frequency, std::int64_t count,
                              std::vector<timing::Statistic> statistics) {
    const double span = times.back() - times.front();
    engine::EventTask task;
    task.time = times;
    task.grid.df = 1.0 / (20.0 * span);
    task.grid.count = count;
    task.grid.first = static_cast<std::int64_t>(frequency / task.grid.df) - count / 2;
    task.statistics = std::move(statistics);
    task.min_separation = 1.5 / span;
    return task;
}

/// The strongest peak of each statistic must be the oracle's, to 1e-3 of its value.
std::vector<timing::Peak> best_as_oracle(engine::PeriodSearch& search, const engine::EventTask& task) {
    std::vector<timing::Peak> best;
    const auto outcome = search.search(std::span(&task, 1)).at(0);
    const auto truth = engine::oracle_periodograms(task);
    for (std::size_t s = 0; s < truth.size(); ++s) {
        const auto wanted = engine::oracle_peaks(truth[s], task.grid, 1, task.min_separation).at(0);
        best.push_back(outcome.statistics.at(s).peaks.at(0));
        EXPECT_EQ(best.back().index, wanted.index);
        EXPECT_NEAR(best.back().value, wanted.value, 1e-3 * wanted.value);
    }
    return best;
}

using RealPhotons = BackendTest;

TEST_F(RealPhotons, PulsarWithTwoPeaksATurn) {
    const auto times = photon_times("nicer_1e2259");
    ASSERT_EQ(times.size(), 89465u);
    const auto task = task_around(times, 0.1432825, 301, {{Kind::z2, 2}, {Kind::h, 20}});
    const auto best = best_as_oracle(*engines.search, task);
    EXPECT_NEAR(best[0].frequency, 0.1432825, 2e-6);
    EXPECT_GT(best[0].value, 2000.0);
    EXPECT_GT(best[1].value, 2240.0);
}

TEST_F(RealPhotons, SlowPulsarInAFieldOfPhotons) {
    const auto times = photon_times("xmm_pn_rxj0146");
    ASSERT_EQ(times.size(), 33712u);
    const auto task = task_around(times, 1.0 / 1396.55, 501, {{Kind::z2, 1}, {Kind::z2, 4}});
    const auto best = best_as_oracle(*engines.search, task);
    EXPECT_NEAR(1.0 / best[0].frequency, 1396.55, 2.0);
    EXPECT_NEAR(best[0].value, 7078.6, 15.0);
}

}  // namespace
}  // namespace xsift::test
