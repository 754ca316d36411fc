#pragma once
// From candidate frequencies to the rows of an exposure.

#include <vector>

#include <xsift/data/results.hpp>
#include <xsift/timing/search.hpp>

namespace xsift::refine {

/// Ranks the frequencies by their best log10_fap (rows of one frequency share the rank, most significant
/// first) and keeps at most options.max_candidates rows. What is kept first: the rows of the period that is
/// offered; other significant candidates; significant ones vetoed for what they are (frame aliases, few
/// cycles, above Nyquist); what is not significant; what a stronger candidate explains. Within each by
/// significance.
std::vector<PeriodCandidate> rank_rows(std::vector<std::vector<PeriodCandidate>> frequencies,
                                       const timing::SearchOptions& options);

}  // namespace xsift::refine
