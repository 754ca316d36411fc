// Fits of two components that start from the engine's pairs end no higher than those that look for pairs
// themselves; grids and fits merge energies alike.
#include "simulated_spectrum.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include <xsift/engine/factory.hpp>
#include <xsift/engine/model_grids.hpp>
#include <xsift/refine/fit_data.hpp>
#include <xsift/refine/spectra.hpp>
#include <xsift/spectral/model.hpp>
#include <xsift/spectral/posterior_integral.hpp>

namespace {

using namespace xsift;

TEST(PairStarts, FitsFromTheEnginesPairsAreAsGood) {
    spectral::FitOptions options;
    options.models = {"tbabs*(bbody+powerlaw)", "tbabs*(bremss+powerlaw)", "tbabs*(apec+apec)"};
    options.posterior = false;
    const ThreadPool pool;
    const auto backend = engine::make_cpu_engines(pool).grid;
    engine::ModelGrids grids(options);
    std::vector<spectral::PreparedSpectrum> spectra;
    for (const char* number : {"0007", "0079", "0001", "0069", "000E", "0088"})
        spectra.push_back(spectral::prepare(test::pn_spectrum(number), options));
    for (std::uint64_t seed = 0; seed < 3; ++seed)
        spectra.push_back(test::simulated_spectrum({"tbabs*powerlaw", 0.3, 1.8, 0.0, 300.0}, seed, options));
    std::vector<const spectral::PreparedSpectrum*> shown;
    for (const auto& s : spectra) shown.push_back(&s);
    const auto cells = grids.best_cells(*backend, shown);
    int lower = 0;
    for (std::size_t i = 0; i < spectra.size(); ++i)
        for (std::size_t m = 0; m < options.models.size(); ++m) {
            ASSERT_FALSE(cells[i][m].empty());
            ASSERT_LE(cells[i][m].size(), 8U);
            std::vector<refine::StartingPoint> starts;
            for (const auto& cell : cells[i][m]) {
                starts.push_back(cell.values);
                EXPECT_GE(cell.stat, cells[i][m].front().stat);
            }
            const double from_pairs =
                             refine::fit_spectrum(spectra[i], options.models[m], starts, options).stat,
                         alone = refine::fit_spectrum(spectra[i], options.models[m], {}, options).stat;
            EXPECT_LE(from_pairs, alone + 0.01) << i << ' ' << options.models[m];
            EXPECT_LE(from_pairs, cells[i][m].front().stat + 0.1);
            lower += from_pairs < alone - 0.01 ? 1 : 0;
        }
    RecordProperty("lower_minima", lower);
}

TEST(PairStarts, StatisticsOfGridsAreThoseOfTheMergedResponseOfFits) {
    spectral::FitOptions options;
    options.models = {"tbabs*powerlaw", "tbabs*apec", "tbabs*(bbody+powerlaw)", "tbabs*(apec+apec)"};
    const ThreadPool pool;
    const auto backend = engine::make_cpu_engines(pool).grid;
    engine::ModelGrids grids(options);
    int compared = 0;
    for (const char* number : {"0007", "0079", "000E"}) {
        const spectral::PreparedSpectrum s = spectral::prepare(test::pn_spectrum(number), options);
        const spectral::PreparedSpectrum* const one = &s;
        const refine::FitData data(s);
        const refine::FitData& merged = data.coarse();
        ASSERT_TRUE(data.has_coarse());
        const auto cells = grids.best_cells(*backend, std::span(&one, 1)).at(0);
        for (std::size_t m = 0; m < options.models.size(); ++m) {
            const auto on = [&](const refine::FitData& d) {
                return spectral::ModelEvaluator(grids.models()[m], options.abundance,
                                                spectral::EnergyBins::from_bounds(d.energy_lo, d.energy_hi));
            };
            spectral::ModelEvaluator evaluator = on(merged);
            // fits keep a few more energies apart, where the redistribution changes: lines see that
            const bool lines = options.models[m].find("apec") != std::string::npos;
            evaluator.set_cross_section(data.averaged(on(data).cross_section(), {}));
            for (const auto& cell : cells[m]) {
                std::vector<double> norms;
                for (std::size_t p = 0; p < cell.values.size(); ++p)
                    if (grids.models()[m]->parameters[p].is_norm) norms.push_back(cell.values[p]);
                // a component that is not there comes back with a thousandth of the other's norm
                if (norms.size() == 2 && std::fabs(std::log(norms[0] / norms[1])) > std::log(900.0)) continue;
                const std::vector<double> photons = evaluator.photons(cell.values);
                std::vector<double> padded(photons.size() * refine::FitData::padded(1), 0.0),
                    rate(merged.n_bins());
                for (std::size_t i = 0; i < photons.size(); ++i)
                    padded[i * refine::FitData::padded(1)] = photons[i];
                merged.fold(padded, 1, rate.data(), merged.n_bins());
                double statistic = 0.0;
                for (std::size_t k = 0; k < rate.size(); ++k)
                    statistic += spectral::bin_statistic(merged.counts[k], merged.background[k],
                                                         merged.source_exposure,
                                                         merged.background_exposure[k], rate[k]);
                EXPECT_NEAR(statistic, cell.stat, lines ? 0.3 : 0.03) << number << ' ' << options.models[m];
                ++compared;
            }
        }
    }
    EXPECT_GT(compared, 20);
}

}  // namespace
