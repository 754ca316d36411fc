#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <set>

#include <fmt/format.h>

#include <xsift/core/error.hpp>
#include <xsift/io/table_model_file.hpp>
#include <xsift/pipeline/configuration.hpp>
#include <xsift/spectral/definition.hpp>
#include <xsift/spectral/plasma_table.hpp>
#include <xsift/timing/epoch_folding.hpp>

namespace xsift::pipeline {

namespace {

using Values = std::vector<std::string>;

[[noreturn]] void reject(const std::string& name, const std::string& text, const std::string& expected) {
    throw Error(ErrorKind::usage, "BAD_SETTING", fmt::format("{} = '{}' is not usable", name, text),
                "expected " + expected);
}

template <typename Number>
Number number_of(const std::string& name, const std::string& text, Number lo, Number hi) {
    Number value{};
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc{} || end != text.data() + text.size() || !(value >= lo && value <= hi))
        reject(name, text, fmt::format("a number from {} to {}", lo, hi));
    return value;
}

const std::string& only(const std::string& name, const Values& values) {
    if (values.size() != 1) reject(name, fmt::format("{}", fmt::join(values, ",")), "one value");
    return values.front();
}

/// An energy range LO:HI in keV.
spectral::Band band_of(const std::string& name, const std::string& text) {
    const std::size_t colon = text.find(':');
    if (colon == std::string::npos) reject(name, text, "LO:HI in keV, as 0.3:10");
    const spectral::Band band{number_of<double>(name, text.substr(0, colon), 0.01, 1000.0),
                              number_of<double>(name, text.substr(colon + 1), 0.01, 1000.0)};
    if (!(band.lo < band.hi)) reject(name, text, "LO below HI");
    return band;
}

/// Splits every value at commas, so that --models a,b and models = ["a", "b"] mean the same.
Values split(const Values& values) {
    Values parts;
    for (const std::string& value : values) {
        std::size_t begin = 0;
        while (begin <= value.size()) {
            const std::size_t end = std::min(value.find(',', begin), value.size());
            std::size_t first = begin, last = end;
            while (first < last && value[first] == ' ') ++first;
            while (last > first && value[last - 1] == ' ') --last;
            if (last > first) parts.push_back(value.substr(first, last - first));
            begin = end + 1;
        }
    }
    return parts;
}

/// A TOML string. Without escapes, which not every reader of TOML undoes (CLI11's does not).
std::string quoted(const std::string& text) {
    const char quote = text.find_first_of("\"\\") == std::string::npos ? '"' : '\'';
    return quote + text + quote;
}

/// Refuses a text that quoted() could not print so that it is read back as it was.
void require_printable(const std::string& flag, const std::string& text) {
    const bool control =
        std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
    const bool mixed =
        text.find('\'') != std::string::npos && text.find_first_of("\"\\") != std::string::npos;
    // In a list, CLI11 takes a backslash before the closing quote for an escape.
    if (control || mixed || text.ends_with('\\'))
        reject(flag, text,
               "a text without control characters, not with both ' and one of \" \\, and without a \\ at its "
               "end");
}

/// Makes the settings of one section.
class Section {
  public:
    Section(std::vector<Setting>& all, std::string name) : all_(all), name_(std::move(name)) {}

