#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <xsift/core/error.hpp>
#include <xsift/pipeline/shard_plan.hpp>
#include <xsift/timing/aliases.hpp>

namespace xsift::pipeline {
namespace {

// Rates seen on one core of a server processor of 2020; only their proportions matter for the balance. The
// one place where they stand; docs/cluster.md ("Costs that are predicted") says how to measure them again.
constexpr double ns_per_source = 2e5;         ///< reading, journal, catalogue
constexpr double ns_per_cell = 4.0;           ///< trial frequency and harmonic
constexpr double ns_per_photon_block = 12.0;  ///< a photon spread into one block of the transform
constexpr double cells_per_block = 16384.0;
constexpr double ns_per_polished_photon = 1500.0;  ///< candidates measured in double
constexpr double ns_per_fit = 4e6;                 ///< a model, its grid and its refinement
constexpr double ns_per_fitted_channel = 1500.0;

double search_cost(const io::SourceLoad::Series& series, double harmonics,
                   const timing::SearchOptions& options) {
    const double nyquist =
        series.resolution > 0.0 ? timing::nyquist_frequency(series.resolution) : options.default_fmax;
    const double fmax = std::isnan(options.fmax) ? std::min(options.default_fmax, nyquist) : options.fmax;
    const double cells = std::min(std::max(0.0, series.span * fmax * options.oversampling),
                                  static_cast<double>(options.max_trials)) *
                         harmonics;
    const auto items = static_cast<double>(series.items);
    return cells * (ns_per_cell + items * ns_per_photon_block / cells_per_block) +
           items * ns_per_polished_photon;
}

}  // namespace

std::int64_t predicted_cost(const io::SourceLoad& load, const RunConfiguration& configuration) {
    double cost = ns_per_source;
    if (configuration.search_periods) {
        double harmonics = 1.0;
        for (const timing::Statistic& statistic : timing::event_statistics(configuration.search))
            harmonics = std::max(harmonics, static_cast<double>(statistic.harmonics));
        // Only frequencies below fmax / k are read at harmonic k: twice the first, not k times.
        for (const auto& series : load.events)
            cost += search_cost(series, std::min(harmonics, 2.0), configuration.search);
        for (const auto& series : load.light_curves) cost += search_cost(series, 2.0, configuration.search);
    }
    if (configuration.fit_spectra) {
        const spectral::FitOptions& options = configuration.spectra;
        const bool joint = options.joint != spectral::JointSpectra::none && load.spectra > 1;
        cost += static_cast<double>(options.models.size()) * (joint && options.single ? 2.0 : 1.0) *
                (static_cast<double>(load.spectra) * ns_per_fit +
                 static_cast<double>(load.channels) * ns_per_fitted_channel);
    }
    return std::isfinite(cost) ? std::llround(std::min(cost, 1e15)) : std::int64_t{1};
}

ShardPlan::ShardPlan(const io::SurveyReader& survey, const RunConfiguration& configuration) : sum_{0} {
    sum_.reserve(static_cast<std::size_t>(survey.size()) + 1);
    survey.visit_loads([&](const io::SourceLoad& load) {
        sum_.push_back(sum_.back() + predicted_cost(load, configuration));
    });
}

ShardPlan::ShardPlan(std::span<const std::int64_t> costs) : sum_{0} {
    for (const std::int64_t cost : costs) sum_.push_back(sum_.back() + cost);
}

double ShardPlan::seconds(std::int64_t first, std::int64_t end) const {
    return 1e-9 *
           static_cast<double>(sum_[static_cast<std::size_t>(end)] - sum_[static_cast<std::size_t>(first)]);
}

std::pair<std::int64_t, std::int64_t> ShardPlan::part(std::pair<std::int64_t, std::int64_t> whole,
                                                      std::int64_t k, std::int64_t n) const {
    if (n < 1 || k < 1 || k > n)
        throw Error(ErrorKind::usage, "BAD_SETTING", fmt::format("part {}/{} is not usable", k, n), "",
                    "Use K/N with 1 <= K <= N.");
    const std::int64_t first = whole.first, end = whole.second;
    const std::int64_t total = sum_[static_cast<std::size_t>(end)] - sum_[static_cast<std::size_t>(first)];
    const std::int64_t count = end - first;
    const auto bound = [&](std::int64_t j) {
        if (j == n) return end;
        // The source at which the share of j parts is reached; with sources enough each part gets one at
        // least.
        const double share = static_cast<double>(total) / static_cast<double>(n) * static_cast<double>(j);
        const std::int64_t target = sum_[static_cast<std::size_t>(first)] + std::llround(share);
        const auto begin = sum_.begin() + static_cast<std::ptrdiff_t>(first);
        const auto at = std::lower_bound(begin, sum_.begin() + static_cast<std::ptrdiff_t>(end), target);
        std::int64_t i = first + (at - begin);
        if (i > first &&
            target - sum_[static_cast<std::size_t>(i) - 1] < sum_[static_cast<std::size_t>(i)] - target)
            --i;
        if (count < n) return first + std::min(j, count);
        return std::clamp(i, first + j, end - (n - j));
    };
    return {bound(k - 1), bound(k)};
}

std::int64_t ShardPlan::shards_of(double seconds_each, std::int64_t most) const {
    // A hair less, lest rounding asks for one shard more than an even division.
    const double wish = std::ceil(seconds(0, sources()) / std::max(seconds_each, 1e-3) * (1.0 - 1e-9));
    const double limit = static_cast<double>(std::max<std::int64_t>(1, std::min(most, sources())));
    return static_cast<std::int64_t>(std::clamp(wish, 1.0, limit));
}

}  // namespace xsift::pipeline
