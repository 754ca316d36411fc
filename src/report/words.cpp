#include "sections.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace xsift::report {

std::string words_of(std::uint32_t flags,
                     std::initializer_list<std::pair<std::uint32_t, const char*>> words) {
    std::string out;
    for (const auto& [bit, text] : words)
        if (flags & bit) out += (out.empty() ? "" : "; ") + std::string(text);
    return out;
}

const PeriodCandidate* offered_period(const SourceResult& result) {
    return result.best_period < 0 ? nullptr
                                  : &result.candidates[static_cast<std::size_t>(result.best_period)];
}

const SpectralFit* offered_fit(const SourceResult& result) {
    return result.best_fit < 0 ? nullptr : &result.fits[static_cast<std::size_t>(result.best_fit)];
}

std::string statistic_name(const std::string& method, int harmonics) {
    if (method == "Z2") return fmt::format("Z² ({} harmonic{})", harmonics, harmonics == 1 ? "" : "s");
    if (method == "H") return "H";
    if (method == "GLS")
        return harmonics == 1 ? "Lomb-Scargle" : fmt::format("Lomb-Scargle ({} harmonics)", harmonics);
    if (method == "EF") return fmt::format("χ² of {} phase bins", harmonics);
    return method;
}

std::string chance(double log10_p) {
    if (std::isnan(log10_p)) return "–";
    if (log10_p > -3.0) return pretty(std::pow(10.0, log10_p), 2);
    // Rounded towards the less certain.
    return power_of_ten(static_cast<int>(std::ceil(std::max(log10_p, -1e6))));
}

std::string veto_words(std::uint32_t veto) {
    return words_of(veto, {{veto_frame_alias, "alias of the read-out frame"},
                           {veto_harmonic, "harmonic of a stronger candidate"},
                           {veto_few_cycles, "too few cycles in the exposure"},
                           {veto_window, "frequency of the gaps"},
                           {veto_above_nyquist, "above the Nyquist frequency"}});
}

std::string candidate_words(std::uint32_t flags) {
    return words_of(flags, {{candidate_not_barycentred, "times not barycentred"},
                            {candidate_frame_time_unknown, "frame time unknown: aliases not vetoed"},
                            {candidate_half_period_possible, "another fundamental is possible"},
                            {candidate_unresolved_error, "frequency error not measured"},
                            {candidate_red_noise, "red noise around it"},
                            {candidate_few_counts_per_bin, "few counts a phase bin"},
                            {candidate_one_instrument_only, "another instrument does not see it"},
                            {candidate_fraction_of_all, "pulsed fraction of all counts, background included"},
                            {candidate_fraction_above_one, "pulsed fraction may exceed 1: no sinusoid"},
                            {candidate_fraction_dead_time, "corrected for dead time"},
                            {candidate_geocentre, "barycentred as seen from the Earth's centre"}});
}

std::string fit_words(std::uint32_t flags) {
    return words_of(
        flags,
        {{fit_not_converged, "did not converge"},
         {fit_nh_unconstrained, "nH unconstrained"},
         {fit_parameter_unconstrained, "a parameter unconstrained"},
         {fit_norm_unconstrained, "a norm unconstrained"},
         {fit_nh_at_bound, "nH at its limit"},
         {fit_parameter_at_bound, "a parameter at its limit"},
         {fit_no_degrees_of_freedom, "no degrees of freedom"},
         {fit_covariance_singular, "covariance singular"},
         {fit_flux_unconstrained, "flux unconstrained"},
         {fit_degenerate, "two parameters follow each other"},
         {fit_beyond_table, "beyond the table model's energies"},
         {fit_factor_unconstrained, "a spectrum's factor unconstrained"},
         {fit_not_refined, "not refined: intervals of the covariance"},
         {fit_several_minima, "an interval spans several minima"},
         {fit_credible, "credible intervals from the posterior"},
         {std::uint32_t{spectrum_response_substituted} << fit_flag_spectrum_shift, "response substituted"},
         {std::uint32_t{spectrum_no_background} << fit_flag_spectrum_shift, "no background spectrum"},
         {std::uint32_t{spectrum_no_arf} << fit_flag_spectrum_shift, "no effective area file"},
         {std::uint32_t{spectrum_background_mostly_empty} << fit_flag_spectrum_shift,
          "background mostly empty: W-stat biased"},
         {std::uint32_t{spectrum_arf_interpolated} << fit_flag_spectrum_shift,
          "effective area interpolated"}});
}

std::string class_words(const std::string& name) {
    for (const auto& [code, words] :
         {std::pair{"AGN", "an active galactic nucleus"}, std::pair{"CV", "a cataclysmic variable"},
          std::pair{"HM-STAR", "a high-mass star"}, std::pair{"LM-STAR", "a low-mass star"},
          std::pair{"STAR", "a star"}, std::pair{"YSO", "a young stellar object"},
          std::pair{"NS", "a neutron star"}, std::pair{"HMXB", "a high-mass X-ray binary"},
          std::pair{"LMXB", "a low-mass X-ray binary"}, std::pair{"XRB", "an X-ray binary"}})
        if (name == code) return words;
    return name;
}

}  // namespace xsift::report
