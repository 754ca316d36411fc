#pragma once
/// @file
/// What a period search is asked and what it answers: grid, statistics, peaks, options.

#include <cstdint>
#include <vector>

#include <xsift/data/events.hpp>
#include <xsift/data/source.hpp>
#include <xsift/timing/multi_term.hpp>

namespace xsift::timing {

/// Trial frequencies f_m = m df for m = first .. first + count - 1. Anchoring the grid at 0 puts the k-th
/// harmonic of trial m on the same grid, at index k m.
struct FrequencyGrid {
    double df = 0.0;  ///< Hz
    std::int64_t first = 1;
    std::int64_t count = 0;

    double frequency(std::int64_t i) const { return static_cast<double>(first + i) * df; }
};

/// A statistic on the trigonometric sums.
struct Statistic {
    enum class Kind : std::uint8_t { z2, h, gls, ef };
    Kind kind = Kind::z2;
    int harmonics = 1;  ///< n of Z2_n; largest m of H; terms of GLS; phase bins of EF
    bool operator==(const Statistic&) const = default;
};

/// A local maximum of a statistic on the grid (screening precision).
struct Peak {
    std::int64_t index = 0;  ///< trial number in the grid, 0-based
    double frequency = 0.0;  ///< Hz
    double value = 0.0;      ///< statistic as screened
    int harmonics = 1;       ///< n of Z2_n, or the m at which H has its maximum
};

/// Peaks of one statistic, strongest first.
struct StatisticPeaks {
    Statistic statistic;
    std::vector<Peak> peaks;
    double mean = 0.0;          ///< mean of the statistic over the grid
    std::int64_t n_trials = 0;  ///< grid points evaluated
    /// The highest trials of each band of the task, strongest first (of equals, the first): several, because
    /// screened values may order those nearly as high wrongly. Empty where none is above 0.
    std::vector<std::vector<Peak>> band_maxima;
};

/// Options of the period search. Frequencies in Hz.
struct SearchOptions {
    double fmax = not_measured;  ///< NaN: Nyquist of the frame time, else default_fmax
    double default_fmax = 10.0;  ///< used when the frame time is unknown or very short
    double fmin = not_measured;  ///< NaN: 1/T
    double oversampling = 4.0;   ///< grid points per 1/T
    std::vector<int> z2_harmonics{1, 2, 4};
    int h_harmonics = 20;           ///< largest m of the H-test; 0: no H-test
    std::vector<int> gls_terms{1};  ///< harmonics of the Lomb-Scargle fits of light curves
    LombScargleNormalisation gls_normalisation = LombScargleNormalisation::standard;
    int ef_bins = 0;                ///< phase bins of epoch folding; 0: none
    double max_fdot = 0.0;          ///< Hz/s, frequency derivatives searched up to; 0: none
    double max_acceleration = 0.0;  ///< m/s^2, the same as acceleration
    double coherence_loss = 0.1;    ///< power that a signal between two trials of these may lose
    bool joint = true;              ///< search the event lists of a source jointly too
    int max_candidates = 10;        ///< rows kept an exposure
    double log10_fap = -3.0;        ///< a candidate is offered as a period below this
    double min_cycles = 3.0;        ///< fewer cycles in the exposure: vetoed
    int shared_sources =
        3;  ///< sources of an observation with one frequency make it none of theirs; 0: never
    bool monte_carlo = false;  ///< false-alarm probabilities from simulated constant sources
    int draws = 1000;          ///< of these, for each exposure
    int min_events = 5;        ///< fewer events: not searched (quarantined as TOO_FEW_EVENTS)
    /// Edges between the bands of the upper limits, Hz; empty: the decades of the searched range.
    std::vector<double> limit_bands;
    double confidence = 0.9;                ///< of intervals and upper limits of pulsed fractions
    std::int64_t max_trials = 400'000'000;  ///< larger grids are refused (quarantined as GRID_TOO_LARGE)
};

/// Peaks of a statistic that are looked at: more than there are rows, because aliases and harmonics are
/// sorted out after them.
inline int screened_peaks(const SearchOptions& options) {
    return options.max_candidates > 10 ? 3 * options.max_candidates : 32;
}

/// The grid for an exposure: from fmin (default 1/T) to fmax at the oversampling, T the span of the GTIs.
/// @throws Error (input, "GRID_TOO_LARGE"; "NO_SPAN" when the span is empty or too short for a single trial).
FrequencyGrid make_grid(const EventList& events, const SearchOptions& options);
FrequencyGrid make_grid(const LightCurve& curve, const SearchOptions& options);

/// Trial numbers of the edges of the bands that upper limits are given for, the first 0, the last grid.count:
/// at options.limit_bands, or at powers of ten that leave at least half a decade at either end; and where the
/// frequencies begin that the data cannot confirm.
std::vector<std::int64_t> band_edges(const FrequencyGrid& grid, double confirmable,
                                     const SearchOptions& options);

/// Trial frequencies per 1/T of a grid for data spanning `span` s.
inline double grid_oversampling(const FrequencyGrid& grid, double span) {
    return 1.0 / (grid.df * span);
}

/// Span of an exposure, s: from the first GTI to the last, or of the events when there are none.
double time_span(const EventList& events);
/// Span of a light curve, s, its first and last bins included.
double time_span(const LightCurve& curve);

/// Highest frequency that the exposure can confirm, Hz: the Nyquist frequency of its frame time, infinite
/// when that is unknown.
double confirmable_frequency(const Exposure& exposure);

/// The statistics an event search computes: Z2_n for each n, then H.
std::vector<Statistic> event_statistics(const SearchOptions& options);

}  // namespace xsift::timing
