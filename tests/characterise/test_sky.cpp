// Directions and the Galactic column, against values of astropy-healpix 2.0.1
// (tests/data/nh/nh_reference.csv).

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <numeric>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <xsift/characterise/column_density.hpp>
#include <xsift/characterise/sky.hpp>
#include <xsift/core/random.hpp>

namespace {

using namespace xsift;
using namespace xsift::characterise;

Direction random_direction(RandomStream& random) {
    return {360.0 * random.uniform(), std::asin(2.0 * random.uniform() - 1.0) * 180.0 / constants::pi};
}

TEST(Sky, GalacticCoordinates) {
    // The galactic centre and the north galactic pole (ESA SP-1200, vol. 1, section 1.5.3).
    const Direction centre = galactic(266.40499, -28.93617);
    EXPECT_LT(separation(centre, {0.0, 0.0}), 0.1);
    EXPECT_NEAR(galactic(192.85948, 27.12825).latitude, 90.0, 1e-9);
    RandomStream random(1, 0);
    for (int i = 0; i < 1000; ++i) {
        const Direction a = random_direction(random), g = galactic(a.longitude, a.latitude);
        EXPECT_LT(separation(a, equatorial(g.longitude, g.latitude)), 1e-8);
    }
}

TEST(Sky, Separations) {
    EXPECT_NEAR(separation({10.0, 89.0}, {190.0, 89.0}), 7200.0, 1e-8);
    EXPECT_NEAR(separation({0.0, 0.0}, {1e-9 / 3600.0, 0.0}), 1e-9, 1e-15);
    EXPECT_NEAR(separation({0.0, 0.0}, {180.0, 0.0}), 180.0 * 3600.0, 1e-6);
    EXPECT_NEAR(position_angle({10.0, 0.0}, {10.0, 1.0}), 0.0, 1e-9);
    EXPECT_NEAR(position_angle({10.0, 0.0}, {11.0, 0.0}), 90.0, 1e-9);
    EXPECT_NEAR(position_angle({10.0, 0.0}, {10.0, -1.0}), 180.0, 1e-9);
}

TEST(Sky, ProperMotion) {
    // Barnard's star (Gaia DR3): -801.55, 10362.39 mas/yr; 16 years move it by 166.29 arcsec.
    const Direction at2016{269.44850252543836, 4.739420051112412};
    const Direction at2000 = moved(at2016, -801.551, 10362.394, -16.0);
    EXPECT_NEAR(separation(at2016, at2000), 16.0 * std::hypot(0.801551, 10.362394), 1e-4);
    EXPECT_NEAR(at2000.latitude, 4.739420051112412 - 16.0 * 10.362394 / 3600.0, 1e-6);
    EXPECT_GT(at2000.longitude, at2016.longitude);
}

struct Reference {
    std::string name;
    double ra, dec, l, b, hi4pi_pixel, hi4pi;
    std::int64_t pixel;
};
std::vector<Reference> references() {
    std::ifstream in(XSIFT_TEST_DATA "/nh/nh_reference.csv");
    std::vector<Reference> all;
    std::string line;
    std::getline(in, line);
    while (std::getline(in, line)) {
        std::vector<std::string> field;
        std::istringstream fields(line);
        for (std::string part; std::getline(fields, part, ',');) field.push_back(part);
        all.push_back({field.at(0), std::stod(field[1]), std::stod(field[2]), std::stod(field[3]),
                       std::stod(field[4]), std::stod(field[6]), std::stod(field[7]), std::stoll(field[5])});
    }
    return all;
}

TEST(ColumnDensity, EqualsTheReferenceEverywhere) {
    const std::vector<Reference> all = references();
    ASSERT_EQ(all.size(), 19u);
    const HealpixRings rings(64);
    for (const Reference& r : all) {
        const Direction g = galactic(r.ra, r.dec);
        // astropy goes through FK5, whose axes are 0.02 arcsec from those of ICRS.
        EXPECT_LT(separation(g, {r.l, r.b}), 0.03) << r.name;
        EXPECT_NEAR(column_density(embedded_column_map(), r.ra, r.dec) / r.hi4pi, 1.0, 1e-3) << r.name;
        // At the poles and at l = b = 0 the nearest pixel depends on the last bit.
        if (std::fabs(r.b) > 89.99 || separation(g, {0.0, 0.0}) < 36.0) continue;
        EXPECT_EQ(rings.pixel(g), r.pixel) << r.name;
        const auto at = static_cast<std::size_t>(r.pixel);
        EXPECT_NEAR(static_cast<double>(embedded_column_map().values[at]) / r.hi4pi_pixel, 1.0, 1e-5);
    }
}

TEST(ColumnDensity, NothingWithoutAPosition) {
    EXPECT_TRUE(std::isnan(column_density(embedded_column_map(), std::nan(""), 10.0)));
    EXPECT_TRUE(std::isnan(column_density(embedded_column_map(), 10.0, std::nan(""))));
    EXPECT_TRUE(std::isnan(column_density(embedded_column_map(), 10.0, 91.0)));
}

TEST(ColumnDensity, ComparesIntervals) {
    EXPECT_EQ(compare_columns(0.1, 0.3, 0.2), ColumnComparison::agrees);
    EXPECT_EQ(compare_columns(0.1, 0.15, 0.2), ColumnComparison::below);
    EXPECT_EQ(compare_columns(0.25, 0.3, 0.2), ColumnComparison::above);
    EXPECT_EQ(compare_columns(std::nan(""), 0.3, 0.2), ColumnComparison::unknown);
}

class Healpix : public testing::TestWithParam<std::int64_t> {};
INSTANTIATE_TEST_SUITE_P(Sizes, Healpix, testing::Values(1, 2, 4, 64, 1024));

TEST_P(Healpix, CentresAreInTheirPixels) {
    const HealpixRings rings(GetParam());
    const std::int64_t step = std::max<std::int64_t>(1, rings.pixels() / 50000);
    for (std::int64_t pixel = 0; pixel < rings.pixels(); pixel += step)
        ASSERT_EQ(rings.pixel(rings.centre(pixel)), pixel);
    ASSERT_EQ(rings.pixel(rings.centre(rings.pixels() - 1)), rings.pixels() - 1);
}

TEST_P(Healpix, PixelsHaveEqualAreas) {
    // Points of equal density on the sphere: each of twelve parts of the pixel numbers gets its share.
    const HealpixRings rings(GetParam());
    RandomStream random(2, 0);
    std::vector<int> counts(12);
    constexpr int n = 120000;
    for (int i = 0; i < n; ++i)
        ++counts[static_cast<std::size_t>(rings.pixel(random_direction(random)) * 12 / rings.pixels())];
    for (const int count : counts) EXPECT_NEAR(count, n / 12, 5.0 * std::sqrt(n / 12.0));
}

TEST_P(Healpix, NestedNumbersAreAPermutation) {
    const HealpixRings rings(GetParam());
    if (GetParam() > 64) return;
    std::set<std::int64_t> seen;
    for (std::int64_t nested = 0; nested < rings.pixels(); ++nested) {
        seen.insert(rings.from_nested(nested));
        // Four children of a pixel lie in it.
        if (GetParam() > 1 && GetParam() <= 4) {
            const HealpixRings parents(GetParam() / 2);
            EXPECT_EQ(parents.pixel(rings.centre(rings.from_nested(nested))),
                      parents.from_nested(nested / 4));
        }
    }
    EXPECT_EQ(seen.size(), static_cast<std::size_t>(rings.pixels()));
    EXPECT_EQ(*seen.begin(), 0);
    EXPECT_EQ(*seen.rbegin(), rings.pixels() - 1);
}

TEST_P(Healpix, InterpolationIsExactForWhatIsLinearAndContinuous) {
    const HealpixRings rings(GetParam());
    RandomStream random(3, 0);
    for (int i = 0; i < 5000; ++i) {
        const Direction d = random_direction(random);
        const auto around = rings.interpolation(d);
        EXPECT_NEAR(std::accumulate(around.weight.begin(), around.weight.end(), 0.0), 1.0, 1e-12);
        double height = 0.0;
        for (std::size_t k = 0; k < 4; ++k) {
            ASSERT_GE(around.pixel[k], 0);
            ASSERT_LT(around.pixel[k], rings.pixels());
            EXPECT_GE(around.weight[k], -1e-12);
            height += around.weight[k] * rings.centre(around.pixel[k]).latitude;
        }
        // Latitude is linear in colatitude, so it comes back but in the polar caps, where the pole stands for
        // a ring.
        const double edge = rings.centre(0).latitude;
        if (std::fabs(d.latitude) < edge) {
            EXPECT_NEAR(height, d.latitude, 1e-9);
        }
    }
    const std::int64_t middle = rings.pixels() / 3;
    const auto around = rings.interpolation(rings.centre(middle));
    double share = 0.0;
    for (std::size_t k = 0; k < 4; ++k)
        if (around.pixel[k] == middle) share += around.weight[k];
    EXPECT_NEAR(share, 1.0, 1e-9);
}

TEST_P(Healpix, PixelsNearHoldEveryPointOfACircle) {
    const HealpixRings rings(GetParam());
    RandomStream random(4, 0);
    std::vector<std::int64_t> near;
    for (int i = 0; i < 3000; ++i) {
        Direction at = random_direction(random);
        if (i % 10 == 0) at.latitude = i % 20 == 0 ? 90.0 : -89.99;
        const double radius = 0.5 * random.uniform();
        rings.pixels_near(at, radius, near);
        EXPECT_EQ(std::set<std::int64_t>(near.begin(), near.end()).size(), near.size());
        const Direction to = moved(at, 0.0, 0.0, 0.0);
        const double angle = constants::two_pi * random.uniform();
        const Direction beside =
            moved(to, radius * 3.5e6 * std::sin(angle), radius * 3.5e6 * std::cos(angle), 1.0);
        if (separation(at, beside) > 3600.0 * radius) continue;
        EXPECT_TRUE(std::find(near.begin(), near.end(), rings.pixel(beside)) != near.end());
    }
}

}  // namespace
