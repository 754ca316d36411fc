#pragma once
/// @file
/// Folding: how long each phase was exposed, and profiles corrected for it.

#include <cmath>

#include <xsift/data/results.hpp>
#include <xsift/timing/phase.hpp>

namespace xsift::timing {

/// Adds the seconds of [start, stop) that fall into each of `bins` equal phase bins at a frequency. In closed
/// form: whole cycles give each bin the same, the two ends the rest, so the cost does not depend on the
/// number of cycles.
XSIFT_HD inline void add_phase_exposure(double frequency, double start, double stop, double* exposure,
                                        int bins) {
    if (!(stop > start) || !(frequency > 0.0)) return;
    const double first = static_cast<double>(fixed_phase(frequency, start)) * 0x1p-64,
                 last = static_cast<double>(fixed_phase(frequency, stop)) * 0x1p-64;
    const double cycles = std::rint(frequency * (stop - start) - (last - first)), width = 1.0 / bins;
    for (int b = 0; b < bins; ++b) {
        // Phases below x that lie in the bin.
        const double to_last = std::fmin(std::fmax(last - b * width, 0.0), width),
                     to_first = std::fmin(std::fmax(first - b * width, 0.0), width);
        exposure[b] += (cycles * width + to_last - to_first) / frequency;
    }
}

/// The profile of an event list at a frequency; phase 0 is at time 0 of the exposure. Without good time
/// intervals the span of the events is taken as exposed.
PhaseProfile fold(const EventList& events, double frequency);

}  // namespace xsift::timing
