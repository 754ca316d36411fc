#pragma once
/// @file
/// Sources that do not pulsate, drawn after an event list: its good time intervals, its number of photons and
/// the slow variations of its rate. The same numbers on host and device, to the last bit.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <xsift/core/random.hpp>
#include <xsift/data/events.hpp>

namespace xsift::timing {

/// When photons arrive: at a rate that is constant in good time between edges and the same number of photons
/// from edge to edge. It points to the arrays of a ConstantSource, or to copies of them.
struct ConstantRate {
    const double* start = nullptr;   ///< n_intervals, s: of the good time intervals
    const double* passed = nullptr;  ///< n_intervals + 1, s: good time before each, and in all
    const double* edge = nullptr;    ///< n_stretches + 1, s of good time
    std::int32_t n_intervals = 0, n_stretches = 0;

    /// Time of a photon from a uniform number in (0, 1), s. No product may be fused with a sum here, if times
    /// are to be the same everywhere.
    XSIFT_HD double time(double uniform) const {
        const double u = uniform * n_stretches;
        const std::int32_t whole = static_cast<std::int32_t>(u),
                           k = whole < n_stretches ? whole : n_stretches - 1;
        const double at = edge[k] + (u - k) * (edge[k + 1] - edge[k]);
        std::int32_t low = 0, high = n_intervals + 1;  // the first that more has passed before
        while (low < high) {
            const std::int32_t middle = (low + high) / 2;
            if (passed[middle] <= at)
                low = middle + 1;
            else
                high = middle;
        }
        const std::int32_t i = low < 1 ? 0 : low > n_intervals ? n_intervals - 1 : low - 1;
        return start[i] + (at - passed[i]);
    }
};

/// What is known of a list before anything is drawn.
class ConstantSource {
  public:
    /// The rate is that between quantiles of the arrival times in good time, 50 photons or more apart and at
    /// most 16 of them, so that nothing that is searched for remains. @param events not empty
    explicit ConstantSource(const EventList& events);

    ConstantRate rate() const {
        return {start_.data(), passed_.data(), edge_.data(), static_cast<std::int32_t>(start_.size()),
                static_cast<std::int32_t>(edge_.size()) - 1};
    }

  private:
    std::vector<double> start_, passed_, edge_;
};

/// Photon j of draw number `index` before they are sorted, s.
XSIFT_HD inline double drawn_time(const ConstantRate& rate, std::uint64_t seed, std::uint64_t index,
                                  std::uint64_t j) {
    return rate.time(RandomStream(seed, index, j).uniform());
}

/// Brings the weights of draw number `index` into random order (Fisher & Yates), with the numbers after those
/// of its n photons.
XSIFT_HD inline void shuffle_weights(float* weight, std::uint64_t n, std::uint64_t seed,
                                     std::uint64_t index) {
    RandomStream random(seed, index, n);
    for (std::uint64_t j = n; j > 1; --j) {
        const auto any = static_cast<std::uint64_t>(random.uniform() * static_cast<double>(j)),
                   k = any < j - 1 ? any : j - 1;
        const float there = weight[j - 1];
        weight[j - 1] = weight[k];
        weight[k] = there;
    }
}

/// Photons of a draw: times ascending, s, and weights in their order.
struct DrawnPhotons {
    std::vector<double> time;
    std::vector<float> weight;  ///< empty: all 1
};

/// Draw number `index`: as many photons as the list has, its weights in random order.
DrawnPhotons draw_photons(const ConstantRate& rate, std::size_t n, std::span<const float> weight,
                          std::uint64_t seed, std::uint64_t index);

}  // namespace xsift::timing
