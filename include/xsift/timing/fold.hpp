#pragma once
/// @file
/// Folding: how long each phase was exposed, and profiles corrected for it.

#include <cmath>

#include <xsift/data/results.hpp>
#include <xsift/timing/phase.hpp>
#include <xsift/timing/phase_exposure.hpp>

namespace xsift::timing {

/// Adds the seconds of [start, stop) that fall into each of `bins` equal phase bins at a frequency.
XSIFT_HD inline void add_phase_exposure(double frequency, double start, double stop, double* exposure,
                                        int bins) {
    if (!(stop > start) || !(frequency > 0.0)) return;
    const double first = static_cast<double>(fixed_phase(frequency, start)) * 0x1p-64,
                 last = static_cast<double>(fixed_phase(frequency, stop)) * 0x1p-64;
    const double whole = std::rint(frequency * (stop - start) - (last - first));
    for (int b = 0; b < bins; ++b) exposure[b] += turns_in_bin(first, last, whole, b, bins) / frequency;
}

/// The profile of an event list at a frequency; phase 0 is at time 0 of the exposure. Without good time
/// intervals the span of the events is taken as exposed.
PhaseProfile fold(const EventList& events, double frequency);

}  // namespace xsift::timing
