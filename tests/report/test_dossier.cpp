// Dossiers: the same content as page and as JSON, with everything from files escaped; what was offered,
// vetoed or is missing is said; plots hold what the catalogue holds.
#include <algorithm>
#include <cmath>
#include <regex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <xsift/report/dossier.hpp>

namespace {

using namespace xsift;
using namespace xsift::report;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

constexpr const char* hostile = "</title><script>alert(1)</script>&\"'\x01\xff\xc3";

EventList square_wave(const std::string& file, std::size_t cycles) {
    EventList events;
    events.exposure.file = file;
    events.exposure.instrument = hostile;
    events.exposure.obs_id = hostile;
    // On for half of a period of 10 s.
    for (int i = 0; i < static_cast<int>(40 * cycles); ++i)
        if (std::fmod(i * 0.25, 10.0) < 5.0) events.time.push_back(i * 0.25);
    events.gti = {{0.0}, {10.0 * static_cast<double>(cycles)}};
    return events;
}

DossierMaterial pulsar() {
    DossierMaterial material;
    Source& source = material.data.source;
    source.id = "id<1>";
    source.name = hostile;
    source.ra = 10.0;
    source.dec = 60.0;
    source.position_error = 1.0;
    source.extra = {{hostile, not_measured, 0, false}};
    material.data.events = {square_wave("a&b.fits", 100)};
    SourceResult& result = material.result;
    result.source = source;
    result.n_exposures = 1;
    result.status = "ok";
    PeriodCandidate offered, vetoed;
    offered.exposure = vetoed.exposure = "a&b.fits";
    offered.method = vetoed.method = "Z2";
    offered.n_harmonics = vetoed.n_harmonics = 1;
    vetoed.rank = 1;
    vetoed.frequency = 13.63;
    vetoed.period = 1.0 / 13.63;
    vetoed.log10_fap = -100.0;
    vetoed.veto = veto_frame_alias;
    offered.rank = 2;
    offered.frequency = 0.1;
    offered.period = 10.0;
    offered.period_error = 0.01;
    offered.log10_fap = -50.2;
    result.candidates = {vetoed, offered};
    result.best_period = 1;
    result.log10_fap = -50.2;
    result.flags = source_vetoed_stronger;
    Periodogram p;
    p.exposure = "a&b.fits";
    p.instrument = hostile;
    p.method = "Z2";
    p.n_trials = 1000;
    p.frequency_lo = {0.01, 0.05, 5.0, 20.0};
    p.frequency = {0.02, 0.1, 13.63, 21.0};
    p.maximum = {5.0, 900.0, 1500.0, 7.0};
    p.levels = {{-1.0, 20.0}, {-3.0, 30.0}};
    p.frame_frequency = 13.63;
    material.periodograms = {p};
    return material;
}

/// With counterparts, classes, history and a distance.
DossierMaterial star() {
    DossierMaterial material = pulsar();
    Characterisation& character = material.result.character;
    character.class_name = "CV";
    character.class_probability = 0.82;
    character.classes = {{"AGN", 0.18, "CV", -1.5, "", hostile},
                         {"CV", 0.82, "AGN", 1.5, "FX_FOPT=-0.2 +2.1", "PM=12 -0.5"}};
    for (int k = 0; k < 3; ++k) {
        Counterpart one;
        one.catalogue = "Gaia<b>";
        one.id = "G" + std::to_string(k);
        one.separation = 1.0 + k;
        one.ra = 10.0 + (k == 1 ? 2.0 / 3600.0 : 0.0);  // 1 arcsec east
        one.dec = 60.0 + (k == 2 ? 3.0 / 3600.0 : 0.0);
        one.position_error = 0.1;
        one.p_any = 0.9;
        one.p_i = k == 0 ? 0.8 : 0.1;
        one.match_flag = k == 0 ? 1 : 0;
        one.magnitude[0] = 17.5;
        character.counterparts.push_back(one);
    }
    character.distance = {504.0, 470.0, 540.0};
    character.log_fx_fopt = -0.3;
    character.optical_zero = 1.013e-5;
    material.history = {{hostile, 51000.0, not_measured, not_measured, 1e-13},
                        {"XMM", 52000.0, 3e-13, 2e-13, 4e-13}};
    return material;
}

const json& section(const json& page, const std::string& key) {
    for (const json& one : page["sections"])
        if (one["key"] == key) return one;
    throw std::runtime_error("no section " + key);
}

const json& part(const json& parts, const std::string& key) {
    for (const json& one : parts)
        if (one["key"] == key) return one;
    throw std::runtime_error("no part " + key);
}

TEST(Dossier, NothingFromFilesBecomesMarkup) {
    DossierContext context;
    context.extra_columns = {{hostile, hostile, ExtraColumn::Type::text}};
    context.configuration = hostile;
    context.provenance = {{hostile, hostile}};
    DossierMaterial material = star();
    material.result.quarantine = {{"id<1>", hostile, "ingest", hostile, hostile}};
    const Page page = dossier(material, context);
    std::string all =
        html(page) + index_html(hostile, hostile, index_columns(), {{hostile, index_cells(material.result)}});
    for (const auto& [key, content] : svg_files(page)) all += content;
    // The only script is the sorter of the index.
    EXPECT_EQ(all.find("<script>"), all.rfind("<script>"));
    EXPECT_THAT(all, Not(HasSubstr("alert(1)</script>")));
    EXPECT_THAT(all, HasSubstr("&lt;/title&gt;&lt;script&gt;alert(1)"));
    EXPECT_THAT(all, Not(HasSubstr("a&b.fits")));
    EXPECT_THAT(all, HasSubstr("a&amp;b.fits"));
    EXPECT_THAT(all, Not(HasSubstr("\x01")));
    EXPECT_THAT(all, Not(HasSubstr("\xff")));
    const json machine = json::parse(report::json(page));  // throws when it is not JSON or not UTF-8
    EXPECT_EQ(machine["id"], "id<1>");
}

TEST(Dossier, IsOneFileWithoutNetworkOrScripts) {
    const std::string page = html(dossier(star(), {}));
    for (const char* reference :
         {"<script", "<link", "src=", "@import", "url(", "<iframe", "<object", " onclick"})
        EXPECT_THAT(page, Not(HasSubstr(reference)));
    // Links lead within the page; namespaces are names.
    const std::regex link("href=\"([^\"]*)\"");
    for (std::sregex_iterator l(page.begin(), page.end(), link), end; l != end; ++l)
        EXPECT_EQ((*l)[1].str()[0], '#');
    EXPECT_THAT(page, HasSubstr("default-src 'none'"));
    EXPECT_THAT(page, HasSubstr("prefers-color-scheme:dark"));
    EXPECT_THAT(page, HasSubstr("@media print"));
    for (const char* none : {">nan", "nan ", "\"nan", " inf", ">inf"})
        EXPECT_THAT(page, Not(HasSubstr(none)));
}

TEST(Dossier, TagsAreClosed) {
    const std::string page = html(dossier(star(), {}));
    std::vector<std::string> open;
    for (std::size_t at = page.find('<'); at != std::string::npos; at = page.find('<', at + 1)) {
        const std::size_t end = page.find('>', at);
        const bool closes = page[at + 1] == '/';
        const std::size_t begin = at + (closes ? 2 : 1);
        const std::string name = page.substr(begin, page.find_first_of(" >/", begin) - begin);
        if (name[0] == '!' || name == "meta" || page[end - 1] == '/') continue;
        if (!closes) {
            open.push_back(name);
            continue;
        }
        ASSERT_FALSE(open.empty()) << name;
        EXPECT_EQ(open.back(), name);
        open.pop_back();
    }
    EXPECT_TRUE(open.empty());
}

TEST(Dossier, TheVerdictIsTwoSentencesOfWhatIsKnown) {
    Page page = dossier(pulsar(), {});
    ASSERT_EQ(page.verdict.size(), 2u);
    EXPECT_THAT(page.verdict[0],
                HasSubstr("varies with a period of 10.000 ± 0.010 s (chance in all trials: 10⁻⁵⁰)"));
    EXPECT_THAT(page.verdict[1], HasSubstr("no spectrum"));
    page = dossier(star(), {});
    ASSERT_EQ(page.verdict.size(), 2u);
    EXPECT_THAT(page.verdict[0], HasSubstr("is most probably a cataclysmic variable (probability 0.82)"));
    EXPECT_THAT(page.verdict[0], HasSubstr("counterpart Gaia<b> G0 at 1″ (probability 0.72), 504 pc away"));
    EXPECT_THAT(page.verdict[1], HasSubstr("period of 10.000"));
    DossierMaterial nothing;
    nothing.result.source.id = "s";
    nothing.result.status = "no_data";
    EXPECT_THAT(dossier(nothing, {}).verdict[0], HasSubstr("Nothing but its position is known"));
    EXPECT_THAT(dossier(nothing, {}).verdict[1],
                HasSubstr("holds neither events nor light curves nor spectra"));
    nothing.result.flags = source_inputs_quarantined;
    EXPECT_THAT(dossier(nothing, {}).verdict[1], HasSubstr("None of its inputs could be used"));
    nothing.result.character = star().result.character;
    EXPECT_THAT(dossier(nothing, {}).verdict[0], HasSubstr("is most probably a cataclysmic variable"));
}

TEST(Dossier, AnOpenClassIsSaidToBeOpen) {
    DossierMaterial material = star();
    Characterisation& character = material.result.character;
    character.class_name = "NS";
    character.class_probability = 0.4;
    character.classes = {{"NS", 0.4, "HMXB", 0.3, "LOG_PERIOD=0.84 +1.2", "LOG_B=0.04 -0.9"},
                         {"CV", 0.25, "NS", -0.5, "", ""},
                         {"HMXB", 0.35, "NS", -0.3, "", ""}};
    const Page page = dossier(material, {});
    EXPECT_THAT(page.verdict[0],
                HasSubstr("may be a neutron star (probability 0.4) or a high-mass X-ray binary (0.35)"));
    EXPECT_THAT(html(page),
                HasSubstr("Why a neutron star rather than a high-mass X-ray binary: for it speak log period "
                          "(s) 0.84 (odds times 3.32); against it log of Galactic latitude"));
    EXPECT_THAT(page.warnings, testing::Each(Not(HasSubstr("The position has no error"))));
    material.result.source.position_error = not_measured;
    EXPECT_THAT(dossier(material, {}).warnings, testing::Contains(HasSubstr("those of the field's target")));
}

TEST(Dossier, ComparesTheFittedColumnWithTheGalaxyInWords) {
    DossierMaterial material = star();
    SourceResult& result = material.result;
    result.character.nh_galactic = 0.05;
    result.character.nh_origin = "HI4PI nside 64";
    const auto words = [&] {
        const json page = json::parse(report::json(dossier(material, {})));
        for (const json& row : part(section(page, "sky")["tables"], "position")["rows"])
            if (row["what"] == "Galactic column") return row["value"].get<std::string>();
        return std::string();
    };
    EXPECT_THAT(words(), HasSubstr("nH 0.05 × 10²² cm⁻² (HI4PI nside 64)"));
    EXPECT_THAT(words(), Not(HasSubstr("fit")));
    SpectralFit fit;
    fit.model = "tbabs*powerlaw";
    fit.nh = {0.06, 0.03, 0.09};
    result.fits = {fit};
    result.best_fit = 0;
    EXPECT_THAT(words(), HasSubstr("the fitted column agrees with it"));
    result.fits[0].flags = fit_nh_unconstrained;
    EXPECT_THAT(words(), HasSubstr("the fit does not constrain the column"));
    result.fits[0].nh = {0.0, 0.0, 0.02};
    EXPECT_THAT(words(), HasSubstr("the fit allows at most 0.02"));
    result.fits[0].flags = 0;
    result.character.flags = character_nh_below_galactic;
    EXPECT_THAT(words(), HasSubstr("lies below it"));
    result.character.flags = character_nh_above_galactic;
    EXPECT_THAT(words(), HasSubstr("lies above it"));
}

TEST(Dossier, SaysWhatWasOfferedAndVetoed) {
    const json page = json::parse(report::json(dossier(pulsar(), {})));
    EXPECT_THAT(page["warnings"].dump(),
                HasSubstr("A stronger candidate than the period offered was vetoed"));
    const json& rows = part(section(page, "timing")["tables"], "periods")["rows"];
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_EQ(rows[0]["verdict"], "vetoed: alias of the read-out frame");
    EXPECT_EQ(rows[1]["verdict"], "offered");
    EXPECT_EQ(rows[1]["chosen"], true);
    EXPECT_DOUBLE_EQ(rows[1]["period"]["value"].get<double>(), 10.0);
    EXPECT_DOUBLE_EQ(rows[1]["period"]["error"].get<double>(), 0.01);
    EXPECT_DOUBLE_EQ(rows[0]["frequency"]["value"].get<double>(), 13.63);
    EXPECT_TRUE(rows[0]["frequency"]["error"].is_null());
}

TEST(Dossier, ThePeriodogramMarksCandidatesAtTheirMaxima) {
    const Page page = dossier(pulsar(), {});
    const json machine = json::parse(report::json(page));
    const json& figure = part(section(machine, "timing")["figures"], "periodogram-1");
    const json& panel = figure["panels"][0];
    EXPECT_EQ(panel["series"][0]["y"], json({5.0, 900.0, 1500.0, 7.0}));
    bool vetoed = false, offered = false;
    for (const json& series : panel["series"]) {
        if (series["label"] == "vetoed") {
            vetoed = true;
            EXPECT_EQ(series["names"][0], "frame alias");
            EXPECT_EQ(series["y"][0], 1500.0);
        }
        if (series["label"] == "period offered") {
            offered = true;
            EXPECT_EQ(series["names"][0], "10 s");
            EXPECT_EQ(series["y"][0], 900.0);
        }
    }
    EXPECT_TRUE(vetoed && offered);
    ASSERT_EQ(panel["rules"].size(), 3u);
    EXPECT_EQ(panel["rules"][0]["label"], "chance 0.1");
    EXPECT_EQ(panel["rules"][1]["label"], "chance 10⁻³");
    EXPECT_EQ(panel["rules"][1]["at"], 30.0);
    EXPECT_EQ(panel["rules"][2]["axis"], "x");
}

TEST(Dossier, LightCurveAndProfileHoldTheRates) {
    const json page = json::parse(report::json(dossier(pulsar(), {})));
    const json& timing = section(page, "timing");
    const json& profile = part(timing["figures"], "profile")["panels"][0]["series"][0];
    // 20 photons in the 5 s that it is on, one or two in each of the 16 bins of 0.3125 s; none in the others.
    ASSERT_EQ(profile["y"].size(), 64u);
    for (std::size_t b = 0; b < 64; ++b) {
        const double photons = profile["y"][b].get<double>() * 0.3125;
        EXPECT_NEAR(photons, b % 32 < 16 ? 1.5 : 0.0, b % 32 < 16 ? 0.5 + 1e-9 : 1e-9) << b;
    }
    double sum = 0.0;
    for (const json& rate : profile["y"]) sum += rate.get<double>();
    EXPECT_NEAR(sum / 64.0, 2.0, 1e-9);
    const json& panels = part(timing["figures"], "light-curve-1")["panels"];
    ASSERT_EQ(panels.size(), 2u);
    const json& points = panels[0]["series"].back();
    double counts = 0.0;
    for (std::size_t b = 0; b < points["y"].size(); ++b)
        counts += points["y"][b].get<double>() * 1000.0 *
                  (points["x_hi"][b].get<double>() - points["x_lo"][b].get<double>());
    EXPECT_NEAR(counts, 2000.0, 1e-6);
    EXPECT_EQ(panels[1]["series"][0]["x_hi"][0], 1.0);
}

TEST(Dossier, TheChartHasEastToTheLeftAndTheErrorsOfTheSource) {
    const json page = json::parse(report::json(dossier(star(), {})));
    const json& series = part(section(page, "sky")["figures"], "finding-chart")["panels"][0]["series"];
    EXPECT_EQ(series[0]["kind"], "circles");
    EXPECT_NEAR(series[0]["x_hi"][0].get<double>(), std::sqrt(-2.0 * std::log(0.1)), 1e-3);
    EXPECT_NEAR(series[1]["x_hi"][0].get<double>(), std::sqrt(-2.0 * std::log(0.003)), 1e-3);
    const json& dots = series.back();
    EXPECT_EQ(dots["label"], "Gaia<b>");
    EXPECT_NEAR(dots["x"][1].get<double>(), 1.0, 1e-6);
    EXPECT_NEAR(dots["y"][2].get<double>(), 3.0, 1e-6);
    EXPECT_EQ(dots["names"], json({"1", "2", "3"}));
}

TEST(Dossier, ClassesStandWithTheirReasonsMostProbableFirst) {
    const json page = json::parse(report::json(dossier(star(), {})));
    EXPECT_EQ(page["sections"][0]["key"], "nature") << "what is known of the nature comes first";
    const json& nature = section(page, "nature");
    EXPECT_EQ(part(nature["figures"], "classes")["panels"][0]["y"]["categories"], json({"CV", "AGN"}));
    const json& rows = part(nature["tables"], "classes")["rows"];
    EXPECT_EQ(rows[0]["reasons_for"], "FX_FOPT=-0.2 +2.1");
    EXPECT_EQ(rows[0]["rival"], "AGN");
    EXPECT_EQ(rows[0]["log_odds"], 1.5);
    EXPECT_EQ(rows[0]["chosen"], true);
    const json& history = part(nature["figures"], "history")["panels"][0]["series"];
    EXPECT_EQ(history[0]["y"], json({3e-13}));
    EXPECT_EQ(history[1]["kind"], "limits");
    EXPECT_EQ(history[1]["y"], json({1e-13}));
}

TEST(Dossier, EveryMissingPieceSaysWhy) {
    DossierMaterial material;
    material.result.source.id = "s";
    material.result.status = "partial";
    material.result.quarantine = {{"s", "x<y>.fits", "ingest", "NO_RESPONSE", "no response \"m1.rmf\""}};
    material.history_missing = "the run was given no table of earlier fluxes.";
    const std::string page = html(dossier(material, {}));
    for (const char* why : {"No light curve, no period", "No spectrum:", "No position:", "No class:",
                            "No X-ray to optical", "No flux history: the run was given no table",
                            "x&lt;y&gt;.fits", "NO_RESPONSE", "no response &quot;m1.rmf&quot;"})
        EXPECT_THAT(page, HasSubstr(why));
    material.result.source.ra = material.result.source.dec = 1.0;
    EXPECT_THAT(html(dossier(material, {})),
                HasSubstr("No counterparts, no chart: the run named no catalogue"));
}

TEST(Dossier, ContoursEncloseTheirProbability) {
    // A parabola: Delta = ((x - 1)/0.1)^2 + ((y - 0.5)/0.05)^2 has ellipses as contours.
    DossierMaterial material;
    material.result.source.id = "s";
    material.result.n_spectra = 1;
    material.data.spectra.emplace_back();
    StatisticMap map;
    map.x.name = "PhoIndex";
    map.y.name = "nH";
    map.x.best = 1.0;
    map.y.best = 0.5;
    for (int i = 0; i < 17; ++i) {
        map.x.value.push_back(1.0 + 0.05 * (i - 8));
        map.y.value.push_back(0.5 + 0.025 * (i - 8));
    }
    for (const double y : map.y.value)
        for (const double x : map.x.value)
            map.rise.push_back(std::pow((x - 1.0) / 0.1, 2) + std::pow((y - 0.5) / 0.05, 2));
    material.maps = {map};
    const json page = json::parse(report::json(dossier(material, {})));
    const json& series = part(section(page, "spectrum")["figures"], "contours")["panels"][0]["series"];
    ASSERT_EQ(series.size(), 4u);
    const double levels[] = {2.296, 4.605, 9.210};
    for (int k = 0; k < 3; ++k) {
        int points = 0;
        for (std::size_t i = 0; i < series[k]["x"].size(); ++i) {
            if (series[k]["x"][i].is_null()) continue;
            const double x = series[k]["x"][i], y = series[k]["y"][i];
            EXPECT_NEAR(std::pow((x - 1.0) / 0.1, 2) + std::pow((y - 0.5) / 0.05, 2), levels[k], 0.06);
            ++points;
        }
        EXPECT_GT(points, 40);
    }
}

TEST(Dossier, StaysSmallWithManyExposuresAndPhotons) {
    DossierMaterial material = pulsar();
    for (int i = 0; i < 30; ++i)
        material.data.events.push_back(square_wave("more" + std::to_string(i), 2000));
    material.data.events[0].gti = {};
    for (int i = 0; i < 20000; ++i) {
        material.data.events[0].gti.start.push_back(i * 0.05);
        material.data.events[0].gti.stop.push_back(i * 0.05 + 0.04);
    }
    material.result.n_exposures = 31;
    const std::string page = html(dossier(material, {}));
    EXPECT_LT(page.size(), 1000000u);
    EXPECT_THAT(page, HasSubstr("Light curves of 27 further exposures"));
}

TEST(Index, IsATableWhoseCellsSayWhatTheySortBy) {
    const DossierMaterial material = star();
    const std::string page =
        index_html("catalogue.fits", "1 of 1", index_columns(), {{"id.html", index_cells(material.result)}});
    EXPECT_THAT(page, HasSubstr("<a href=\"id.html\">"));
    EXPECT_THAT(page, HasSubstr("data-sort=\"-50.2\""));
    EXPECT_THAT(page, HasSubstr(">Period, s</th>"));
    EXPECT_EQ(index_columns().size(), index_cells(material.result).size());
}

}  // namespace
