#pragma once
/// @file
/// How probable it is that noise alone reaches a maximum: statistics of harmonics over a range of
/// frequencies.
///
/// The powers of the harmonics divided by 2 are independent exponential deviates in white noise, so Z2_m / 2
/// is the m-th event of a Poisson process. Thresholds on any set of Z2_m and on H are bounds y_m on Z2_m / 2,
/// and the probability that one trial exceeds any of them is that of a Poisson process crossing a boundary.
/// The expected number of times that a continuous range of frequencies crosses it upwards follows from Rice's
/// formula (Davies 1987, Biometrika 74, 33; for one harmonic of a light curve it is Baluev's 2008, MNRAS 385,
/// 1279).

#include <span>
#include <vector>

#include <xsift/data/events.hpp>
#include <xsift/timing/search.hpp>

namespace xsift::timing {

/// What a search runs over.
struct SearchExtent {
    double bandwidth = 0.0;      ///< Hz
    double time_variance = 0.0;  ///< s^2, of the good time
    double photons = INFINITY;   ///< (sum w)^2 / sum w^2: the tail of few photons is not that of chi2
    int groups = 1;              ///< Z2 summed over this many independent lists
    /// Trials per 1/T. Maxima are polished, but those of many harmonics are narrower than the grid, and some
    /// of them are not found. Infinite: all are.
    double oversampling = INFINITY;
};

/// Variance of the times of the good time intervals (of the photons where there are none), s^2: T^2 / 12 for
/// one interval.
double time_variance(const EventList& events);
SearchExtent search_extent(const EventList& events, const FrequencyGrid& grid);

/// log10 of the probability that one trial exceeds a value.
double log10_z2_single(double z2, int n, const SearchExtent& extent);
/// For H the exact one, but not less than exp(-0.4 h) (de Jager & Buesching 2010): for a strong signal H
/// would else prefer subharmonics, whose further harmonics collect red noise.
double log10_h_single(double h, int harmonics, const SearchExtent& extent);

/// The same in noise of a level that is known as well as the mean of `powers` exponential deviates: the mean
/// of the probability over what the level may be, inversely gamma distributed. Of Z2 it is Fisher's F. Of H
/// from the powers of the harmonics, each divided by its level.
double log10_z2_single_local(double z2, int n, double powers, const SearchExtent& extent);
double log10_h_single_local(std::span<const double> power, double powers, const SearchExtent& extent);

/// Effective number of independent trials: the N for which 1 - (1 - p)^N is the probability that the maximum
/// of a search exceeds the value, p being that of a single trial.
double z2_trials(double z2, int n, const SearchExtent& extent);
double h_trials(double h, int harmonics, const SearchExtent& extent);

/// The same of either statistic, Z2_n or H of at most n harmonics; and of both, the log10 of the probability
/// that noise alone reaches the value anywhere in the search.
double log10_single(const Statistic& statistic, double value, const SearchExtent& extent);
double effective_trials(const Statistic& statistic, double value, const SearchExtent& extent);
double log10_found_by_chance(const Statistic& statistic, double value, const SearchExtent& extent);

/// Effective number of independent searches that several statistics of the same photons amount to: the
/// probability that at least one of them has a false-alarm probability of at most 10^log10_fap, over that.
/// Statistics of harmonics are nested; another (EF) counts as independent. At least 1 where there is one.
double effective_statistics(std::span<const Statistic> statistics, double log10_fap,
                            const SearchExtent& extent);

}  // namespace xsift::timing
