#pragma once
// From candidate frequencies to the rows of an exposure.

#include <cstdint>
#include <vector>

#include <xsift/data/results.hpp>
#include <xsift/timing/search.hpp>

namespace xsift::refine {

/// What candidates are compared by. log10_fap; but where it is significant and the noise is as likely white,
/// the value in white noise: there the two differ by what is not known of the noise, and that is no property
/// of the signal.
inline double standing(double log10_fap, double log10_fap_white, std::uint32_t flags,
                       const timing::SearchOptions& options) {
    const bool in_white_noise = log10_fap <= options.log10_fap && (flags & candidate_red_noise) == 0;
    return in_white_noise ? log10_fap_white : log10_fap;
}
inline double standing(const PeriodCandidate& c, const timing::SearchOptions& options) {
    return standing(c.log10_fap, c.log10_fap_white, c.flags, options);
}

/// Vetoes of a frequency for what it is: too few cycles, beyond the Nyquist frequency, a multiple of the
/// frame's.
/// @param f_frame Hz; NaN: not known
std::uint32_t frequency_veto(double frequency, double f_frame, double span,
                             const timing::SearchOptions& options);

/// Ranks the frequencies by their best standing (rows of one frequency share the rank, most significant
/// first) and keeps at most options.max_candidates rows. What is kept first: the rows of the period that is
/// offered; other significant candidates; significant ones vetoed for what they are (frame aliases, few
/// cycles, above Nyquist); what is not significant; what a stronger candidate explains. Within each by
/// significance.
std::vector<PeriodCandidate> rank_rows(std::vector<std::vector<PeriodCandidate>> frequencies,
                                       const timing::SearchOptions& options);

}  // namespace xsift::refine
