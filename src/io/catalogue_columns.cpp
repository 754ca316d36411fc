#include "catalogue_columns.hpp"

#include <algorithm>
#include <bit>
#include <cctype>
#include <cmath>
#include <cstring>
#include <limits>
#include <set>
#include <type_traits>
#include <utility>

#include <fmt/format.h>

#include <xsift/core/error.hpp>

namespace xsift::io::catalogue {

namespace {

constexpr std::int64_t null_integer = std::numeric_limits<std::int64_t>::min();
/// Longest name and unit taken from a source list: a FITS header card holds no more.
constexpr std::size_t longest_name = 60, longest_unit = 68;

/// Binds a column to a member, or to a member of a member.
template <typename... Members>
auto at(Members... members) {
    return [=](auto& row) -> Cell { return &(row.*....*members); };
}

char type_of(Cell cell) {
    return std::visit(
        [](auto* value) {
            using T = std::remove_pointer_t<decltype(value)>;
            if constexpr (std::is_same_v<T, double> || std::is_same_v<T, ProfileBins>) return 'D';
            if constexpr (std::is_same_v<T, std::string>) return 'A';
            if constexpr (std::is_same_v<T, bool>) return 'L';
            return 'J';
        },
        cell);
}

struct ColumnText {
    const char *name, *unit, *ucd, *display, *comment;
};

template <typename Row, typename Getter>
Column<Row> column(const ColumnText& text, Getter cell) {
    Row row;
    Column<Row> made;
    made.name = text.name;
    made.type = type_of(cell(row));
    if (std::holds_alternative<ProfileBins*>(cell(row))) made.width = profile_bins;
    made.unit = text.unit;
    made.ucd = text.ucd;
    made.display = text.display;
    made.comment = text.comment;
    made.cell = cell;
    return made;
}

constexpr const char* flux_unit = "erg cm**-2 s**-1";
constexpr const char* nh_unit = "10**22 cm**-2";

// clang-format off
Table<SourceRow> sources_table() {
    using R = SourceRow;
    using X = Characterisation;
    const auto c = [](ColumnText text, auto cell) { return column<R>(text, cell); };
    const auto o = [](const char* step, ColumnText text, auto... members) {
        Column<R> made = column<R>(text, at(&R::character, members...));
        made.step = step;
        return made;
    };
    return {"SOURCES", {
        c({"SRCID", "", "meta.id;meta.main", "A", "source, unique in the survey"}, at(&R::source, &Source::id)),
        c({"NAME", "", "meta.id;src", "A", "designation"}, at(&R::source, &Source::name)),
        c({"RA", "deg", "pos.eq.ra;meta.main", "F12.7", "right ascension, ICRS"}, at(&R::source, &Source::ra)),
        c({"DEC", "deg", "pos.eq.dec;meta.main", "F12.7", "declination, ICRS"}, at(&R::source, &Source::dec)),
        c({"POS_ERR", "arcsec", "stat.error;pos.eq", "F9.3", "position error, 1 sigma a coordinate"},
          at(&R::source, &Source::position_error)),
        c({"STATUS", "", "meta.code.status", "A", "ok, partial or no_data"}, at(&R::status)),
        c({"N_EXPOSURES", "", "meta.number;obs.exposure", "I6", "event lists and light curves"}, at(&R::n_exposures)),
        c({"N_SPECTRA", "", "meta.number;obs", "I6", "spectra with a response"}, at(&R::n_spectra)),
        c({"PERIOD", "s", "time.period;src.var.pulse", "G17.10", "period offered"}, at(&R::period)),
        c({"PERIOD_ERR", "s", "stat.error;time.period", "E11.3", "1 sigma"}, at(&R::period_error)),
        c({"LOG10_FAP", "", "stat.probability;src.var", "F11.3", "log10 FAP of the whole search of the source"},
          at(&R::log10_fap)),
        c({"N_SEARCHES", "", "stat.param", "F8.3", "effective statistics x exposures searched"}, at(&R::n_searches)),
        c({"QVALUE", "", "stat.probability;src.var", "E11.3", "share of false ones up to this LOG10_FAP"},
          at(&R::q_value)),
        c({"PF_UL", "", "src.var.amplitude;arith.ratio;stat.max", "F7.4", "upper limit without a period, see PF_LIMITS"},
          at(&R::pf_ul)),
        c({"PF_UL_FMAX", "Hz", "arith.rate;src.var.pulse;stat.max", "G17.10", "PF_UL holds up to this frequency"},
          at(&R::pf_ul_fmax)),
        c({"BEST_MODEL", "", "meta.id;meta.modelled", "A", "spectral model selected"}, at(&R::best_model)),
        c({"FLUX", flux_unit, "phot.flux;em.X-ray", "E11.4", "absorbed, BEST_MODEL, flux band"},
          at(&R::flux, &Estimate::value)),
        c({"FLUX_LO", flux_unit, "phot.flux;em.X-ray;stat.min", "E11.4", "lower end of the interval"},
          at(&R::flux, &Estimate::lo)),
        c({"FLUX_HI", flux_unit, "phot.flux;em.X-ray;stat.max", "E11.4", "upper end of the interval"},
          at(&R::flux, &Estimate::hi)),
        c({"ST_PVALUE", "", "stat.probability;src.var", "E11.3", "constant rate; 0: below 1e-300"},
          at(&R::st_pvalue)),
        c({"ST_LOG10_P", "", "stat.probability;src.var", "F11.3", "log10 of ST_PVALUE"}, at(&R::st_log10_p)),
        o("column", {"NH_GAL", nh_unit, "phys.columnDensity", "G12.5", "Galactic column toward the source"},
          &X::nh_galactic),
        o("column", {"NH_GAL_FROM", "", "meta.ref", "A", "map or column that NH_GAL comes from"}, &X::nh_origin),
        o("distance", {"GAIA_G", "mag", "phot.mag;em.opt", "F8.3", "Gaia G of the counterpart"}, &X::gaia_g),
        o("distance", {"DIST", "pc", "pos.distance", "G12.5", "distance"}, &X::distance, &Estimate::value),
        o("distance", {"DIST_LO", "pc", "pos.distance;stat.min", "G12.5", "lower end"}, &X::distance, &Estimate::lo),
        o("distance", {"DIST_HI", "pc", "pos.distance;stat.max", "G12.5", "upper end"}, &X::distance, &Estimate::hi),
        o("distance", {"LUM", "erg s**-1", "phys.luminosity;em.X-ray", "E11.4", "4 pi DIST**2 FLUX"},
          &X::luminosity, &Estimate::value),
        o("distance", {"LUM_LO", "erg s**-1", "phys.luminosity;em.X-ray;stat.min", "E11.4", "lower end"},
          &X::luminosity, &Estimate::lo),
        o("distance", {"LUM_HI", "erg s**-1", "phys.luminosity;em.X-ray;stat.max", "E11.4", "upper end"},
          &X::luminosity, &Estimate::hi),
        o("distance", {"FX_FOPT", "", "phot.flux;arith.ratio", "F8.3", "log10 FLUX/(FOPT_ZERO 10**(-0.4 G))"},
          &X::log_fx_fopt),
        o("distance", {"FOPT_ZERO", flux_unit, "phot.flux;em.opt", "E11.4", "optical flux of G = 0"},
          &X::optical_zero),
        o("distance", {"FX_FV", "", "phot.flux;arith.ratio", "F8.3", "log10 FLUX + V/2.5 + 5.37, V from G, BP, RP"},
          &X::log_fx_fv),
        o("history", {"LT_RATIO", "", "src.var.amplitude;arith.ratio", "G12.5", "long-term variability, from bounds"},
          &X::history_ratio),
        o("history", {"ALERT", "", "meta.code;src.var", "A", "type of the long-term alert, or blank"}, &X::alert),
        o("class", {"CLASS", "", "src.class", "A", "most probable class"}, &X::class_name),
        o("class", {"P_CLASS", "", "stat.probability;src.class", "F8.5", "its probability"},
          &X::class_probability),
        o("any", {"CHAR_FLAGS", "", "meta.code.qual", "I10", "bits, see the documentation"}, &X::flags),
        c({"FLAGS", "", "meta.code.qual", "I10", "bits, see the documentation"}, at(&R::flags)),
    }};
}

Table<PeriodRow> periods_table() {
    using R = PeriodRow;
    const auto c = [](ColumnText text, auto cell) { return column<R>(text, cell); };
    return {"PERIODS", {
        c({"SRCID", "", "meta.id.parent", "A", "source"}, at(&R::source_id)),
        c({"EXPOSURE", "", "meta.id;obs.exposure", "A", "file of the exposure, or joint: all"}, at(&R::exposure)),
        c({"INSTRUMENT", "", "meta.id;instr", "A", "instrument"}, at(&R::instrument)),
        c({"OBS_ID", "", "meta.id;obs", "A", "observation; several joined by +"}, at(&R::obs_id)),
        c({"SPAN", "s", "time.duration;obs.exposure", "F13.3", "first to last good time"}, at(&R::span)),
        c({"RANK", "", "meta.number", "I4", "1: strongest of its exposure"}, at(&R::rank)),
        c({"METHOD", "", "meta.id;stat", "A", "Z2, H, GLS or EF"}, at(&R::method)),
        c({"NHARM", "", "meta.number;stat.Fourier", "I4", "harmonics"}, at(&R::n_harmonics)),
        c({"FREQUENCY", "Hz", "arith.rate;src.var.pulse", "G17.10", "frequency"}, at(&R::frequency)),
        c({"FREQUENCY_ERR", "Hz", "stat.error;src.var.pulse", "E11.3", "1 sigma"}, at(&R::frequency_error)),
        c({"FDOT", "Hz/s", "arith.rate;src.var.pulse;time", "E13.5", "frequency derivative; null: taken as 0"},
          at(&R::fdot)),
        c({"FDOT_ERR", "Hz/s", "stat.error;src.var.pulse", "E11.3", "1 sigma"}, at(&R::fdot_error)),
        c({"EPOCH", "d", "time.epoch", "F15.8", "MJD at which FREQUENCY holds, with FDOT"}, at(&R::epoch)),
        c({"PERIOD", "s", "time.period;src.var.pulse", "G17.10", "1/FREQUENCY"}, at(&R::period)),
        c({"PERIOD_ERR", "s", "stat.error;time.period", "E11.3", "1 sigma"}, at(&R::period_error)),
        c({"STATISTIC", "", "stat.value;src.var", "F13.4", "of METHOD at FREQUENCY (GLS: as set)"}, at(&R::statistic)),
        c({"LOG10_P_SINGLE", "", "stat.probability;src.var", "F11.3", "log10 probability, single trial"},
          at(&R::log10_p_single)),
        c({"N_TRIALS", "", "stat.param", "E11.4", "effective independent trials"}, at(&R::n_trials)),
        c({"LOG10_FAP", "", "stat.probability;src.var", "F11.3", "log10 false-alarm prob., larger of next two"},
          at(&R::log10_fap)),
        c({"LOG10_FAP_WHITE", "", "stat.probability;src.var", "F11.3", "the same in white noise, all trials"},
          at(&R::log10_fap_white)),
        c({"LOG10_FAP_LOCAL", "", "stat.probability;src.var", "F11.3", "the same in the local noise, all trials"},
          at(&R::log10_fap_local)),
        c({"NOISE_LEVEL", "", "stat.value;arith.ratio", "G12.5", "local noise over white noise at FREQUENCY"},
          at(&R::noise_level)),
        c({"PULSED_FRACTION", "", "src.var.amplitude;arith.ratio", "F7.4", "sqrt(2 lambda/N), noise subtracted"},
          at(&R::pulsed_fraction)),
        c({"PF_LO", "", "src.var.amplitude;arith.ratio;stat.min", "F7.4", "lower end of the interval"}, at(&R::pf_lo)),
        c({"PF_HI", "", "src.var.amplitude;arith.ratio;stat.max", "F7.4", "upper end of the interval"}, at(&R::pf_hi)),
        c({"VETO", "", "meta.code.qual", "A", "why it is no period, names joined by +"}, at(&R::veto_text)),
        c({"FLAGS", "", "meta.code.qual", "I10", "bits, see the documentation"}, at(&R::flags)),
    }};
}

Table<LimitRow> limits_table() {
    using R = LimitRow;
    const auto c = [](ColumnText text, auto cell) { return column<R>(text, cell); };
    return {"PF_LIMITS", {
        c({"SRCID", "", "meta.id.parent", "A", "source"}, at(&R::source_id)),
        c({"EXPOSURE", "", "meta.id;obs.exposure", "A", "file of the exposure"}, at(&R::exposure)),
        c({"INSTRUMENT", "", "meta.id;instr", "A", "instrument"}, at(&R::instrument)),
        c({"METHOD", "", "meta.id;stat", "A", "Z2 or GLS"}, at(&R::method)),
        c({"NHARM", "", "meta.number;stat.Fourier", "I4", "harmonics"}, at(&R::n_harmonics)),
        c({"FREQUENCY_LO", "Hz", "arith.rate;src.var.pulse;stat.min", "G17.10", "lower end of the band"},
          at(&R::frequency_lo)),
        c({"FREQUENCY_HI", "Hz", "arith.rate;src.var.pulse;stat.max", "G17.10", "upper end of the band"},
          at(&R::frequency_hi)),
        c({"PF_UL", "", "src.var.amplitude;arith.ratio;stat.max", "F7.4", "upper limit on the pulsed fraction"},
          at(&R::pf_ul)),
        c({"STATISTIC", "", "stat.value;src.var", "F13.4", "highest value of METHOD in the band"}, at(&R::statistic)),
        c({"FREQUENCY", "Hz", "arith.rate;src.var.pulse", "G17.10", "where it is"}, at(&R::frequency)),
        c({"N_PHOTONS", "", "meta.number;phot.count", "F13.2", "photons, null for light curves"}, at(&R::n_photons)),
        c({"FLAGS", "", "meta.code.qual", "I10", "bits, see the documentation"}, at(&R::flags)),
    }};
}

Table<ProfileRow> profiles_table() {
    using R = ProfileRow;
    const auto c = [](ColumnText text, auto cell) { return column<R>(text, cell); };
    return {"PROFILES", {
        c({"SRCID", "", "meta.id.parent", "A", "source"}, at(&R::source_id)),
        c({"EXPOSURE", "", "meta.id;obs.exposure", "A", "file of the exposure"}, at(&R::exposure)),
        c({"INSTRUMENT", "", "meta.id;instr", "A", "instrument"}, at(&R::instrument)),
        c({"FREQUENCY", "Hz", "arith.rate;src.var.pulse", "G17.10", "folded at"}, at(&R::frequency)),
        c({"EPOCH", "d", "time.epoch", "F19.11", "MJD of phase 0, the exposure's time system"}, at(&R::epoch)),
        c({"COUNTS", "count", "phot.count", "F9.1", "counts of phase bins b/32 to (b+1)/32"}, at(&R::counts)),
        c({"EXPOSURE_TIME", "s", "time.duration;obs.exposure", "F13.4", "good time of each phase bin"},
          at(&R::exposure_time)),
        c({"RATE", "count s**-1", "arith.rate", "E11.4", "COUNTS/EXPOSURE_TIME"}, at(&R::rate)),
        c({"RATE_ERR", "count s**-1", "stat.error;phot.count", "E11.4", "1 sigma; of one count where none"},
          at(&R::rate_error)),
    }};
}

Table<FitRow> fits_table() {
    using R = FitRow;
    const auto c = [](ColumnText text, auto cell) { return column<R>(text, cell); };
    return {"SPECTRAL_FITS", {
        c({"SRCID", "", "meta.id.parent", "A", "source"}, at(&R::source_id)),
        c({"SPECTRA", "", "meta.id;meta.file", "A", "files of the spectra"}, at(&R::spectrum)),
        c({"N_SPECTRA", "", "meta.number;obs", "I4", "spectra fitted at once"}, at(&R::n_spectra)),
        c({"INSTRUMENT", "", "meta.id;instr", "A", "instrument"}, at(&R::instrument)),
        c({"MODEL", "", "meta.id;meta.modelled", "A", "model, XSPEC names"}, at(&R::model)),
        c({"STATISTIC", "", "meta.id;stat.fit", "A", "wstat, cstat or a chi2"}, at(&R::statistic)),
        c({"STAT_RULE", "", "meta.code;stat.fit", "A", "rule that chose STATISTIC"}, at(&R::statistic_rule)),
        c({"STAT", "", "stat.likelihood", "F13.4", "fit statistic at its minimum"}, at(&R::stat)),
        c({"DOF", "", "stat.fit.dof", "I6", "N_BINS minus free parameters"}, at(&R::dof)),
        c({"N_BINS", "", "meta.number;stat.fit", "I6", "bins of the fit"}, at(&R::n_bins)),
        c({"REDUCED", "", "stat.fit.goodness", "F10.4", "STAT/DOF"}, at(&R::reduced)),
        c({"NULL_PROB", "", "stat.probability;stat.fit", "E11.3", "P(chi2 > STAT) of a right model; chi2 only"}, at(&R::null_prob)),
        c({"GOF_EXPECTED", "", "stat.likelihood", "F13.4", "STAT expected of a right model"}, at(&R::gof_expected)),
        c({"GOF_SIGMA", "", "stat.fit.goodness", "F9.3", "(STAT - GOF_EXPECTED)/its sigma; above 3: poor"}, at(&R::gof_sigma)),
        c({"GOF_PROB", "", "stat.probability;stat.fit", "E11.3", "P(a STAT as large) of a right model"}, at(&R::gof_probability)),
        c({"GOF_ROUGH", "", "stat.fit.goodness", "F9.3", "(STAT - N_BINS)/sqrt(2 N_BINS), rule of thumb"}, at(&R::gof_rough)),
        c({"GOF_PVALUE", "", "stat.probability;stat.fit", "F8.5", "share of simulations with such a STAT"}, at(&R::gof_pvalue)),
        c({"AICC", "", "stat.value;stat.fit", "F13.4", "Akaike criterion, small samples"}, at(&R::aicc)),
        c({"BIC", "", "stat.value;stat.fit", "F13.4", "Bayes criterion"}, at(&R::bic)),
        c({"LOG_EVIDENCE", "", "stat.likelihood", "F13.4", "ln evidence, same spectra and bins compare"}, at(&R::log_evidence)),
        c({"MODEL_PROB", "", "stat.probability", "F8.5", "among models of SPECTRA with an evidence"}, at(&R::model_probability)),
        c({"NH", nh_unit, "phys.columnDensity", "G12.5", "absorbing column"}, at(&R::nh, &Estimate::value)),
        c({"NH_LO", nh_unit, "phys.columnDensity;stat.min", "G12.5", "lower end"}, at(&R::nh, &Estimate::lo)),
        c({"NH_HI", nh_unit, "phys.columnDensity;stat.max", "G12.5", "upper end"}, at(&R::nh, &Estimate::hi)),
        c({"KT", "keV", "phys.temperature", "G12.5", "temperature kT of the first component with one"}, at(&R::kt, &Estimate::value)),
        c({"KT_LO", "keV", "phys.temperature;stat.min", "G12.5", "lower end"}, at(&R::kt, &Estimate::lo)),
        c({"KT_HI", "keV", "phys.temperature;stat.max", "G12.5", "upper end"}, at(&R::kt, &Estimate::hi)),
        c({"GAMMA", "", "spect.index;em.X-ray", "G12.5", "photon index (powerlaw, cutoffpl)"}, at(&R::gamma, &Estimate::value)),
        c({"GAMMA_LO", "", "spect.index;em.X-ray;stat.min", "G12.5", "lower end"}, at(&R::gamma, &Estimate::lo)),
        c({"GAMMA_HI", "", "spect.index;em.X-ray;stat.max", "G12.5", "upper end"}, at(&R::gamma, &Estimate::hi)),
        c({"KT2", "keV", "phys.temperature", "G12.5", "kT of the second component with one"}, at(&R::kt2, &Estimate::value)),
        c({"KT2_LO", "keV", "phys.temperature;stat.min", "G12.5", "lower end"}, at(&R::kt2, &Estimate::lo)),
        c({"KT2_HI", "keV", "phys.temperature;stat.max", "G12.5", "upper end"}, at(&R::kt2, &Estimate::hi)),
        c({"ABUND", "", "phys.abund.Z", "G12.5", "metal abundance of apec, of its solar set"}, at(&R::abundance, &Estimate::value)),
        c({"ABUND_LO", "", "phys.abund.Z;stat.min", "G12.5", "lower end, null when frozen"}, at(&R::abundance, &Estimate::lo)),
        c({"ABUND_HI", "", "phys.abund.Z;stat.max", "G12.5", "upper end, null when frozen"}, at(&R::abundance, &Estimate::hi)),
        c({"NORM", "", "stat.fit.param", "E11.4", "XSPEC's norm of the first component"}, at(&R::norm, &Estimate::value)),
        c({"NORM_LO", "", "stat.fit.param;stat.min", "E11.4", "lower end"}, at(&R::norm, &Estimate::lo)),
        c({"NORM_HI", "", "stat.fit.param;stat.max", "E11.4", "upper end"}, at(&R::norm, &Estimate::hi)),
        c({"NORM2", "", "stat.fit.param", "E11.4", "XSPEC's norm of the second component"}, at(&R::norm2, &Estimate::value)),
        c({"NORM2_LO", "", "stat.fit.param;stat.min", "E11.4", "lower end"}, at(&R::norm2, &Estimate::lo)),
        c({"NORM2_HI", "", "stat.fit.param;stat.max", "E11.4", "upper end"}, at(&R::norm2, &Estimate::hi)),
        c({"FLUX", flux_unit, "phot.flux;em.X-ray", "E11.4", "absorbed, flux band"}, at(&R::flux, &Estimate::value)),
        c({"FLUX_LO", flux_unit, "phot.flux;em.X-ray;stat.min", "E11.4", "lower end"}, at(&R::flux, &Estimate::lo)),
        c({"FLUX_HI", flux_unit, "phot.flux;em.X-ray;stat.max", "E11.4", "upper end"}, at(&R::flux, &Estimate::hi)),
        c({"FLUX_UNABS", flux_unit, "phot.flux;em.X-ray", "E11.4", "unabsorbed, flux band"}, at(&R::flux_unabsorbed, &Estimate::value)),
        c({"FLUX_UNABS_LO", flux_unit, "phot.flux;em.X-ray;stat.min", "E11.4", "lower end"}, at(&R::flux_unabsorbed, &Estimate::lo)),
        c({"FLUX_UNABS_HI", flux_unit, "phot.flux;em.X-ray;stat.max", "E11.4", "upper end"}, at(&R::flux_unabsorbed, &Estimate::hi)),
        c({"SELECTED", "", "meta.code", "L1", "the model reported in SOURCES"}, at(&R::selected)),
        c({"CHOICE", "", "meta.code", "A", "why selected or not"}, at(&R::choice)),
        c({"FLAGS", "", "meta.code.qual", "I10", "bits, see the documentation"}, at(&R::flags)),
    }};
}

Table<ParameterRow> parameters_table() {
    using R = ParameterRow;
    const auto c = [](ColumnText text, auto cell) { return column<R>(text, cell); };
    return {"PARAMETERS", {
        c({"SRCID", "", "meta.id.parent", "A", "source"}, at(&R::source_id)),
        c({"SPECTRA", "", "meta.id;meta.file", "A", "files of the spectra"}, at(&R::spectrum)),
        c({"MODEL", "", "meta.id;meta.modelled", "A", "model, XSPEC names"}, at(&R::model)),
        c({"COMPONENT", "", "meta.id;meta.modelled", "A", "component, numbered where repeated"}, at(&R::component)),
        c({"PARAMETER", "", "meta.id;stat.fit.param", "A", "XSPEC's name"}, at(&R::name)),
        c({"VALUE", "", "stat.fit.param", "G12.5", "in UNIT"}, at(&R::estimate, &Estimate::value)),
        c({"VALUE_LO", "", "stat.fit.param;stat.min", "G12.5", "lower end, null when not free"}, at(&R::estimate, &Estimate::lo)),
        c({"VALUE_HI", "", "stat.fit.param;stat.max", "G12.5", "upper end, null when not free"}, at(&R::estimate, &Estimate::hi)),
        c({"ERROR", "", "stat.error;stat.fit.param", "E11.3", "1 sigma from the covariance"}, at(&R::error)),
        c({"UNBIASED", "", "stat.fit.param;stat.median", "G12.5", "median-unbiased estimate"}, at(&R::unbiased)),
        c({"POST_MEAN", "", "stat.fit.param;stat.mean", "G12.5", "mean of the posterior"}, at(&R::posterior, &Posterior::mean)),
        c({"POST_MEDIAN", "", "stat.fit.param;stat.median", "G12.5", "median of the posterior"}, at(&R::posterior, &Posterior::median)),
        c({"POST_LO", "", "stat.fit.param;stat.min", "G12.5", "90% credible interval, equal tails"}, at(&R::posterior, &Posterior::lo90)),
        c({"POST_HI", "", "stat.fit.param;stat.max", "G12.5", "upper end"}, at(&R::posterior, &Posterior::hi90)),
        c({"POST_LO68", "", "stat.fit.param;stat.min", "G12.5", "68.27% credible interval, equal tails"}, at(&R::posterior, &Posterior::lo68)),
        c({"POST_HI68", "", "stat.fit.param;stat.max", "G12.5", "upper end"}, at(&R::posterior, &Posterior::hi68)),
        c({"BOOT_MEDIAN", "", "stat.fit.param;stat.median", "G12.5", "median of refitted simulations"}, at(&R::bootstrap, &Bootstrap::median)),
        c({"BOOT_LO", "", "stat.fit.param;stat.min", "G12.5", "refitted simulations, equal tails"}, at(&R::bootstrap, &Bootstrap::lo)),
        c({"BOOT_HI", "", "stat.fit.param;stat.max", "G12.5", "upper end"}, at(&R::bootstrap, &Bootstrap::hi)),
        c({"UNIT", "", "meta.unit", "A", "unit of the values"}, at(&R::unit)),
        c({"FLAGS", "", "meta.code.qual", "I10", "bits, see the documentation"}, at(&R::flags)),
    }};
}

Table<FluxRow> fluxes_table() {
    using R = FluxRow;
    const auto c = [](ColumnText text, auto cell) { return column<R>(text, cell); };
    return {"FLUXES", {
        c({"SRCID", "", "meta.id.parent", "A", "source"}, at(&R::source_id)),
        c({"SPECTRA", "", "meta.id;meta.file", "A", "files of the spectra"}, at(&R::spectrum)),
        c({"MODEL", "", "meta.id;meta.modelled", "A", "model, XSPEC names"}, at(&R::model)),
        c({"BAND_LO", "keV", "em.energy;stat.min", "G12.5", "band, lower energy"}, at(&R::band_lo)),
        c({"BAND_HI", "keV", "em.energy;stat.max", "G12.5", "band, upper energy"}, at(&R::band_hi)),
        c({"FLUX", flux_unit, "phot.flux;em.X-ray", "E11.4", "absorbed"}, at(&R::absorbed, &Estimate::value)),
        c({"FLUX_LO", flux_unit, "phot.flux;em.X-ray;stat.min", "E11.4", "lower end, profile of the statistic"}, at(&R::absorbed, &Estimate::lo)),
        c({"FLUX_HI", flux_unit, "phot.flux;em.X-ray;stat.max", "E11.4", "upper end, null when there is none"}, at(&R::absorbed, &Estimate::hi)),
        c({"FLUX_ERR", flux_unit, "stat.error;phot.flux;em.X-ray", "E11.4", "1 sigma from the covariance"}, at(&R::absorbed_error)),
        c({"FLUX_UNABS", flux_unit, "phot.flux;em.X-ray", "E11.4", "unabsorbed"}, at(&R::unabsorbed, &Estimate::value)),
        c({"FLUX_UNABS_LO", flux_unit, "phot.flux;em.X-ray;stat.min", "E11.4", "lower end"}, at(&R::unabsorbed, &Estimate::lo)),
        c({"FLUX_UNABS_HI", flux_unit, "phot.flux;em.X-ray;stat.max", "E11.4", "upper end, null when there is none"}, at(&R::unabsorbed, &Estimate::hi)),
        c({"FLUX_UNABS_ERR", flux_unit, "stat.error;phot.flux;em.X-ray", "E11.4", "1 sigma from the covariance"}, at(&R::unabsorbed_error)),
        c({"FLAGS", "", "meta.code.qual", "I10", "bits, see the documentation"}, at(&R::flags)),
    }};
}

Table<VariabilityRow> variability_table() {
    using R = VariabilityRow;
    const auto c = [](ColumnText text, auto cell) { return column<R>(text, cell); };
    return {"VARIABILITY", {
        c({"SRCID", "", "meta.id.parent", "A", "source"}, at(&R::source_id)),
        c({"EXPOSURE", "", "meta.id;obs.exposure", "A", "file of the exposure"}, at(&R::exposure)),
        c({"INSTRUMENT", "", "meta.id;instr", "A", "instrument"}, at(&R::instrument)),
        c({"COUNTS", "count", "phot.count;em.X-ray", "G12.5", "events, or effective counts of a curve"}, at(&R::counts)),
        c({"GOOD_TIME", "s", "time.duration;obs.exposure", "F12.2", "good time"}, at(&R::good_time)),
        c({"RATE", "count s**-1", "arith.rate", "G12.5", "mean rate"}, at(&R::rate)),
        c({"KS", "", "stat.value", "F8.5", "Kolmogorov-Smirnov distance in good time"}, at(&R::ks)),
        c({"LOG10_P_KS", "", "stat.probability;src.var", "F11.3", "log10 probability, constant rate"},
          at(&R::log10_p_ks)),
        c({"CHI2", "", "stat.fit.chi2", "F13.4", "binned rate against a constant one"}, at(&R::chi2)),
        c({"CHI2_DOF", "", "stat.fit.dof", "I6", "bins - 1"}, at(&R::chi2_dof)),
        c({"BIN_WIDTH", "s", "time.interval", "G12.5", "good time of a bin"}, at(&R::bin_width)),
        c({"LOG10_P_CHI2", "", "stat.probability;src.var", "F11.3", "log10 probability, constant rate"},
          at(&R::log10_p_chi2)),
        c({"EXCESS_VARIANCE", "", "src.var.amplitude", "G12.5", "(S2 - mean err2)/mean2, may be < 0"},
          at(&R::excess_variance)),
        c({"EXCESS_VARIANCE_ERR", "", "stat.error;src.var.amplitude", "G12.5", "1 sigma"},
          at(&R::excess_variance_error)),
        c({"FVAR", "", "src.var.amplitude;arith.ratio", "F9.5", "root of EXCESS_VARIANCE"}, at(&R::fvar)),
        c({"FVAR_ERR", "", "stat.error;src.var.amplitude", "F9.5", "1 sigma"}, at(&R::fvar_error)),
        c({"N_BLOCKS", "", "meta.number", "I6", "Bayesian blocks; 1: no change"}, at(&R::n_blocks)),
        c({"RATE_LO", "count s**-1", "arith.rate;stat.min", "G12.5", "lowest block"}, at(&R::rate_lo)),
        c({"RATE_HI", "count s**-1", "arith.rate;stat.max", "G12.5", "highest block"}, at(&R::rate_hi)),
        c({"N_FLARES", "", "meta.number", "I6", "rows in FLARES"}, at(&R::n_flares)),
        c({"FLAGS", "", "meta.code.qual", "I10", "bits, see the documentation"}, at(&R::flags)),
    }};
}

Table<FlareRow> flares_table() {
    using R = FlareRow;
    const auto c = [](ColumnText text, auto cell) { return column<R>(text, cell); };
    return {"FLARES", {
        c({"SRCID", "", "meta.id.parent", "A", "source"}, at(&R::source_id)),
        c({"EXPOSURE", "", "meta.id;obs.exposure", "A", "file of the exposure"}, at(&R::exposure)),
        c({"INSTRUMENT", "", "meta.id;instr", "A", "instrument"}, at(&R::instrument)),
        c({"START", "s", "time.start", "F17.4", "time of the file, since its MJDREF"}, at(&R::start)),
        c({"PEAK", "s", "time.epoch", "F17.4", "middle of the highest block"}, at(&R::peak)),
        c({"STOP", "s", "time.end", "F17.4", "end"}, at(&R::stop)),
        c({"RISE", "s", "time.duration", "G12.5", "PEAK - START"}, at(&R::rise)),
        c({"DURATION", "s", "time.duration", "G12.5", "STOP - START"}, at(&R::duration)),
        c({"PEAK_RATE", "count s**-1", "arith.rate;stat.max", "G12.5", "of the highest block"},
          at(&R::peak_rate)),
        c({"PEAK_RATE_ERR", "count s**-1", "stat.error;phot.count", "G12.5", "1 sigma"}, at(&R::peak_rate_error)),
        c({"QUIESCENT_RATE", "count s**-1", "arith.rate", "G12.5", "median over good time of the blocks"},
          at(&R::quiescent_rate)),
        c({"EXCESS_COUNTS", "count", "phot.count", "G12.5", "above the quiescent rate"}, at(&R::excess_counts)),
        c({"FLAGS", "", "meta.code.qual", "I10", "bits, see the documentation"}, at(&R::flags)),
    }};
}

Table<CounterpartRow> counterparts_table() {
    using R = CounterpartRow;
    const auto c = [](ColumnText text, auto cell) { return column<R>(text, cell); };
    Table<R> table{"COUNTERPARTS", {
        c({"SRCID", "", "meta.id.parent", "A", "source"}, at(&R::source_id)),
        c({"CATALOGUE", "", "meta.id;meta.dataset", "A", "catalogue of the candidate"}, at(&R::catalogue)),
        c({"ID", "", "meta.id", "A", "identifier in the catalogue"}, at(&R::id)),
        c({"SEPARATION", "arcsec", "pos.angDistance", "F9.3", "distance from the source"}, at(&R::separation)),
        c({"P_ANY", "", "stat.probability", "F8.5", "that any candidate is the counterpart"}, at(&R::p_any)),
        c({"P_I", "", "stat.probability", "F8.5", "that this is it, if there is any"}, at(&R::p_i)),
        c({"RA", "deg", "pos.eq.ra", "F12.7", "right ascension, ICRS, epoch of the match"}, at(&R::ra)),
        c({"DEC", "deg", "pos.eq.dec", "F12.7", "declination"}, at(&R::dec)),
        c({"POS_ERR", "arcsec", "stat.error;pos.eq", "F9.4", "1 sigma along the larger axis"},
          at(&R::position_error)),
        c({"MATCH_FLAG", "", "meta.code", "I2", "1: best, 2: nearly as good, 0: others"}, at(&R::match_flag)),
        c({"PARALLAX", "mas", "pos.parallax", "F10.4", "parallax"}, at(&R::parallax)),
        c({"PARALLAX_ERR", "mas", "stat.error;pos.parallax", "F10.4", "1 sigma"}, at(&R::parallax_error)),
        c({"PMRA", "mas yr**-1", "pos.pm;pos.eq.ra", "F10.3", "proper motion, with cos(dec)"}, at(&R::pm_ra)),
        c({"PMDEC", "mas yr**-1", "pos.pm;pos.eq.dec", "F10.3", "proper motion"}, at(&R::pm_dec)),
    }};
    for (std::size_t band = 0; band < magnitude_bands.size(); ++band) {
        const std::string name = std::string(magnitude_bands[band]) + "MAG";
        table.columns.push_back(c({name.c_str(), "mag", "phot.mag", "F8.3", "magnitude"},
                                  [band](R& row) -> Cell { return &row.magnitude[band]; }));
    }
    return table;
}

Table<ClassRow> classes_table() {
    using R = ClassRow;
    const auto c = [](ColumnText text, auto cell) { return column<R>(text, cell); };
    return {"CLASSES", {
        c({"SRCID", "", "meta.id.parent", "A", "source"}, at(&R::source_id)),
        c({"CLASS", "", "src.class", "A", "class"}, at(&R::name)),
        c({"PROBABILITY", "", "stat.probability;src.class", "F8.5", "of the class"}, at(&R::probability)),
        c({"RIVAL", "", "src.class", "A", "most probable other class"}, at(&R::rival)),
        c({"LOG_ODDS", "", "stat.likelihood", "F9.3", "ln(PROBABILITY over that of RIVAL)"}, at(&R::log_odds)),
        c({"REASONS_FOR", "", "meta.note", "A", "for it against RIVAL, with log-odds"}, at(&R::reasons_for)),
        c({"REASONS_AGAINST", "", "meta.note", "A", "against it, for RIVAL, with log-odds"},
          at(&R::reasons_against)),
    }};
}

Table<QuarantineRow> quarantine_table() {
    using R = QuarantineRow;
    const auto c = [](ColumnText text, auto cell) { return column<R>(text, cell); };
    return {"QUARANTINE", {
        c({"SRCID", "", "meta.id.parent", "A", "source, blank where not known"}, at(&R::source_id)),
        c({"INPUT", "", "meta.id;meta.file", "A", "file"}, at(&R::input)),
        c({"STAGE", "", "meta.code", "A", "ingest, search, variability or fit"}, at(&R::stage)),
        c({"CODE", "", "meta.code.error", "A", "reason, a stable code"}, at(&R::code)),
        c({"MESSAGE", "", "meta.note", "A", "what happened, why, what to do"}, at(&R::message)),
    }};
}

Table<KeyValueRow> provenance_table() {
    using R = KeyValueRow;
    const auto c = [](ColumnText text, auto cell) { return column<R>(text, cell); };
    return {"PROVENANCE", {
        c({"KEY", "", "meta.id", "A", "what"}, at(&R::key)),
        c({"VALUE", "", "meta.note", "A", "value"}, at(&R::value)),
    }};
}

Table<LineRow> configuration_table() {
    return {"CONFIG", {
        column<LineRow>({"LINE", "", "meta.note", "A", "a line of the resolved configuration (TOML)"}, at(&LineRow::line)),
    }};
}
// clang-format on

std::string upper(std::string text) {
    for (char& c : text)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    return text;
}

/// A column name of letters, digits and underscores that differs from those taken whatever the case.
std::string unique_name(const std::string& wanted, std::set<std::string>& taken) {
    std::string name = fits_text(wanted).substr(0, longest_name);
    for (char& c : name)
        if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
    if (name.empty()) name = "COLUMN";
    std::string candidate = name;
    for (int i = 1; !taken.insert(upper(candidate)).second; ++i)
        candidate = name + "_LIST" + (i == 1 ? "" : std::to_string(i));
    return candidate;
}

void append_extra(Table<SourceRow>& table, const std::vector<ExtraColumn>& extra_columns) {
    std::set<std::string> taken;
    for (const auto& column : table.columns) taken.insert(upper(column.name));
    for (std::size_t i = 0; i < extra_columns.size(); ++i) {
        const ExtraColumn& extra = extra_columns[i];
        const auto [type, display] = extra.type == ExtraColumn::Type::text      ? std::pair{'A', "A"}
                                     : extra.type == ExtraColumn::Type::integer ? std::pair{'K', "I20"}
                                                                                : std::pair{'D', "G17.10"};
        Column<SourceRow> column;
        column.name = unique_name(extra.name, taken);
        column.type = type;
        column.unit = fits_text(extra.unit).substr(0, longest_unit);
        column.display = display;
        column.comment = "from the source list";
        column.cell = [i](SourceRow& row) -> Cell {
            if (row.source.extra.size() <= i) row.source.extra.resize(i + 1);
            return &row.source.extra[i];
        };
        table.columns.push_back(std::move(column));
    }
}

template <typename Integer>
void put_big_endian(Integer value, char* bytes) {
    for (std::size_t i = 0; i < sizeof value; ++i)
        bytes[i] = static_cast<char>(value >> (8 * (sizeof value - 1 - i)) & 0xffu);
}

template <typename Integer>
Integer get_big_endian(const char* bytes) {
    Integer value = 0;
    for (std::size_t i = 0; i < sizeof value; ++i)
        value = static_cast<Integer>(value << 8 | static_cast<unsigned char>(bytes[i]));
    return value;
}

void put_double(double value, char* bytes) {
    // One bit pattern for every null, so that equal results are equal bytes.
    constexpr std::uint64_t null = 0x7ff8000000000000u;
    put_big_endian(std::isfinite(value) ? std::bit_cast<std::uint64_t>(value) : null, bytes);
}

double get_double(const char* bytes) {
    return std::bit_cast<double>(get_big_endian<std::uint64_t>(bytes));
}

void put_text(const std::string& text, std::int64_t width, char* bytes) {
    const std::string ascii = fits_text(text);
    const auto n = static_cast<std::int64_t>(ascii.size());
    if (n > width) throw Error(ErrorKind::internal, "RESULTS_CHANGED", "a text outgrew its catalogue column");
    std::fill(std::copy(ascii.begin(), ascii.end(), bytes), bytes + width, ' ');
}

std::string get_text(const char* bytes, std::int64_t width) {
    std::string text(bytes, static_cast<std::size_t>(width));
    text.resize(std::min(text.find('\0'), text.size()));
    text.resize(text.find_last_not_of(' ') + 1);
    return text;
}

struct Encoder {
    const ColumnFormat& column;
    char* bytes;

