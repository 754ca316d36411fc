// The evaluators of the photon search one by one, and how one is chosen.
#include "../../src/engine/nufft.hpp"
#include "search_tasks.hpp"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include <xsift/core/random.hpp>
#include <xsift/engine/direct_sum.hpp>
#include <xsift/engine/factory.hpp>
#include <xsift/engine/oracle_search.hpp>
#include <xsift/engine/search_tasks.hpp>
#include <xsift/timing/z2.hpp>

namespace xsift::engine {
namespace {

using Kind = timing::Statistic::Kind;

constexpr double never = 1e12;  ///< ns

SearchCosts only(Evaluator evaluator) {
    SearchCosts costs;
    if (evaluator != Evaluator::direct) costs.direct_pair = never;
    if (evaluator != Evaluator::matrix) costs.matrix_trial = never;
    if (evaluator != Evaluator::nufft) costs.nufft_trial = never;
    return costs;
}

class Evaluators : public ::testing::TestWithParam<Evaluator> {
  protected:
    void expect_matches_oracle(const EventTask& task) const {
        const ThreadPool pool(2);
        const auto outcome =
            make_cpu_engines(pool, only(GetParam())).search->search(std::span(&task, 1)).front();
        const auto truth = oracle_periodograms(task);
        double square = 0.0;
        int n = 0;
        for (std::size_t s = 0; s < truth.size(); ++s) {
            const auto wanted = oracle_peaks(truth[s], task.grid, task.max_peaks, task.min_separation);
            const auto& found = outcome.statistics[s];
            ASSERT_EQ(found.peaks.size(), wanted.size());
            ASSERT_FALSE(wanted.empty());
            EXPECT_EQ(found.peaks[0].index, wanted[0].index);
            for (std::size_t i = 0; i < wanted.size(); ++i) {
                const double exact = truth[s][static_cast<std::size_t>(found.peaks[i].index)];
                const double error = (found.peaks[i].value - exact) / std::max(1.0, exact / 100);
                EXPECT_LT(std::fabs(error), 1e-2);
                square += error * error;
                ++n;
            }
            double mean = 0.0;
            for (const double v : truth[s]) mean += v / static_cast<double>(truth[s].size());
            EXPECT_NEAR(found.mean, mean, 1e-3 * (1 + mean));
        }
        EXPECT_LT(std::sqrt(square / n), 1e-3);
    }
};

TEST_P(Evaluators, AgreeWithDirectSums) {
    expect_matches_oracle(test::task_of(test::photons(37, 4e4, 0.0123, 0.9, 1), 4, 5001));
    expect_matches_oracle(test::task_of(test::photons(120, 4e4, 3.21, 0.9, 2), 513'000, 2500));
}

TEST_P(Evaluators, AgreeOnGridsOfAFewTrials) {
    for (const std::int64_t count : {1, 7, 255, 256, 257, 300})
        expect_matches_oracle(test::task_of(test::photons(20, 4e4, 0.0003, 0.9, 3), 40, count));
}

TEST_P(Evaluators, AgreeWithWeightsWindowAndHarmonicLimit) {
    EventList list = test::photons(400, 4e4, 0.0123, 0.6, 4);
    RandomStream random(9, 0);
    for (std::size_t i = 0; i < list.size(); ++i) list.weight.push_back(static_cast<float>(random.uniform()));
    EventTask task = test::task_of(list, 1, 3000);
    task.gti_start = list.gti.start;
    task.gti_stop = list.gti.stop;
    task.harmonic_fmax = 0.02;
    expect_matches_oracle(task);
}

TEST_P(Evaluators, PeaksStayWholeBetweenStretches) {
    // Longer than one stretch of the matrix product, with a separation of several trials.
    const EventList list = test::photons(11, 4e4, 0.11, 1.0, 5);
    EventTask task = test::task_of(list, 4, 40'000);
    task.statistics = {{Kind::z2, 1}};
    task.max_peaks = 2000;
    task.min_separation = 20 * task.grid.df;
    const ThreadPool pool(2);
    const auto outcome = make_cpu_engines(pool, only(GetParam())).search->search(std::span(&task, 1)).front();
    const auto truth = oracle_periodograms(task);
    const auto wanted = oracle_peaks(truth[0], task.grid, task.max_peaks, task.min_separation);
    // Ties within the screening error may fall either way: hardly any.
    EXPECT_NEAR(static_cast<double>(outcome.statistics[0].peaks.size()), static_cast<double>(wanted.size()),
                2);
    EXPECT_GT(wanted.size(), 500u);
}

INSTANTIATE_TEST_SUITE_P(Each, Evaluators,
                         ::testing::Values(Evaluator::direct, Evaluator::matrix, Evaluator::nufft),
                         [](const auto& one) {
                             return one.param == Evaluator::direct   ? "direct"
                                    : one.param == Evaluator::matrix ? "matrix"
                                                                     : "nufft";
                         });

TEST(MatrixProduct, ScreensWithinItsLimitsInEveryInstructionSet) {
    RandomStream random(25, 0);
    for (const NufftKernel* kernel : nufft_kernels())
        for (const int n : {5, 20, 77, 150})
            for (const std::int64_t first :
                 {std::int64_t{1}, std::int64_t{800'000}, std::int64_t{4'000'000'000}})
                for (const int harmonic : {1, 20}) {
                    std::vector<double> time;
                    std::vector<float> weight;
                    double sum_w2 = 0.0;
                    for (int i = 0; i < n; ++i) {
                        time.push_back(4e4 * (random.uniform() - 0.5));
                        weight.push_back(static_cast<float>(random.uniform()));
                        sum_w2 += static_cast<double>(weight.back()) * static_cast<double>(weight.back());
                    }
                    const auto step = phase_steps(time, 1.0 / (4.0 * 4e4));
                    constexpr std::int64_t count = 7 * 2 * matrix_half_width;  // an odd number of centres
                    std::vector<float> power(count), re(count), im(count), space(matrix_floats(n, count));
                    MatrixJob job{step.data(),
                                  weight.data(),
                                  n,
                                  static_cast<std::uint64_t>(harmonic),
                                  static_cast<std::uint64_t>(first),
                                  count,
                                  static_cast<float>(2.0 / sum_w2),
                                  power.data()};
                    kernel->matrix(job, space.data());
                    job.re = re.data();
                    job.im = im.data();
                    kernel->matrix(job, space.data());
                    double square = 0.0;
                    for (std::int64_t i = 0; i < count; ++i) {
                        const timing::Complex sum =
                            direct_sum(step.data(), weight.data(), n,
                                       static_cast<std::uint64_t>(harmonic * (first + i)));
                        const auto at = static_cast<std::size_t>(i);
                        ASSERT_NEAR(static_cast<double>(re[at]), sum.re, 1e-3) << kernel->name << ' ' << i;
                        ASSERT_NEAR(static_cast<double>(im[at]), sum.im, 1e-3) << kernel->name << ' ' << i;
                        const double error =
                            static_cast<double>(power[at]) - timing::z2_term(sum.re, sum.im, sum_w2);
                        ASSERT_LT(std::fabs(error), 1e-2);
                        square += error * error;
                    }
                    EXPECT_LT(std::sqrt(square / count), 1e-3) << kernel->name << ' ' << n;
                }
}

TEST(Planner, TakesTheProductForFewPhotonsAndTheTransformForMany) {
    const EvaluatorSizes sizes{816'000, 820'000, 830'000, 51};
    const SearchCosts costs;
    EXPECT_EQ(choose_evaluator(20, sizes, costs), Evaluator::matrix);
    EXPECT_EQ(choose_evaluator(2000, sizes, costs), Evaluator::nufft);
    EXPECT_EQ(choose_evaluator(20, {1, 256, 16'384, 1}, costs), Evaluator::direct);
    EXPECT_EQ(choose_evaluator(5000, {330, 512, 2048, 1}, costs), Evaluator::nufft);
    EXPECT_EQ(choose_evaluator(500, {330, 512, 2048, 1}, costs), Evaluator::matrix);
    // One change of sides, where the costs say.
    std::size_t n = 2;
    while (choose_evaluator(n, sizes, costs) == Evaluator::matrix) ++n;
    const double at = static_cast<double>(n), trials = 820'000;
    EXPECT_NEAR(trials * (costs.matrix_trial + at * costs.matrix_pair),
                830'000 * costs.nufft_trial + 51 * at * costs.nufft_photon, trials * costs.matrix_pair);
    for (; n < 5000; n += 7) EXPECT_EQ(choose_evaluator(n, sizes, costs), Evaluator::nufft);
}

}  // namespace
}  // namespace xsift::engine
