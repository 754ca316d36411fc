// The statistic over two parameters: its profile gives back the intervals of the fit.
#include "pn_spectrum.hpp"

#include <algorithm>
#include <cmath>
#include <memory>

#include <gtest/gtest.h>

#include <xsift/core/error.hpp>
#include <xsift/refine/statistic_map.hpp>

namespace {

using namespace xsift;
using namespace xsift::refine;

struct Fitted {
    spectral::FitOptions options;
    spectral::PreparedSpectrum prepared;
    std::unique_ptr<FitData> data;
    std::shared_ptr<const spectral::ModelDefinition> model;
    SpectralFit fit;
    std::vector<double> best;

    explicit Fitted(const std::string& text) {
        options.models = {text};
        prepared = spectral::prepare(test::pn_spectrum("0007"), options);
        data = std::make_unique<FitData>(prepared);
        model = std::make_shared<const spectral::ModelDefinition>(spectral::define_model(text, options));
        const FitInput input{&prepared, data.get()};
        fit = fit_spectra(std::span(&input, 1), model, {}, options);
        for (const FittedParameter& p : fit.parameters) best.push_back(p.estimate.value);
    }
    int parameter(const char* name) const {
        for (std::size_t i = 0; i < model->parameters.size(); ++i)
            if (model->parameters[i].name == name) return static_cast<int>(i);
        return -1;
    }
    std::vector<double> map(int x, const std::vector<double>& xs, int y,
                            const std::vector<double>& ys) const {
        const FitInput input{&prepared, data.get()};
        return statistic_map(std::span(&input, 1), model, options.abundance, best, x, xs, y, ys);
    }
};

TEST(StatisticMap, HasTheMinimumOfTheFit) {
    const Fitted f("tbabs*powerlaw");
    const int nh = f.parameter("nH"), gamma = f.parameter("PhoIndex");
    const auto at = [&](int p) { return f.best[static_cast<std::size_t>(p)]; };
    EXPECT_NEAR(f.map(gamma, {at(gamma)}, nh, {at(nh)})[0], f.fit.stat, 1e-3);
}

TEST(StatisticMap, ItsProfileEndsWhereTheIntervalsEnd) {
    // One free norm besides, then a second component whose temperature is fitted anew at every point.
    for (const char* text : {"tbabs*powerlaw", "tbabs*(apec+apec)"}) {
        const Fitted f(text);
        const int nh = f.parameter("nH"), shape = std::max(f.parameter("PhoIndex"), f.parameter("kT"));
        const Estimate& e = f.fit.parameters[static_cast<std::size_t>(shape)].estimate;
        const Estimate& column = f.fit.parameters[static_cast<std::size_t>(nh)].estimate;
        std::vector<double> columns;
        for (int i = 0; i <= 40; ++i)
            columns.push_back(std::max(column.lo, 0.0) +
                              (1.5 * column.hi - std::max(column.lo, 0.0)) * i / 40.0);
        for (const double end : {e.lo, e.hi}) {
            const std::vector<double> map = f.map(shape, {end}, nh, columns);
            EXPECT_NEAR(*std::min_element(map.begin(), map.end()) - f.fit.stat, f.options.confidence_delta,
                        0.15)
                << text << " at " << end;
        }
    }
}

TEST(StatisticMap, DoesNotDependOnHowItIsWalked) {
    const Fitted f("tbabs*(bbody+powerlaw)");
    const int nh = f.parameter("nH"), shape = f.parameter("kT");
    const std::vector<double> xs{0.15, 0.2, 0.3, 0.5}, ys{0.0, 0.05, 0.1};
    const std::vector<double> all = f.map(shape, xs, nh, ys);
    for (std::size_t j = 0; j < ys.size(); ++j)
        for (std::size_t i = 0; i < xs.size(); ++i)
            EXPECT_NEAR(all[j * xs.size() + i], f.map(shape, {xs[i]}, nh, {ys[j]})[0], 0.05);
}

TEST(StatisticMap, RefusesNorms) {
    const Fitted f("tbabs*powerlaw");
    EXPECT_THROW(f.map(f.parameter("norm"), {1e-5}, f.parameter("nH"), {0.1}), Error);
}

}  // namespace
