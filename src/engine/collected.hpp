#pragma once
// What stretches of trials leave behind for one statistic.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <mutex>
#include <numeric>
#include <span>
#include <vector>

#include <xsift/engine/search_tasks.hpp>

namespace xsift::engine {

struct Collected {
    PeakList peaks;
    BandMaxima bands;
    double sum = 0.0;  ///< of the statistic over the trials
};

/// Takes what the stretches of a task find, from any thread and in any order: a stretch that begins later
/// looks at less, because it knows what there is already. The outcome is the same.
class Gathered {
  public:
    /// @param band_edges must outlive it
    Gathered(int capacity, std::span<const std::int64_t> band_edges, std::size_t stretches)
        : capacity_(capacity), peaks_(capacity), bands_(band_edges), sum_(stretches, 0.0) {}

    /// What a stretch begins with.
    Collected begin() const {
        const std::lock_guard lock(mutex_);
        // of equals the first counts, which a later stretch may hold
        const double floor = std::nextafter(peaks_.threshold(), 0.0);
        return {PeakList(capacity_, floor), bands_.above()};
    }
    void add(std::size_t stretch, const Collected& found) {
        const std::lock_guard lock(mutex_);
        peaks_.add(found.peaks);
        bands_.add(found.bands);
        sum_[stretch] = found.sum;
    }
    timing::StatisticPeaks outcome(const timing::Statistic& statistic,
                                   const timing::FrequencyGrid& grid) const {
        const std::int64_t count = std::max<std::int64_t>(grid.count, 0);
        const double sum = std::accumulate(sum_.begin(), sum_.end(), 0.0);
        return {statistic, peaks_.sorted(), count ? sum / static_cast<double>(count) : 0.0, count,
                bands_.peaks(grid, statistic.harmonics)};
    }

  private:
    int capacity_;
    mutable std::mutex mutex_;
    PeakList peaks_;
    BandMaxima bands_;
    std::vector<double> sum_;  ///< of each stretch: added in their order
};

}  // namespace xsift::engine
