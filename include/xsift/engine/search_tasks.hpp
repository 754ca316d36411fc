#pragma once
/// @file
/// What all backends of the period search share: preparing tasks, keeping peaks.

#include <cstdint>
#include <vector>

#include <xsift/engine/period_search.hpp>
#include <xsift/timing/phase.hpp>

namespace xsift::engine {

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

/// The statistics of a task, in order. @throws Error (internal, "SEARCH_TASK") when a fit has too many terms.
std::vector<timing::Statistic> statistics_of(const LightCurveTask& task);

/// An event task in the form that engines compute with.
struct PreparedEvents {
    explicit PreparedEvents(const EventTask& task);

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

/// Strongest first; of equals, the lower index first.
bool stronger(const timing::Peak& a, const timing::Peak& b);

/// The strongest peaks seen so far.
class PeakList {
  public:
    explicit PeakList(int capacity) : capacity_(static_cast<std::size_t>(capacity > 0 ? capacity : 0)) {}
    /// Values at or below this cannot enter.
    double threshold() const;
    void add(const timing::Peak& peak);
    void add(const PeakList& other);
    /// Strongest first.
    std::vector<timing::Peak> sorted() const;

  private:
    std::size_t capacity_;
    std::vector<timing::Peak> heap_;
};

}  // namespace xsift::engine
