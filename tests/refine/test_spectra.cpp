// Spectral fits: the peer's W-stat fits of real spectra, simulated truth, intervals, model selection.
#include "pn_spectrum.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include <xsift/core/random.hpp>
#include <xsift/engine/factory.hpp>
#include <xsift/engine/model_grids.hpp>
#include <xsift/refine/spectra.hpp>
#include <xsift/spectral/model.hpp>

namespace {

using namespace xsift;
using namespace xsift::refine;

/// A row of wstat_fits.csv (Sherpa 4.19, XSPEC 12.15's models).
struct PeerFit {
    std::string spectrum, model;
    int bins = 0;
    double counts = 0, stat = 0, nh = 0, parameter = 0, norm = 0;
};

std::vector<PeerFit> peer_fits() {
    std::ifstream table(test::data_path("xspec-reference/wstat_fits.csv"));
    std::string line;
    std::getline(table, line);
    std::vector<PeerFit> out;
    while (std::getline(table, line)) {
        std::replace(line.begin(), line.end(), ',', ' ');
        std::istringstream cells(line);
        PeerFit f;
        std::string abundance, skip;
        double lo = 0, hi = 0;
        cells >> f.spectrum >> f.model >> abundance >> lo >> hi >> f.counts >> f.bins >> f.stat >> f.nh >>
            skip >> skip >> f.parameter >> skip >> skip >> f.norm;
        if (f.model != "apec") out.push_back(f);
    }
    return out;
}

spectral::FitOptions ungrouped() {
    spectral::FitOptions o;
    o.binning = {spectral::Binning::Kind::none, 0};
    o.energy_lo = 0.5;
    o.energy_hi = 10.0;
    return o;
}

double parameter_of(const SpectralFit& fit) {
    return std::isnan(fit.kt.value) ? fit.gamma.value : fit.kt.value;
}

/// The starting points a run takes: the local minima of the model grid.
std::vector<StartingPoint> grid_starts(const spectral::PreparedSpectrum& spectrum, const std::string& model,
                                       spectral::FitOptions options) {
    static const ThreadPool pool;
    static const auto backend = engine::make_cpu_engines(pool).grid;
    options.models = {model};
    engine::ModelGrids grids(options);
    const spectral::PreparedSpectrum* one = &spectrum;
    std::vector<StartingPoint> starts;
    for (const auto& cell : grids.best_cells(*backend, std::span(&one, 1))[0][0])
        starts.push_back({cell.nh, cell.parameter, cell.norm});
    return starts;
}

TEST(SpectralFits, PeerFitsOfRealSpectra) {
    const char* more = std::getenv("XSIFT_PEER_SPECTRA");  // a folder with all of the peer's spectra
    const std::string folder = more != nullptr ? more : test::data_path("xmm-pps");
    int rows = 0, same_minimum = 0;
    double worst = -1e9, seconds = 0.0;
    for (const PeerFit& peer : peer_fits()) {
        if (!std::ifstream(folder + "/" + peer.spectrum)) continue;
        const auto prepared = spectral::prepare(test::read_pn_spectrum(folder, peer.spectrum), ungrouped());
        ASSERT_EQ(static_cast<int>(prepared.n_bins()), peer.bins);
        const auto starts = grid_starts(prepared, "tbabs*" + peer.model, ungrouped());
        const auto begin = std::chrono::steady_clock::now();
        const SpectralFit fit = fit_spectrum(prepared, "tbabs*" + peer.model, starts, ungrouped());
        const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
        seconds += took;
        ++rows;
        const double excess = fit.stat - peer.stat;
        worst = std::max(worst, excess);
        std::ostringstream line;
        line << peer.spectrum << ' ' << peer.model << " stat " << fit.stat << " peer " << peer.stat << " nH "
             << fit.nh.value << " [" << fit.nh.lo << ", " << fit.nh.hi << "] peer " << peer.nh
             << " parameter " << parameter_of(fit) << " peer " << peer.parameter << " norm " << fit.norm.value
             << " peer " << peer.norm << " flags " << fit.flags << " starts " << starts.size() << " s "
             << took;
        if (more != nullptr) std::cout << excess << ' ' << line.str() << '\n';
        EXPECT_LE(fit.stat, peer.stat + 0.02) << line.str();
        EXPECT_EQ(fit.flags & fit_not_converged, 0U) << line.str();
    }
    EXPECT_GE(rows, 18);
    if (more != nullptr)
        std::cout << rows << " rows, worst excess " << worst << ", s a fit " << seconds / rows << '\n';
    (void)same_minimum;
}

}  // namespace
