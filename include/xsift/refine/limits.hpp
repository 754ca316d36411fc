#pragma once
/// @file
/// Upper limits on the pulsed fraction of exposures without a period.

#include <span>
#include <vector>

#include <xsift/data/results.hpp>
#include <xsift/timing/search.hpp>

namespace xsift::refine {

/// Limits of an exposure: first over the whole range that it can confirm, then band by band
/// (timing::band_edges). Of the searched statistics the one with the fewest harmonics is used. The highest
/// trial of each band, as the engine found it, is maximised in double on the photons; below the limit of the
/// window it is replaced by N/2 sum |alpha|^2 of the amplitudes that allow for the gaps. Limits of
/// maximised trials allow for the maximisation (timing::maximised_fraction_limit). The limit holds for
/// any frequency of the band: the frame time is allowed for at its top. Empty when a candidate is significant
/// and not vetoed.
std::vector<PulsedFractionLimit> pulsed_fraction_limits(const EventList& events,
                                                        const timing::FrequencyGrid& grid,
                                                        std::span<const timing::StatisticPeaks> found,
                                                        std::span<const PeriodCandidate> candidates,
                                                        const timing::SearchOptions& options);
std::vector<PulsedFractionLimit> pulsed_fraction_limits(const LightCurve& curve,
                                                        const timing::FrequencyGrid& grid,
                                                        std::span<const timing::StatisticPeaks> found,
                                                        std::span<const PeriodCandidate> candidates,
                                                        const timing::SearchOptions& options);

}  // namespace xsift::refine