    void operator()(const double* value) const { put_double(*value, bytes); }
    void operator()(const std::int32_t* value) const {
        put_big_endian(static_cast<std::uint32_t>(*value), bytes);
    }
    void operator()(const std::uint32_t* value) const { put_big_endian(*value, bytes); }
    void operator()(const std::string* value) const { put_text(*value, column.width, bytes); }
    void operator()(const bool* value) const { *bytes = *value ? 'T' : 'F'; }
    void operator()(const ProfileBins* value) const {
        for (std::size_t i = 0; i < value->size(); ++i) put_double((*value)[i], bytes + 8 * i);
    }
    void operator()(const ExtraValue* value) const {
        if (column.type == 'A') return put_text(value->null ? "" : value->text, column.width, bytes);
        if (column.type == 'D') return put_double(value->null ? not_measured : value->real, bytes);
        put_big_endian(static_cast<std::uint64_t>(value->null ? null_integer : value->integer), bytes);
    }
};

struct Decoder {
    const ColumnFormat& column;
    const char* bytes;

    void operator()(double* value) const { *value = get_double(bytes); }
    void operator()(std::int32_t* value) const {
        *value = static_cast<std::int32_t>(get_big_endian<std::uint32_t>(bytes));
    }
    void operator()(std::uint32_t* value) const { *value = get_big_endian<std::uint32_t>(bytes); }
    void operator()(std::string* value) const { *value = get_text(bytes, column.width); }
    void operator()(bool* value) const { *value = *bytes == 'T'; }
    void operator()(ProfileBins* value) const {
        for (std::size_t i = 0; i < value->size(); ++i) (*value)[i] = get_double(bytes + 8 * i);
    }
    void operator()(ExtraValue* value) const {
        *value = {};
        if (column.type == 'A') {
            value->text = get_text(bytes, column.width);
            value->null = value->text.empty();
        } else if (column.type == 'D') {
            value->real = get_double(bytes);
            value->null = std::isnan(value->real);
        } else {
            const auto stored = static_cast<std::int64_t>(get_big_endian<std::uint64_t>(bytes));
            value->null = stored == null_integer;
            if (!value->null) value->integer = stored;
        }
    }
};

std::uint32_t veto_bits(const std::string& names) {
    std::uint32_t veto = 0;
    for (std::uint32_t bit = 1; bit != 0; bit <<= 1) {
        const std::string name = veto_names(bit);
        if (!name.empty() && ('+' + names + '+').find('+' + name + '+') != std::string::npos) veto |= bit;
    }
    return veto;
}

bool same(double a, double b) {
    return a == b || (!std::isfinite(a) && !std::isfinite(b));
}

}  // namespace

std::int64_t ColumnFormat::bytes() const {
    switch (type) {
        case 'A':
            return width;
        case 'L':
            return 1;
        case 'J':
            return 4;
        default:
            return 8 * width;
    }
}

std::int64_t Layout::row_bytes() const {
    std::int64_t sum = 0;
    for (const ColumnFormat& column : columns) sum += column.bytes();
    return sum;
}

std::string fits_text(const std::string& text) {
    std::string ascii;
    for (const char c : text) {
        const auto u = static_cast<unsigned char>(c);
        if ((u & 0xc0u) == 0x80u) continue;  // continues a UTF-8 character that was replaced already
        ascii += u >= 0x7f ? '?' : u < 0x20 ? ' ' : c;
    }
    ascii.resize(ascii.find_last_not_of(' ') + 1);
    return ascii;
}

std::int64_t needed_width(Cell cell) {
    const std::string* text = nullptr;
    if (auto* const* direct = std::get_if<std::string*>(&cell)) text = *direct;
    if (auto* const* extra = std::get_if<ExtraValue*>(&cell))
        if (!(*extra)->null) text = &(*extra)->text;
    return text == nullptr ? 1
                           : std::max<std::int64_t>(1, static_cast<std::int64_t>(fits_text(*text).size()));
}

void encode(const ColumnFormat& column, Cell cell, char* bytes) {
    std::visit(Encoder{column, bytes}, cell);
}
void decode(const ColumnFormat& column, const char* bytes, Cell cell) {
    std::visit(Decoder{column, bytes}, cell);
}

SourceRow source_row(const SourceResult& result) {
    SourceRow row;
    row.source = result.source;
    row.n_exposures = result.n_exposures;
    row.n_spectra = result.n_spectra;
    row.status = result.status;
    set_period(result, row);
    row.st_log10_p = result.st_log10_p;
    // A power below 1e-300 would lose digits before it underflows.
    row.st_pvalue = result.st_log10_p < -300.0 ? 0.0 : std::pow(10.0, result.st_log10_p);
    row.character = result.character;
    if (const PulsedFractionLimit* limit = source_limit(result)) {
        row.pf_ul = limit->pf_ul;
        row.pf_ul_fmax = limit->frequency_hi;
    }
    if (result.best_fit >= 0) {
        const SpectralFit& best = result.fits.at(static_cast<std::size_t>(result.best_fit));
        row.best_model = best.model;
        row.flux = best.flux;
    }
    return row;
}

void set_period(const SourceResult& result, SourceRow& row) {
    row.flags = result.flags;
    row.n_searches = result.n_searches;
    row.log10_fap = result.log10_fap;
    row.q_value = result.q_value;
    row.period = row.period_error = not_measured;
    if (result.best_period >= 0) {
        const PeriodCandidate& best = result.candidates.at(static_cast<std::size_t>(result.best_period));
        row.period = best.period;
        row.period_error = best.period_error;
    }
    if (result.best_period >= 0 || (result.flags & source_period_withdrawn))
        row.pf_ul = row.pf_ul_fmax = not_measured;
}

PeriodRow period_row(const SourceResult& result, const PeriodCandidate& candidate) {
    return {candidate, result.source.id, veto_names(candidate.veto)};
}

LimitRow limit_row(const SourceResult& result, const PulsedFractionLimit& limit) {
    return {limit, result.source.id};
}

ProfileRow profile_row(const SourceResult& result, const PhaseProfile& profile) {
    return {profile, result.source.id};
}

ParameterRow parameter_row(const SourceResult& result, const SpectralFit& fit,
                           const FittedParameter& parameter) {
    return {parameter, result.source.id, fit.spectrum, fit.model};
}

FluxRow flux_row(const SourceResult& result, const SpectralFit& fit, const FluxEstimate& flux) {
    return {flux, result.source.id, fit.spectrum, fit.model};
}

FitRow fit_row(const SourceResult& result, const SpectralFit& fit) {
    return {fit, result.source.id};
}

PeriodCandidate candidate_of(const PeriodRow& row) {
    PeriodCandidate candidate = static_cast<const PeriodCandidate&>(row);
    candidate.veto = veto_bits(row.veto_text);
    return candidate;
}

void find_best(const SourceRow& row, SourceResult& result) {
    const auto index_of = [](const auto& items, const auto& matches) {
        const auto found = std::find_if(items.begin(), items.end(), matches);
        return found == items.end() ? -1 : static_cast<std::int32_t>(found - items.begin());
    };
    result.best_period = index_of(
        result.candidates, [](const auto& candidate) { return (candidate.flags & candidate_offered) != 0; });
    result.best_fit = row.best_model.empty() ? -1 : index_of(result.fits, [&](const auto& fit) {
        return fit.selected && fit.model == row.best_model && same(fit.flux.value, row.flux.value);
    });
}

Tables::Tables(const std::vector<ExtraColumn>& extra_columns, const Steps& steps)
    : sources(sources_table()),
      periods(periods_table()),
      limits(limits_table()),
      profiles(profiles_table()),
      fits(fits_table()),
      parameters(parameters_table()),
      fluxes(fluxes_table()),
      variability(variability_table()),
      flares(flares_table()),
      counterparts(counterparts_table()),
      classes(classes_table()),
      quarantine(quarantine_table()),
      provenance(provenance_table()),
      configuration(configuration_table()) {
    append_extra(sources, extra_columns);  // before others leave, whose names stay taken
    std::erase_if(sources.columns, [&](const auto& column) {
        const bool taken = column.step == "any"
                               ? !steps.empty()
                               : std::find(steps.begin(), steps.end(), column.step) != steps.end();
        return !column.step.empty() && !taken;
    });
}

Tables Tables::complete() {
    std::set<std::string> steps;
    for (const auto& column : sources_table().columns)
        if (!column.step.empty()) steps.insert(column.step);
    return Tables({}, {steps.begin(), steps.end()});
}

}  // namespace xsift::io::catalogue

namespace xsift::io {

std::vector<CatalogueColumn> catalogue_columns() {
    std::vector<CatalogueColumn> all;
    catalogue::Tables::complete().for_each([&](const auto& table) {
        for (const auto& column : table.columns)
            all.push_back({table.name, column.name, column.type, column.unit, column.ucd, column.display,
                           column.comment});
    });
    return all;
}

}  // namespace xsift::io