    void boolean(const std::string& key, const std::string& flag, bool& target, const std::string& help) {
        add(
            key, flag, help, [&target] { return target ? "true" : "false"; },
            [&target, flag](const Values& values) {
                const std::string& text = only(flag, values);
                if (text != "true" && text != "false") reject(flag, text, "true or false");
                target = text == "true";
            });
    }
    template <typename Number>
    void number(const std::string& key, Number& target, Number lo, Number hi, const std::string& help) {
        const std::string flag = "--" + key;
        add(
            key, flag, help, [&target] { return fmt::format("{}", target); },
            [&target, flag, lo, hi](const Values& values) {
                target = number_of<Number>(flag, only(flag, values), lo, hi);
            });
    }
    /// A number or "auto" (NaN).
    void automatic(const std::string& key, double& target, double lo, double hi, const std::string& help) {
        const std::string flag = "--" + key;
        add(
            key, flag, help,
            [&target] { return std::isnan(target) ? std::string("\"auto\"") : fmt::format("{}", target); },
            [&target, flag, lo, hi](const Values& values) {
                const std::string& text = only(flag, values);
                target = text == "auto" ? not_measured : number_of<double>(flag, text, lo, hi);
            });
    }
    /// A range LO:HI in keV.
    void band(const std::string& key, double& lo, double& hi, const std::string& help) {
        const std::string flag = "--" + key;
        add(
            key, flag, help, [&lo, &hi] { return quoted(fmt::format("{}:{}", lo, hi)); },
            [&lo, &hi, flag](const Values& values) {
                const auto [a, b] = band_of(flag, only(flag, values));
                lo = a;
                hi = b;
            });
    }
    void text(const std::string& key, std::string& target, const std::string& help) {
        const std::string flag = "--" + key;
        add(
            key, flag, help, [&target] { return quoted(target); },
            [&target, flag](const Values& values) { target = only(flag, values); });
    }
    void add(const std::string& key, const std::string& flag, const std::string& help,
             std::function<std::string()> toml, std::function<void(const Values&)> set) {
        all_.push_back(
            {name_, key, flag, help, std::move(toml), [flag, set = std::move(set)](const Values& values) {
                 for (const std::string& value : values) require_printable(flag, value);
                 set(values);
             }});
    }

