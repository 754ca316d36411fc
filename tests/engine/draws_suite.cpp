// Searches of simulated sources.
#include "backend.hpp"
#include "drawn_sources.hpp"

#include <memory>

#include <gtest/gtest.h>

namespace xsift::engine {
namespace {

class DrawsSuite : public test::BackendTest {
  protected:
    static timing::SearchOptions options() {
        timing::SearchOptions options;
        options.fmin = 5e-5;  // a list whose rate changes has significant maxima of few cycles there
        options.fmax = 0.04;
        options.z2_harmonics = {1, 2};
        options.h_harmonics = 6;
        options.max_candidates = 6;
        options.draws = 12;
        return options;
    }
    /// Constant, with weights, without good time intervals, and of a rate that changes.
    static std::vector<std::unique_ptr<test::DrawnSources>> sources() {
        EventList plain = test::list_in_gaps(90, 0.0, false, 1);
        plain.gti = {};
        std::vector<std::unique_ptr<test::DrawnSources>> all;
        all.push_back(
            std::make_unique<test::DrawnSources>(test::list_in_gaps(150, 0.0, false, 2), options(), 7));
        all.push_back(
            std::make_unique<test::DrawnSources>(test::list_in_gaps(70, 0.0, true, 3), options(), 8));
        all.push_back(std::make_unique<test::DrawnSources>(plain, options(), 9));
        all.push_back(
            std::make_unique<test::DrawnSources>(test::list_in_gaps(400, 0.95, false, 4), options(), 10));
        return all;
    }
    static void expect_equal(const std::vector<timing::FoundMaximum>& a,
                             const std::vector<timing::FoundMaximum>& b) {
        ASSERT_EQ(a.size(), b.size());
        for (std::size_t i = 0; i < a.size(); ++i) {
            EXPECT_EQ(a[i].frequency, b[i].frequency);
            EXPECT_EQ(a[i].value, b[i].value);
            EXPECT_EQ(a[i].log10_fap, b[i].log10_fap);
        }
    }
};

TEST_F(DrawsSuite, SmallestProbabilitiesAreThoseOfPolishedDraws) {
    const auto cpu = make_cpu_engines(pool);
    const auto all = sources();
    std::vector<DrawTask> tasks;
    for (const auto& s : all) tasks.push_back(s->task);
    const auto found = engines.search->search(std::span<const DrawTask>(tasks));
    ASSERT_EQ(found.size(), tasks.size());
    for (std::size_t t = 0; t < tasks.size(); ++t) {
        ASSERT_EQ(std::ssize(found[t]), tasks[t].count);
        for (std::uint64_t i = 0; i < found[t].size(); ++i) {
            const double wanted = all[t]->truth(i, *cpu.search);
            EXPECT_NEAR(all[t]->alarm(i, found[t][i]), wanted, 1e-6 * std::max(1.0, std::fabs(wanted)))
                << t << " " << i;
        }
    }
}

TEST_F(DrawsSuite, ADrawDependsOnSeedAndNumberAlone) {
    const auto all = sources();
    for (const auto& s : all) {
        std::vector<DrawTask> parts(3, s->task);
        parts[0].count = 5;
        parts[1].first = 5;
        parts[1].count = 0;
        parts[2].first = 5;
        parts[2].count = s->task.count - 5;
        const auto together = engines.search->search(std::span<const DrawTask>(&s->task, 1)).at(0);
        const auto found = engines.search->search(std::span<const DrawTask>(parts));
        ASSERT_EQ(found.size(), 3u);
        EXPECT_TRUE(found[1].empty());
        ASSERT_EQ(found[0].size() + found[2].size(), together.size());
        for (std::size_t i = 0; i < together.size(); ++i) {
            const DrawOutcome& part = i < 5 ? found[0][i] : found[2][i - 5];
            ASSERT_EQ(part.maximised, together[i].maximised);
            expect_equal(part.maxima, together[i].maxima);
            ASSERT_EQ(part.peaks.statistics.size(), together[i].peaks.statistics.size());
            for (std::size_t k = 0; k < part.peaks.statistics.size(); ++k) {
                const auto &a = part.peaks.statistics[k].peaks, &b = together[i].peaks.statistics[k].peaks;
                ASSERT_EQ(a.size(), b.size());
                for (std::size_t p = 0; p < a.size(); ++p) EXPECT_EQ(a[p].value, b[p].value);
            }
        }
    }
    EXPECT_TRUE(engines.search->search(std::span<const DrawTask>{}).empty());
}

}  // namespace
}  // namespace xsift::engine
