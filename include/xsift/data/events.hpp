#pragma once
/// @file
/// Event lists, good time intervals, light curves.

#include <cstddef>
#include <vector>

#include <xsift/data/source.hpp>

namespace xsift {

/// Good time intervals: disjoint, in order; s relative to the exposure's time_zero.
struct GoodTimeIntervals {
    std::vector<double> start, stop;

    std::size_t size() const { return start.size(); }
    /// Sum of the intervals, s.
    double exposure() const {
        double sum = 0.0;
        for (std::size_t i = 0; i < start.size(); ++i) sum += stop[i] - start[i];
        return sum;
    }
};

/// An event list of one source in one exposure. Times ascend.
struct EventList {
    Exposure exposure;
    std::vector<double> time;   ///< s relative to exposure.time_zero
    std::vector<float> energy;  ///< keV; empty when the file has no energies
    std::vector<float> weight;  ///< photon weights; empty when all are 1
    GoodTimeIntervals gti;

    std::size_t size() const { return time.size(); }
};

/// A binned light curve of one source in one exposure. Times ascend.
struct LightCurve {
    Exposure exposure;
    std::vector<double> time;                 ///< bin centre, s relative to exposure.time_zero
    std::vector<double> rate;                 ///< count/s
    std::vector<double> error;                ///< count/s, 1 sigma
    std::vector<double> fractional_exposure;  ///< 0..1; empty when unknown
    double bin_width = not_measured;          ///< s

    std::size_t size() const { return time.size(); }
};

}  // namespace xsift
