#include "pulsations.hpp"

#include <algorithm>
#include <cmath>

#include <xsift/timing/pulsed_fraction.hpp>

namespace xsift::refine {
namespace {

/// One over what is left of the root of the summed squares of the harmonics after the frame time: each
/// harmonic counts with its power above the noise.
double frame_correction(const std::vector<double>& power, double frequency, double frame_time) {
    double seen = 0.0, emitted = 0.0;
    for (std::size_t k = 0; k < power.size(); ++k) {
        const double excess = std::max(0.0, power[k] - 2.0),
                     left = timing::frame_attenuation(static_cast<double>(k + 1) * frequency, frame_time);
        seen += excess;
        emitted += excess / (left * left);
    }
    return seen > 0.0 ? std::sqrt(emitted / seen) : 1.0 / timing::frame_attenuation(frequency, frame_time);
}

void store(const timing::PulsedFraction& fraction, double correction, PeriodCandidate& c) {
    c.pulsed_fraction = fraction.value * correction;
    c.pf_lo = fraction.lo * correction;
    c.pf_hi = fraction.hi * correction;
    c.flags |= candidate_fraction_of_all;
    if (std::max(c.pulsed_fraction, c.pf_hi) > 1.0) c.flags |= candidate_fraction_above_one;
}

}  // namespace

double live_fraction(const Exposure& exposure, double good_time) {
    // NuSTAR: 2.5 ms a photon (Harrison et al. 2013, ApJ 770, 103); LIVETIME tells what is left.
    const bool follows_rate = exposure.mission == "NuSTAR" || exposure.mission == "NUSTAR";
    const double fraction = exposure.livetime / good_time;
    return follows_rate && fraction > 0.1 && fraction < 1.0 ? fraction : 1.0;
}

void set_pulsed_fraction(const Exposure& exposure, const PhotonSums& sums, double confidence,
                         PeriodCandidate& candidate) {
    const double photons = sums.effective_photons();
    std::vector<double> power;
    double z = 0.0;
    for (const timing::Complex& alpha : sums.amplitudes(candidate.frequency, candidate.n_harmonics)) {
        power.push_back(0.5 * photons * alpha.norm());
        z += power.back();
    }
    double correction = frame_correction(power, candidate.frequency, exposure.frame_time);
    const double live = live_fraction(exposure, sums.good_time());
    if (live < 1.0) {
        correction /= live;
        candidate.flags |= candidate_fraction_dead_time;
    }
    store(timing::pulsed_fraction(z, candidate.n_harmonics, photons, confidence), correction, candidate);
}

void set_pulsed_fraction(const LightCurve& curve, double power, double amplitude, double n_points,
                         double confidence, PeriodCandidate& candidate) {
    const double z = timing::chi2_of_power(power, n_points);
    if (!(z > 0.0) || !(amplitude > 0.0)) return;
    // As many photons as would make this amplitude this significant.
    const double photons = 2.0 * z / (amplitude * amplitude);
    const double correction = 1.0 / timing::frame_attenuation(candidate.frequency, curve.bin_width);
    store(timing::pulsed_fraction(z, 1, photons, confidence), correction, candidate);
}

}  // namespace xsift::refine
