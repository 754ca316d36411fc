#pragma once
// What a stretch of trials leaves behind for one statistic.

#include <xsift/engine/search_tasks.hpp>

namespace xsift::engine {

struct Collected {
    explicit Collected(int capacity) : peaks(capacity) {}
    PeakList peaks;
    double sum = 0.0;  ///< of the statistic over the trials

    void add(const Collected& other) {
        peaks.add(other.peaks);
        sum += other.sum;
    }
};

}  // namespace xsift::engine
