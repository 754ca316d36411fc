#pragma once
// The level of the noise around candidates, without the signals themselves.

#include "photon_sums.hpp"

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include <xsift/timing/red_noise.hpp>

namespace xsift::refine {

/// The spectrum of the noise, and the levels that were asked for.
class LocalNoise {
  public:
    LocalNoise(std::span<const timing::NoisePower> powers, double exposure) : spectrum_(powers, exposure) {}
    const timing::NoiseLevel& at(double frequency);

  private:
    timing::NoiseSpectrum spectrum_;
    std::map<double, timing::NoiseLevel> known_;
};

/// Samples nearer than this many 1/T to a signal, or to another member of its family, are left out: what is
/// subtracted there is noise too.
inline constexpr double excluded_resolutions = 1.5, excluded_family_resolutions = 1.0;
/// The half multiples of a signal are left out between these, in 1/T: below, nothing would remain between
/// them; above, the samples are sparse and they hit few of them.
inline constexpr double lowest_family = 6.0, highest_family = 256.0;

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
    /// @param indices ascending multiples of df, Hz
    /// @param of_photons the sums at these
    PhotonNoise(const EventList& events, const PhotonSums& sums, double df,
                std::span<const std::int64_t> indices, std::span<const timing::Complex> of_photons);

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
