#pragma once
// The level of the noise around candidates, without the signals themselves.

#include "photon_sums.hpp"

#include <cmath>
#include <map>
#include <vector>

#include <xsift/timing/red_noise.hpp>

namespace xsift::refine {

/// Powers at the sampled trials, and the levels that follow from them.
class LocalNoise {
  public:
    LocalNoise(std::vector<timing::NoisePower> powers, double exposure)
        : powers_(std::move(powers)), exposure_(exposure) {}
    const timing::NoiseLevel& at(double frequency);

  private:
    std::vector<timing::NoisePower> powers_;
    double exposure_;
    std::map<double, timing::NoiseLevel> known_;
};

/// Samples nearer than this many 1/T to a signal, or to another member of its family, are left out: what is
/// subtracted there is noise too.
inline constexpr double excluded_resolutions = 1.5, excluded_family_resolutions = 1.0;
/// The half multiples of a signal are left out between these, in 1/T: below, nothing would remain between
/// them; above, the samples are sparse and they hit few of them.
inline constexpr double lowest_family = 6.0, highest_family = 256.0;

/// The level that powers are divided by, over its estimate: a signal and its family were fitted to the noise
/// and taken out of it, which leaves too little, in light curves more than in event lists
/// (scripts/validate-red-noise). None of it where the noise is surely white, whose level is known.
inline constexpr double photon_margin = 0.1, curve_margin = 0.2;
inline double cautious(const timing::NoiseLevel& level, double margin) {
    return level.estimate * (1.0 + margin * std::sqrt(1.0 - level.white));
}

/// log10 of the false-alarm probability at which a candidate is taken out of the noise that the others are
/// judged by, however little the user asks of a period: what noise takes out of itself makes the rest of it
/// significant.
inline constexpr double log10_certain = -3.0;

/// A frequency to take out of the noise.
struct Signal {
    Line line;
    double excluded = excluded_resolutions;  ///< 1/T
};

/// The noise of an event list: sums at trials that are independent of each other, from which signals are
/// subtracted with their images through the GTIs.
class PhotonNoise {
  public:
    PhotonNoise(const EventList& events, const PhotonSums& sums, const timing::FrequencyGrid& grid);

    /// Takes signals out for good.
    void remove(const std::vector<Signal>& signals);
    /// The noise without further signals.
    LocalNoise without(const std::vector<Signal>& signals) const;

  private:
    struct Sample {
        double frequency = 0.0;
        timing::Complex sum;
        bool excluded = false;
    };
    void subtract(const Signal& signal, std::vector<Sample>& samples) const;

    const PhotonSums& sums_;
    double resolution_, exposure_;
    std::vector<Sample> samples_;
};

}  // namespace xsift::refine
