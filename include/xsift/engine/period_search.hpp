#pragma once
/// @file
/// The periodicity-search engine: what every backend offers.

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <xsift/engine/composite_search.hpp>
#include <xsift/timing/constant_source.hpp>
#include <xsift/timing/light_curve.hpp>
#include <xsift/timing/screened_peaks.hpp>
#include <xsift/timing/search.hpp>
#include <xsift/timing/trials.hpp>
#include <xsift/timing/trigonometric_sums.hpp>

namespace xsift::engine {

/// A photon search: Z2_n and H of one event list on one grid.
struct EventTask {
    std::span<const double> time;   ///< s, any origin; best near 0
    std::span<const float> weight;  ///< empty: all 1
    timing::FrequencyGrid grid;
    std::vector<timing::Statistic> statistics;  ///< z2 and h
    int max_peaks = 10;                         ///< peaks kept a statistic
    double min_separation = 0.0;  ///< Hz: peaks nearer than this to a stronger trial are dropped
    /// Harmonics k > 1 with k f above this are left out, Hz: above the Nyquist frequency of the frame time
    /// they hold nothing but aliases.
    double harmonic_fmax = std::numeric_limits<double>::infinity();
    /// Good time intervals, s, in the time frame of `time`. When given, what a constant source would show
    /// through them is subtracted from the sums before the statistic is formed.
    std::span<const double> gti_start, gti_stop;
    /// Ascending trial numbers: band b holds the trials from band_edges[b] up to band_edges[b + 1].
    std::vector<std::int64_t> band_edges;
};

/// A floating-mean weighted Lomb-Scargle search of one light curve (Zechmeister & Kuerster 2009), with one
/// harmonic or several.
struct LightCurveTask {
    std::span<const double> time;  ///< s
    std::span<const double> value;
    std::span<const double> weight;  ///< 1/sigma^2, or all equal; need not be normalised
    timing::FrequencyGrid grid;
    int max_peaks = 10;
    double min_separation = 0.0;
    std::vector<int> terms{1};  ///< harmonics of the fits, a statistic each
    /// Harmonics k > 1 with k f above this are left out of the fit, Hz: above the Nyquist frequency of the
    /// bins they are aliases of lower ones.
    double harmonic_fmax = std::numeric_limits<double>::infinity();
    std::vector<std::int64_t> band_edges{};  ///< as in EventTask
};

/// The task of an event list; it refers to the list, which must outlive it.
EventTask make_task(const EventList& events, const timing::FrequencyGrid& grid,
                    const timing::SearchOptions& options);
/// The task of the usable bins of a light curve; it refers to them.
/// @param bin_width s; NaN or 0 when unknown: harmonics are not limited
LightCurveTask make_task(const timing::UsableBins& bins, double bin_width, const timing::FrequencyGrid& grid,
                         const timing::SearchOptions& options);

/// Trigonometric sums in double of one event list: those that the level of the noise is made from.
using timing::SumTask;

/// Outcome of one task, one entry a statistic in the order of the task.
struct SearchOutcome {
    std::vector<timing::StatisticPeaks> statistics;
};

/// Searches of simulated sources: draws of a source like the one of an event list that does not pulsate, each
/// searched as the list was. A draw depends on the list, the seed and its number alone.
struct DrawTask {
    EventTask search;           ///< of the list: every draw has its number of photons and its weights
    timing::ConstantRate rate;  ///< to memory that must outlive it
    std::uint64_t seed = 0;
    std::uint64_t first = 0;  ///< number of the first draw
    std::int64_t count = 0;   ///< draws
    timing::SearchExtent extent;
    double span = 0.0;        ///< timing::time_span() of the list, s
    int max_maxima = 1;       ///< frequencies wanted of a draw
    double log10_fap = -3.0;  ///< what is as improbable is significant
    double min_cycles = 3.0;  ///< with fewer it is no alarm
};
/// @param source that of the list; both must outlive the task
DrawTask make_task(const EventList& events, const timing::ConstantSource& source,
                   const timing::FrequencyGrid& grid, const timing::SearchOptions& options,
                   std::uint64_t seed);

/// What a draw has. Either its most significant frequencies, maximised by the engine, one entry each, when
/// only their frequencies can veto them (timing::only_frequencies_veto); or what a search gives, for a polish
/// that looks at other vetoes and local noise. An engine may always give the latter.
struct DrawOutcome {
    bool maximised = false;
    std::vector<timing::FoundMaximum> maxima;
    SearchOutcome peaks;
};

/// A backend of the periodicity search. One call takes a whole batch; the outcome of a task does not depend
/// on the others in the batch. Periodograms never leave the engine.
class PeriodSearch {
  public:
    virtual ~PeriodSearch() = default;
    /// Short name for logs and provenance, e.g. "cpu" or "cuda".
    virtual std::string name() const = 0;
    virtual std::vector<SearchOutcome> search(std::span<const EventTask> tasks) = 0;
    virtual std::vector<SearchOutcome> search(std::span<const LightCurveTask> tasks) = 0;
    virtual std::vector<CompositeOutcome> search(std::span<const CompositeTask> tasks) = 0;
    /// An outcome a draw of each task.
    virtual std::vector<std::vector<DrawOutcome>> search(std::span<const DrawTask> tasks) = 0;
    /// A sum an index of each task. The same to the last bit from call to call; those of two backends agree
    /// to the rounding of the phases.
    virtual std::vector<std::vector<timing::Complex>> sums(std::span<const SumTask> tasks) = 0;
};

}  // namespace xsift::engine
