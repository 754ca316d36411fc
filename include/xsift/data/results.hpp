#pragma once
/// @file
/// What a run finds: period candidates, spectral fits, quarantined inputs. NaN means "not measured".

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <xsift/data/characterisation.hpp>
#include <xsift/data/estimate.hpp>
#include <xsift/data/events.hpp>
#include <xsift/data/source.hpp>
#include <xsift/data/spectrum.hpp>

namespace xsift {

/// Everything of one source, as a batch carries it.
struct SourceData {
    Source source;
    std::vector<EventList> events;
    std::vector<LightCurve> light_curves;
    std::vector<Spectrum> spectra;
};

/// Why a candidate is not offered as a period. Bits; VETO of the catalogue holds their names.
enum VetoBit : std::uint32_t {
    veto_frame_alias = 1u << 0,    ///< m f_frame +- k f0
    veto_harmonic = 1u << 1,       ///< harmonic or subharmonic of a stronger candidate
    veto_few_cycles = 1u << 2,     ///< fewer than the configured number of cycles in the exposure
    veto_window = 1u << 3,         ///< at a frequency of the GTI window
    veto_above_nyquist = 1u << 4,  ///< above the Nyquist frequency of the frame time
    veto_shared = 1u << 5,         ///< many sources of the observation show the same frequency
};

/// Names of the set bits joined by '+', or "" when none is set.
std::string veto_names(std::uint32_t veto);

/// What can be said against a candidate. Bits; FLAGS of PERIODS.
enum CandidateFlag : std::uint32_t {
    candidate_not_barycentred = 1u << 0,
    candidate_frame_time_unknown = 1u << 1,
    candidate_half_period_possible = 1u << 2,  ///< more harmonics point to another fundamental
    candidate_unresolved_error = 1u << 3,      ///< the frequency error could not be measured
    candidate_red_noise = 1u << 4,             ///< the noise around it is more likely red than white
    candidate_weighted = 1u << 8,              ///< photon weights were used
    candidate_few_counts_per_bin =
        1u << 9,  ///< fewer than 5 counts expected in a phase bin: chi2 is approximate
    candidate_one_instrument_only =
        1u << 10,                       ///< another instrument that could have seen it at the time does not
    candidate_offered = 1u << 11,       ///< the period offered for the source
    candidate_simulated = 1u << 12,     ///< LOG10_FAP from simulated constant sources, all statistics
    candidate_extrapolated = 1u << 13,  ///< more improbable than all of these: from their tail
    candidate_fraction_of_all = 1u << 16,     ///< background not known: pulsed fraction of all counts
    candidate_fraction_above_one = 1u << 17,  ///< PF_HI exceeds 1: no sinusoid is that deep
    candidate_fraction_dead_time = 1u << 18,  ///< the pulsed fraction is corrected for dead time
    candidate_geocentre = 1u << 24,           ///< barycentred as if observed from the Earth's centre
};

/// A period candidate of one exposure.
struct PeriodCandidate {
    std::string exposure;  ///< file of the exposure; "joint": all event lists of the source
    std::string instrument;
    std::string obs_id;          ///< of the exposure; of several, joined by '+'
    double span = not_measured;  ///< s, T: frequencies nearer than 1/T are the same
    std::int32_t rank = 0;       ///< 1 is the strongest of its exposure, vetoed ones included
    std::string method;          ///< Z2, H, GLS, EF
    std::int32_t n_harmonics = 0;
    double frequency = not_measured;        ///< Hz
    double frequency_error = not_measured;  ///< Hz, 1 sigma
    double fdot = not_measured,
           fdot_error = not_measured;       ///< Hz/s; null: the frequency is taken as constant
    double epoch = not_measured;            ///< MJD at which frequency holds, with fdot
    double period = not_measured;           ///< s
    double period_error = not_measured;     ///< s, 1 sigma
    double statistic = not_measured;        ///< recomputed in double from the photons
    double log10_p_single = not_measured;   ///< single trial
    double n_trials = not_measured;         ///< effective number of independent trials
    double log10_fap = not_measured;        ///< over all trials: the larger of the next two
    double log10_fap_white = not_measured;  ///< in white noise
    double log10_fap_local = not_measured;  ///< in noise of the local level
    double noise_level = not_measured;      ///< local noise over white noise at the frequency, >= 1
    /// sqrt(2 lambda / N) of the harmonics of the statistic: semi-amplitude over mean for a sinusoid; with
    /// the ends of its interval
    double pulsed_fraction = not_measured, pf_lo = not_measured, pf_hi = not_measured;
    std::uint32_t veto = 0;   ///< VetoBit bits
    std::uint32_t flags = 0;  ///< CandidateFlag bits
};

/// What can be said about an upper limit. Bits; FLAGS of PF_LIMITS.
enum LimitFlag : std::uint32_t {
    limit_unconstraining = 1u << 0,      ///< PF_UL exceeds 1: any sinusoid is possible
    limit_of_all = 1u << 1,              ///< background not known: of all counts
    limit_vetoed = 1u << 2,              ///< the maximum is a significant candidate that was vetoed
    limit_frame_time_unknown = 1u << 3,  ///< not corrected for the frame time
    limit_dead_time = 1u << 4,           ///< corrected for dead time
};

/// Upper limit on the pulsed fraction of one exposure in a band of frequencies.
struct PulsedFractionLimit {
    std::string exposure, instrument, method;
    std::int32_t n_harmonics = 0;
    double frequency_lo = not_measured, frequency_hi = not_measured;  ///< Hz, the band
    double frequency = not_measured;                                  ///< Hz, where the statistic is highest
    double statistic = not_measured;                                  ///< there, in double
    double n_photons = not_measured;  ///< (sum w)^2 / sum w^2; NaN for light curves
    double pf_ul = not_measured;
    std::uint32_t flags = 0;  ///< LimitFlag bits
};

/// Bins of a folded profile.
inline constexpr std::size_t profile_bins = 32;
using ProfileBins = std::array<double, profile_bins>;

/// The folded profile of an event list; bin b holds the phases f t mod 1 from b/32 to (b + 1)/32.
struct PhaseProfile {
    std::string exposure, instrument;
    double frequency = not_measured;  ///< Hz
    double epoch = not_measured;      ///< MJD of phase 0 in the time system of the exposure
    ProfileBins counts{};             ///< sum of the weights where there are some
    ProfileBins exposure_time{};      ///< s, exact from the good time intervals
    ProfileBins rate{};               ///< count/s; NaN without exposure
    ProfileBins rate_error{};         ///< count/s: sqrt(counts), that of one count in an empty bin
};

/// What can be said against a fit. Bits; FLAGS of SPECTRAL_FITS (SpectrumFlag bits are shifted by 16).
enum FitFlag : std::uint32_t {
    fit_not_converged = 1u << 0,
    fit_nh_unconstrained = 1u << 1,
    fit_parameter_unconstrained = 1u << 2,  ///< kT, photon index or another parameter besides nH and norms
    fit_norm_unconstrained = 1u << 3,
    fit_nh_at_bound = 1u << 4,
    fit_parameter_at_bound = 1u << 5,
    fit_no_degrees_of_freedom = 1u << 6,
    fit_covariance_singular = 1u << 7,
    fit_flux_unconstrained = 1u << 8,
    fit_degenerate = 1u << 9,  ///< two parameters follow each other
    fit_beyond_table =
        1u << 10,  ///< energies of the fit or of the flux band lie outside those of a table model
    fit_factor_unconstrained = 1u << 11,  ///< joint fit: the factor of a spectrum is unconstrained
    fit_not_refined = 1u << 12,     ///< it cannot be the model offered: intervals are those of the covariance
    fit_several_minima = 1u << 13,  ///< an interval spans further minima of nearly the same statistic
    fit_credible = 1u << 14,        ///< intervals are credible ones, from the posterior
};
inline constexpr int fit_flag_spectrum_shift = 16;

/// What is known of a fitted parameter. Bits; FLAGS of PARAMETERS.
enum ParameterFlag : std::uint32_t {
    parameter_frozen = 1u << 0,
    parameter_tied = 1u << 1,            ///< takes the value of another parameter
    parameter_at_bound = 1u << 2,        ///< the best fit lies at a limit
    parameter_unconstrained = 1u << 3,   ///< the interval reaches a limit or the relative error exceeds 1
    parameter_no_lower_end = 1u << 4,    ///< the interval's lower end is the limit: an upper limit
    parameter_no_upper_end = 1u << 5,    ///< the interval's upper end is the limit: a lower limit
    parameter_degenerate = 1u << 6,      ///< follows another parameter (correlation above 0.99)
    parameter_not_profiled = 1u << 7,    ///< the interval is that of the covariance
    parameter_several_minima = 1u << 8,  ///< the interval spans further minima of nearly the same statistic
    parameter_credible = 1u << 9,        ///< the interval is a credible one, from the posterior
};

/// Values refitted to spectra simulated from the fit: the quantiles of 50% and of the ends of the interval.
struct Bootstrap {
    double median = not_measured, lo = not_measured, hi = not_measured;
};

/// A parameter of a fitted model.
struct FittedParameter {
    std::string component;  ///< tbabs, apec2; of a joint fit also constant for the instruments' factors
    std::string name, unit;
    Estimate estimate;
    double error = not_measured;  ///< 1 sigma from the covariance; NaN when not free
    Posterior posterior;
    std::uint32_t flags = 0;  ///< ParameterFlag bits
    Bootstrap bootstrap;
    double unbiased = not_measured;  ///< median-unbiased estimate (root of the modified signed root)
};

/// What can be said against a flux. Bits; FLAGS of FLUXES.
enum FluxFlag : std::uint32_t {
    flux_no_lower_end = 1u << 0,             ///< absorbed flux: an upper limit, the lower end is 0
    flux_no_upper_end = 1u << 1,             ///< absorbed flux: a lower limit
    flux_unabsorbed_no_lower_end = 1u << 2,  ///< unabsorbed flux: an upper limit, the lower end is 0
    flux_unabsorbed_no_upper_end = 1u << 3,  ///< unabsorbed flux: a lower limit
    flux_not_profiled = 1u << 4,             ///< an interval is that of the covariance
    flux_credible = 1u << 5,                 ///< intervals are credible ones, from the posterior
};

/// Fluxes of a fitted model in one band.
struct FluxEstimate {
    double band_lo = not_measured, band_hi = not_measured;  ///< keV
    Estimate absorbed, unabsorbed;                          ///< erg/cm2/s
    double absorbed_error = not_measured,
           unabsorbed_error = not_measured;  ///< erg/cm2/s, 1 sigma from the covariance
    std::uint32_t flags = 0;                 ///< FluxFlag bits
};

/// A fit of one model to one spectrum, or to several at once.
struct SpectralFit {
    std::string spectrum;        ///< file of the spectrum; of several, joined by '+'
    std::int32_t n_spectra = 1;  ///< fitted at once
    std::string instrument;
    std::string model;           ///< as tbabs*powerlaw
    std::string statistic;       ///< wstat, cstat, chi2-data, chi2-gehrels, chi2-churazov or chi2-model
    std::string statistic_rule;  ///< why this one: DEFAULT, ASKED, FEW_COUNTS, FEW_COUNTS_A_BIN
    double stat = not_measured;
    std::int32_t n_bins = 0;
    std::int32_t dof = 0;                ///< n_bins - free parameters
    double reduced = not_measured;       ///< stat/dof; NaN when dof <= 0
    double gof_expected = not_measured;  ///< STAT expected when the model is right, less the free parameters
    double gof_sigma = not_measured;     ///< (stat - expected) / its standard deviation; large: a poor fit
    double gof_probability = not_measured;  ///< P(a statistic as large) when the model is right
    double gof_rough = not_measured;        ///< (stat - n_bins) / sqrt(2 n_bins): the rule of thumb
    double null_prob = not_measured;        ///< P(chi2 > stat) of dof; NaN when not chi2 or dof <= 0
    double gof_pvalue = not_measured;       ///< share of simulations of the fit with a statistic as large
    double aicc = not_measured, bic = not_measured;
    double log_evidence = not_measured;       ///< ln of the evidence over that of stat = 0, under the priors
    double model_probability = not_measured;  ///< among the models of the same spectra, equal before
    std::string choice;  ///< why selected or not: SELECTED, HIGHER_AICC, OTHER_SPECTRUM, or what disqualifies
    Estimate nh;         ///< 1e22 cm^-2
    Estimate kt;         ///< keV, of the first component that has one
    Estimate gamma;      ///< photon index of the first component that has one
    Estimate kt2;        ///< keV, of the second component that has one
    Estimate abundance;  ///< of apec, relative to its table's solar abundances
    Estimate norm;       ///< XSPEC's norm of the first additive component
    Estimate norm2;      ///< of the second one
    Estimate flux;       ///< erg/cm2/s, absorbed, flux band
    Estimate flux_unabsorbed;  ///< erg/cm2/s, flux band
    bool selected = false;     ///< the model reported in SOURCES
    std::uint32_t flags = 0;   ///< FitFlag bits, and SpectrumFlag bits << fit_flag_spectrum_shift
    std::vector<FittedParameter> parameters;  ///< all of the model, in its order
    std::vector<FluxEstimate> fluxes;         ///< a band; the flux band first
};

/// An input or source that ended without a result, and why.
struct QuarantineRow {
    std::string source_id;  ///< may be empty: the file could not be assigned
    std::string input;      ///< file
    std::string stage;      ///< ingest, search, fit
    std::string code;       ///< stable code, e.g. NO_RESPONSE
    std::string message;    ///< what, why, what to do
};

/// What can be said against a variability test. Bits; FLAGS of VARIABILITY.
enum VariabilityFlag : std::uint32_t {
    variability_background_included = 1u << 0,  ///< events: a flare of the background is one of the source
    variability_no_gti = 1u << 1,               ///< the first and last event were taken for the good time
    variability_few_counts = 1u << 2,           ///< too few counts for chi2 and excess variance
    variability_unit_guessed = 1u << 3,  ///< light curve: errors do not follow counts; taken as they are
};

/// Short-term variability of one exposure.
struct Variability {
    std::string exposure;  ///< file
    std::string instrument;
    double counts = not_measured;        ///< events, or effective counts of a light curve
    double good_time = not_measured;     ///< s
    double rate = not_measured;          ///< count/s, mean
    double ks = not_measured;            ///< largest distance of the distributions
    double log10_p_ks = not_measured;    ///< constant rate, Kolmogorov-Smirnov
    double chi2 = not_measured;          ///< of the binned rate against a constant one
    std::int32_t chi2_dof = 0;           ///< bins - 1
    double bin_width = not_measured;     ///< s of good time a bin of chi2 and the excess variance
    double log10_p_chi2 = not_measured;  ///< constant rate, chi2
    double excess_variance = not_measured, excess_variance_error = not_measured;  ///< (S2 - <err2>)/mean2
    double fvar = not_measured, fvar_error = not_measured;  ///< its root; not measured when negative
    std::int32_t n_blocks = 0;                              ///< Bayesian blocks
    double rate_lo = not_measured, rate_hi = not_measured;  ///< lowest and highest block, count/s
    std::int32_t n_flares = 0;
    std::uint32_t flags = 0;  ///< VariabilityFlag bits
};

/// What can be said against a flare. Bits; FLAGS of FLARES.
enum FlareFlag : std::uint32_t {
    flare_starts_before = 1u << 0,  ///< the exposure begins inside it
    flare_ends_after = 1u << 1,     ///< the exposure ends inside it
};

/// A flare: times are of the file (s since its MJDREF), barycentred where they were.
struct Flare {
    std::string exposure;
    std::string instrument;
    double start = not_measured, peak = not_measured, stop = not_measured;  ///< s
    double rise = not_measured, duration = not_measured;                    ///< s
    double peak_rate = not_measured, peak_rate_error = not_measured;        ///< count/s, 1 sigma
    double quiescent_rate = not_measured;                                   ///< count/s
    double excess_counts = not_measured;                                    ///< above the quiescent rate
    std::uint32_t flags = 0;                                                ///< FlareFlag bits
};

/// What can be said against a source's result. Bits; FLAGS of SOURCES.
enum SourceFlag : std::uint32_t {
    source_not_barycentred = 1u << 0,       ///< the period offered comes from times that are not barycentred
    source_vetoed_stronger = 1u << 1,       ///< a vetoed candidate is stronger than the period offered
    source_fit_unconstrained = 1u << 2,     ///< the model offered has an unconstrained parameter
    source_response_substituted = 1u << 3,  ///< a spectrum was fitted with a substituted response
    source_inputs_quarantined = 1u << 4,    ///< some of its inputs are in QUARANTINE
    source_period_withdrawn = 1u << 5,      ///< a period is vetoed because other sources show it too
};

/// Outcome of one source.
struct SourceResult {
    Source source;
    std::int32_t n_exposures = 0;  ///< event lists and light curves
    std::int32_t n_spectra = 0;    ///< spectra with a response
    std::string status;            ///< ok, partial (some inputs quarantined), no_data (nothing usable)
    std::int32_t best_period =
        -1;  ///< index in candidates of the period offered: not vetoed and significant; or -1
    std::int32_t best_fit = -1;        ///< index in fits of the model offered; or -1
    std::uint32_t flags = 0;           ///< SourceFlag bits
    double n_searches = not_measured;  ///< effective number of independent statistics x exposures searched
    double log10_fap = not_measured;   ///< of the strongest candidate that is not vetoed, over all of these
    double q_value = not_measured;     ///< Benjamini-Hochberg over a whole catalogue
    double st_log10_p = not_measured;  ///< constant rate within the exposures, all tests
    std::vector<PeriodCandidate> candidates;
    std::vector<PulsedFractionLimit>
        limits;                          ///< of exposures without a period; the whole range, then its bands
    std::vector<PhaseProfile> profiles;  ///< of the period offered
    std::vector<SpectralFit> fits;
    std::vector<Variability> variability;
    std::vector<Flare> flares;
    std::vector<QuarantineRow> quarantine;
    Characterisation character;
};

/// The limit that stands for the source: over the whole range of the exposure with the most photons (chosen
/// by what does not depend on the outcome); null when a period is offered, was withdrawn, or nothing was
/// searched.
const PulsedFractionLimit* source_limit(const SourceResult& result);

}  // namespace xsift
