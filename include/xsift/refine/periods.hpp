#pragma once
/// @file
/// From screened peaks to period candidates: recomputed in double from the photons, with errors,
/// significance, vetoes.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <xsift/data/results.hpp>
#include <xsift/timing/search.hpp>
#include <xsift/timing/trigonometric_sums.hpp>

namespace xsift::refine {

/// Polishes the peaks of all statistics of one exposure: each is maximised in double on the photons, a
/// multiple of the fundamental is replaced by it, those that are the same frequency are merged.
///
/// statistic is the plain statistic at its maximum; log10_p_single is that of the statistic after subtracting
/// what a constant source would show through the GTIs. Vetoed:
/// aliases m f_frame +- k f0 of the frame frequency as measured from the photons (headers round it) and of
/// any significant candidate f0; frequencies above its half; fewer than min_cycles; harmonics of stronger
/// candidates; and what disappears when the images of stronger candidates through the GTIs are subtracted.
///
/// log10_fap_white is the false-alarm probability in white noise. For candidates that are significant in it,
/// log10_fap_local divides the power of each harmonic by the local level of the noise, made with the
/// candidate itself and all stronger signals taken out (timing/red_noise.hpp); for the others it is that in
/// white noise. log10_fap is the larger of the two.
///
/// Rows are ranked by log10_fap (rank 1 first; significant ones in white noise by log10_fap_white), vetoed
/// ones included, at most options.max_candidates; the frequency that is offered as the period has one row for
/// each statistic searched, sharing the rank, each at its own maximum.
std::vector<PeriodCandidate> polish_events(const EventList& events, const timing::FrequencyGrid& grid,
                                           std::span<const timing::StatisticPeaks> found,
                                           const timing::SearchOptions& options);
std::vector<PeriodCandidate> polish_light_curve(const LightCurve& curve, const timing::FrequencyGrid& grid,
                                                std::span<const timing::StatisticPeaks> found,
                                                const timing::SearchOptions& options);

/// The same in two steps, for those who make the sums of the noise of many lists at once: up to the white
/// noise when it is constructed, then what depends on the level of the noise.
class EventPolish {
  public:
    /// It refers to all of these, which must outlive it.
    EventPolish(const EventList& events, const timing::FrequencyGrid& grid,
                std::span<const timing::StatisticPeaks> found, const timing::SearchOptions& options);
    ~EventPolish();
    EventPolish(EventPolish&&) noexcept;
    EventPolish& operator=(EventPolish&&) noexcept;

    /// The sums that the level of the noise is made from; none when no candidate is significant in white
    /// noise.
    timing::SumTask noise_task() const;
    /// What smallest_log10_fap() of the rows is, where that does not depend on the level of the noise: where
    /// nothing is significant but what has too few cycles. nullopt elsewhere.
    std::optional<double> smallest_log10_fap() const;
    /// @param noise_sums those of noise_task(). Once only.
    std::vector<PeriodCandidate> finish(std::span<const timing::Complex> noise_sums);

  private:
    class Implementation;
    std::unique_ptr<Implementation> implementation_;
};

/// log10 of the probability that the whole search of a source, of effectively n_searches independent ones,
/// has a candidate as improbable as the strongest that is not vetoed; 0 where all are vetoed.
double source_log10_fap(std::span<const PeriodCandidate> candidates, double n_searches);

/// Index of the candidate to offer as the source's period: not vetoed, log10_fap over n_searches independent
/// searches
/// <= options.log10_fap, of the
/// frequency that ranks first among these; of that frequency's rows the Z2_n with the fewest harmonics that
/// holds at least half of the best statistic, since higher harmonics sharpen the frequency only when the
/// profile is stable. -1 when there is none.
int select_period(std::span<const PeriodCandidate> candidates, const timing::SearchOptions& options,
                  double n_searches = 1.0);

/// What a source's candidates amount to: the period offered (and its flag), log10_fap, and the flags of the
/// source that follow from them.
void conclude_period(SourceResult& result, const timing::SearchOptions& options);

}  // namespace xsift::refine
