// Model expressions and settings of their parameters.
#include "model_photons.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include <xsift/core/error.hpp>
#include <xsift/spectral/definition.hpp>
#include <xsift/spectral/model.hpp>
#include <xsift/spectral/plasma_table.hpp>

namespace {

using namespace xsift::spectral;

std::string terms_of(const std::string& text) {
    const ModelDefinition model = define_model(text, {});
    std::string out;
    for (const Term& term : model.terms) {
        if (!out.empty()) out += " + ";
        out += model.components[static_cast<std::size_t>(term.additive)].name;
        for (const int f : term.factors) out += " " + model.components[static_cast<std::size_t>(f)].name;
    }
    return out;
}

TEST(Definition, ExpressionsBecomeSumsOfProducts) {
    EXPECT_EQ(terms_of("powerlaw"), "powerlaw");
    EXPECT_EQ(terms_of("tbabs*powerlaw"), "powerlaw tbabs");
    EXPECT_EQ(terms_of("TBabs * ( bbody + powerlaw )"), "bbody tbabs + powerlaw tbabs");
    EXPECT_EQ(terms_of("tbabs(apec+apec)"), "apec1 tbabs + apec2 tbabs");
    EXPECT_EQ(terms_of("tbabs*(bbody+tbabs*powerlaw)+gaussian"),
              "bbody tbabs1 + powerlaw tbabs1 tbabs2 + gaussian");
    EXPECT_EQ(terms_of("tbabs*(constant+tbabs)*powerlaw"),
              "powerlaw tbabs1 constant + powerlaw tbabs1 tbabs2");
}

std::string code_of(const std::string& text, std::vector<std::string> parameters = {}) {
    FitOptions options;
    options.models = {text};
    options.parameters = std::move(parameters);
    try {
        define_models(options);
    } catch (const xsift::Error& error) {
        EXPECT_EQ(error.kind(), xsift::ErrorKind::usage);
        return error.code();
    }
    return "";
}

TEST(Definition, RefusesWhatIsNoModel) {
    for (const char* text :
         {"", "tbabs", "tbabs*", "*powerlaw", "tbabs*(powerlaw", "tbabs*powerlaw)", "powerlaw*bbody",
          "tbabs+powerlaw", "wabs*powerlaw", "atable{missing.fits}", "atable{x", "tbabs*()", "powerlaw 2",
          "tbabs*(powerlaw+tbabs)", "apec+apec+apec+apec+apec+apec+apec"})
        EXPECT_EQ(code_of(text), "UNKNOWN_MODEL") << text;
}

TEST(Definition, SettingsFreezeTieAndLimit) {
    FitOptions options;
    options.models = {"tbabs*(apec+apec)", "tbabs*powerlaw"};
    options.parameters = {"apec1.Abundanc free", "apec2.abundanc = apec1.Abundanc", "apec.Redshift = 0.05",
                          "powerlaw.PhoIndex in 1:3", "tbabs*powerlaw: tbabs.nH = 0.3 frozen"};
    const auto models = define_models(options);
    const ModelDefinition& two = models[0];
    ASSERT_EQ(two.parameters.size(), 9U);
    EXPECT_EQ(two.parameters[2].full_name(), "apec1.Abundanc");
    EXPECT_TRUE(two.parameters[2].free());
    EXPECT_EQ(two.parameters[6].tied_to, 2);
    EXPECT_EQ(two.parameters[3].value, 0.05);
    EXPECT_EQ(two.parameters[7].value, 0.05);
    EXPECT_EQ(two.n_free(), 6);  // nH, two kT, one abundance, two norms
    std::vector<double> values = two.initial_values();
    values[2] = 0.4;
    two.apply_ties(values);
    EXPECT_EQ(values[6], 0.4);
    const ModelDefinition& one = models[1];
    EXPECT_EQ(one.parameters[0].value, 0.3);
    EXPECT_TRUE(one.parameters[0].frozen);
    EXPECT_EQ(one.parameters[1].lo, 1.0);
    EXPECT_EQ(one.parameters[1].hi, 3.0);
    EXPECT_EQ(one.n_free(), 2);
}

TEST(Definition, RefusesSettingsThatContradictThemselves) {
    for (const char* setting :
         {"powerlaw.PhoIndex", "PhoIndex = 2", "powerlaw.PhoIndex = 20", "powerlaw.PhoIndex = two",
          "powerlaw.PhoIndex in 3:1", "powerlaw.PhoIndex in 1", "powerlaw.PhoIndex = 2 fixed", "bbody.kT = 1",
          "powerlaw.norm = tbabs.nH", "tbabs.nH in -1:5", "tbabs*powerlaw: tbabs.nH = bbody.kT"})
        EXPECT_EQ(code_of("tbabs*powerlaw", {setting}), "MODEL_PARAMETER") << setting;
    EXPECT_EQ(code_of("apec", {"apec.Redshift free"}), "MODEL_PARAMETER");
    EXPECT_EQ(code_of("powerlaw", {"powerlaw.norm frozen"}), "UNKNOWN_MODEL");
}

/// A table of two parameters whose spectra are easy to compute.
std::shared_ptr<TableModel> small_table(bool additive) {
    auto t = std::make_shared<TableModel>();
    t->name = "small";
    t->additive = additive;
    t->redshift = additive;
    t->below = additive ? 0.0 : 1.0;
    t->above = t->below;
    t->edge = {0.5, 1.0, 2.0, 4.0};
    t->axes = {{"a", "", 1.0, 1.0, 4.0, false, true, {1.0, 4.0}},
               {"b", "keV", 2.0, 0.0, 10.0, false, false, {0.0, 3.0, 10.0}}};
    for (int row = 0; row < 6; ++row)
        for (int bin = 0; bin < 3; ++bin) t->spectra.push_back(static_cast<float>(1 + row * row + 7 * bin));
    check_table(*t);
    return t;
}

TEST(TableModels, InterpolateLinearlyAndKeepPhotons) {
    const auto table = small_table(true);
    const EnergyBins own =
        EnergyBins::from_bounds(std::vector<double>{0.5, 1.0, 2.0}, std::vector<double>{1.0, 2.0, 4.0});
    TableInterpolator same(table, own, 0.0);
    std::vector<double> out(3);
    const auto spectrum = [](int row, int bin) { return 1.0 + row * row + 7.0 * bin; };
    const double t = std::log(1.7) / std::log(4.0), u = (4.0 - 3.0) / 7.0;  // a logarithmic, b linear
    same.evaluate(std::vector<double>{1.7, 4.0}, out, {});
    for (int bin = 0; bin < 3; ++bin) {
        const double expected = (1 - t) * ((1 - u) * spectrum(1, bin) + u * spectrum(2, bin)) +
                                t * ((1 - u) * spectrum(4, bin) + u * spectrum(5, bin));
        EXPECT_NEAR(out[static_cast<std::size_t>(bin)], expected, 1e-12 * expected);
    }
    // one bin over all and beyond holds all photons; a redshift moves and dilutes them
    const EnergyBins wide =
        EnergyBins::from_bounds(std::vector<double>{0.1, 0.6}, std::vector<double>{0.6, 9.0});
    TableInterpolator moved(table, wide, 0.25);
    std::vector<double> two(2);
    moved.evaluate(std::vector<double>{1.0, 0.0}, two, {});
    EXPECT_NEAR(two[0] + two[1], (1.0 + 8.0 + 15.0) / 1.25, 1e-12);
    EXPECT_NEAR(two[0], 1.0 * (0.6 * 1.25 - 0.5) / 0.5 / 1.25, 1e-12);
}

TEST(TableModels, FactorsAreAveragedOverABin) {
    const auto table = small_table(false);
    const EnergyBins bins =
        EnergyBins::from_bounds(std::vector<double>{0.25, 1.0, 5.0}, std::vector<double>{1.0, 4.0, 6.0});
    TableInterpolator factor(table, bins, 0.0);
    std::vector<double> out(3);
    factor.evaluate(std::vector<double>{1.0, 0.0}, out, {});
    EXPECT_NEAR(out[0], (0.25 * 1.0 + 0.5 * 1.0) / 0.75, 1e-12);
    EXPECT_NEAR(out[1], (1.0 * 8.0 + 2.0 * 15.0) / 3.0, 1e-12);
    EXPECT_NEAR(out[2], 1.0, 1e-12);
}

TEST(TableModels, InExpressions) {
    FitOptions options;
    options.tables["a.fits"] = small_table(true);
    options.tables["m.fits"] = small_table(false);
    const auto model = xsift::test::model("mtable{m.fits}*atable{a.fits}", options);
    ASSERT_EQ(model->parameters.size(), 6U);  // a b, a b z norm
    EXPECT_FALSE(model->parameters[4].free());
    EXPECT_TRUE(model->covers(0.5, 4.0));
    EXPECT_FALSE(model->covers(0.4, 4.0));
    ModelEvaluator evaluator(model, Abundance::wilm,
                             EnergyBins::from_bounds(std::vector<double>{0.5}, std::vector<double>{1.0}));
    EXPECT_NEAR(evaluator.photons(std::vector<double>{1.0, 3.0, 4.0, 0.0, 0.0, 2.0})[0], 2.0 * 2.0 * 10.0,
                1e-12);
    EXPECT_THROW(define_model("atable{m.fits}", options), xsift::Error);
}

TEST(TableModels, HotterPlasmasAreBremsstrahlungTimesTheHottestOfTheTable) {
    // what the continuation would have made of the table's own hottest temperatures
    const TableModel whole = *embedded_apec();
    constexpr std::size_t kept = 53, from_file = 59;  // to 13.7 of 27.3 keV
    const std::size_t n = whole.n_bins();
    TableModel cut = whole;
    cut.axes[0].values.resize(kept);
    cut.axes[0].hi = cut.axes[0].values.back();
    cut.spectra.resize(kept * 2 * n);
    const TableModel continued = with_hotter_plasma(cut);
    check_table(continued);
    EXPECT_TRUE(std::equal(cut.spectra.begin(), cut.spectra.end(), continued.spectra.begin()));
    const auto on_bands = [&](const TableModel& table) {  // 0.3 to 12 keV, at the file's hottest temperature
        std::vector<double> lo, hi;
        for (double e = 0.3; e < 12.0; e *= 1.15) lo.push_back(e), hi.push_back(1.15 * e);
        const EnergyBins bands = EnergyBins::from_bounds(lo, hi);
        TableInterpolator interpolator(std::make_shared<const TableModel>(table), bands, 0.0);
        std::vector<double> out(bands.size());
        interpolator.evaluate(std::vector<double>{whole.axes[0].values[from_file - 1], 0.6}, out, {});
        return out;
    };
    const std::vector<double> ours = on_bands(continued), tabulated = on_bands(whole);
    for (std::size_t i = 0; i < ours.size(); ++i) {
        const double lo = 0.3 * std::pow(1.15, static_cast<double>(i)), hi = 1.15 * lo;
        const bool iron = lo < 8.3 && hi > 6.4;  // K lines fade faster than the continuum
        EXPECT_NEAR(ours[i] / tabulated[i], 1.0, iron ? 0.15 : 0.035) << lo;
    }
    // neither what reaches so far nor what is limited on purpose
    EXPECT_EQ(with_hotter_plasma(whole).spectra.size(), whole.spectra.size());
    cut.axes[0].hi = 10.0;
    EXPECT_EQ(with_hotter_plasma(cut).axes[0].values.size(), kept);
}

TEST(TableModels, TheEmbeddedPlasmaTable) {
    const auto apec = embedded_apec();
    ASSERT_EQ(apec->axes.size(), 2U);
    EXPECT_EQ(apec->axes[0].values.size(), 59U + 9U);  // 59 of the file, the others continue it
    EXPECT_EQ(apec->axes[0].values.back(), 64.0);
    EXPECT_EQ(apec->n_bins(), 2112U);
    EXPECT_NE(apec->origin.find("AtomDB 2.0.2"), std::string::npos);
    // the flux of a published fit's parameters with this table: kT 1.87 keV, norm 1.999e-5, 0.2-12 keV
    FluxBand band(xsift::test::model("apec"), Abundance::wilm, 0.2, 12.0);
    EXPECT_NEAR(1.999e-5 * band.absorbed(std::vector<double>{1.87, 1.0, 0.0, 1.0}, false).unit[0], 2.95e-14,
                0.005e-14);
    // linear in kT and abundance between rows, to the rounding of the table, on its own bins
    const std::vector<double>& edge = apec->edge;
    const EnergyBins own =
        EnergyBins::from_bounds(std::span(edge).first(edge.size() - 1), std::span(edge).subspan(1));
    TableInterpolator table(apec, own, 0.0);
    std::vector<double> out(own.size());
    const std::vector<double>& kt = apec->axes[0].values;
    const double at = 0.3 * kt[20] + 0.7 * kt[21], abundance = 0.8;
    table.evaluate(std::vector<double>{at, abundance}, out, {});
    const auto tabulated = [&](std::size_t t, std::size_t a, std::size_t i) {
        return static_cast<double>(apec->spectra[(2 * t + a) * apec->n_bins() + i]);
    };
    for (std::size_t i = 0; i < out.size(); ++i) {
        const auto mixed = [&](std::size_t t) {
            return tabulated(t, 0, i) + abundance / 5.0 * (tabulated(t, 1, i) - tabulated(t, 0, i));
        };
        const double expected = 0.3 * mixed(20) + 0.7 * mixed(21);
        EXPECT_NEAR(out[i], expected, 1e-6 * expected);
    }
}

}  // namespace
