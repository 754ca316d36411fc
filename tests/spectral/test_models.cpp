// The models against XSPEC's own functions (tests/data/xspec-reference) and against themselves.
#include "model_photons.hpp"
#include "test_files.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <fitsio.h>
#include <gtest/gtest.h>

#include <xsift/core/error.hpp>
#include <xsift/spectral/model.hpp>

namespace {

using namespace xsift::spectral;

struct ReferenceSpectrum {
    std::string model, abundance;
    double parameter = 0.0;
    std::vector<double> value;
};

struct Reference {
    std::vector<double> lo, hi;
    std::vector<ReferenceSpectrum> spectra;
};

std::string text_cell(fitsfile* file, int column, long row) {
    char buffer[80] = {};
    char* cell = buffer;
    int status = 0;
    fits_read_col(file, TSTRING, column, row, 1, 1, nullptr, &cell, nullptr, &status);
    EXPECT_EQ(status, 0);
    std::string text = buffer;
    text.erase(text.find_last_not_of(' ') + 1);
    return text;
}

std::vector<double> numbers(fitsfile* file, int column, long row, long count) {
    std::vector<double> out(static_cast<std::size_t>(count));
    int status = 0;
    fits_read_col(file, TDOUBLE, column, row, 1, count, nullptr, out.data(), nullptr, &status);
    EXPECT_EQ(status, 0);
    return out;
}

Reference read_reference() {
    fitsfile* file = nullptr;
    int status = 0;
    long rows = 0;
    Reference reference;
    fits_open_diskfile(&file, xsift::test::data_path("xspec-reference/models.fits").c_str(), READONLY,
                       &status);
    fits_movabs_hdu(file, 2, nullptr, &status);
    fits_get_num_rows(file, &rows, &status);
    EXPECT_EQ(status, 0);
    reference.lo = numbers(file, 1, 1, rows);
    reference.hi = numbers(file, 2, 1, rows);
    const long bins = rows;
    fits_movabs_hdu(file, 3, nullptr, &status);
    fits_get_num_rows(file, &rows, &status);
    for (long row = 1; row <= rows; ++row)
        reference.spectra.push_back({text_cell(file, 1, row), text_cell(file, 2, row),
                                     numbers(file, 3, row, 1).front(), numbers(file, 4, row, bins)});
    fits_close_file(file, &status);
    EXPECT_EQ(status, 0);
    return reference;
}

std::vector<double> evaluate(const ReferenceSpectrum& row, const EnergyBins& bins) {
    std::vector<double> out(bins.size());
    if (row.model == "tbabs") {
        const auto sigma = Absorption::of(parse_abundance(row.abundance)).cross_sections(bins);
        for (std::size_t i = 0; i < out.size(); ++i) out[i] = std::exp(-row.parameter * sigma[i]);
    } else {
        ModelEvaluator model(xsift::test::model(row.model), Abundance::wilm, bins);
        out = model.photons(std::array{row.parameter, 1.0});
    }
    return out;
}

TEST(Models, MatchEveryReferenceSpectrum) {
    const Reference reference = read_reference();
    ASSERT_EQ(reference.spectra.size(), 55U);
    ASSERT_EQ(reference.lo.size(), 750U);
    const EnergyBins bins = EnergyBins::from_bounds(reference.lo, reference.hi);
    for (const auto& row : reference.spectra) {
        const bool single_precision = row.model == "bbody" || row.model == "bremss";
        const double tolerance = single_precision ? 1e-3 : 1e-4;
        const auto ours = evaluate(row, bins);
        double worst = 0.0;
        // A transmission below 1e-6 counts as dark; the single-precision routines cut what is that far below
        // the peak.
        const double peak = *std::max_element(row.value.begin(), row.value.end());
        const double dark = row.model == "tbabs" ? 1e-6 : single_precision ? 1e-17 * peak : 0.0;
        for (std::size_t i = 0; i < ours.size(); ++i) {
            if (row.value[i] > dark)
                worst = std::max(worst, std::fabs(ours[i] / row.value[i] - 1.0));
            else
                EXPECT_LE(ours[i], 1.01 * dark);
        }
        EXPECT_LT(worst, tolerance) << row.model << ' ' << row.abundance << ' ' << row.parameter;
    }
}

TEST(Models, FluxesOfTheReferenceTable) {
    std::ifstream table(xsift::test::data_path("xspec-reference/fluxes.csv"));
    std::string line;
    std::getline(table, line);
    ASSERT_EQ(line,
              "abund,model,nH_1e22,param,norm,abs_0.2_12_cgs,unabs_0.2_12_cgs,abs_0.5_2_cgs,abs_2_10_cgs");
    int rows = 0;
    while (std::getline(table, line)) {
        std::replace(line.begin(), line.end(), ',', ' ');
        std::istringstream cells(line);
        std::string abundance_name, model;
        double nh = 0, parameter = 0, norm = 0, whole = 0, unabsorbed = 0, soft = 0, hard = 0;
        cells >> abundance_name >> model >> nh >> parameter >> norm >> whole >> unabsorbed >> soft >> hard;
        ASSERT_FALSE(cells.fail()) << line;
        const auto absorbed = xsift::test::model("tbabs*" + model);
        const Abundance abundance = parse_abundance(abundance_name);
        FluxBand band(absorbed, abundance, 0.2, 12.0), soft_band(absorbed, abundance, 0.5, 2.0),
            hard_band(absorbed, abundance, 2.0, 10.0);
        const std::vector<double> values{nh, parameter, norm};
        EXPECT_NEAR(norm * band.absorbed(values, false).unit[0] / whole, 1.0, 2e-3) << line;
        EXPECT_NEAR(norm * band.unabsorbed(values, false).unit[0] / unabsorbed, 1.0, 2e-3) << line;
        EXPECT_NEAR(norm * soft_band.absorbed(values, false).unit[0] / soft, 1.0, 2e-3) << line;
        EXPECT_NEAR(norm * hard_band.absorbed(values, false).unit[0] / hard, 1.0, 2e-3) << line;
        ++rows;
    }
    EXPECT_EQ(rows, 21);
}

TEST(Models, MergedFluxBandsAreExactWhereTheyWereMadeAndNearThere) {
    const struct {
        const char* model;
        std::vector<double> values, near;
    } cases[] = {{"tbabs*powerlaw", {0.5, 2.5, 1e-4}, {0.6, 2.7, 1e-4}},
                 {"tbabs*apec", {0.3, 0.8, 1.0, 0.0, 1e-4}, {0.33, 0.75, 1.0, 0.0, 1e-4}},
                 {"tbabs*(bbody+powerlaw)", {1.0, 0.1, 1e-3, 1.5, 1e-4}, {1.1, 0.11, 1e-3, 1.6, 1e-4}}};
    for (const auto& c : cases) {
        FluxBand band(xsift::test::model(c.model), Abundance::wilm, 0.2, 12.0);
        FluxBand merged = band.merged(c.values);
        const auto compare = [&](const std::vector<double>& values, double tolerance) {
            const auto& groups = ModelFreedom(*xsift::test::model(c.model)).groups;
            const auto flux = [&](const BandFlux& f) {
                double sum = 0.0;
                for (std::size_t g = 0; g < groups.size(); ++g)
                    sum += values[static_cast<std::size_t>(groups[g].norm)] * f.unit[g];
                return sum;
            };
            EXPECT_NEAR(flux(merged.absorbed(values, true)) / flux(band.absorbed(values, true)), 1.0,
                        tolerance)
                << c.model;
            EXPECT_NEAR(flux(merged.unabsorbed(values, true)) / flux(band.unabsorbed(values, true)), 1.0,
                        tolerance)
                << c.model;
        };
        compare(c.values, 1e-12);
        compare(c.near, 3e-3);
    }
}

TEST(Models, RememberedComponentsAreTheSame) {
    const auto bins = EnergyBins::logarithmic(0.3, 10.0, 100);
    ModelEvaluator plain(xsift::test::model("tbabs*bremss"), Abundance::wilm, bins),
        remembering(xsift::test::model("tbabs*bremss"), Abundance::wilm, bins);
    remembering.remember(3);  // fewer than there are values: old ones are forgotten
    for (int round = 0; round < 2; ++round)
        for (const double nh : {0.0, 0.1, 0.5, 2.0})
            for (const double kt : {0.2, 1.0, 5.0, 20.0, 0.2}) {
                const std::vector<double> values{nh, kt, 1.0};
                const std::vector<double> expected = plain.photons(values),
                                          ours = remembering.photons(values);
                for (std::size_t i = 0; i < ours.size(); ++i)  // with derivatives the last digit may differ
                    EXPECT_NEAR(ours[i], expected[i], 1e-12 * expected[i]);
                remembering.evaluate(values, true);
            }
}

TEST(Models, PublishedCrossSectionsAtOneKilovolt) {
    EXPECT_NEAR(Absorption::of(Abundance::wilm).cross_section(1.0), 1.738, 0.001);
    EXPECT_NEAR(Absorption::of(Abundance::angr).cross_section(1.0), 2.532, 0.001);
    EXPECT_NEAR(Absorption::of(Abundance::aspl).cross_section(1.0), 1.754, 0.001);
}

TEST(Models, CrossSectionsGoOnBeyondTheTable) {
    const Absorption& wilm = Absorption::of(Abundance::wilm);
    EXPECT_NEAR(wilm.cross_section(0.01) / wilm.cross_section(0.005), 1.0 / 8.0, 0.02);
    EXPECT_NEAR(wilm.cross_section(50.0) / wilm.cross_section(25.0), 1.0 / 8.0, 1e-3);
}

TEST(Models, GrainShieldingAgainstQuadrature) {
    const double depth = 1.152;
    for (double dust : {1e-9, 1e-6, 3e-5, 1e-3, 0.1, 1.0, 7.0, 200.0}) {
        double absorbed = 0.0, weight = 0.0;
        const int n = 200000;
        for (int i = 0; i < n; ++i) {
            const double a = 0.025 + 0.225 * (i + 0.5) / n;
            absorbed += std::pow(a, -1.5) * -std::expm1(-depth * dust * a);
            weight += depth * dust * std::pow(a, -0.5);
        }
        EXPECT_NEAR(shielded_by_grains(dust, depth) / (dust * absorbed / weight), 1.0, 1e-8) << dust;
    }
}

TEST(Models, PowerLawIsSmoothThroughIndexOne) {
    const double lo = std::log(0.5), hi = std::log(0.51);
    EXPECT_NEAR(powerlaw_photons(lo, hi, 1.0), hi - lo, 1e-15);
    for (double index : {0.9, 0.99, 1.01, 2.0, -3.0, 9.5}) {
        const double exact = (std::pow(0.51, 1 - index) - std::pow(0.5, 1 - index)) / (1 - index);
        EXPECT_NEAR(powerlaw_photons(lo, hi, index) / exact, 1.0, 1e-12) << index;
    }
    EXPECT_NEAR(powerlaw_photons(lo, hi, 1.0 + 1e-9), powerlaw_photons(lo, hi, 1.0 - 1e-9), 1e-10);
    // a wide bin leaves the series
    EXPECT_NEAR(powerlaw_photons(std::log(0.2), std::log(12.0), 2.0), 1.0 / 0.2 - 1.0 / 12.0, 1e-12);
}

/// Checks every derivative of a model at the given values of all parameters against central differences.
void expect_derivatives(const std::string& text, std::vector<double> values, double tolerance = 2e-4) {
    FitOptions options;
    options.parameters = {"apec.Abundanc free"};
    if (text.find("apec") == std::string::npos) options.parameters.clear();
    const auto model = xsift::test::model(text, options);
    ASSERT_EQ(values.size(), model->parameters.size()) << text;
    ModelEvaluator evaluator(model, Abundance::wilm, EnergyBins::logarithmic(0.1, 15.0, 100));
    const ModelFreedom& freedom = evaluator.freedom();
    const auto groups = [&] {
        std::vector<std::vector<double>> out;
        for (std::size_t g = 0; g < freedom.groups.size(); ++g)
            out.emplace_back(evaluator.unit(g).begin(), evaluator.unit(g).end());
        return out;
    };
    for (std::size_t s = 0; s < freedom.shape.size(); ++s) {
        const auto p = static_cast<std::size_t>(freedom.shape[s]);
        const double at = values[p], step = 1e-6 * std::max(std::fabs(at), 0.1);
        const auto shifted = [&](double to) {
            values[p] = to;
            evaluator.evaluate(values, false);
            values[p] = at;
            return groups();
        };
        const auto above = shifted(at + step), below = shifted(at - step);
        evaluator.evaluate(values, true);
        const auto value = groups();
        for (std::size_t g = 0; g < freedom.groups.size(); ++g) {
            const auto by = evaluator.by_shape(g, s);
            ASSERT_EQ(by.empty(), !freedom.depends(g, s));
            for (std::size_t i = 0; i < value[g].size(); ++i) {
                const double derivative = by.empty() ? 0.0 : by[i];
                const double scale =
                    std::max(std::fabs(value[g][i]) / std::max(std::fabs(at), 0.1), std::fabs(derivative));
                ASSERT_NEAR(derivative, (above[g][i] - below[g][i]) / (2 * step), tolerance * scale + 1e-300)
                    << text << ' ' << model->parameters[p].full_name() << ' ' << at << " energy "
                    << evaluator.bins().lo(i);
            }
        }
    }
}

TEST(Models, DerivativesAgainstDifferences) {
    for (const char* name : {"powerlaw", "bbody", "bremss"})
        for (double parameter : {0.0501, 0.1291, 0.77, name[0] == 'p' ? 1.0 : 1.003, 2.135, 7.3})
            expect_derivatives(std::string("tbabs*") + name, {0.21, parameter, 1.0});
    expect_derivatives("tbabs*cutoffpl", {0.21, 1.7, 6.3, 1.0});
    expect_derivatives("tbabs*gaussian", {0.21, 6.41, 0.3, 1.0});
    expect_derivatives("tbabs*gaussian", {0.21, 1.0, 0.02, 1.0});
    expect_derivatives("tbabs*apec", {0.21, 0.71, 0.4, 0.0, 1.0});
    expect_derivatives("constant*tbabs*(bbody+tbabs*powerlaw)", {1.3, 0.21, 0.3, 1.0, 0.7, 1.9, 1.0});
    expect_derivatives("tbabs*(constant+tbabs)*powerlaw", {0.1, 0.3, 2.0, 1.9, 1.0});
}

TEST(Models, ExtremesStayFinite) {
    for (const char* name : {"powerlaw", "cutoffpl", "bbody", "bremss", "gaussian", "apec"}) {
        FitOptions options;
        if (std::string(name) == "apec") options.parameters = {"apec.Abundanc free"};
        const auto model = xsift::test::model(std::string("tbabs*") + name, options);
        ModelEvaluator evaluator(model, Abundance::angr, EnergyBins::logarithmic(0.03, 20.0, 50));
        std::vector<double> values = model->initial_values();
        const auto& shape = evaluator.freedom().shape;
        for (unsigned corner = 0; corner < 1U << shape.size(); ++corner) {
            for (std::size_t s = 0; s < shape.size(); ++s) {
                const ModelParameter& p = model->parameters[static_cast<std::size_t>(shape[s])];
                values[static_cast<std::size_t>(shape[s])] = (corner >> s & 1U) != 0 ? p.hi : p.lo;
            }
            evaluator.evaluate(values, true);
            for (std::size_t i = 0; i < evaluator.size(); ++i) {
                ASSERT_TRUE(std::isfinite(evaluator.unit(0)[i]) && evaluator.unit(0)[i] >= 0.0)
                    << name << corner;
                for (std::size_t s = 0; s < shape.size(); ++s)
                    ASSERT_TRUE(std::isfinite(evaluator.by_shape(0, s)[i]))
                        << name << ' ' << corner << ' ' << s;
            }
        }
    }
}

TEST(Options, NamesGoBothWays) {
    for (const char* name : {"wilm", "angr", "aspl"}) EXPECT_EQ(to_string(parse_abundance(name)), name);
    for (const char* name : {"default", "none", "min:20"}) EXPECT_EQ(to_string(parse_binning(name)), name);
    for (const char* name : {"min:0", "min:", "min:3x", "some"})
        EXPECT_THROW(parse_binning(name), xsift::Error) << name;
    EXPECT_THROW(parse_abundance("lodd"), xsift::Error);
}

}  // namespace
