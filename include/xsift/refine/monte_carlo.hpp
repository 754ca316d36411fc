#pragma once
/// @file
/// False-alarm probabilities of one event list from simulated ones: the same search of constant sources with
/// its good time intervals, its number of photons and the slow variations of its rate.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <xsift/data/results.hpp>
#include <xsift/timing/constant_source.hpp>
#include <xsift/timing/screened_peaks.hpp>
#include <xsift/timing/search.hpp>

namespace xsift::refine {

/// Number that the simulations of an exposure of a source start from: a hash of their names (FNV-1a), so that
/// they do not depend on shards, threads or neighbours.
std::uint64_t simulation_seed(const std::string& source, const Exposure& exposure);

/// Draw number `index` of a source like the list that does not pulsate (timing::draw_photons).
EventList simulated_constant(const EventList& events, std::uint64_t seed, std::uint64_t index);
/// The same when the source is known.
EventList simulated_constant(const EventList& events, const timing::ConstantSource& source,
                             std::uint64_t seed, std::uint64_t index);

/// Probability of a search's smallest false-alarm probability, from those of draws.
///
/// Up to the 90% quantile of x = -ln p it is the share of the draws, (k + 1) / (n + 1). Beyond, x is
/// exponentially distributed (maxima of chi2 are of the domain of Gumbel's distribution, for which excesses
/// over a high threshold are exponential), with the mean excess of the draws there; its error, and that of
/// log p beyond, is 1 / sqrt(n / 10).
class SimulatedTail {
  public:
    /// @param log10_fap the smallest of each draw; at least 20. @throws Error (internal) when there are fewer
    explicit SimulatedTail(std::vector<double> log10_fap);

    double log10_probability(double log10_fap) const;
    /// Whether no draw was so improbable.
    bool beyond(double log10_fap) const;

  private:
    std::vector<double> x_;  ///< -ln p, ascending
    double threshold_ = 0.0, above_ = 0.0, mean_excess_ = 1.0;
};

/// The smallest log10_fap in white noise of a search of noise, which is what the tail is made of. Vetoed rows
/// (too few cycles, where a rate that changes is strongest) are none: they cannot be offered.
double smallest_log10_fap(const std::vector<PeriodCandidate>& rows);
/// The same from the maxima of a search which only their frequencies can veto
/// (timing::only_frequencies_veto).
/// @param f_frame frequency of the frames, Hz; NaN: not known
/// @param span timing::time_span() of the list
double smallest_log10_fap(std::span<const timing::FoundMaximum> maxima, double f_frame, double span,
                          const timing::SearchOptions& options);

/// Replaces the false-alarm probabilities of the rows of Z2 and H at constant frequencies, and flags them
/// (candidate_simulated, candidate_extrapolated). They then hold for all statistics of the list together.
void apply_simulated(const SimulatedTail& tail, std::vector<PeriodCandidate>& rows);

}  // namespace xsift::refine