  private:
    std::vector<Setting>& all_;
    std::string name_;
};

/// In the order of timing::LombScargleNormalisation.
constexpr std::array<const char*, 4> normalisation_names{"standard", "model", "log", "psd"};

void search_settings(std::vector<Setting>& all, RunConfiguration& c) {
    Section section(all, "search");
    timing::SearchOptions& s = c.search;
    section.boolean("enabled", "--search", c.search_periods,
                    "Search event lists and light curves for periods");
    section.automatic(
        "fmax", s.fmax, 1e-9, 1e6,
        "Highest trial frequency, Hz; auto: the Nyquist frequency of the frame time, at most default-fmax "
        "where there is no such limit");
    section.number("default-fmax", s.default_fmax, 1e-9, 1e6,
                   "Highest trial frequency, Hz, where the frame time is unknown or too short to limit it");
    section.automatic("fmin", s.fmin, 1e-12, 1e6, "Lowest trial frequency, Hz; auto: 1/T");
    section.number("oversampling", s.oversampling, 1.0, 100.0, "Trial frequencies per 1/T");
    section.add(
        "harmonics", "--harmonics", "Numbers of harmonics n of the Z2_n statistics",
        [&s] { return fmt::format("[{}]", fmt::join(s.z2_harmonics, ", ")); },
        [&s](const Values& values) {
            std::set<int> harmonics;
            for (const std::string& text : split(values))
                harmonics.insert(number_of<int>("--harmonics", text, 1, 20));
            if (harmonics.empty()) reject("--harmonics", "", "at least one number");
            s.z2_harmonics.assign(harmonics.begin(), harmonics.end());
        });
    section.number("h-harmonics", s.h_harmonics, 0, 20,
                   "Largest number of harmonics of the H-test; 0: no H-test");
    section.add(
        "gls-terms", "--gls-terms",
        "Numbers of harmonics of the Lomb-Scargle fits of light curves, 1 to 10; the period that is offered "
        "is the one "
        "of the most significant fit whose odd harmonics are needed",
        [&s] { return fmt::format("[{}]", fmt::join(s.gls_terms, ", ")); },
        [&s](const Values& values) {
            std::set<int> terms;
            for (const std::string& text : split(values))
                terms.insert(number_of<int>("--gls-terms", text, 1, timing::most_terms));
            if (terms.empty()) reject("--gls-terms", "", "at least one number");
            s.gls_terms.assign(terms.begin(), terms.end());
        });
    section.add(
        "gls-normalisation", "--gls-normalisation",
        "How Lomb-Scargle powers are given: standard (share of chi2 removed), model, log, psd",
        [&s] { return quoted(normalisation_names[static_cast<std::size_t>(s.gls_normalisation)]); },
        [&s](const Values& values) {
            const std::string& text = only("--gls-normalisation", values);
            for (std::size_t i = 0; i < normalisation_names.size(); ++i)
                if (text == normalisation_names[i]) {
                    s.gls_normalisation = static_cast<timing::LombScargleNormalisation>(i);
                    return;
                }
            reject("--gls-normalisation", text, "standard, model, log or psd");
        });
    section.add(
        "ef-bins", "--ef-bins",
        "Epoch folding of event lists with this many phase bins, 4 to 64, beside the other statistics; 0: "
        "none. Photon by "
        "photon: slow for many photons times frequencies",
        [&s] { return fmt::format("{}", s.ef_bins); },
        [&s](const Values& values) {
            s.ef_bins = number_of<int>("--ef-bins", only("--ef-bins", values), 0, timing::most_bins);
            if (s.ef_bins > 0 && s.ef_bins < 4)
                reject("--ef-bins", only("--ef-bins", values), "0, or 4 to 64");
        });
    section.number("fdot", s.max_fdot, 0.0, 1e6,
                   "Search event lists for drifting frequencies with derivatives up to this, Hz/s, of either "
                   "sign; 0: none");
    section.number(
        "accel", s.max_acceleration, 0.0, 1e9,
        "The same for accelerations along the line of sight up to this, m/s^2 (derivative = frequency times "
        "acceleration / c): one range for all frequencies, as of short periods in binaries; 0: none");
    section.number(
        "coherence-loss", s.coherence_loss, 0.001, 0.5,
        "Power of the highest harmonic of Z2_n that a drifting signal may lose halfway between two trials of "
        "fdot or accel: step = sqrt(720 loss) / (pi n T^2) Hz/s for an uninterrupted exposure");
    section.boolean(
        "joint", "--joint", s.joint,
        "Also search all event lists of a source together: Z2_n coherent over simultaneous exposures, summed "
        "over others");
    section.number("max-candidates", s.max_candidates, 1, 1000, "Candidates kept an exposure");
    section.number(
        "log10-fap", s.log10_fap, -1000.0, 0.0,
        "A candidate is offered as a period when log10 of its false-alarm probability is at most this");
    section.number("min-cycles", s.min_cycles, 0.0, 1e6,
                   "Candidates with fewer cycles in the exposure are vetoed");
    section.number(
        "shared-sources", s.shared_sources, 0, 1000000,
        "A frequency that is significant in so many sources of one observation is vetoed as that of the "
        "instrument, when the catalogue is whole; 0: never");
    section.add(
        "fap", "--fap",
        "False-alarm probabilities: analytic, or montecarlo: from the maxima of simulated constant sources "
        "with the good "
        "time intervals and the slow variations of each (event lists, constant frequencies)",
        [&s] { return quoted(s.monte_carlo ? "montecarlo" : "analytic"); },
        [&s](const Values& values) {
            const std::string& text = only("--fap", values);
            if (text != "analytic" && text != "montecarlo") reject("--fap", text, "analytic or montecarlo");
            s.monte_carlo = text == "montecarlo";
        });
    section.number("fap-draws", s.draws, 100, 10'000'000,
                   "Simulated sources an event list for --fap montecarlo");
    section.add(
        "limit-bands", "--limit-bands",
        "Edges between the bands of the upper limits on pulsed fractions, Hz; empty: decades",
        [&s] { return fmt::format("[{}]", fmt::join(s.limit_bands, ", ")); },
        [&s](const Values& values) {
            std::set<double> edges;
            for (const std::string& text : split(values))
                edges.insert(number_of<double>("--limit-bands", text, 1e-12, 1e6));
            s.limit_bands.assign(edges.begin(), edges.end());
        });
    section.number("confidence", s.confidence, 0.5, 0.999,
                   "Confidence of the intervals and upper limits of pulsed fractions");
    section.number("min-events", s.min_events, 2, 1000000, "Event lists with fewer events are not searched");
    section.number<std::int64_t>("max-trials", s.max_trials, 1000, std::int64_t{1} << 40,
                                 "Larger grids are refused: the exposure is quarantined");
}

void variability_settings(std::vector<Setting>& all, RunConfiguration& c) {
    Section section(all, "variability");
    characterise::VariabilityOptions& v = c.variability;
    section.boolean("enabled", "--variability", v.enabled, "Test whether rates are constant; find flares");
    section.number("block-p0", v.block_p0, 1e-12, 0.5,
                   "Chance that a constant rate is given a change in its Bayesian blocks");
    section.number("min-counts", v.min_counts, 5, 100000, "Expected counts of a bin of the chi2 test");
}

void spectra_settings(std::vector<Setting>& all, RunConfiguration& c) {
    Section section(all, "spectra");
    spectral::FitOptions& f = c.spectra;
    section.boolean("enabled", "--spectra", c.fit_spectra, "Fit spectra");
    section.add(
        "models", "--models", "Models to fit, as tbabs*powerlaw,tbabs*bbody",
        [&f] {
            std::vector<std::string> names;
            for (const std::string& model : f.models) names.push_back(quoted(model));
            return fmt::format("[{}]", fmt::join(names, ", "));
        },
        [&f](const Values& values) {
            const Values models = split(values);
            if (models.empty()) reject("--models", "", "at least one model");
            for (const std::string& model : models)  // those with tables are checked when these are read
                if (spectral::table_files(model).empty()) spectral::define_model(model, {});
            f.models = models;
        });
    section.add(
        "parameters", "--parameters",
        "Settings of model parameters: 'apec.Abundanc = 0.3 frozen', 'powerlaw.PhoIndex in 1:3', 'apec2.kT = "
        "apec1.kT', 'tbabs*apec: apec.Redshift = 0.02'",
        [&f] {
            std::vector<std::string> settings;
            for (const std::string& setting : f.parameters) settings.push_back(quoted(setting));
            return fmt::format("[{}]", fmt::join(settings, ", "));
        },
        [&f](const Values& values) { f.parameters = split(values); });
    section.add(
        "apec-table", "--apec-table",
        "Table model (OGIP 92-009) of kT and Abundanc that apec uses; empty: the embedded one (AtomDB 2.0.2, "
        "aspl)",
        [&f] { return quoted(f.apec_file); },
        [&f](const Values& values) { f.apec_file = only("--apec-table", values); });
    section.add(
        "abund", "--abund", "Abundances of the absorption: wilm, angr (XSPEC's default), aspl",
        [&f] { return quoted(to_string(f.abundance)); },
        [&f](const Values& values) { f.abundance = spectral::parse_abundance(only("--abund", values)); });
    section.add(
        "binning", "--binning",
        "default: FWHM/3 and 5 to 20 background counts, more where they are a larger share; none: every "
        "channel; min:N, back:N: N counts or background counts a bin; optimal: after Kaastra & Bleeker 2016; "
        "file: GROUPING",
        [&f] { return quoted(to_string(f.binning)); },
        [&f](const Values& values) { f.binning = spectral::parse_binning(only("--binning", values)); });
    section.band("energy", f.energy_lo, f.energy_hi, "Fitted energies LO:HI, keV");
    section.band("flux-band", f.flux_lo, f.flux_hi, "Band of the reported fluxes LO:HI, keV");
    section.add(
        "flux-bands", "--flux-bands", "Further bands of the table FLUXES, as 0.5:2,2:10 (keV)",
        [&f] {
            std::vector<std::string> bands;
            for (const spectral::Band& band : f.flux_bands)
                bands.push_back(quoted(fmt::format("{}:{}", band.lo, band.hi)));
            return fmt::format("[{}]", fmt::join(bands, ", "));
        },
        [&f](const Values& values) {
            f.flux_bands.clear();
            for (const std::string& text : split(values))
                f.flux_bands.push_back(band_of("--flux-bands", text));
        });
    section.add(
        "joint-spectra", "--joint-spectra",
        "Spectra of a source fitted at once, with a free factor for each but the one with most counts: none, "
        "observation (pn, MOS1, MOS2 of one OBS_ID), all",
        [&f] { return quoted(to_string(f.joint)); },
        [&f](const Values& values) { f.joint = spectral::parse_joint(only("--joint-spectra", values)); });
    section.boolean("single-spectra", "--single-spectra", f.single,
                    "Fit the spectra of a joint fit one by one too");
    section.add(
        "refine", "--refine",
        "Models with intervals from profiles: auto (those that can be the model offered; the others keep the "
        "intervals of their covariance and are flagged), all",
        [&f] { return quoted(to_string(f.refine)); },
        [&f](const Values& values) { f.refine = spectral::parse_refine(only("--refine", values)); });
    section.add(
        "errors", "--errors",
        "What the intervals of those models are: profile (of the statistic), posterior (credible intervals "
        "from "
        "the grid that the posterior is integrated on, several times faster; models without one, as those of "
        "two "
        "components, keep profiles)",
        [&f] { return quoted(to_string(f.errors)); },
        [&f](const Values& values) { f.errors = spectral::parse_errors(only("--errors", values)); });
    section.boolean("posterior", "--posterior", f.posterior,
                    "Posterior means, credible intervals and evidences of models with one norm");
    section.boolean(
        "unbiased", "--unbiased", f.unbiased,
        "Median-unbiased estimates of parameters, for samples of faint sources (models with one norm)");
    section.boolean("pair-evidence", "--pair-evidence", f.pair_evidence,
                    "Evidences of models with two norms too (a tenth to one second each); always with "
                    "--select-by evidence");
    section.add(
        "nh-prior", "--nh-prior",
        "Prior of nH between its limits: log (density 1/(nH + 1e20 cm^-2)) or flat. Other priors: uniform, "
        "in "
        "the logarithm for kT, norms and factors",
        [&f] { return quoted(f.nh_prior == spectral::NhPrior::flat ? "flat" : "log"); },
        [&f](const Values& values) {
            const std::string& text = only("--nh-prior", values);
            if (text != "log" && text != "flat") reject("--nh-prior", text, "log or flat");
            f.nh_prior = text == "flat" ? spectral::NhPrior::flat : spectral::NhPrior::logarithmic;
        });
    section.add(
        "select-by", "--select-by", "What the model offered is best by: aicc, bic, evidence",
        [&f] { return quoted(to_string(f.criterion)); },
        [&f](const Values& values) { f.criterion = spectral::parse_criterion(only("--select-by", values)); });
    section.add(
        "statistic", "--statistic",
        "poisson (W-stat, C-stat), or where there are 100 counts and 20 in each bin chi2-data, chi2-gehrels, "
        "chi2-churazov, chi2-model; --binning min:20 makes such bins",
        [&f] { return quoted(to_string(f.statistic)); },
        [&f](const Values& values) { f.statistic = spectral::parse_statistic(only("--statistic", values)); });
    section.add(
        "goodness", "--goodness",
        "expected: GOF_EXPECTED only; montecarlo, montecarlo:N: also GOF_PVALUE of the model offered from N "
        "(200) simulated spectra",
        [&f] {
            return quoted(f.goodness_simulations > 0 ? fmt::format("montecarlo:{}", f.goodness_simulations)
                                                     : std::string("expected"));
        },
        [&f](const Values& values) {
            const std::string &text = only("--goodness", values), prefix = "montecarlo:";
            if (text == "expected")
                f.goodness_simulations = 0;
            else if (text == "montecarlo")
                f.goodness_simulations = 200;
            else if (text.starts_with(prefix))
                f.goodness_simulations = number_of<int>("--goodness", text.substr(prefix.size()), 1, 1000000);
            else
                reject("--goodness", text, "expected, montecarlo or montecarlo:N");
        });
    section.number(
        "bootstrap", f.bootstrap_simulations, 0, 1'000'000,
        "Simulated spectra to which the model offered is fitted anew, for BOOT_MEDIAN, BOOT_LO and "
        "BOOT_HI of its parameters; 0: none");
    section.number("delta-stat", f.confidence_delta, 0.01, 100.0,
                   "Change of the statistic that ends an interval: 2.706 for 90%, 1 for 68%");
}

void limit_settings(std::vector<Setting>& all, RunConfiguration& c) {
    Section section(all, "limits");
    section.number(
        "source-time-limit", c.step_seconds, 0.0, 1e9,
        "Seconds of processor time that one step of a source (search of an exposure, fit of a model) "
        "may take before it is quarantined; 0: no limit");
}

void character_settings(std::vector<Setting>& all, RunConfiguration& c) {
    Section section(all, "characterise");
    CharacterOptions& o = c.character;
    section.boolean("galactic-column", "--galactic-column", o.galactic_column,
                    "Look up the Galactic hydrogen column of every source");
    section.text("column-map", o.column_map,
                 "HEALPix map of the column, cm^-2 (FITS); empty: the embedded HI4PI map");
    section.text("nh-column", o.nh_column,
                 "Column of the source list that holds the Galactic column (1e22 cm^-2) instead of a map");
    section.text("parallax-column", o.parallax_column, "Column of the source list with parallaxes, mas");
    section.text("parallax-error-column", o.parallax_error_column,
                 "Column of the source list with the errors of the parallaxes, mas");
    section.text("g-column", o.g_column, "Column of the source list with Gaia G magnitudes");
    section.add(
        "counterparts", "--counterparts",
        "Catalogues to match, with commas between them or the option once for each: "
        "FILE;name=N;area=DEG2;radius=ARCSEC;error=ARCSEC;completeness=P;epoch=YEAR;prior=FILE;"
        "depth.BAND=MAGNITUDE;col.PROPERTY=COLUMN",
        [&o] {
            std::vector<std::string> texts;
            for (const std::string& one : o.counterparts) texts.push_back(quoted(one));
            return fmt::format("[{}]", fmt::join(texts, ", "));
        },
        [&o](const Values& values) { o.counterparts = split(values); });
    section.text("position-major-column", o.position_major,
                 "Column of the source list: major axis of the position error, arcsec");
    section.text("position-minor-column", o.position_minor,
                 "Column of the source list: minor axis of the position error, arcsec");
    section.text("position-angle-column", o.position_angle,
                 "Column of the source list: angle of the major axis, deg east of north");
    section.number("position-scale", o.position_scale, 1e-3, 1e3,
                   "Factor from those axes to 1 sigma: 0.40855 for 95% ellipses");
    section.number("counterpart-threshold", o.counterpart_threshold, 0.0, 1.0,
                   "P_ANY times P_I from which a counterpart lends its magnitudes and parallax");
    section.automatic("xray-epoch", o.xray_epoch, 1960.0, 2100.0,
                      "Epoch of the X-ray positions, yr; auto: no proper motion is applied");
    section.text("history", o.history,
                 "Earlier fluxes and upper limits, CSV: srcid,mission,flux_lo,flux_hi (1 sigma)");
    section.boolean("history-convert", "--history-convert", o.history_convert,
                    "Convert them from the bands of the missions' catalogues to 0.2-12 keV");
    section.number("history-threshold", o.history_threshold, 1.0, 1e6,
                   "LT_RATIO above which there is an alert");
    section.number("parallax-zero-point", o.parallax_zero_point, -1.0, 1.0,
                   "Zero point that is subtracted from parallaxes, mas");
    section.number("distance-scale", o.distance_scale, 1.0, 1e6,
                   "Length scale of the density prior of distances, pc, where parallax/error is 5 or less");
    section.number("optical-zero", o.optical_zero, 1e-8, 1e-2,
                   "Optical flux of G = 0, erg/cm2/s: 1.013e-5 is physical, 1.05e-5 that of older reports");
    section.boolean("classes", "--classes", o.classes, "Say what the sources are");
    section.text("class-model", o.class_model, "Class model of `xsift train`; empty: the embedded one");
    section.text("class-priors", o.class_priors,
                 "Priors of the classes: power:X, labels to the power X (0: equal, 1: the labels' mix), or "
                 "CLASS=P;CLASS=P;...");
}

}  // namespace

