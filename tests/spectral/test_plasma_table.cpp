// AtomDB's emissivity files, made here small, and the table model that comes of them.
#include "fits_builder.hpp"
#include "test_files.hpp"

#include <cmath>
#include <fstream>

#include <gtest/gtest.h>

#include <xsift/core/error.hpp>
#include <xsift/io/atomdb_file.hpp>
#include <xsift/io/table_model_file.hpp>
#include <xsift/spectral/plasma_table.hpp>

namespace xsift {
namespace {

/// What a test changes of a sound pair of files with two temperatures.
struct Parts {
    std::vector<double> temperature{0.5, 1.0}, other_temperature{0.5, 1.0};
    double lambda = kev_angstrom / 1.5, oxygen = 8.0, n_continuum = 3.0, epsilon = 2e-17;
    bool variable = false, lines = true;
};

struct Pair {
    std::string line, continuum;
};

/// Temperature t (0, 1): an iron line of (t + 1) epsilon at lambda and a helium line at 2.5 keV; hydrogen and
/// oxygen continua, of oxygen a row of an ion too, which its sum makes void.
Pair write(const test::TemporaryFolder& folder, const Parts& parts) {
    test::FitsBuilder line, coco;
    line.table("PARAMETERS", {{"kT", 'E', parts.temperature}, {"EDensity", 'E', {1.0, 1.0}}});
    coco.table("PARAMETERS", {{"kT", 'E', parts.other_temperature}, {"EDensity", 'E', {1.0, 1.0}}});
    for (const double t : {0.0, 1.0}) {
        if (parts.lines)
            line.table("EMISSIVITY", {{"Lambda", 'D', {parts.lambda, kev_angstrom / 2.5}},
                                      {"Epsilon", 'D', {(t + 1.0) * parts.epsilon, 1e-17}},
                                      {"Element", 'J', {26.0, 2.0}},
                                      {"Ion", 'J', {25.0, 2.0}}});
        coco.table(
            "EMISSIVITY",
            {{"Z", 'J', {1.0, parts.oxygen, 8.0}},
             {"rmJ", 'J', {0.0, 0.0, 7.0}},
             {"N_Cont", 'J', {parts.n_continuum, 2.0, 2.0}},
             {"E_Cont", 'E', {}, "keV", {{0.5, 2.0, 4.0}, {1.0, 3.0, 0.0}, {1.0, 3.0, 0.0}}, parts.variable},
             {"Continuum",
              'E',
              {},
              "",
              {{4e-16, 1e-16, 0.0}, {1e-16, 1e-16, 9.0}, {9.0, 9.0, 9.0}},
              parts.variable},
             {"N_Pseudo", 'J', {0.0, 2.0, 2.0}},
             {"E_Pseudo", 'E', {}, "keV", {{0.0, 0.0}, {1.0, 2.0}, {1.0, 2.0}}, parts.variable},
             {"Pseudo", 'E', {}, "", {{0.0, 0.0}, {0.0, 2e-16}, {9.0, 9.0}}, parts.variable}});
    }
    const Pair out{folder / "line.fits", folder / "coco.fits"};
    std::ofstream(out.line, std::ios::binary) << line.bytes();
    std::ofstream(out.continuum, std::ios::binary) << coco.bytes();
    return out;
}

TableModel table_of(const Pair& files, spectral::Abundance set, const std::vector<double>& edges) {
    io::AtomDb atomdb(files.line, files.continuum);
    spectral::PlasmaTable table(set, edges);
    for (std::size_t i = 0; i < atomdb.temperatures().size(); ++i) table.add(atomdb.read(i));
    return std::move(table).finish("test");
}

TEST(AtomDb, TableHoldsExactIntegrals) {
    const test::TemporaryFolder folder;
    for (const bool variable : {false, true}) {
        Parts parts;
        parts.variable = variable;
        const TableModel table = table_of(write(folder, parts), spectral::Abundance::angr, {1.0, 2.0, 3.0});
        ASSERT_EQ(table.axes.size(), 2U);
        EXPECT_EQ(table.axes[0].values, (std::vector<double>{0.5, 1.0}));
        EXPECT_TRUE(table.axes[1].frozen);
        ASSERT_EQ(table.spectra.size(), 8U);
        // hydrogen: from (0.5, 4) to (2, 1) and on to (4, 0), 1e-16 x 1e14; at 1, 2, 3 keV: 3, 1, 0.5
        const double hydrogen[2] = {0.01 * 0.5 * (3.0 + 1.0), 0.01 * 0.5 * (1.0 + 0.5)};
        const double oxygen[2] = {0.01 + 0.01 * 0.5 * (0.0 + 2.0), 0.01}, helium[2] = {0.0, 1e-3};
        for (std::size_t t = 0; t < 2; ++t)
            for (std::size_t b = 0; b < 2; ++b) {
                const double iron = b == 0 ? 2e-3 * static_cast<double>(t + 1) : 0.0;
                const double poor = hydrogen[b] + helium[b], rich = poor + 5.0 * (oxygen[b] + iron);
                EXPECT_NEAR(table.spectra[(2 * t) * 2 + b], poor, 1e-6 * poor) << variable << t << b;
                EXPECT_NEAR(table.spectra[(2 * t + 1) * 2 + b], rich, 1e-6 * rich) << variable << t << b;
            }
    }
}

TEST(AtomDb, AbundancesScaleTheElements) {
    using spectral::Abundance;
    // Anders & Grevesse over Asplund: O 1.74, Fe 1.48, He 1.15
    const auto ratio = [](int z) {
        return spectral::abundance_of(Abundance::angr, z) / spectral::abundance_of(Abundance::aspl, z);
    };
    EXPECT_NEAR(ratio(8), 1.74, 0.005);
    EXPECT_NEAR(ratio(26), 1.48, 0.005);
    EXPECT_NEAR(ratio(2), 1.15, 0.005);
    EXPECT_EQ(spectral::abundance_of(Abundance::wilm, 3), 0.0);
    EXPECT_EQ(spectral::abundance_of(Abundance::wilm, 31), 0.0);
    const test::TemporaryFolder folder;
    const Pair files = write(folder, {});
    const TableModel angr = table_of(files, Abundance::angr, {2.4, 2.6}),
                     aspl = table_of(files, Abundance::aspl, {2.4, 2.6});
    // in this bin: hydrogen's continuum, helium's line, oxygen's continuum
    const double hydrogen = 0.01 * 0.2 * 0.75, helium = 1e-3, oxygen = 5.0 * 0.01 * 0.2;
    EXPECT_NEAR(angr.spectra[1], hydrogen + helium + oxygen, 1e-6);
    EXPECT_NEAR(aspl.spectra[1], hydrogen + helium / ratio(2) + oxygen / ratio(8), 1e-6);
    EXPECT_NE(aspl.origin.find("aspl"), std::string::npos);
}

TEST(AtomDb, TheTableIsReadBackAsWritten) {
    const test::TemporaryFolder folder;
    const TableModel made = table_of(write(folder, {}), spectral::Abundance::wilm, {0.4, 1.0, 1.7, 2.6, 5.0});
    const std::string path = folder / "table.fits";
    io::write_table_model(path, made);
    const TableModel read = io::read_table_model(path);
    EXPECT_EQ(read.spectra, made.spectra);
    EXPECT_EQ(read.edge, made.edge);
    EXPECT_EQ(read.origin, made.origin);
    EXPECT_TRUE(read.redshift);
    EXPECT_TRUE(read.additive);
    ASSERT_EQ(read.axes.size(), 2U);
    EXPECT_EQ(read.axes[0].name, "kT");
    EXPECT_EQ(read.axes[0].values, made.axes[0].values);
    EXPECT_EQ(read.axes[1].name, "Abundanc");
    EXPECT_TRUE(read.axes[1].frozen);
    EXPECT_FALSE(read.axes[0].frozen);
    EXPECT_EQ(read.axes[1].hi, 5.0);
}

TEST(AtomDb, RefusesWhatItCannotMean) {
    const test::TemporaryFolder folder;
    const auto refused = [&](const Parts& parts) {
        const Pair files = write(folder, parts);
        try {
            table_of(files, spectral::Abundance::angr, {1.0, 2.0});
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::input);
            EXPECT_STREQ(std::string(error.code()).c_str(), "ATOMDB");
            return true;
        }
        return false;
    };
    EXPECT_FALSE(refused({}));
    Parts parts;
    parts.temperature = {1.0, 0.5};
    EXPECT_TRUE(refused(parts));
    parts = {};
    parts.other_temperature = {0.5, 2.0};
    EXPECT_TRUE(refused(parts));
    parts = {};
    parts.lambda = 0.0;
    EXPECT_TRUE(refused(parts));
    parts = {};
    parts.epsilon = std::nan("");
    EXPECT_TRUE(refused(parts));
    parts = {};
    parts.oxygen = 0.0;
    EXPECT_TRUE(refused(parts));
    parts = {};
    parts.n_continuum = 4.0;
    EXPECT_TRUE(refused(parts));
    parts = {};
    parts.lines = false;
    EXPECT_TRUE(refused(parts));
    // the files exchanged
    const Pair files = write(folder, {});
    EXPECT_THROW(table_of({files.continuum, files.line}, spectral::Abundance::angr, {1.0, 2.0}), Error);
}

}  // namespace
}  // namespace xsift
