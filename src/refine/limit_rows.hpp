#pragma once
// What the upper limits of event lists and of light curves have in common.

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include <xsift/data/results.hpp>
#include <xsift/timing/screened_peaks.hpp>
#include <xsift/timing/search.hpp>

namespace xsift::refine {

/// The highest statistic of a band as recomputed in double, and the photons (or what stands for them) with
/// which it becomes a pulsed fraction.
struct BandMaximum {
    double frequency = 0.0, statistic = 0.0, chi2 = 0.0;  ///< chi2: what is distributed as Z2_n
    int harmonics = 1;
    double photons = 0.0;
    bool maximised = false;              ///< over frequency, not the highest trial
    double double_angle = not_measured;  ///< mean of cos 2 (phase - peak) of unweighted photons
};

/// What an exposure says about its limits.
struct LimitSetting {
    const Exposure* exposure = nullptr;
    const char* method = "";
    timing::Statistic::Kind kind = timing::Statistic::Kind::z2;
    double span = 0.0;                 ///< s
    double confirmable = 0.0;          ///< Hz, highest frequency that counts
    double frame_time = not_measured;  ///< s, or the width of the bins
    double live = 1.0;
    double n_photons = not_measured;
    std::uint32_t flags = 0;
};

/// The rows of an exposure; `recompute` maximises the highest trial of a band. Where screening cannot tell
/// which trial that is, `at` (may be empty: the screened one) tells, in double.
std::vector<PulsedFractionLimit> limit_rows(
    const LimitSetting& setting, const timing::FrequencyGrid& grid,
    std::span<const timing::StatisticPeaks> found, std::span<const PeriodCandidate> candidates,
    const timing::SearchOptions& options, const std::function<BandMaximum(const timing::Peak&)>& recompute,
    const std::function<timing::TrialValue(std::int64_t, int)>& at = {});

}  // namespace xsift::refine
