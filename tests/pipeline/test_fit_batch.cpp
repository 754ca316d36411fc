// Fits of a batch whose posteriors an engine integrates, beside those that integrate their own.
#include "pn_spectrum.hpp"
#include "spectra.hpp"
#include "timeline.hpp"

#include <cmath>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <xsift/engine/factory.hpp>

namespace {

using namespace xsift;
using namespace xsift::pipeline;

/// The CPU's engine as if it were a device, and what it is asked for.
class Device final : public engine::GridLikelihood {
  public:
    explicit Device(const ThreadPool& pool) : grid_(engine::make_cpu_engines(pool).grid) {}
    std::string name() const override { return "device"; }
    std::vector<engine::GridOutcome> evaluate(std::span<const engine::GridTask> tasks) override {
        return grid_->evaluate(tasks);
    }
    std::vector<engine::PairOutcome> evaluate(std::span<const engine::PairTask> tasks) override {
        return grid_->evaluate(tasks);
    }
    std::vector<engine::SimulationOutcome> evaluate(std::span<const engine::SimulationTask> tasks) override {
        return grid_->evaluate(tasks);
    }
    std::vector<engine::PosteriorOutcome> evaluate(std::span<const engine::PosteriorTask> tasks) override {
        n_posteriors += tasks.size();
        ++n_calls;
        return grid_->evaluate(tasks);
    }
    bool spares_threads() const override { return true; }

    std::size_t n_posteriors = 0, n_calls = 0;

  private:
    std::unique_ptr<engine::GridLikelihood> grid_;
};

std::vector<SourceResult> results_of(const std::vector<SourceData>& batch,
                                     const spectral::FitOptions& options, engine::GridLikelihood& backend,
                                     const ThreadPool& pool) {
    engine::ModelGrids grids(options);
    std::mutex turn;
    Timeline timeline(false);
    std::vector<SourceResult> results(batch.size());
    for (std::size_t i = 0; i < batch.size(); ++i) results[i].source = batch[i].source;
    fit_batch(0, batch, options, 0.0, grids, backend, turn, pool, timeline, results);
    return results;
}

TEST(FitBatch, PosteriorsOfAWholeBatchComeFromTheEngine) {
    std::vector<SourceData> batch;
    for (const char* number : {"0001", "0007", "000E", "0069", "0088"}) {
        batch.emplace_back().source.id = number;
        batch.back().spectra.push_back(test::pn_spectrum(number));
    }
    spectral::FitOptions options;
    options.models = {"tbabs*powerlaw", "tbabs*bbody", "tbabs*apec", "tbabs*(bbody+powerlaw)"};
    options.errors = spectral::Errors::posterior;
    options.refine = spectral::Refine::all;
    const ThreadPool pool(2);
    const auto cpu = engine::make_cpu_engines(pool).grid;
    Device device(pool);
    const auto own = results_of(batch, options, *cpu, pool), other = results_of(batch, options, device, pool);
    EXPECT_EQ(device.n_calls, 1U);
    EXPECT_GT(device.n_posteriors, batch.size());
    for (std::size_t i = 0; i < batch.size(); ++i) {
        SCOPED_TRACE(batch[i].source.id);
        EXPECT_TRUE(other[i].quarantine.empty());
        EXPECT_EQ(other[i].best_fit, own[i].best_fit);
        ASSERT_EQ(other[i].fits.size(), own[i].fits.size());
        for (std::size_t m = 0; m < own[i].fits.size(); ++m) {
            const SpectralFit &a = other[i].fits[m], &b = own[i].fits[m];
            SCOPED_TRACE(b.model);
            EXPECT_EQ(a.stat, b.stat);
            EXPECT_EQ(a.flags, b.flags);
            for (std::size_t k = 0; k < b.parameters.size(); ++k) {
                const Posterior &x = a.parameters[k].posterior, &y = b.parameters[k].posterior;
                EXPECT_EQ(std::isnan(x.median), std::isnan(y.median));
                if (!std::isnan(y.median)) {
                    EXPECT_NEAR(x.median, y.median, 0.02 * (y.hi90 - y.lo90));
                }
            }
        }
    }
}

}  // namespace
