// Matches of NGC 3532 (Chandra, Gaia) and EDF-F (eRASS1, optical), against NWAY 4.8.0's own answers.

#include <cmath>
#include <map>

#include <gtest/gtest.h>

#include <xsift/characterise/counterparts.hpp>
#include <xsift/core/random.hpp>
#include <xsift/io/sky_object_file.hpp>
#include <xsift/io/source_list.hpp>

namespace {

using namespace xsift;
using namespace xsift::characterise;

const std::string folder = XSIFT_TEST_DATA "/matching/";

struct Field {
    std::vector<std::string> id;
    std::vector<MatchSource> sources;
};
/// X-ray sources of a field with a truth value in a column of the source list.
Field xray_sources(const std::string& file, const std::string& only_where) {
    const io::SourceList list = io::read_source_list(folder + file);
    Field field;
    for (const Source& source : list.sources) {
        bool wanted = false;
        for (std::size_t c = 0; c < list.extra_columns.size(); ++c)
            if (list.extra_columns[c].name == only_where) wanted = source.extra[c].text == "T";
        if (!wanted) continue;
        field.id.push_back(source.id);
        field.sources.push_back({{source.ra, source.dec}, circular_error(source.position_error)});
    }
    return field;
}

std::vector<std::vector<Counterpart>> match(const Field& field, const std::string& catalogue,
                                            MatchOptions options, std::int64_t chunk, int threads) {
    io::SkyObjectFile file;
    std::vector<SkyObjects> parts;
    file = io::read_sky_objects(folder + catalogue, {{"id", "ID"}}, chunk,
                                [&](const SkyObjects& part) { parts.push_back(part); });
    options.area = file.area;
    CounterpartMatcher matcher(field.sources, options);
    const ThreadPool pool(threads);
    for (const SkyObjects& part : parts) matcher.add(part, pool);
    return matcher.finish();
}

void expect_as_nway(const Field& field, const std::vector<std::vector<Counterpart>>& matches,
                    const std::string& expected, const char* id_column, const char* object_column,
                    std::size_t rows) {
    const io::CsvTable table = io::read_csv(folder + expected);
    const auto at = [&](const char* name) { return static_cast<std::size_t>(table.column(name)); };
    std::map<std::string, std::size_t> source;
    for (std::size_t i = 0; i < field.id.size(); ++i) source[field.id[i]] = i;
    std::map<std::string, std::size_t> candidates;
    std::size_t compared = 0;
    for (const auto& row : table.rows) {
        const std::string& object = row[at(object_column)];
        const auto& found = matches.at(source.at(row[at(id_column)]));
        if (object == "-99") {
            const double any = found.empty() ? 0.0 : found.front().p_any;
            EXPECT_NEAR(any, std::stod(row[at("p_any")]), 1e-4);
            continue;
        }
        ++candidates[row[at(id_column)]];
        ++compared;
        const auto same =
            std::find_if(found.begin(), found.end(), [&](const Counterpart& c) { return c.id == object; });
        ASSERT_NE(same, found.end()) << row[0] << " " << object;
        EXPECT_NEAR(same->separation, std::stod(row[at("sep_arcsec")]), 2e-5);
        EXPECT_NEAR(same->p_any, std::stod(row[at("p_any")]), 1e-4);
        EXPECT_NEAR(same->p_i, std::stod(row[at("p_i")]), 1e-4) << row[0] << " " << object;
    }
    for (const auto& [id, n] : candidates) EXPECT_EQ(matches[source.at(id)].size(), n) << id;
    EXPECT_EQ(compared, rows);
}

TEST(Counterparts, Ngc3532AsNway) {
    const Field field = xray_sources("ngc3532_xray.fits", "ISOLATED");
    ASSERT_EQ(field.id.size(), 220u);
    const auto matches = match(field, "ngc3532_gaia.fits", {"Gaia", 10.0}, 1 << 20, 1);
    expect_as_nway(field, matches, "ngc3532_nway_expected_west.csv", "csc_id", "gaia_id", 984);
    int matched = 0;
    for (const auto& found : matches) matched += !found.empty() && found.front().p_any > 0.5 ? 1 : 0;
    EXPECT_EQ(matched, 168);
}

TEST(Counterparts, EdfFAsNway) {
    const Field field = xray_sources("edff_erass1_xray.fits", "COVERED");
    ASSERT_EQ(field.id.size(), 207u);
    MatchOptions options{"EDFF", 8.0};
    options.default_error = 0.1;
    expect_as_nway(field, match(field, "edff_optical.fits", options, 1 << 20, 1), "edff_expected_west.csv",
                   "erass_id", "opt_id", 578);
}

TEST(Counterparts, DoNotDependOnPartsThreadsOrNeighbours) {
    const Field field = xray_sources("ngc3532_xray.fits", "ISOLATED");
    const auto whole = match(field, "ngc3532_gaia.fits", {"Gaia", 10.0}, 1 << 20, 1);
    const auto parts = match(field, "ngc3532_gaia.fits", {"Gaia", 10.0}, 97, 2);
    const Field alone{{field.id[7]}, {field.sources[7]}};
    const auto one = match(alone, "ngc3532_gaia.fits", {"Gaia", 10.0}, 500, 1);
    const auto expect_equal = [](const std::vector<Counterpart>& a, const std::vector<Counterpart>& b) {
        ASSERT_EQ(a.size(), b.size());
        for (std::size_t k = 0; k < a.size(); ++k) {
            EXPECT_EQ(a[k].id, b[k].id);
            EXPECT_EQ(a[k].p_i, b[k].p_i);
            EXPECT_EQ(a[k].p_any, b[k].p_any);
        }
    };
    for (std::size_t i = 0; i < whole.size(); ++i) expect_equal(whole[i], parts[i]);
    ASSERT_FALSE(whole[7].empty());
    expect_equal(whole[7], one[0]);
}

TEST(Counterparts, EllipsesTurnWithTheirAngle) {
    const PositionError none = circular_error(1e-3);
    // Half an arcsec along the long axis is near, across it is far.
    const PositionError ellipse = elliptical_error(1.0, 0.1, 30.0);
    const double e = std::sin(30.0 * constants::degree), n = std::cos(30.0 * constants::degree);
    const double along = log10_bayes_factor(0.5 * e, 0.5 * n, ellipse, none);
    const double across = log10_bayes_factor(0.5 * n, -0.5 * e, ellipse, none);
    EXPECT_NEAR((along - across) * constants::ln10, 0.5 * (0.25 / 0.01 - 0.25 / 1.0), 0.01);
    EXPECT_DOUBLE_EQ(log10_bayes_factor(0.3, 0.4, elliptical_error(0.7, 0.7, 77.0), none),
                     log10_bayes_factor(0.3, 0.4, circular_error(0.7), none));
}

TEST(Counterparts, ProperMotionFindsAStarThatMoved) {
    const Field field{{"x"}, {{{269.44850252543836, 4.739420051112412}, circular_error(0.5)}}};
    SkyObjects star;
    star.id = {"Barnard"};
    const Direction at2000 = moved(field.sources[0].position, -801.551, 10362.394, -16.0);
    star.ra = {at2000.longitude};
    star.dec = {at2000.latitude};
    star.pm_ra = {-801.551};
    star.pm_dec = {10362.394};
    MatchOptions options{"star", 5.0, 1.0};
    options.default_error = 0.1;
    const ThreadPool pool(1);
    CounterpartMatcher still(field.sources, options);
    still.add(star, pool);
    EXPECT_TRUE(still.finish()[0].empty());
    options.years = 16.0;
    CounterpartMatcher moving(field.sources, options);
    moving.add(star, pool);
    const auto found = moving.finish();
    ASSERT_EQ(found[0].size(), 1u);
    EXPECT_LT(found[0][0].separation, 0.01);
    EXPECT_GT(found[0][0].p_any, 0.999);
}

TEST(Counterparts, PriorsMoveTheOdds) {
    const Field field{{"x"}, {{{10.0, -70.0}, circular_error(1.0)}}};
    SkyObjects two;
    two.id = {"bright", "faint"};
    two.ra = {10.0, 10.0};
    two.dec = {-70.0 + 1.0 / 3600.0, -70.0 - 1.0 / 3600.0};
    two.prior_magnitude = {15.0, 20.0};
    const auto matched = [&](const MatchOptions& options) {
        CounterpartMatcher matcher(field.sources, options);
        matcher.add(two, ThreadPool(1));
        return matcher.finish()[0];
    };
    MatchOptions options{"two", 5.0, 0.01};
    options.default_error = 0.1;
    const auto plain = matched(options);
    EXPECT_NEAR(plain[0].p_i, 0.5, 1e-6);
    EXPECT_EQ(plain[0].ra, 10.0);
    EXPECT_EQ(plain[0].dec + plain[1].dec, -140.0);
    EXPECT_EQ(plain[0].position_error, 0.1);
    EXPECT_EQ(plain[1].match_flag, 2);
    options.completeness = 0.5;
    const double odds = plain[0].p_any / (1.0 - plain[0].p_any), p = matched(options)[0].p_any;
    EXPECT_NEAR(p / (1.0 - p) / odds, 0.5, 1e-9);
    options.prior = {{14.0, 17.0, 21.0}, {9.0, 1.0}};
    const auto biased = matched(options);
    EXPECT_EQ(biased[0].id, "bright");
    EXPECT_NEAR(biased[0].p_i, 0.9, 1e-6);
    EXPECT_EQ(biased[1].match_flag, 0);
}

TEST(Counterparts, TheIndexMissesNoPairAnywhere) {
    // Against all pairs, at the poles and the wrap of right ascension.
    RandomStream random(5, 0);
    std::vector<MatchSource> sources;
    SkyObjects objects;
    for (int i = 0; i < 300; ++i) {
        const double ra = i % 3 == 0 ? 360.0 * random.uniform() : 0.01 * random.uniform();
        const double dec = i % 3 == 0   ? 89.99 + 0.01 * random.uniform()
                           : i % 3 == 1 ? 0.01 * random.uniform()
                                        : -89.995;
        sources.push_back({{ra, dec}, circular_error(3.0)});
        for (int k = 0; k < 10; ++k) {
            const Direction at = moved({ra, dec}, 2e4 * random.normal(), 2e4 * random.normal(), 1.0);
            objects.ra.push_back(at.longitude);
            objects.dec.push_back(at.latitude);
        }
    }
    MatchOptions options{"all", 20.0, 1.0};
    options.default_error = 1.0;
    CounterpartMatcher matcher(sources, options);
    matcher.add(objects, ThreadPool(2));
    const auto matches = matcher.finish();
    for (std::size_t i = 0; i < sources.size(); ++i) {
        std::size_t near = 0;
        for (std::size_t k = 0; k < objects.size(); ++k)
            near += separation(sources[i].position, {objects.ra[k], objects.dec[k]}) <= 20.0 ? 1u : 0u;
        EXPECT_EQ(matches[i].size(), near);
    }
}

TEST(Counterparts, OnlyNearObjectsAreReadWhole) {
    const Field field = xray_sources("ngc3532_xray.fits", "ISOLATED");
    const auto whole = match(field, "ngc3532_gaia.fits", {"Gaia", 5.0}, 1 << 20, 1);
    MatchOptions options{"Gaia", 5.0};
    options.area = 0.005332950492204896;
    CounterpartMatcher matcher(field.sources, options);
    const ThreadPool pool(2);
    std::size_t read = 0;
    io::read_sky_objects(
        folder + "ngc3532_gaia.fits", {{"id", "ID"}}, 300,
        [&](const SkyObjects& positions) {
            EXPECT_TRUE(positions.id.empty());
            return matcher.near(positions, pool);
        },
        [&](const SkyObjects& chosen) {
            read += chosen.size();
            matcher.take(chosen);
        });
    EXPECT_EQ(matcher.objects(), 2170);
    EXPECT_LT(read, 1000u);
    const auto streamed = matcher.finish();
    for (std::size_t i = 0; i < whole.size(); ++i) {
        ASSERT_EQ(streamed[i].size(), whole[i].size());
        for (std::size_t k = 0; k < whole[i].size(); ++k) {
            EXPECT_EQ(streamed[i][k].id, whole[i][k].id);
            EXPECT_EQ(streamed[i][k].p_i, whole[i][k].p_i);
            for (std::size_t band = 0; band < magnitude_bands.size(); ++band) {
                const double a = streamed[i][k].magnitude[band], b = whole[i][k].magnitude[band];
                EXPECT_TRUE(a == b || (std::isnan(a) && std::isnan(b)));
            }
            EXPECT_EQ(streamed[i][k].position_error, whole[i][k].position_error);
        }
    }
}

TEST(Counterparts, TellsWhereTheCatalogueHasNothing) {
    const std::vector<MatchSource> sources{{{10.0, 20.0}, circular_error(1.0)},
                                           {{10.0, 21.0}, circular_error(1.0)}};
    SkyObjects one;  // 20 arcsec north of the first: no candidate, but the catalogue has looked there
    one.ra = {10.0};
    one.dec = {20.0 + 20.0 / 3600.0};
    CounterpartMatcher matcher(sources, {"one", 5.0, 1.0});
    matcher.add(one, ThreadPool(1));
    EXPECT_TRUE(matcher.covers(0));
    EXPECT_FALSE(matcher.covers(1));
    const auto matches = matcher.finish();
    EXPECT_TRUE(matches[0].empty());
    EXPECT_TRUE(matches[1].empty());
}

}  // namespace
