#include "limited_disk.hpp"
#include "test_files.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <map>
#include <sstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <xsift/core/error.hpp>
#include <xsift/core/random.hpp>
#include <xsift/io/catalogue.hpp>

namespace xsift::io {
namespace {

using test::read_file;
using test::TemporaryFolder;
using test::write_file;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// A file of the repository.
std::string repository(const std::string& name) {
    return (std::filesystem::path(XSIFT_TEST_DATA).parent_path().parent_path() / name).string();
}

constexpr double infinity = std::numeric_limits<double>::infinity();

PeriodCandidate candidate(std::int64_t i, std::int32_t rank) {
    PeriodCandidate c;
    c.exposure = fmt::format("events{}.fits", i);
    c.instrument = "EPN";
    c.rank = rank;
    c.method = rank % 2 == 0 ? "H" : "Z2";
    c.n_harmonics = rank;
    c.frequency = 0.1 * static_cast<double>(i) + 1.0 / 3.0;
    c.frequency_error = 1e-6;
    c.period = 1.0 / c.frequency;
    c.period_error = rank == 1 ? not_measured : 1e-5;
    c.statistic = 100.0 / rank;
    c.log10_p_single = -20.5;
    c.n_trials = 1e6;
    c.log10_fap = rank == 1 ? -infinity : -14.5;
    c.pulsed_fraction = 0.25;
    c.pf_lo = 0.125;
    c.pf_hi = rank == 1 ? not_measured : 0.375;
    c.veto = rank == 1 ? veto_frame_alias | veto_window : 0u;
    c.flags = candidate_not_barycentred;
    return c;
}

PulsedFractionLimit limit(std::int64_t i, double photons) {
    PulsedFractionLimit l;
    l.exposure = fmt::format("events{}.fits", i);
    l.instrument = "EPN";
    l.method = "Z2";
    l.n_harmonics = 1;
    l.frequency_lo = 1e-4;
    l.frequency_hi = 6.5 + photons;
    l.frequency = 0.125;
    l.statistic = 31.5;
    l.n_photons = photons;
    l.pf_ul = photons > 0.0 ? 10.0 / photons : 0.75;
    l.flags = limit_of_all;
    return l;
}

PhaseProfile profile(std::int64_t i) {
    PhaseProfile p;
    p.exposure = fmt::format("events{}.fits", i);
    p.instrument = "EPN";
    p.frequency = 0.125;
    p.epoch = 51544.5;
    for (std::size_t b = 0; b < profile_bins; ++b) {
        p.counts[b] = static_cast<double>(b);
        p.exposure_time[b] = b == 3 ? 0.0 : 100.0 + static_cast<double>(b);
        p.rate[b] = b == 3 ? not_measured : p.counts[b] / p.exposure_time[b];
        p.rate_error[b] = b == 3 ? not_measured : 0.01;
    }
    return p;
}

SpectralFit fit(std::int64_t i, bool selected) {
    SpectralFit f;
    f.spectrum = fmt::format("P{:010d}PNS003SRSPEC0001.FTZ", i);
    f.instrument = "EPN";
    f.model = selected ? "tbabs*powerlaw" : "tbabs*bbody";
    f.statistic = "wstat";
    f.stat = 101.5;
    f.n_bins = 90;
    f.dof = 87;
    f.reduced = f.stat / f.dof;
    f.gof_expected = 85.25;
    f.gof_sigma = 1.25;
    f.choice = selected ? "SELECTED" : "HIGHER_AICC";
    f.aicc = 107.8;
    f.bic = 115.0;
    f.nh = {0.1, 0.05, 0.2};
    if (selected)
        f.gamma = {1.9, 1.7, 2.1};
    else
        f.kt = {0.9, 0.7, infinity};
    f.kt2 = {1.5, 1.2, 1.9};
    f.abundance = {0.3, not_measured, not_measured};
    f.norm = {1e-5, 0.9e-5, 1.1e-5};
    f.norm2 = {2e-5, 1.9e-5, 2.1e-5};
    f.parameters = {{"tbabs", "nH", "10**22 cm**-2", f.nh, 0.03, {}, parameter_unconstrained, {}},
                    {selected ? "powerlaw" : "bbody",
                     selected ? "PhoIndex" : "kT",
                     selected ? "" : "keV",
                     selected ? f.gamma : f.kt,
                     not_measured,
                     {},
                     parameter_frozen,
                     {}}};
    f.n_spectra = 3;
    f.gof_rough = 0.75;
    f.null_prob = 0.0625;
    f.statistic_rule = "DEFAULT";
    f.gof_pvalue = 0.375;
    f.gof_probability = 0.3125;
    f.log_evidence = -60.25;
    f.model_probability = 0.625;
    f.parameters[0].posterior = {0.11, 0.105, 0.08, 0.14, 0.06, 0.18};
    f.parameters[0].bootstrap = {0.12, 0.07, 0.19};
    f.parameters[0].unbiased = 0.115;
    f.flux = {3e-14, 2e-14, 4e-14};
    f.flux_unabsorbed = {3.5e-14, 2.5e-14, infinity};
    f.fluxes = {{0.2, 12.0, f.flux, f.flux_unabsorbed, 0.6e-14, 0.7e-14, flux_unabsorbed_no_upper_end},
                {0.5, 2.0, {1e-14, 0.5e-14, 2e-14}, {1.5e-14, 1e-14, 3e-14}, 0.1e-14, not_measured, 0}};
    f.selected = selected;
    f.flags = fit_nh_unconstrained | spectrum_no_background << fit_flag_spectrum_shift;
    return f;
}

Variability variability(std::int64_t i) {
    Variability v;
    v.exposure = fmt::format("events{}.fits", i);
    v.instrument = "EPN";
    v.counts = 312.0;
    v.good_time = 40123.5;
    v.rate = v.counts / v.good_time;
    v.ks = 0.0625;
    v.log10_p_ks = -3.5;
    v.chi2 = 33.25;
    v.chi2_dof = 14;
    v.bin_width = 2674.9;
    v.log10_p_chi2 = -2.25;
    v.excess_variance = -0.01;
    v.excess_variance_error = 0.02;
    v.n_blocks = 3;
    v.rate_lo = 0.005;
    v.rate_hi = 0.0625;
    v.n_flares = 1;
    v.flags = variability_background_included;
    return v;
}

Flare flare(std::int64_t i) {
    Flare f;
    f.exposure = fmt::format("events{}.fits", i);
    f.instrument = "EPN";
    f.start = 5.5e8;
    f.peak = 5.5e8 + 100.0;
    f.stop = 5.5e8 + 300.0;
    f.rise = 100.0;
    f.duration = 300.0;
    f.peak_rate = 0.0625;
    f.peak_rate_error = 0.015625;
    f.quiescent_rate = 0.0078125;
    f.excess_counts = 11.0;
    f.flags = flare_ends_after;
    return f;
}

/// Source i of a survey: some have nothing, some have all.
SourceResult result(std::int64_t i) {
    SourceResult r;
    r.source.id = fmt::format("src{}", i * i);  // widths differ from shard to shard
    r.source.name = i % 3 == 0 ? "" : fmt::format("4XMM J{:06d}", i);
    r.source.ra = 10.0 + static_cast<double>(i) / 7.0;
    r.source.dec = -5.0;
    r.source.position_error = i % 2 == 0 ? 1.5 : not_measured;
    r.source.extra = {{std::string(static_cast<std::size_t>(i % 5), 'x'), not_measured, 0, i % 5 == 0},
                      {"", 17.25, 0, i % 4 == 0},
                      {"", not_measured, i - 3, i % 4 == 1}};
    r.n_exposures = static_cast<std::int32_t>(i % 3);
    r.status = i % 4 == 3 ? "no_data" : "ok";
    if (i % 3 != 0) {
        r.candidates = {candidate(i, 1), candidate(i, 2)};
        r.best_period = 1;
        r.candidates[1].flags |= candidate_offered;
        r.n_searches = 2.5;
        r.log10_fap = -4.25 - static_cast<double>(i);
        r.q_value = 0.001;
        r.variability = {variability(i)};
        r.flares = {flare(i)};
        r.st_log10_p = i % 3 == 1 ? -3.25 : -400.0;
        r.flags = source_vetoed_stronger;
        r.profiles = {profile(i)};
    } else {
        r.limits = {limit(i, 20.0), limit(i, 50.0), limit(i, not_measured)};
    }
    if (i % 2 != 0) {
        r.n_spectra = 1;
        r.fits = {fit(i, false), fit(i, true)};
        r.best_fit = 1;
    }
    r.character.nh_galactic = i % 5 == 0 ? not_measured : 0.01 * static_cast<double>(i);
    r.character.nh_origin = i % 5 == 0 ? "" : "map";
    r.character.flags = i % 5 == 0 ? character_no_position : 0u;
    for (std::int64_t k = 0; k < i % 3; ++k) {
        Counterpart& found = r.character.counterparts.emplace_back();
        found.catalogue = "Gaia";
        found.id = fmt::format("{}", 1000 * i + k);
        found.separation = 0.5 * static_cast<double>(k + 1);
        found.p_any = 0.9;
        found.ra = 123.25 + 1e-4 * static_cast<double>(k);
        found.dec = -45.5;
        found.position_error = k == 0 ? 0.05 : not_measured;
        found.p_i = 0.7 - 0.5 * static_cast<double>(k);
        found.match_flag = k == 0 ? 1 : 0;
        found.magnitude[1] = 17.25;
        found.parallax = k == 0 ? 1.5 : not_measured;
    }
    if (i % 2 == 0)
        r.character.classes = {{"CV", 0.75, "AGN", 1.0986, "FX_G=0.1 +2.1", ""},
                               {"AGN", 0.25, "CV", -1.0986, "", "LOG_PM=2 -1.0"}};
    if (i % 4 == 3)
        r.quarantine = {{r.source.id, "bad.fits", "search", "TOO_FEW_EVENTS", std::string(i, 'm')}};
    return r;
}

CatalogueInfo info(std::int64_t survey_sources, std::int64_t first, std::int64_t n) {
    CatalogueInfo made;
    made.survey_checksum = "xxh128:0123456789abcdef0123456789abcdef";
    made.survey_sources = survey_sources;
    made.first_source = first;
    made.n_sources = n;
    made.extra_columns = {{"CLASS", "", ExtraColumn::Type::text},
                          {"ra", "mag", ExtraColumn::Type::real},
                          {"N OBS", "", ExtraColumn::Type::integer}};
    made.steps = {"column"};
    made.configuration = "fmax = 6.8\n\n[spectra]\n  models = \"tbabs*powerlaw\"\n";
    made.provenance = {{"xsift", "0.1.0"}, {"input a.fits", "xxh128:00"}};
    made.ingest_quarantine = {{"src4", "x.fits", "ingest", "NO_RESPONSE", "no response"},
                              {"", "notes.fits", "ingest", "NOT_FITS", "not a FITS file"},
                              {"src1", "y.fits", "ingest", "NO_RESPONSE", "no response (again)"}};
    return made;
}

ResultReplay replay(std::int64_t first, std::int64_t n) {
    return [=](const ResultVisitor& visit) {
        for (std::int64_t i = first; i < first + n; ++i) visit(result(i));
    };
}

void write_shard(const std::string& path, std::int64_t all, std::int64_t first, std::int64_t n) {
    write_catalogue(path, info(all, first, n), replay(first, n));
}

/// Runs f and returns the code of the Error it throws.
template <typename F>
std::string code_of(F&& f, ErrorKind* kind = nullptr) {
    try {
        f();
    } catch (const Error& error) {
        if (kind != nullptr) *kind = error.kind();
        return error.code();
    }
    return "no error";
}

class Catalogue : public ::testing::Test {
  protected:
    std::string whole(std::int64_t n = 12) {
        write_shard(folder_ / "whole.fits", n, 0, n);
        return folder_ / "whole.fits";
    }
    /// Shards that begin at the given sources; the last ends at n.
    std::vector<std::string> shards(std::vector<std::int64_t> begins, std::int64_t n = 12) {
        std::vector<std::string> paths;
        for (std::size_t k = 0; k < begins.size(); ++k) {
            paths.push_back(folder_ / fmt::format("shard{}.fits", k));
            const std::int64_t end = k + 1 < begins.size() ? begins[k + 1] : n;
            write_shard(paths.back(), n, begins[k], end - begins[k]);
        }
        return paths;
    }
    TemporaryFolder folder_;
};

void expect_same(double a, double b) {
    if (std::isfinite(b))
        EXPECT_EQ(a, b);
    else
        EXPECT_TRUE(std::isnan(a));
}

void expect_same(const Estimate& a, const Estimate& b) {
    expect_same(a.value, b.value);
    expect_same(a.lo, b.lo);
    expect_same(a.hi, b.hi);
}

TEST_F(Catalogue, GivesBackWhatItsColumnsHold) {
    const auto results = read_results(whole(), 0, 12);
    ASSERT_EQ(results.size(), 12u);
    for (std::int64_t i = 0; i < 12; ++i) {
        SCOPED_TRACE(i);
        const SourceResult &got = results[i], want = result(i);
        EXPECT_EQ(got.source.id, want.source.id);
        EXPECT_EQ(got.source.name, want.source.name);
        expect_same(got.source.ra, want.source.ra);
        expect_same(got.source.position_error, want.source.position_error);
        ASSERT_EQ(got.source.extra.size(), 3u);
        for (int e = 0; e < 3; ++e) EXPECT_EQ(got.source.extra[e].null, want.source.extra[e].null) << e;
        EXPECT_EQ(got.source.extra[0].text, want.source.extra[0].text);
        expect_same(got.character.nh_galactic, want.character.nh_galactic);
        EXPECT_EQ(got.character.nh_origin, want.character.nh_origin);
        EXPECT_EQ(got.character.flags, want.character.flags);
        ASSERT_EQ(got.character.counterparts.size(), want.character.counterparts.size());
        for (std::size_t k = 0; k < want.character.counterparts.size(); ++k) {
            const Counterpart &found = got.character.counterparts[k], &meant = want.character.counterparts[k];
            EXPECT_EQ(found.catalogue + found.id, meant.catalogue + meant.id);
            expect_same(found.p_i, meant.p_i);
            expect_same(found.ra, meant.ra);
            expect_same(found.dec, meant.dec);
            expect_same(found.position_error, meant.position_error);
            expect_same(found.magnitude[0], meant.magnitude[0]);
            expect_same(found.magnitude[1], meant.magnitude[1]);
            expect_same(found.parallax, meant.parallax);
            EXPECT_EQ(found.match_flag, meant.match_flag);
        }
        ASSERT_EQ(got.character.classes.size(), want.character.classes.size());
        for (std::size_t k = 0; k < want.character.classes.size(); ++k) {
            EXPECT_EQ(got.character.classes[k].name, want.character.classes[k].name);
            EXPECT_EQ(got.character.classes[k].reasons_for, want.character.classes[k].reasons_for);
            EXPECT_EQ(got.character.classes[k].rival, want.character.classes[k].rival);
            EXPECT_EQ(got.character.classes[k].log_odds, want.character.classes[k].log_odds);
        }
        if (!want.source.extra[1].null) expect_same(got.source.extra[1].real, 17.25);
        EXPECT_EQ(got.source.extra[2].integer, want.source.extra[2].null ? 0 : i - 3);
        EXPECT_EQ(got.n_exposures, want.n_exposures);
        EXPECT_EQ(got.n_spectra, want.n_spectra);
        EXPECT_EQ(got.status, want.status);
        EXPECT_EQ(got.flags, want.flags);
        EXPECT_EQ(got.best_period, want.best_period);
        expect_same(got.n_searches, want.n_searches);
        expect_same(got.log10_fap, want.log10_fap);
        expect_same(got.q_value, want.q_value);
        EXPECT_EQ(got.best_fit, want.best_fit);
        ASSERT_EQ(got.candidates.size(), want.candidates.size());
        for (std::size_t k = 0; k < want.candidates.size(); ++k) {
            const PeriodCandidate &a = got.candidates[k], &b = want.candidates[k];
            EXPECT_EQ(a.exposure, b.exposure);
            EXPECT_EQ(a.instrument, b.instrument);
            EXPECT_EQ(a.obs_id, b.obs_id);
            expect_same(a.span, b.span);
            EXPECT_EQ(a.rank, b.rank);
            EXPECT_EQ(a.method, b.method);
            EXPECT_EQ(a.n_harmonics, b.n_harmonics);
            expect_same(a.frequency, b.frequency);
            expect_same(a.frequency_error, b.frequency_error);
            expect_same(a.period, b.period);
            expect_same(a.period_error, b.period_error);
            expect_same(a.statistic, b.statistic);
            expect_same(a.log10_p_single, b.log10_p_single);
            expect_same(a.n_trials, b.n_trials);
            expect_same(a.log10_fap, b.log10_fap);
            expect_same(a.pulsed_fraction, b.pulsed_fraction);
            expect_same(a.pf_lo, b.pf_lo);
            expect_same(a.pf_hi, b.pf_hi);
            EXPECT_EQ(a.veto, b.veto);
            EXPECT_EQ(a.flags, b.flags);
        }
        ASSERT_EQ(got.limits.size(), want.limits.size());
        for (std::size_t k = 0; k < want.limits.size(); ++k) {
            const PulsedFractionLimit &a = got.limits[k], &b = want.limits[k];
            EXPECT_EQ(a.exposure, b.exposure);
            EXPECT_EQ(a.instrument, b.instrument);
            EXPECT_EQ(a.method, b.method);
            EXPECT_EQ(a.n_harmonics, b.n_harmonics);
            expect_same(a.frequency_lo, b.frequency_lo);
            expect_same(a.frequency_hi, b.frequency_hi);
            expect_same(a.frequency, b.frequency);
            expect_same(a.statistic, b.statistic);
            expect_same(a.n_photons, b.n_photons);
            expect_same(a.pf_ul, b.pf_ul);
            EXPECT_EQ(a.flags, b.flags);
        }
        ASSERT_EQ(got.profiles.size(), want.profiles.size());
        for (std::size_t k = 0; k < want.profiles.size(); ++k) {
            const PhaseProfile &a = got.profiles[k], &b = want.profiles[k];
            EXPECT_EQ(a.exposure, b.exposure);
            expect_same(a.frequency, b.frequency);
            expect_same(a.epoch, b.epoch);
            for (std::size_t bin = 0; bin < profile_bins; ++bin) {
                expect_same(a.counts[bin], b.counts[bin]);
                expect_same(a.exposure_time[bin], b.exposure_time[bin]);
                expect_same(a.rate[bin], b.rate[bin]);
                expect_same(a.rate_error[bin], b.rate_error[bin]);
            }
        }
        ASSERT_EQ(got.fits.size(), want.fits.size());
        for (std::size_t k = 0; k < want.fits.size(); ++k) {
            const SpectralFit &a = got.fits[k], &b = want.fits[k];
            EXPECT_EQ(a.spectrum, b.spectrum);
            EXPECT_EQ(a.instrument, b.instrument);
            EXPECT_EQ(a.model, b.model);
            EXPECT_EQ(a.statistic, b.statistic);
            expect_same(a.stat, b.stat);
            EXPECT_EQ(a.n_bins, b.n_bins);
            EXPECT_EQ(a.dof, b.dof);
            expect_same(a.reduced, b.reduced);
            expect_same(a.gof_expected, b.gof_expected);
            expect_same(a.gof_sigma, b.gof_sigma);
            EXPECT_EQ(a.choice, b.choice);
            expect_same(a.aicc, b.aicc);
            expect_same(a.bic, b.bic);
            expect_same(a.nh, b.nh);
            expect_same(a.kt, b.kt);
            expect_same(a.gamma, b.gamma);
            expect_same(a.kt2, b.kt2);
            expect_same(a.abundance, b.abundance);
            expect_same(a.norm, b.norm);
            expect_same(a.norm2, b.norm2);
            expect_same(a.flux, b.flux);
            expect_same(a.flux_unabsorbed, b.flux_unabsorbed);
            EXPECT_EQ(a.n_spectra, b.n_spectra);
            expect_same(a.gof_rough, b.gof_rough);
            expect_same(a.null_prob, b.null_prob);
            EXPECT_EQ(a.statistic_rule, b.statistic_rule);
            expect_same(a.gof_pvalue, b.gof_pvalue);
            expect_same(a.gof_probability, b.gof_probability);
            expect_same(a.log_evidence, b.log_evidence);
            expect_same(a.model_probability, b.model_probability);
            ASSERT_EQ(a.fluxes.size(), b.fluxes.size());
            for (std::size_t q = 0; q < b.fluxes.size(); ++q) {
                expect_same(a.fluxes[q].band_lo, b.fluxes[q].band_lo);
                expect_same(a.fluxes[q].band_hi, b.fluxes[q].band_hi);
                expect_same(a.fluxes[q].absorbed, b.fluxes[q].absorbed);
                expect_same(a.fluxes[q].unabsorbed, b.fluxes[q].unabsorbed);
                expect_same(a.fluxes[q].absorbed_error, b.fluxes[q].absorbed_error);
                expect_same(a.fluxes[q].unabsorbed_error, b.fluxes[q].unabsorbed_error);
                EXPECT_EQ(a.fluxes[q].flags, b.fluxes[q].flags);
            }
            EXPECT_EQ(a.selected, b.selected);
            ASSERT_EQ(a.parameters.size(), b.parameters.size());
            for (std::size_t q = 0; q < b.parameters.size(); ++q) {
                EXPECT_EQ(a.parameters[q].component, b.parameters[q].component);
                EXPECT_EQ(a.parameters[q].name, b.parameters[q].name);
                EXPECT_EQ(a.parameters[q].unit, b.parameters[q].unit);
                expect_same(a.parameters[q].estimate, b.parameters[q].estimate);
                expect_same(a.parameters[q].error, b.parameters[q].error);
                const Posterior &found = a.parameters[q].posterior, &meant = b.parameters[q].posterior;
                for (const auto part : {&Posterior::mean, &Posterior::median, &Posterior::lo68,
                                        &Posterior::hi68, &Posterior::lo90, &Posterior::hi90})
                    expect_same(found.*part, meant.*part);
                for (const auto part : {&Bootstrap::median, &Bootstrap::lo, &Bootstrap::hi})
                    expect_same(a.parameters[q].bootstrap.*part, b.parameters[q].bootstrap.*part);
                expect_same(a.parameters[q].unbiased, b.parameters[q].unbiased);
                EXPECT_EQ(a.parameters[q].flags, b.parameters[q].flags);
            }
            EXPECT_EQ(a.flags, b.flags);
        }
    }
}

TEST_F(Catalogue, ReadsAnyBlockOfSources) {
    const std::string path = whole(300);
    const auto block = read_results(path, 200, 7);
    ASSERT_EQ(block.size(), 7u);
    for (std::int64_t i = 0; i < 7; ++i) {
        EXPECT_EQ(block[i].source.id, result(200 + i).source.id);
        EXPECT_EQ(block[i].candidates.size(), result(200 + i).candidates.size());
        EXPECT_EQ(block[i].fits.size(), result(200 + i).fits.size());
    }
    EXPECT_EQ(read_results(path, 298, 10).size(), 2u);
}

TEST_F(Catalogue, DescribesItself) {
    const CatalogueSummary summary = describe_catalogue(whole());
    const CatalogueInfo want = info(12, 0, 12);
    EXPECT_EQ(summary.info.survey_checksum, want.survey_checksum);
    EXPECT_EQ(summary.info.survey_sources, 12);
    EXPECT_EQ(summary.info.first_source, 0);
    EXPECT_EQ(summary.info.n_sources, 12);
    EXPECT_FALSE(summary.info.selection);
    EXPECT_EQ(summary.info.configuration, want.configuration);
    EXPECT_EQ(summary.info.provenance, want.provenance);
    ASSERT_EQ(summary.info.extra_columns.size(), 3u);
    EXPECT_EQ(summary.info.extra_columns[0].name, "CLASS_LIST");  // SOURCES has a CLASS
    EXPECT_EQ(summary.info.extra_columns[1].name, "ra_LIST");
    EXPECT_EQ(summary.info.extra_columns[1].unit, "mag");
    EXPECT_EQ(summary.info.extra_columns[2].name, "N_OBS");
    EXPECT_EQ(summary.n_periods, 16);
    EXPECT_EQ(summary.n_fits, 12);
    EXPECT_EQ(summary.n_quarantine, 6);  // three of the ingest, sources 3, 7, 11
    ASSERT_EQ(summary.info.ingest_quarantine.size(), 1u);
    EXPECT_EQ(summary.info.ingest_quarantine[0].input, "notes.fits");
}

TEST_F(Catalogue, QuarantineRowsOfTheIngestStandBeforeThoseOfTheRun) {
    CatalogueInfo made = info(4, 0, 4);
    made.ingest_quarantine.push_back({"src9", "z.fits", "ingest", "NO_RESPONSE", "no response"});
    write_catalogue(folder_ / "q.fits", made, replay(0, 4));
    const auto results = read_results(folder_ / "q.fits", 0, 4);
    ASSERT_EQ(results[3].quarantine.size(), 2u);
    EXPECT_EQ(results[3].quarantine[0].input, "z.fits");
    EXPECT_EQ(results[3].quarantine[1].input, "bad.fits");
    EXPECT_EQ(results[3].quarantine[1].message, "mmm");
    ASSERT_EQ(results[2].quarantine.size(), 1u);
    EXPECT_EQ(results[2].quarantine[0].code, "NO_RESPONSE");
}

TEST_F(Catalogue, TextsBecomePrintableAscii) {
    CatalogueInfo made = info(1, 0, 1);
    made.ingest_quarantine = {
        {"", "r\xc3\xa9sum\xc3\xa9.fits", "ingest", "NOT_FITS", "first\nsecond\tthird\x7f  "}};
    write_catalogue(folder_ / "a.fits", made, replay(0, 1));
    const auto rows = describe_catalogue(folder_ / "a.fits").info.ingest_quarantine;
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_EQ(rows[0].input, "r?sum?.fits");
    EXPECT_EQ(rows[0].message, "first second third?");
}

TEST_F(Catalogue, EqualResultsGiveEqualBytesWithoutDates) {
    const std::string first = read_file(whole()), second = read_file(whole());
    EXPECT_EQ(first, second);
    EXPECT_THAT(first, Not(HasSubstr("DATE")));
    EXPECT_THAT(first, Not(HasSubstr("updated")));
}

TEST_F(Catalogue, MergedShardsEqualTheWhole) {
    const std::string expected = read_file(whole());
    using Begins = std::vector<std::int64_t>;
    for (const Begins& begins : {Begins{0}, Begins{0, 4, 8}, Begins{0, 1, 11}, Begins{0, 0, 5, 5, 12},
                                 Begins{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}}) {
        auto paths = shards(begins);
        std::reverse(paths.begin(), paths.end());
        merge_catalogues(paths, folder_ / "merged.fits");
        EXPECT_EQ(read_file(folder_ / "merged.fits"), expected) << begins.size() << " shards";
    }
}

TEST_F(Catalogue, MergesCataloguesLargerThanAChunk) {
    constexpr std::int64_t n = 15000;
    write_shard(folder_ / "all.fits", n, 0, n);
    ASSERT_GT(std::filesystem::file_size(folder_ / "all.fits"), 3u << 22);
    merge_catalogues(shards({0, 14000, 14001}, n), folder_ / "merged.fits");
    EXPECT_EQ(read_file(folder_ / "merged.fits"), read_file(folder_ / "all.fits"));
    EXPECT_THAT(verify_catalogue(folder_ / "merged.fits"), IsEmpty());
}

TEST_F(Catalogue, HoldsAnEmptySurvey) {
    write_shard(folder_ / "empty.fits", 0, 0, 0);
    EXPECT_THAT(verify_catalogue(folder_ / "empty.fits"), IsEmpty());
    EXPECT_EQ(describe_catalogue(folder_ / "empty.fits").n_quarantine, 1);
    merge_catalogues({folder_ / "empty.fits"}, folder_ / "merged.fits");
    EXPECT_EQ(read_file(folder_ / "merged.fits"), read_file(folder_ / "empty.fits"));
}

class MergeRefuses : public Catalogue {
  protected:
    std::string merge_code(const std::vector<std::string>& paths, ErrorKind* kind = nullptr) {
        const std::string code = code_of([&] { merge_catalogues(paths, folder_ / "merged.fits"); }, kind);
        EXPECT_FALSE(std::filesystem::exists(folder_ / "merged.fits"));
        return code;
    }
    /// Two shards, the second changed before it is written.
    template <typename Change>
    std::string code_with(Change&& change) {
        CatalogueInfo second = info(12, 6, 6);
        change(second);
        write_shard(folder_ / "first.fits", 12, 0, 6);
        write_catalogue(folder_ / "second.fits", second, replay(6, 6));
        return merge_code({folder_ / "first.fits", folder_ / "second.fits"});
    }
};

TEST_F(MergeRefuses, OverlapAndGap) {
    const auto paths = shards({0, 4, 8});
    ErrorKind kind{};
    EXPECT_EQ(merge_code({paths[0], paths[1]}, &kind), "MERGE_GAP");
    EXPECT_EQ(kind, ErrorKind::usage);
    EXPECT_EQ(merge_code({paths[0], paths[2]}), "MERGE_GAP");
    EXPECT_EQ(merge_code({paths[1], paths[2]}), "MERGE_GAP");
    EXPECT_EQ(merge_code({paths[0], paths[1], paths[1], paths[2]}), "MERGE_OVERLAP");
    write_shard(folder_ / "wide.fits", 12, 3, 5);
    EXPECT_EQ(merge_code({paths[0], folder_ / "wide.fits", paths[2]}), "MERGE_OVERLAP");
    EXPECT_EQ(merge_code({}), "MERGE_EMPTY");
    EXPECT_EQ(merge_code({folder_ / "nothing.fits"}), "UNREADABLE");
}

TEST_F(MergeRefuses, AnotherSurvey) {
    EXPECT_EQ(code_with([](CatalogueInfo& other) { other.survey_checksum = "xxh128:ff"; }), "MERGE_SURVEY");
    EXPECT_EQ(code_with([](CatalogueInfo& other) { other.extra_columns[0].unit = "s"; }), "MERGE_SURVEY");
}

TEST_F(MergeRefuses, AnotherConfiguration) {
    EXPECT_EQ(code_with([](CatalogueInfo& other) { other.configuration += "x = 1\n"; }),
              "MERGE_CONFIGURATION");
    EXPECT_EQ(code_with([](CatalogueInfo& other) { other.provenance[0].second = "0.2.0"; }),
              "MERGE_CONFIGURATION");
}

TEST_F(MergeRefuses, ConfigurationsThatDifferInReplacedCharactersOnly) {
    CatalogueInfo first = info(12, 0, 6), second = info(12, 6, 6);
    first.configuration = "path = \"\xc3\xa9\"\n";
    second.configuration = "path = \"\xc3\xa8\"\n";
    write_catalogue(folder_ / "first.fits", first, replay(0, 6));
    write_catalogue(folder_ / "second.fits", second, replay(6, 6));
    EXPECT_EQ(merge_code({folder_ / "first.fits", folder_ / "second.fits"}), "MERGE_CONFIGURATION");
}

TEST_F(MergeRefuses, SelectedSources) {
    EXPECT_EQ(code_with([](CatalogueInfo& other) { other.selection = true; }), "MERGE_SELECTION");
}

TEST_F(MergeRefuses, DamagedShards) {
    const auto paths = shards({0, 4, 8});
    const std::string sound = read_file(paths[1]);
    // A byte of each HDU's data, a keyword, the end.
    for (const std::size_t at : {sound.find("src16"), sound.find("H    "), sound.find("tbabs*bbody"),
                                 sound.find("fmax"), sound.find("CREATOR") + 12}) {
        ASSERT_LT(at, sound.size());
        std::string damaged = sound;
        damaged[at] = '#';
        write_file(paths[1], damaged);
        ErrorKind kind{};
        EXPECT_EQ(merge_code(paths, &kind), "CORRUPT_CATALOGUE") << at;
        EXPECT_EQ(kind, ErrorKind::corrupt_file);
        EXPECT_THAT(verify_catalogue(paths[1]), Contains(HasSubstr("checksum"))) << at;
    }
    for (const std::size_t bytes :
         {std::size_t{0}, std::size_t{5}, std::size_t{2000}, sound.size() / 2, sound.size() - 1}) {
        write_file(paths[1], sound.substr(0, bytes));
        ErrorKind kind{};
        EXPECT_EQ(merge_code(paths, &kind), "CORRUPT_CATALOGUE") << bytes;
        EXPECT_EQ(kind, ErrorKind::corrupt_file);
    }
}

TEST_F(Catalogue, VerifyFindsNothingInASoundFile) {
    EXPECT_THAT(verify_catalogue(whole()), IsEmpty());
    for (const std::string& shard : shards({0, 5, 9})) EXPECT_THAT(verify_catalogue(shard), IsEmpty());
}

TEST_F(Catalogue, VerifyTellsWhatIsWrong) {
    const auto with = [](std::int64_t n, auto change) -> ResultReplay {
        return [=](const ResultVisitor& visit) {
            for (std::int64_t i = 0; i < n; ++i) {
                SourceResult r = result(i);
                change(i, r);
                visit(r);
            }
        };
    };
    write_catalogue(folder_ / "twice.fits", info(6, 0, 6), with(6, [](std::int64_t i, SourceResult& r) {
                        if (i == 5) r.source.id = "src4";
                    }));
    EXPECT_THAT(verify_catalogue(folder_ / "twice.fits"),
                Contains(HasSubstr("a source stands twice in SOURCES: 1 times, first in row 6")));

    write_catalogue(folder_ / "beyond.fits", info(5, 2, 6), replay(2, 6));
    EXPECT_THAT(verify_catalogue(folder_ / "beyond.fits"),
                Contains(HasSubstr("more sources than the survey")));

    std::string bytes = read_file(whole());
    bytes[bytes.rfind("src121", bytes.find("events11.fits"))] = 'S';  // SRCID of a row of PERIODS
    write_file(folder_ / "orphan.fits", bytes);
    EXPECT_THAT(verify_catalogue(folder_ / "orphan.fits"),
                Contains(HasSubstr("a row of PERIODS belongs to no source: 1 times, first 'Src121'")));
}

TEST_F(Catalogue, WhatIsNoCatalogueIsRefused) {
    write_file(folder_ / "text.fits", "this is no FITS file");
    std::string header =
        fmt::format("{:<80}{:<80}{:<80}{:<80}", "SIMPLE  =                    T",
                    "BITPIX  =                    8", "NAXIS   =                    0", "END");
    header.resize(2880, ' ');
    write_file(folder_ / "foreign.fits", header);
    for (const char* name : {"text.fits", "foreign.fits"}) {
        ErrorKind kind{};
        EXPECT_EQ(code_of([&] { verify_catalogue(folder_ / name); }, &kind), "CORRUPT_CATALOGUE") << name;
        EXPECT_EQ(kind, ErrorKind::corrupt_file);
        EXPECT_EQ(code_of([&] { describe_catalogue(folder_ / name); }), "CORRUPT_CATALOGUE") << name;
        EXPECT_EQ(code_of([&] { read_results(folder_ / name, 0, 1); }), "CORRUPT_CATALOGUE") << name;
    }
    std::string newer = read_file(whole());
    newer[newer.find("XSIFTCAT") + 29] = '9';
    write_file(folder_ / "newer.fits", newer);
    EXPECT_EQ(code_of([&] { describe_catalogue(folder_ / "newer.fits"); }), "CATALOGUE_VERSION");
}

TEST_F(Catalogue, NoDamageCrashesTheReader) {
    const std::string sound = read_file(whole()), path = folder_ / "damaged.fits";
    int found = 0;
    constexpr int trials = 400;
    for (int trial = 0; trial < trials; ++trial) {
        RandomStream random(7, static_cast<std::uint64_t>(trial));
        std::string damaged = sound;
        for (int k = 0; k <= trial % 4; ++k)  // one to four bytes, most of them in headers
            damaged[random.bits() % damaged.size()] = static_cast<char>(random.bits() % 256);
        if (trial % 5 == 0) damaged.resize(random.bits() % damaged.size());
        write_file(path, damaged);
        try {
            found += verify_catalogue(path).empty() ? 0 : 1;
            describe_catalogue(path);
            read_results(path, 0, 12);
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::corrupt_file) << error.what();
            ++found;
        }
    }
    EXPECT_GT(found, trials * 9 / 10);  // a byte may be replaced by itself, or by one of equal meaning
}

TEST_F(Catalogue, ResultsHaveToBeAsManyAsTheSources) {
    EXPECT_EQ(code_of([&] { write_catalogue(folder_ / "few.fits", info(5, 0, 5), replay(0, 4)); }),
              "RESULT_COUNT");
    int pass = 0;
    const ResultReplay shrinking = [&](const ResultVisitor& visit) {
        replay(0, 5 - (pass++ > 0 ? 1 : 0))(visit);
    };
    EXPECT_EQ(code_of([&] { write_catalogue(folder_ / "few.fits", info(5, 0, 5), shrinking); }),
              "RESULTS_CHANGED");
    EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

TEST_F(Catalogue, AFolderThatIsNotThereIsAUsageError) {
    ErrorKind kind{};
    EXPECT_EQ(code_of([&] { write_shard(folder_ / "absent/c.fits", 1, 0, 1); }, &kind), "UNWRITABLE");
    EXPECT_EQ(kind, ErrorKind::usage);
}

/// Writes a catalogue that cannot fit, in a process of its own; tells on stderr what came of it.
[[noreturn]] void write_too_much(const std::string& folder, std::int64_t sources) {
    ErrorKind kind{};
    const std::string code = code_of([&] { write_shard(folder + "/c.fits", sources, 0, sources); }, &kind);
    fmt::print(stderr, "{} {} {}", code, kind == ErrorKind::internal ? "internal" : "of another kind",
               std::filesystem::is_empty(folder) ? "nothing left" : "files left");
    std::exit(0);
}

TEST(CatalogueDeathTest, AFullDiskLeavesNothingBehind) {
    const TemporaryFolder folder;
    for (const int kilobytes : {4, 48, 1000}) {
        SCOPED_TRACE(kilobytes);
        const auto action = [&] {
            test::limit_disk(folder.path(), kilobytes);
            write_too_much(folder.path(), 4000);
        };
        EXPECT_EXIT(action(), testing::ExitedWithCode(0), "^DISK_FULL internal nothing left$");
    }
}

TEST(CatalogueDeathTest, NorDoesAFileSizeLimit) {
    const TemporaryFolder folder;
    for (rlim_t limit = 1000; limit < 500000; limit *= 2) {
        SCOPED_TRACE(limit);
        const auto action = [&] {
            test::limit_file_size(limit);
            write_too_much(folder.path(), 1000);
        };
        EXPECT_EXIT(action(), testing::ExitedWithCode(0), "^DISK_FULL internal nothing left$");
    }
}

TEST_F(Catalogue, FitsverifyFindsNoError) {
    ASSERT_EQ(std::system("command -v fitsverify > /dev/null"), 0) << "install the Debian package fitsverify";
    EXPECT_EQ(std::system(fmt::format("fitsverify -q {}", whole()).c_str()), 0);
    write_shard(folder_ / "empty.fits", 0, 0, 0);
    EXPECT_EQ(std::system(fmt::format("fitsverify -q {}", folder_ / "empty.fits").c_str()), 0);
}

TEST_F(Catalogue, AstropyReadsEveryTable) {
    const std::string script = repository("tests/io/check_catalogue.py");
    ASSERT_EQ(std::system("/usr/bin/python3 -c 'import astropy'"), 0)
        << "install the Debian package python3-astropy";
    EXPECT_EQ(std::system(fmt::format("/usr/bin/python3 {} {}", script, whole()).c_str()), 0);
}

std::string columns_as_markdown() {
    std::string text, extension;
    for (const CatalogueColumn& column : catalogue_columns()) {
        if (column.extension != extension) {
            extension = column.extension;
            text += fmt::format(
                "\n### {}\n\n| column | type | unit | UCD | TDISP | meaning |\n|---|---|---|---|---|---|\n",
                extension);
        }
        const std::map<char, const char*> types{
            {'A', "text"}, {'D', "double"}, {'J', "int32"}, {'L', "logical"}};
        text += fmt::format("| {} | {} | {} | {} | {} | {} |\n", column.name, types.at(column.type),
                            column.unit, column.ucd, column.display, column.comment);
    }
    return text;
}

/// The bits of an enum as its header has them: lines "name = 1u << bit, ///< meaning"; a name that
/// says it all stands alone.
std::string flags_as_markdown(const std::string& header, const std::string& name, int shift,
                              const std::string& title) {
    std::istringstream lines(read_file(repository("include/xsift/data/" + header)));
    std::string line,
        text = fmt::format("\n### {}\n\n| bit | value | name | meaning |\n|---|---|---|---|\n", title);
    while (std::getline(lines, line) && line != "enum " + name + " : std::uint32_t {") {
    }
    int bits = 0;
    while (std::getline(lines, line) && line != "};") {
        for (std::string rest;
             line.find(',') == std::string::npos && std::getline(lines, rest);)  // wrapped lines
            line += " " + rest.substr(rest.find_first_not_of(' '));
        const std::size_t begin = line.find_first_not_of(' '), assign = line.find(" = 1u << "),
                          comma = line.find(',');
        const std::size_t comment = line.find("///< ");
        EXPECT_NE(assign, std::string::npos) << line;
        const int bit = std::stoi(line.substr(assign + 9, comma - assign - 9)) + shift;
        std::string id = line.substr(begin, assign - begin);
        std::string meaning =
            comment == std::string::npos ? id.substr(id.find('_') + 1) : line.substr(comment + 5);
        if (comment == std::string::npos) std::replace(meaning.begin(), meaning.end(), '_', ' ');
        if (name == "VetoBit") id += fmt::format(" (`{}`)", veto_names(1u << bit));
        text += fmt::format("| {} | {} | {} | {} |\n", bit, 1u << bit, id, meaning);
        ++bits;
    }
    EXPECT_GT(bits, 0) << name;
    return text;
}

TEST(CatalogueDocumentation, ListsEveryColumnAndBit) {
    const std::string begin =
        "<!-- reference: tests/io/test_catalogue.cpp, XSIFT_WRITE_DOCS=1 writes it -->\n";
    const std::string expected =
        begin + columns_as_markdown() +
        flags_as_markdown("results.hpp", "SourceFlag", 0, "FLAGS of SOURCES") +
        flags_as_markdown("characterisation.hpp", "CharacterFlag", 0, "CHAR_FLAGS of SOURCES") +
        flags_as_markdown("results.hpp", "CandidateFlag", 0, "FLAGS of PERIODS") +
        flags_as_markdown("results.hpp", "LimitFlag", 0, "FLAGS of PF_LIMITS") +
        flags_as_markdown("results.hpp", "VetoBit", 0, "VETO of PERIODS") +
        flags_as_markdown("results.hpp", "VariabilityFlag", 0, "FLAGS of VARIABILITY") +
        flags_as_markdown("results.hpp", "FlareFlag", 0, "FLAGS of FLARES") +
        flags_as_markdown("results.hpp", "FitFlag", 0, "FLAGS of SPECTRAL_FITS: the fit") +
        flags_as_markdown("spectrum.hpp", "SpectrumFlag", fit_flag_spectrum_shift,
                          "FLAGS of SPECTRAL_FITS: the spectrum") +
        flags_as_markdown("results.hpp", "ParameterFlag", 0, "FLAGS of PARAMETERS") +
        flags_as_markdown("results.hpp", "FluxFlag", 0, "FLAGS of FLUXES");
    const std::string path = repository("docs/catalogue.md"), text = read_file(path);
    const std::size_t at = text.find(begin);
    ASSERT_NE(at, std::string::npos) << path << " has lost its marker";
    if (std::getenv("XSIFT_WRITE_DOCS") != nullptr) write_file(path, text.substr(0, at) + expected);
    EXPECT_EQ(read_file(path).substr(at), expected) << "XSIFT_WRITE_DOCS=1 test_io rewrites the reference";
}

TEST_F(Catalogue, HoldsTheColumnsOfTheStepsTakenOnly) {
    const auto fields_of = [&](std::vector<std::string> steps) {
        CatalogueInfo made = info(3, 0, 3);
        made.steps = std::move(steps);
        const std::string path = folder_ / fmt::format("steps{}.fits", made.steps.size());
        write_catalogue(path, made, replay(0, 3));
        EXPECT_TRUE(verify_catalogue(path).empty());
        EXPECT_EQ(describe_catalogue(path).info.steps, made.steps);
        EXPECT_EQ(describe_catalogue(path).info.extra_columns.size(), 3u);
        return read_file(path);
    };
    const std::string none = fields_of({}), all = fields_of({"column", "distance", "history", "class"});
    EXPECT_EQ(none.find("'NH_GAL"), std::string::npos);
    EXPECT_EQ(none.find("'CHAR_FLAGS"), std::string::npos);
    for (const char* name : {"'NH_GAL", "'DIST", "'LT_RATIO", "'P_CLASS", "'CHAR_FLAGS"})
        EXPECT_NE(all.find(name), std::string::npos) << name;
}

TEST(CatalogueDocumentation, ColumnsAreDescribed) {
    std::map<std::string, int> names;
    for (const CatalogueColumn& column : catalogue_columns()) {
        EXPECT_EQ(names[column.extension + "." + column.name]++, 0) << column.name;
        EXPECT_FALSE(column.ucd.empty()) << column.name;
        EXPECT_FALSE(column.display.empty()) << column.name;
        EXPECT_FALSE(column.comment.empty()) << column.name;
        EXPECT_LE(column.comment.size(), 47u) << column.name << ": the comment does not fit the card";
    }
    EXPECT_EQ(names.size(), 39u + 27u + 12u + 9u + 51u + 21u + 14u + 21u + 13u + 23u + 7u + 5u + 2u + 1u);
}

}  // namespace
}  // namespace xsift::io
