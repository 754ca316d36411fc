// Fits of two components that start from the engine's pairs end no higher than those that look for pairs
// themselves.
#include "simulated_spectrum.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include <xsift/engine/factory.hpp>
#include <xsift/engine/model_grids.hpp>
#include <xsift/refine/spectra.hpp>

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
    const auto cells = grids.best_cells(*backend, shown, true);
    int lower = 0;
    for (std::size_t i = 0; i < spectra.size(); ++i)
        for (std::size_t m = 0; m < options.models.size(); ++m) {
            ASSERT_FALSE(cells[i][m].empty());
            ASSERT_LE(cells[i][m].size(), 6U);
            std::vector<refine::StartingPoint> starts;
            for (const auto& cell : cells[i][m]) {
                starts.push_back(cell.values);
                EXPECT_GE(cell.stat, cells[i][m].front().stat);
            }
            const double from_pairs =
                             refine::fit_spectrum(spectra[i], options.models[m], starts, options).stat,
                         alone = refine::fit_spectrum(spectra[i], options.models[m], {}, options).stat;
            EXPECT_LE(from_pairs, alone + 0.01) << i << ' ' << options.models[m];
            EXPECT_LE(from_pairs, cells[i][m].front().stat + 2.0);  // energies are merged for the grid
            lower += from_pairs < alone - 0.01 ? 1 : 0;
        }
    RecordProperty("lower_minima", lower);
}

}  // namespace
