#pragma once
/// @file
/// What all backends of the period search share: preparing tasks, keeping peaks.

#include <algorithm>
#include <cstdint>
#include <vector>

#include <xsift/core/parallel.hpp>
#include <xsift/engine/period_search.hpp>
#include <xsift/timing/phase.hpp>

namespace xsift::engine {

/// Peaks nearer than this to a stronger trial are dropped, Hz. @param span of the times, s
double peak_separation(double span);

/// Trials on either side that a peak must not be exceeded by: those nearer than the separation, at least one.
std::int64_t peak_halo(const timing::FrequencyGrid& grid, double min_separation);

/// Phase advance of each time per grid step.
std::vector<timing::FixedPhase> phase_steps(std::span<const double> time, double df);

/// Last grid index whose k-th harmonic is used: the fundamental always, the others up to harmonic_fmax.
XSIFT_HD inline std::int64_t last_harmonic_index(double harmonic_fmax, double df, int k) {
    const double limit = harmonic_fmax / (k * df);
    return k > 1 && limit < 9e18 ? static_cast<std::int64_t>(limit) : std::int64_t{9'000'000'000'000'000'000};
}

/// Most harmonics that the statistics of a task need.
int max_harmonics(const EventTask& task);
int max_harmonics(const LightCurveTask& task);

/// Whether a composite task is one event list whose frequencies drift: nothing is folded, nothing added up.
bool drifts_alone(const CompositeTask& task);
/// Such a task at a constant frequency.
EventTask event_task(const CompositeTask& task);

/// The statistics of a task, in order. @throws Error (internal, "SEARCH_TASK") when a fit has too many terms.
std::vector<timing::Statistic> statistics_of(const LightCurveTask& task);

/// The frequency below which the window of the GTIs of a task is subtracted, Hz, given the sums of its
/// weights and of their squares.
double window_fmax(const EventTask& task, double sum_w, double sum_w2);

/// An event task in the form that engines compute with.
struct PreparedEvents {
    /// @param pool shares the work of long lists; null: the calling thread does it
    explicit PreparedEvents(const EventTask& task, const ThreadPool* pool = nullptr);

    std::vector<timing::FixedPhase> step;
    double sum_w = 0.0, sum_w2 = 0.0;
    double window_fmax = 0.0;  ///< the GTI window is subtracted below this, Hz
    int harmonics = 0;
};

/// A light-curve task in the form that engines compute with: normalised weights, values centred and scaled to
/// unit variance, so that single precision is enough.
struct PreparedLightCurve {
    explicit PreparedLightCurve(const LightCurveTask& task);

    std::vector<timing::FixedPhase> step;
    std::vector<float> weight, weighted_value;
};

/// Band of a trial: the last whose edge is not above it; -1 or `bands` outside of all.
XSIFT_HD inline int band_of(std::int64_t trial, const std::int64_t* edges, int bands) {
    int low = 0, high = bands + 1;  // the first edge above the trial is in [low, high]
    while (low < high) {
        const int middle = (low + high) / 2;
        if (edges[middle] <= trial)
            low = middle + 1;
        else
            high = middle;
    }
    return low - 1;
}

/// Strongest first; of equals, the lower index first.
bool stronger(const timing::Peak& a, const timing::Peak& b);

/// The strongest peaks seen so far; in which order they come does not matter.
class PeakList {
  public:
    /// @param floor peaks not above this are of no interest
    explicit PeakList(int capacity, double floor = 0.0)
        : capacity_(static_cast<std::size_t>(capacity > 0 ? capacity : 0)), floor_(floor) {}
    /// Values below this cannot enter, nor can those at this whose index is above all seen.
    double threshold() const;
    void add(const timing::Peak& peak);
    void add(const PeakList& other);
    /// Strongest first.
    std::vector<timing::Peak> sorted() const;

  private:
    std::size_t capacity_;
    double floor_;
    std::vector<timing::Peak> heap_;
};

/// Trials kept a band: the highest, and others that the screening may not tell from it.
inline constexpr int band_depth = 4;

/// The highest trials of each band.
class BandMaxima {
  public:
    /// @param edges must outlive it
    explicit BandMaxima(std::span<const std::int64_t> edges)
        : edges_(edges),
          bands_(edges.size() < 2 ? 0 : static_cast<int>(edges.size()) - 1),
          maxima_(static_cast<std::size_t>(bands_) * band_depth) {}
    bool empty() const { return bands_ == 0; }
    /// As band_of; pages ask for hundreds of bands.
    int band(std::int64_t trial) const {
        return static_cast<int>(std::upper_bound(edges_.begin(), edges_.end(), trial) - edges_.begin()) - 1;
    }
    bool is_band(int band) const { return band >= 0 && band < bands_; }
    /// Values below this cannot enter a band; those at 0 never do.
    double threshold(int band) const {
        const double own = maxima_[static_cast<std::size_t>(band + 1) * band_depth - 1].value;
        return floor_.empty() ? own : std::max(own, floor_[static_cast<std::size_t>(band)]);
    }
    /// An empty one, in which what this one would not take is of no interest either.
    BandMaxima above() const;
    /// Offers a trial of a band.
    void add(int band, std::int64_t trial, double value);
    void add(const BandMaxima& other);
    /// With frequencies, a list a band; `harmonics` are those of the statistic.
    std::vector<std::vector<timing::Peak>> peaks(const timing::FrequencyGrid& grid, int harmonics) const;

  private:
    std::span<const std::int64_t> edges_;
    int bands_;
    std::vector<timing::Peak> maxima_;  ///< bands x depth, strongest first; value 0: none
    std::vector<double> floor_;         ///< of each band; empty: none
};

}  // namespace xsift::engine
