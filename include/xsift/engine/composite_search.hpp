#pragma once
/// @file
/// Searches beyond one statistic of one exposure at a constant frequency: with drifting frequencies, over
/// several exposures at once, by epoch folding.

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include <xsift/timing/drift.hpp>
#include <xsift/timing/phase.hpp>
#include <xsift/timing/search.hpp>

namespace xsift::engine {

/// Photons that are phase-connected: one exposure, or simultaneous ones. Times in s, of drifting searches
/// from the epoch.
struct CompositeMember {
    std::span<const double> time;
    std::span<const float> weight;  ///< empty: all 1
    /// Good time intervals in the same time, and the relative rate of a constant source in each (empty: all
    /// the same).
    std::span<const double> gti_start, gti_stop, gti_rate;
    double harmonic_fmax = std::numeric_limits<double>::infinity();  ///< as of EventTask
};

/// Each statistic is summed over the members: the sum of g values of Z2_n is chi2 with 2 n g degrees of
/// freedom.
struct CompositeTask {
    std::vector<CompositeMember> members;
    timing::FrequencyGrid grid;
    timing::DriftGrid drift;
    std::vector<timing::Statistic> statistics;  ///< z2 and ef
    int max_peaks = 10;                         ///< kept a statistic
    /// Hz: peaks nearer than this to a stronger trial are dropped; among trials of the drift that differ by
    /// d, nearer than this plus |d| times half the span (1.5 / min_separation) that a drifting signal covers.
    double min_separation = 0.0;
};

/// A peak and the trial of the drift that shows it.
struct CompositePeak {
    timing::Peak peak;
    std::int64_t drift = 0;  ///< trial of the DriftGrid
};

/// Outcome of one task, one list a statistic, strongest first.
struct CompositeOutcome {
    std::vector<std::vector<CompositePeak>> peaks;
};

/// Photons of one member at one trial of the drift: phase = index * step + offset, harmonics are multiples of
/// it.
struct DriftedMember {
    DriftedMember(const CompositeMember& member, const CompositeTask& task, std::int64_t drift);

    std::vector<timing::FixedPhase> step, offset;  ///< offset: empty when there is none
};

/// Sums over the weights of a member, and where its window matters.
struct MemberSums {
    explicit MemberSums(const CompositeMember& member);
    double w = 0.0, w2 = 0.0, window_fmax = 0.0;
};

/// The peaks of all trials of the drift as one list: a signal shows at several.
std::vector<CompositePeak> merge_drift_peaks(std::vector<CompositePeak> all, const CompositeTask& task);

/// @throws Error (internal, "SEARCH_TASK") for what the engines cannot search.
void check_task(const CompositeTask& task);

/// Most harmonics of the Z2_n of a task; 0 when it has none.
int max_harmonics(const CompositeTask& task);

/// The statistics in double, by their definitions: [statistic][drift * grid.count + trial].
std::vector<std::vector<double>> oracle_periodograms(const CompositeTask& task);

}  // namespace xsift::engine
