// Spectral fits: the peer's W-stat fits of real spectra, simulated truth, intervals, model selection.
#include "model_photons.hpp"
#include "pn_spectrum.hpp"
#include "simulated_spectrum.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

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
    double nh_below = 0, nh_above = 0, below = 0, above = 0;  ///< 90% offsets where computed
};

std::vector<PeerFit> peer_fits(const std::string& file) {
    std::ifstream table(test::data_path("xspec-reference/" + file));
    std::string line;
    std::getline(table, line);
    std::vector<PeerFit> out;
    while (std::getline(table, line)) {
        std::replace(line.begin(), line.end(), ',', ' ');
        std::istringstream cells(line);
        PeerFit f;
        std::string abundance;
        double lo = 0, hi = 0;
        const auto number = [&cells] {  // the stream does not read "nan"
            std::string text;
            cells >> text;
            return std::stod(text);
        };
        cells >> f.spectrum >> f.model >> abundance >> lo >> hi >> f.counts >> f.bins >> f.stat;
        f.nh = number(), f.nh_below = number(), f.nh_above = number();
        f.parameter = number(), f.below = number(), f.above = number();
        f.norm = number();
        out.push_back(f);
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

const Estimate& shape_of(const SpectralFit& fit) {
    return std::isnan(fit.kt.value) ? fit.gamma : fit.kt;
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
    const auto cells = grids.best_cells(*backend, std::span(&one, 1))[0][0];
    for (const auto& cell : cells) starts.push_back(cell.values);
    return starts;
}

TEST(SpectralFits, PeerFitsOfRealSpectra) {
    const char* more = std::getenv("XSIFT_PEER_SPECTRA");  // a folder with all of the peer's spectra
    const std::string folder = more != nullptr ? more : test::data_path("xmm-pps");
    int rows = 0, same_minimum = 0;
    double worst = -1e9, seconds = 0.0;
    for (const PeerFit& peer : peer_fits("wstat_fits.csv")) {
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
             << " parameter " << shape_of(fit).value << " peer " << peer.parameter << " norm "
             << fit.norm.value << " peer " << peer.norm << " flags " << fit.flags << " starts "
             << starts.size() << " s " << took;
        if (more != nullptr) std::cout << excess << ' ' << line.str() << '\n';
        EXPECT_LE(fit.stat, peer.stat + 0.01) << line.str();
        EXPECT_EQ(fit.flags & fit_not_converged, 0U) << line.str();
        if (std::fabs(excess) > 0.005)
            continue;  // another minimum: apec has one in each interval of its table
        ++same_minimum;
        const auto expect_same = [&](const Estimate& ours, double theirs, double absolute) {
            const double tolerance = 0.05 * (ours.hi - ours.lo) + 2e-3 * std::fabs(theirs) + absolute;
            EXPECT_NEAR(ours.value, theirs, tolerance) << line.str();
        };
        expect_same(fit.nh, peer.nh, 1e-3);
        expect_same(shape_of(fit), peer.parameter, 0.0);
        expect_same(fit.norm, peer.norm, 0.0);
    }
    EXPECT_GE(rows, 18);
    EXPECT_GE(same_minimum, rows / 2);
    if (more != nullptr)
        std::cout << rows << " rows, " << same_minimum << " in the same minimum, worst excess " << worst
                  << ", s a fit " << seconds / rows << '\n';
}

TEST(SpectralFits, ProfileIntervalsOfRealSpectraAreThePeers) {
    const char* more = std::getenv("XSIFT_PEER_SPECTRA");
    const std::string folder = more != nullptr ? more : test::data_path("xmm-pps");
    int ends = 0;
    for (const PeerFit& peer : peer_fits("wstat_fits_conf90.csv")) {
        if (!std::ifstream(folder + "/" + peer.spectrum)) continue;
        const auto prepared = spectral::prepare(test::read_pn_spectrum(folder, peer.spectrum), ungrouped());
        const std::string model = "tbabs*" + peer.model;
        const SpectralFit fit =
            fit_spectrum(prepared, model, grid_starts(prepared, model, ungrouped()), ungrouped());
        if (fit.stat < peer.stat - 0.01) continue;  // another minimum has another interval
        const auto expect_ends = [&](const Estimate& ours, double value, double below, double above,
                                     const char* name) {
            const double lo = value + below, hi = value + above;
            const double width = std::isfinite(below) && std::isfinite(above) ? above - below
                                 : std::isfinite(above)                       ? above
                                                                              : -below;
            const auto near = [&](double our_end, double their_end) {
                if (!std::isfinite(their_end)) return;
                ++ends;
                // the peer's own ends are good to its tolerance: its best fit is not exactly the minimum
                EXPECT_NEAR(our_end, their_end, 0.03 * width)
                    << peer.spectrum << ' ' << model << ' ' << name << " [" << ours.lo << ", " << ours.hi
                    << "] peer [" << lo << ", " << hi << ']';
            };
            near(ours.lo, lo);
            near(ours.hi, hi);
        };
        expect_ends(fit.nh, peer.nh, peer.nh_below, peer.nh_above, "nH");
        expect_ends(shape_of(fit), peer.parameter, peer.below, peer.above, "shape");
        if (peer.spectrum.find("SRSPEC0001") == std::string::npos) continue;
        const FittedParameter& shape = fit.parameters[1];
        EXPECT_NEAR(2.0 * std::sqrt(2.706) * shape.error / (shape.estimate.hi - shape.estimate.lo), 1.0, 0.1)
            << model;
        EXPECT_EQ(shape.flags, 0U) << model;
    }
    EXPECT_GE(ends, 14);
}

spectral::PreparedSpectrum simulated(const std::string& model, double nh, double parameter, double counts,
                                     std::uint64_t seed, const spectral::FitOptions& options) {
    return test::simulated_spectrum({model, nh, parameter, 0.0, counts}, seed, options);
}

TEST(SpectralFits, SimulatedTruthIsFoundWithinItsErrors) {
    const struct {
        const char* model;
        double nh, parameter;
    } truths[] = {{"tbabs*powerlaw", 0.3, 1.8}, {"tbabs*bbody", 0.2, 0.5}, {"tbabs*bremss", 0.3, 2.0}};
    spectral::FitOptions options;
    for (const auto& truth : truths) {
        int inside = 0;
        constexpr int trials = 40;
        for (int seed = 0; seed < trials; ++seed) {
            auto p = simulated(truth.model, truth.nh, truth.parameter, 4000, static_cast<std::uint64_t>(seed),
                               options);
            const SpectralFit fit = fit_spectrum(p, truth.model, {}, options);
            EXPECT_EQ(fit.statistic, "wstat");
            const auto n = static_cast<double>(p.n_bins());
            EXPECT_LT(fit.stat, n + 5.0 * std::sqrt(2.0 * n));
            EXPECT_LT(std::fabs(fit.gof_sigma), 4.0);
            const Estimate& e = shape_of(fit);
            inside += e.lo < truth.parameter && truth.parameter < e.hi ? 1 : 0;
            EXPECT_NEAR(e.value / truth.parameter, 1.0, 0.3) << truth.model << ' ' << seed;
        }
        // 90% intervals: 36 expected, 30 is more than 3 sigma below
        EXPECT_GE(inside, 30) << truth.model;
    }
}

TEST(SpectralFits, CstatWithoutBackground) {
    spectral::FitOptions options;
    auto p = simulated("tbabs*powerlaw", 0.3, 1.8, 50000, 3, options);
    for (std::size_t k = 0; k < p.n_bins(); ++k)  // leave the expected background out
        p.counts[k] = std::max(0.0, p.counts[k] - std::round(p.source_exposure * p.background_counts[k] /
                                                             p.background_exposure));
    p.background_counts.clear();
    p.background_exposure = 0.0;
    const SpectralFit fit = fit_spectrum(p, "tbabs*powerlaw", {}, options);
    EXPECT_EQ(fit.statistic, "cstat");
    EXPECT_NEAR(fit.gamma.value, 1.8, 0.05);
    EXPECT_NEAR(fit.nh.value, 0.3, 0.03);
    EXPECT_EQ(fit.flags & 0xffffU, 0U);
}

TEST(SpectralFits, FluxHasTheErrorOfTheCounts) {
    // with shape and nH well known the relative flux error is that of the counts: 1.645/sqrt(N) and somewhat
    // more
    spectral::FitOptions options;
    options.flux_lo = 0.5;
    options.flux_hi = 10.0;
    const SpectralFit fit =
        fit_spectrum(simulated("tbabs*powerlaw", 0.1, 1.8, 40000, 5, options), "tbabs*powerlaw", {}, options);
    const double relative = 0.5 * (fit.flux.hi - fit.flux.lo) / fit.flux.value;
    EXPECT_GT(relative, 1.645 / std::sqrt(40000.0));
    EXPECT_LT(relative, 3.0 * 1.645 / std::sqrt(40000.0));
    EXPECT_GT(fit.flux_unabsorbed.value, fit.flux.value);
    spectral::FluxBand band(test::model("tbabs*powerlaw"), options.abundance, 0.5, 10.0);
    const std::vector<double> values{fit.nh.value, fit.gamma.value, fit.norm.value};
    EXPECT_NEAR(fit.norm.value * band.absorbed(values, false).unit[0], fit.flux.value, 1e-9 * fit.flux.value);
}

TEST(SpectralFits, TooFewBinsGiveNullsNotInfinities) {
    spectral::FitOptions options;
    auto p = simulated("tbabs*powerlaw", 0.1, 1.8, 4000, 5, options);
    // three bins, one energy row each would be as good: keep the first bins only
    for (auto* v : {&p.counts, &p.background_counts}) v->resize(3);
    for (std::size_t i = 0; i < p.n_energies(); ++i)
        p.row_count[i] = std::clamp(3 - p.row_first[i], 0, p.row_count[i]);
    const SpectralFit fit = fit_spectrum(p, "tbabs*powerlaw", {}, options);
    EXPECT_EQ(fit.dof, 0);
    EXPECT_TRUE(std::isnan(fit.reduced));
    EXPECT_TRUE(std::isnan(fit.aicc));
    EXPECT_TRUE(fit.flags & fit_no_degrees_of_freedom);
    std::vector<SpectralFit> one{fit};
    EXPECT_EQ(select_model(one), -1);
    EXPECT_FALSE(one[0].selected);
}

TEST(SpectralFits, AWrongModelIsFarAboveItsExpectation) {
    const spectral::FitOptions options;
    const auto p = simulated("tbabs*powerlaw", 0.1, 1.8, 20000, 3, options);
    const SpectralFit right = fit_spectrum(p, "tbabs*powerlaw", {}, options),
                      wrong = fit_spectrum(p, "tbabs*bbody", {}, options);
    EXPECT_LT(std::fabs(right.gof_sigma), 3.0);
    EXPECT_GT(wrong.gof_sigma, 3.0);
    EXPECT_GT(wrong.gof_sigma, right.gof_sigma + 2.0);
}

TEST(SelectModel, LowestAiccOfTheSpectrumWithMostBins) {
    const auto fit = [](const char* spectrum, int bins, double aicc, std::uint32_t flags) {
        SpectralFit f;
        f.spectrum = spectrum;
        f.n_bins = bins;
        f.dof = bins - 3;
        f.aicc = aicc;
        f.flags = flags;
        return f;
    };
    std::vector<SpectralFit> fits{fit("a", 50, 10, 0), fit("b", 90, 99, fit_nh_unconstrained),
                                  fit("b", 90, 95, 0), fit("b", 90, 80, fit_parameter_unconstrained),
                                  fit("c", 200, 7, fit_not_converged)};
    EXPECT_EQ(select_model(fits), 2);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(fits[i].selected, i == 2);
    EXPECT_EQ(fits[0].choice, "OTHER_SPECTRUM");
    EXPECT_EQ(fits[1].choice, "HIGHER_AICC");
    EXPECT_EQ(fits[2].choice, "SELECTED");
    EXPECT_EQ(fits[3].choice, "PARAMETER_UNCONSTRAINED");
    EXPECT_EQ(fits[4].choice, "NOT_CONVERGED");
    EXPECT_EQ(select_model({}), -1);
}

}  // namespace
