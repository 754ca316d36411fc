// The model grids on real and made-up spectra, through the CPU engine.
#include "model_photons.hpp"
#include "pn_spectrum.hpp"

#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

#include <xsift/engine/factory.hpp>
#include <xsift/engine/model_grids.hpp>
#include <xsift/spectral/model.hpp>
#include <xsift/spectral/statistics.hpp>

namespace {

using namespace xsift;
using namespace xsift::engine;

TEST(ModelGrids, BestCellsLieNextToTheTruth) {
    // counts as expected, without noise, of a pn source with known parameters
    const Spectrum observed = test::pn_spectrum("0007");
    spectral::FitOptions options;
    options.models = {"tbabs*powerlaw", "tbabs*bbody", "tbabs*bremss"};
    auto prepared = spectral::prepare(observed, options);
    const std::vector<double> truth{1.7, 0.31, 1.9};
    const ThreadPool pool(2);
    const auto backend = make_cpu_engines(pool).grid;
    for (std::size_t m = 0; m < options.models.size(); ++m) {
        const std::vector<double> photons = test::photons(options.models[m], 0.2, truth[m], options.abundance,
                                                          prepared.energy_lo, prepared.energy_hi);
        std::vector<double> rate(prepared.n_bins());
        spectral::fold<1>(prepared, {photons.data()}, {rate.data()});
        const double norm =
            5000.0 / (prepared.source_exposure * std::accumulate(rate.begin(), rate.end(), 0.0));
        for (std::size_t k = 0; k < rate.size(); ++k)
            prepared.counts[k] =
                prepared.source_exposure *
                (norm * rate[k] + prepared.background_counts[k] / prepared.background_exposure);
        ModelGrids grids(options);
        const spectral::PreparedSpectrum* one = &prepared;
        const auto cells = grids.best_cells(*backend, std::span(&one, 1));
        ASSERT_EQ(cells.size(), 1U);
        ASSERT_EQ(cells[0].size(), options.models.size());
        ASSERT_FALSE(cells[0][m].empty());
        ASSERT_LE(cells[0][m].size(), 4U);
        const ModelCell& best = cells[0][m].front();
        EXPECT_NEAR(best.values[0], 0.2, 0.15) << options.models[m];
        EXPECT_NEAR(best.values[1] / truth[m], 1.0, 0.35) << options.models[m];
        EXPECT_NEAR(std::log(best.values.back() / norm), 0.0, 0.5) << options.models[m];
    }
}

TEST(ModelGrids, MergingBinsWithoutCountsChangesNoStatistic) {
    // the grid's best cell has the statistic of the whole spectrum, within the screening precision
    spectral::FitOptions options;
    options.binning = {spectral::Binning::Kind::none, 0};
    options.models = {"tbabs*powerlaw"};
    const auto prepared = spectral::prepare(test::pn_spectrum("0079"), options);
    const ThreadPool pool(2);
    const auto backend = make_cpu_engines(pool).grid;
    ModelGrids grids(options);
    const spectral::PreparedSpectrum* one = &prepared;
    const auto cells = grids.best_cells(*backend, std::span(&one, 1))[0][0];
    ASSERT_FALSE(cells.empty());
    std::vector<double> rate(prepared.n_bins());
    for (const ModelCell& cell : cells) {
        const std::vector<double> photons = test::photons("tbabs*powerlaw", cell.values, options.abundance,
                                                          prepared.energy_lo, prepared.energy_hi);
        spectral::fold<1>(prepared, {photons.data()}, {rate.data()});
        double stat = 0.0;
        for (std::size_t k = 0; k < rate.size(); ++k)
            stat += spectral::wstat(prepared.counts[k], prepared.background_counts[k],
                                    prepared.source_exposure, prepared.background_exposure, rate[k]);
        EXPECT_NEAR(cell.stat, stat, 0.3);
    }
}

}  // namespace