std::vector<Setting> settings_of(RunConfiguration& configuration) {
    std::vector<Setting> all;
    search_settings(all, configuration);
    variability_settings(all, configuration);
    spectra_settings(all, configuration);
    character_settings(all, configuration);
    limit_settings(all, configuration);
    return all;
}

void read_model_tables(spectral::FitOptions& options) {
    const auto read = [](const std::string& file) {
        auto table = std::make_shared<TableModel>(io::read_table_model(file));
        spectral::check_table(*table);
        return table;
    };
    if (!options.apec_file.empty()) {
        const auto table = read(options.apec_file);
        table->name = "apec";
        table->redshift = true;
        if (!table->additive || table->axes.size() != 2 || table->axes[0].name != "kT" ||
            table->axes[1].name != "Abundanc")
            reject("--apec-table", options.apec_file, "an additive table of kT and Abundanc");
        table->axes[1].frozen = true;
        options.apec = std::make_shared<const TableModel>(spectral::with_hotter_plasma(*table));
    }
    for (const std::string& model : options.models)
        for (const std::string& file : spectral::table_files(model))
            if (!options.tables.contains(file)) options.tables[file] = read(file);
    spectral::define_models(options);
}

std::string to_toml(RunConfiguration configuration) {
    std::string text, section;
    for (const Setting& setting : settings_of(configuration)) {
        if (setting.section != section) {
            if (!text.empty()) text += '\n';
            text += fmt::format("[{}]\n", section = setting.section);
        }
        text += fmt::format("{} = {}\n", setting.key, setting.toml());
    }
    return text;
}

}  // namespace xsift::pipeline
