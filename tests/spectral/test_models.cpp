// The models against XSPEC's own functions (tests/data/xspec-reference) and against themselves.
#include "test_files.hpp"

#include <algorithm>
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
        shape_photons(parse_model("tbabs*" + row.model), row.parameter, bins, std::span<double>(out));
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
        const Shape shape = parse_model("tbabs*" + model);
        const Abundance abundance = parse_abundance(abundance_name);
        FluxBand band(shape, abundance, 0.2, 12.0), soft_band(shape, abundance, 0.5, 2.0),
            hard_band(shape, abundance, 2.0, 10.0);
        EXPECT_NEAR(norm * band.absorbed(nh, parameter).value / whole, 1.0, 2e-3) << line;
        EXPECT_NEAR(norm * band.unabsorbed(parameter).value / unabsorbed, 1.0, 2e-3) << line;
        EXPECT_NEAR(norm * soft_band.absorbed(nh, parameter).value / soft, 1.0, 2e-3) << line;
        EXPECT_NEAR(norm * hard_band.absorbed(nh, parameter).value / hard, 1.0, 2e-3) << line;
        ++rows;
    }
    EXPECT_EQ(rows, 21);
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

TEST(Models, DerivativesAgainstDifferences) {
    const EnergyBins bins = EnergyBins::logarithmic(0.1, 15.0, 100);
    const auto size = bins.size();
    for (Shape shape : {Shape::powerlaw, Shape::bbody, Shape::bremss}) {
        AbsorbedModel model(shape, Abundance::wilm, bins);
        for (double parameter : {0.0501, 0.1291, 0.77, shape == Shape::powerlaw ? 1.0 : 1.003, 2.135, 7.3}) {
            const double nh = 0.21, step = 1e-6 * parameter;
            std::vector<double> value(size), by_nh(size), by_parameter(size), above(size), below(size);
            model.evaluate(nh, parameter, value, by_nh, by_parameter);
            const auto check = [&](std::span<const double> derivative, double h, const char* name) {
                for (std::size_t i = 0; i < size; ++i) {
                    const double scale = std::max(std::fabs(value[i]) / parameter, std::fabs(derivative[i]));
                    EXPECT_NEAR(derivative[i], (above[i] - below[i]) / (2 * h), 2e-4 * scale + 1e-300)
                        << name << " shape " << static_cast<int>(shape) << " parameter " << parameter
                        << " energy " << bins.lo(i);
                }
            };
            model.evaluate(nh + 1e-6, parameter, above);
            model.evaluate(nh - 1e-6, parameter, below);
            check(by_nh, 1e-6, "nH");
            model.evaluate(nh, parameter + step, above);
            model.evaluate(nh, parameter - step, below);
            check(by_parameter, step, "parameter");
        }
    }
}

TEST(Models, ExtremesStayFinite) {
    const EnergyBins bins = EnergyBins::logarithmic(0.03, 20.0, 50);
    std::vector<double> value(bins.size()), by_nh(bins.size()), by_parameter(bins.size());
    for (Shape shape : {Shape::powerlaw, Shape::bbody, Shape::bremss}) {
        AbsorbedModel model(shape, Abundance::angr, bins);
        for (double parameter : {parameter_limits(shape).lo, parameter_limits(shape).hi})
            for (double nh : {nh_limits.lo, nh_limits.hi}) {
                model.evaluate(nh, parameter, value, by_nh, by_parameter);
                for (std::size_t i = 0; i < value.size(); ++i)
                    ASSERT_TRUE(std::isfinite(value[i]) && value[i] >= 0.0 && std::isfinite(by_nh[i]) &&
                                std::isfinite(by_parameter[i]))
                        << static_cast<int>(shape) << ' ' << parameter << ' ' << bins.lo(i);
            }
    }
}

TEST(Options, NamesGoBothWays) {
    for (const char* name : {"wilm", "angr", "aspl"}) EXPECT_EQ(to_string(parse_abundance(name)), name);
    for (const char* name : {"default", "none", "min:20"}) EXPECT_EQ(to_string(parse_binning(name)), name);
    for (const char* name : {"min:0", "min:", "min:3x", "some"})
        EXPECT_THROW(parse_binning(name), xsift::Error) << name;
    EXPECT_THROW(parse_abundance("lodd"), xsift::Error);
    EXPECT_THROW(parse_model("tbabs*apec"), xsift::Error);
}

}  // namespace
