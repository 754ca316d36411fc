#pragma once
/// @file
/// Slow, obvious periodograms in double: what the engines are tested against.

#include <vector>

#include <xsift/engine/period_search.hpp>

namespace xsift::engine {

/// The periodogram of every statistic of the task, in its order, one value a trial.
std::vector<std::vector<double>> oracle_periodograms(const EventTask& task);
/// The Lomb-Scargle periodograms of the task, one a number of terms, in its order.
std::vector<std::vector<double>> oracle_periodograms(const LightCurveTask& task);
/// The first of them.
std::vector<double> oracle_periodogram(const LightCurveTask& task);

/// The peaks of a periodogram as an engine must report them: trials that no other trial nearer than the
/// separation exceeds (of equals, the first), strongest first.
std::vector<timing::Peak> oracle_peaks(const std::vector<double>& periodogram,
                                       const timing::FrequencyGrid& grid, int max_peaks,
                                       double min_separation);

}  // namespace xsift::engine
