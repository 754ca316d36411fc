// Posteriors that an engine integrates, against those that fits make themselves.
#include "simulated_spectrum.hpp"

#include <cmath>
#include <functional>
#include <vector>

#include <gtest/gtest.h>

#include <xsift/core/parallel.hpp>
#include <xsift/engine/factory.hpp>
#include <xsift/engine/model_grids.hpp>
#include <xsift/refine/model_fits.hpp>
#include <xsift/spectral/model.hpp>

namespace {

using namespace xsift;
using namespace xsift::refine;

const StepGuard plain = [](std::size_t, const std::function<void()>& step) { step(); };

struct Both {
    std::vector<SpectralFit> own, by_engine;
    std::size_t n_tasks = 0;
};

/// With the starts that a run would have.
Both fits_of(const spectral::PreparedSpectrum& spectrum, const spectral::FitOptions& options) {
    const FitData data(spectrum);
    const FitInput input{&spectrum, &data};
    const ThreadPool pool(1);
    const auto engine = engine::make_cpu_engines(pool).grid;
    engine::ModelGrids grids(options);
    const spectral::PreparedSpectrum* const prepared = &spectrum;
    const auto cells = grids.best_cells(*engine, std::span(&prepared, 1)).at(0);
    std::vector<ModelTask> tasks;
    for (std::size_t m = 0; m < cells.size(); ++m) {
        tasks.push_back({grids.models()[m], {}});
        for (const engine::ModelCell& cell : cells[m]) tasks.back().starts.push_back(cell.values);
    }
    Both out;
    out.own = fit_models(std::span(&input, 1), tasks, options, plain);
    ModelFits fits(std::span(&input, 1), tasks, options, plain);
    const auto posteriors = fits.posterior_tasks();
    out.n_tasks = posteriors.size();
    fits.take(engine->evaluate(std::span(posteriors)));
    out.by_engine = fits.finish();
    return out;
}

/// Both are known or neither, and then to a part of the width.
void expect_near(double a, double b, double width, double tolerance) {
    EXPECT_EQ(std::isnan(a), std::isnan(b));
    if (std::isnan(width))
        EXPECT_TRUE(a == b || std::isnan(b));
    else
        EXPECT_NEAR(a, b, tolerance * width);
}
void expect_near(const Posterior& a, const Posterior& b, double tolerance) {
    const double width = b.hi90 - b.lo90;
    expect_near(a.mean, b.mean, width, 5.0 * tolerance);  // the tails of a norm reach far
    for (const double Posterior::*of :
         {&Posterior::median, &Posterior::lo68, &Posterior::hi68, &Posterior::lo90, &Posterior::hi90})
        expect_near(a.*of, b.*of, width, tolerance);
}
void expect_near(const Estimate& a, const Estimate& b, double tolerance) {
    expect_near(a.value, b.value, 0.0, 0.0);
    expect_near(a.lo, b.lo, b.hi - b.lo, tolerance);
    expect_near(a.hi, b.hi, b.hi - b.lo, tolerance);
}

void expect_same(const Both& both, double tolerance) {
    ASSERT_EQ(both.own.size(), both.by_engine.size());
    for (std::size_t m = 0; m < both.own.size(); ++m) {
        const SpectralFit &own = both.own[m], &other = both.by_engine[m];
        SCOPED_TRACE(own.model);
        EXPECT_EQ(other.stat, own.stat);
        EXPECT_EQ(other.flags, own.flags);
        EXPECT_EQ(std::isnan(other.log_evidence), std::isnan(own.log_evidence));
        if (!std::isnan(own.log_evidence)) {
            EXPECT_NEAR(other.log_evidence, own.log_evidence, 0.03);
        }
        ASSERT_EQ(other.parameters.size(), own.parameters.size());
        for (std::size_t k = 0; k < own.parameters.size(); ++k) {
            SCOPED_TRACE(own.parameters[k].name);
            EXPECT_EQ(other.parameters[k].flags, own.parameters[k].flags);
            expect_near(other.parameters[k].posterior, own.parameters[k].posterior, tolerance);
            expect_near(other.parameters[k].estimate, own.parameters[k].estimate, tolerance);
        }
        ASSERT_EQ(other.fluxes.size(), own.fluxes.size());
        for (std::size_t b = 0; b < own.fluxes.size(); ++b) {
            EXPECT_EQ(other.fluxes[b].flags, own.fluxes[b].flags);
            expect_near(other.fluxes[b].absorbed, own.fluxes[b].absorbed, tolerance);
            expect_near(other.fluxes[b].unabsorbed, own.fluxes[b].unabsorbed, tolerance);
        }
    }
}

TEST(PosteriorProblem, AnEngineIntegratesWhatFitsIntegrate) {
    struct Case {
        const char* model;
        double nh, shape, counts;
    };
    std::size_t tasks = 0;
    for (const Case& c : {Case{"tbabs*powerlaw", 0.3, 1.8, 60.0},
                          {"tbabs*powerlaw", 0.04, 1.8, 250.0},
                          {"tbabs*bbody", 0.1, 0.3, 500.0},
                          {"tbabs*powerlaw", 2.0, 1.5, 8000.0},
                          {"tbabs*apec", 0.1, 0.9, 900.0}}) {
        SCOPED_TRACE(c.counts);
        spectral::FitOptions options;
        options.errors = spectral::Errors::posterior;
        options.refine = spectral::Refine::all;
        options.models = {"tbabs*powerlaw", "tbabs*bbody", "tbabs*bremss", "tbabs*apec"};
        const auto s = test::simulated_spectrum({c.model, c.nh, c.shape, 0.0, c.counts}, 11, options);
        const Both both = fits_of(s, options);
        tasks += both.n_tasks;
        expect_same(both, 0.015);
    }
    EXPECT_GT(tasks, 15U);
}

}  // namespace
