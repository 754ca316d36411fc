#pragma once
/// @file
/// Candidates of the searches beyond one statistic of one exposure at a constant frequency: drifting
/// frequencies, epoch folding, several exposures together.

#include <span>
#include <vector>

#include <xsift/data/results.hpp>
#include <xsift/timing/drift.hpp>
#include <xsift/timing/search.hpp>
#include <xsift/timing/trials.hpp>

namespace xsift::refine {

/// A screened peak.
struct CompositeStart {
    timing::Statistic statistic;
    double frequency = 0.0;
    double fdot = 0.0;  ///< Hz/s
};

/// Trials of the drift of an exposure: none (half = 0) unless options ask for it; steps so fine that the
/// largest n of Z2_n loses at most options.coherence_loss of its power halfway between two
/// (timing::drift_step).
/// @throws Error (input, "GRID_TOO_LARGE") when frequencies times drifts exceed options.max_trials; (usage,
/// "BAD_SETTING") when both kinds of drift are asked for.
timing::DriftGrid make_drift(const EventList& events, const timing::FrequencyGrid& grid,
                             const timing::SearchOptions& options);

/// Adds the rows of an exposure's drifting and folded candidates to those of its search at constant
/// frequency, and ranks them together.
///
/// Drifting: frequency and derivative at the epoch EventList::time = 0, both at the maximum of Z2_n (Newton
/// steps in double), errors from its curvature; the trials count the drifts. Only derivatives that differ
/// from 0 by more than 3 sigma make a row: others are what the search at constant frequency lists. A weaker
/// row of that search within the frequencies that the drift covers is vetoed as harmonic. Folded: METHOD EF,
/// NHARM the bins, the maximum of chi2, chi2 with (used bins - 1) degrees of freedom. Both: the statistic's
/// probability is that of its value divided by the local noise level, the median of Z2_n between half and
/// twice the frequency over that of white noise (at least 1); vetoes as those of a row at the same frequency,
/// few cycles, above Nyquist, near a multiple of the frame frequency, harmonically related to a stronger row.
std::vector<PeriodCandidate> add_composite_rows(const EventList& events, const timing::FrequencyGrid& grid,
                                                const timing::DriftGrid& drift,
                                                std::span<const CompositeStart> found,
                                                std::vector<PeriodCandidate> rows,
                                                const timing::SearchOptions& options);

/// Event lists as one: photons of overlapping exposures of one time frame stand together (phase-connected),
/// those of others apart; statistics are summed over these groups.
struct JointGroup {
    std::vector<double> time;                           ///< s, from the middle of the group
    std::vector<float> weight;                          ///< empty: all 1
    std::vector<double> gti_start, gti_stop, gti_rate;  ///< rate: photons/s of the list of each interval
    double confirmable = 0.0;                           ///< Hz, lowest Nyquist frequency of its lists
};

/// Exposures that overlap for at least half of the shorter one are phase-connected when their times are of
/// one reference, system and place. The lists must outlive nothing: photons are copied.
std::vector<JointGroup> joint_groups(std::span<const EventList* const> lists);

/// Grid of a joint search: steps by the longest exposure, up to the lowest end of the lists' own grids (above
/// it a period shows in fewer of them: see their own rows). Empty when the ranges do not overlap.
/// @throws Error as timing::make_grid.
timing::FrequencyGrid joint_grid(std::span<const EventList* const> lists,
                                 const timing::SearchOptions& options);

/// What a joint search runs over: the mean of its lists, in so many groups.
timing::SearchExtent joint_extent(std::span<const EventList* const> lists, const timing::FrequencyGrid& grid,
                                  int groups);

/// Rows with EXPOSURE "joint": the sum of Z2_n over g groups, chi2 with 2 n g degrees of freedom, for the
/// offered frequency of every n searched. Vetoes and noise level as add_composite_rows; `single` are the rows
/// of the exposures.
std::vector<PeriodCandidate> joint_rows(std::span<const EventList* const> lists,
                                        std::span<const JointGroup> groups, const timing::FrequencyGrid& grid,
                                        std::span<const CompositeStart> found,
                                        std::span<const PeriodCandidate> single,
                                        const timing::SearchOptions& options);

/// Flags candidate_one_instrument_only: significant rows without veto whose period another instrument,
/// observing at the same time, below its Nyquist frequency and with enough cycles, should show with the same
/// pulsed fraction but does not: its Z2_n stays more than 3 sigma below lambda N_B / N_A (frame times
/// considered) + 2n.
void flag_one_instrument(std::span<const EventList* const> lists, std::vector<PeriodCandidate>& rows,
                         const timing::SearchOptions& options);

}  // namespace xsift::refine
