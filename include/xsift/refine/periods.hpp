#pragma once
/// @file
/// From screened peaks to period candidates: recomputed in double from the photons, with errors, significance, vetoes.

#include <span>
#include <vector>

#include <xsift/data/results.hpp>
#include <xsift/timing/search.hpp>

namespace xsift::refine {

/// Polishes the peaks of all statistics of one exposure, merges those that are the same frequency, vetoes aliases,
/// ranks by log10_fap (rank 1 first). At most options.max_candidates rows; vetoed ones are kept as rows.
std::vector<PeriodCandidate> polish_events(const EventList& events, const timing::FrequencyGrid& grid,
                                           std::span<const timing::StatisticPeaks> found,
                                           const timing::SearchOptions& options);
std::vector<PeriodCandidate> polish_light_curve(const LightCurve& curve, const timing::FrequencyGrid& grid,
                                                std::span<const timing::StatisticPeaks> found,
                                                const timing::SearchOptions& options);

/// Index of the candidate to offer as the source's period: not vetoed, log10_fap <= options.log10_fap, lowest
/// log10_fap; -1 when there is none.
int select_period(std::span<const PeriodCandidate> candidates, const timing::SearchOptions& options);

}  // namespace xsift::refine
