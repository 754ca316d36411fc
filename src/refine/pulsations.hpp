#pragma once
// Pulsed fractions of the candidates of an exposure.

#include "photon_sums.hpp"

#include <xsift/data/results.hpp>

namespace xsift::refine {

/// Sets pulsed_fraction, pf_lo, pf_hi and their flags from frequency and n_harmonics of a candidate.
/// Corrected for the gaps between the good time intervals, for the frame time (each harmonic by its own sinc)
/// and, where the instrument's dead time follows the count rate and the live time is known, for dead time.
/// Not corrected for background: of all photons, and flagged so.
void set_pulsed_fraction(const Exposure& exposure, const PhotonSums& sums, double confidence,
                         PeriodCandidate& candidate);

/// The same for a Lomb-Scargle candidate of n points, of its fundamental alone: the power of one sinusoid and
/// its semi-amplitude over the mean rate; corrected for the width of the bins.
void set_pulsed_fraction(const LightCurve& curve, double power, double amplitude, double n_points,
                         double confidence, PeriodCandidate& candidate);

/// Live fraction of detectors that are dead for a while after each photon, so that they miss more at the peak
/// of a pulse; 1 for those whose dead time is that of a read-out, which takes the same from every phase.
double live_fraction(const Exposure& exposure, double good_time);

}  // namespace xsift::refine
