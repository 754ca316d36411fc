#pragma once
// What a stretch of trials leaves behind for one statistic.

#include <cstdint>
#include <span>

#include <xsift/engine/search_tasks.hpp>

namespace xsift::engine {

struct Collected {
    /// @param band_edges must outlive it
    Collected(int capacity, std::span<const std::int64_t> band_edges) : peaks(capacity), bands(band_edges) {}
    PeakList peaks;
    BandMaxima bands;
    double sum = 0.0;  ///< of the statistic over the trials

    void add(const Collected& other) {
        peaks.add(other.peaks);
        bands.add(other.bands);
        sum += other.sum;
    }
};

}  // namespace xsift::engine
