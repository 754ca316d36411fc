// Table models from FITS files made here.
#include "fits_builder.hpp"
#include "test_files.hpp"

#include <fstream>

#include <gtest/gtest.h>

#include <xsift/core/error.hpp>
#include <xsift/io/table_model_file.hpp>

namespace xsift {
namespace {

/// What a test changes of a sound table of a (3 values, linear) and b (2 values, logarithmic) on two energy
/// bins.
struct Parts {
    double additional = 0.0, method = 1.0, number = 2.0, energy_lo = 2.0, last_value = 4.0;
    std::string additive = "T";
};

std::string write(const test::TemporaryFolder& folder, const Parts& parts) {
    test::FitsBuilder fits({{"MODLNAME", "'made'"}, {"ADDMODEL", parts.additive}, {"REDSHIFT", "T"}});
    std::vector<std::vector<double>> at, spectra;
    for (const double b : {1.0, parts.last_value})  // not in the order of the axes
        for (const double a : {0.0, 1.0, 5.0}) {
            at.push_back({a, b});
            spectra.push_back({a + 10.0 * b, 2.0 * a});
        }
    fits.table("PARAMETERS",
               {{"NAME", 'A', {}, "", {{'a'}, {'b'}}},
                {"METHOD", 'J', {0.0, parts.method}},
                {"INITIAL", 'E', {1.0, 9.0}},
                {"DELTA", 'E', {0.1, -1.0}},
                {"MINIMUM", 'E', {-1.0, 1.0}},
                {"BOTTOM", 'E', {0.0, 1.0}},
                {"TOP", 'E', {4.0, 4.0}},
                {"MAXIMUM", 'E', {4.0, 4.0}},
                {"NUMBVALS", 'J', {3.0, parts.number}},
                {"VALUE", 'E', {}, "", {{0.0, 1.0, 5.0}, {1.0, 4.0, 0.0}}}},
               {{"NINTPARM", "2"}, {"NADDPARM", std::to_string(static_cast<int>(parts.additional))}});
    fits.table("ENERGIES", {{"ENERG_LO", 'E', {1.0, parts.energy_lo}}, {"ENERG_HI", 'E', {2.0, 3.0}}});
    fits.table("SPECTRA", {{"PARAMVAL", 'E', {}, "", at}, {"INTPSPEC", 'E', {}, "", spectra}});
    const std::string path = folder / "table.fits";
    std::ofstream(path, std::ios::binary) << fits.bytes();
    return path;
}

TEST(TableModelFile, IsReadWhateverTheOrderOfItsRows) {
    const test::TemporaryFolder folder;
    const TableModel table = io::read_table_model(write(folder, {}));
    ASSERT_EQ(table.axes.size(), 2U);
    EXPECT_EQ(table.axes[0].name, "a");
    EXPECT_EQ(table.axes[0].values, (std::vector<double>{0.0, 1.0, 5.0}));
    EXPECT_FALSE(table.axes[0].logarithmic);
    EXPECT_FALSE(table.axes[0].frozen);
    EXPECT_EQ(table.axes[0].lo, 0.0);
    EXPECT_EQ(table.axes[0].hi, 4.0);
    EXPECT_TRUE(table.axes[1].logarithmic);
    EXPECT_TRUE(table.axes[1].frozen);
    EXPECT_EQ(table.axes[1].initial, 4.0);
    EXPECT_EQ(table.edge, (std::vector<double>{1.0, 2.0, 3.0}));
    EXPECT_TRUE(table.additive);
    EXPECT_TRUE(table.redshift);
    EXPECT_EQ(table.above, 0.0);
    EXPECT_EQ(table.spectra, (std::vector<float>{10, 0, 40, 0, 11, 2, 41, 2, 15, 10, 45, 10}));
    Parts factor;
    factor.additive = "F";
    const TableModel other = io::read_table_model(write(folder, factor));
    EXPECT_FALSE(other.additive);
    EXPECT_EQ(other.below, 1.0);
    EXPECT_EQ(other.hash, table.hash);
}

TEST(TableModelFile, RefusesWhatItCannotMean) {
    const test::TemporaryFolder folder;
    Parts additional, method, number, gap, stray;
    additional.additional = 1.0;
    method.method = 2.0;
    number.number = 9.0;
    gap.energy_lo = 2.5;
    stray.last_value = 3.0;
    for (const Parts& parts : {additional, method, number, gap, stray}) {
        const std::string path = write(folder, parts);
        try {
            io::read_table_model(path);
            ADD_FAILURE() << "accepted";
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), "TABLE_MODEL");
        }
    }
}

}  // namespace
}  // namespace xsift
