#include "limit_rows.hpp"
#include "photon_sums.hpp"
#include "pulsations.hpp"

#include <algorithm>
#include <cmath>

#include <xsift/refine/limits.hpp>
#include <xsift/timing/pulsed_fraction.hpp>
#include <xsift/timing/uncertainty.hpp>

namespace xsift::refine {
namespace {

using timing::screening_tolerance;
using timing::settle;
using timing::SettledTrial;
using timing::TrialValue;

/// The maximum of Z2_n near a trial, by Newton steps within a grid step on either side.
BandMaximum maximum_near(const PhotonSums& sums, double start, double df, int harmonics) {
    BandMaximum best{start, -1.0, 0.0, harmonics, sums.effective_photons(), /*maximised=*/true, not_measured};
    const auto last = static_cast<std::size_t>(harmonics) - 1;
    double f = start, low = start - df, high = start + df;
    for (int iteration = 0; iteration < 8; ++iteration) {
        const Evaluation e = sums.evaluate(f, harmonics);
        if (e.z2[last] > best.statistic) {
            best.statistic = e.z2[last];
            best.frequency = f;
        }
        (e.slope[last] > 0.0 ? low : high) = f;
        const double error = timing::frequency_error_from_curvature(e.curvature[last]);
        double next = std::isnan(error) ? 0.5 * (low + high) : f - e.slope[last] / e.curvature[last];
        if (!(next > low && next < high)) next = 0.5 * (low + high);
        if (std::fabs(next - f) < 1e-3 * df) break;
        f = next;
    }
    best.chi2 = best.statistic;
    return best;
}

/// Mean of cos 2 (phase - peak) over the photons, the peak that of the fundamental.
double double_angle(const PhotonSums& sums, double frequency) {
    const std::vector<timing::Complex> s = sums.sums(frequency, 2);
    const timing::Complex twice = s[0] * s[0];
    const double length = s[0].norm();
    return length > 0.0 ? (s[1].re * twice.re + s[1].im * twice.im) / length / sums.effective_photons() : 0.0;
}

/// The highest of the trials that screening found highest.
timing::Peak highest_of(std::span<const timing::Peak> screened, std::int64_t low, std::int64_t high,
                        const timing::FrequencyGrid& grid,
                        const std::function<TrialValue(std::int64_t, int)>& at) {
    timing::Peak best = screened.front();
    const double least = best.value - screening_tolerance(best.value);
    if (!at || screened.size() < 2 || screened[1].value < least) return best;
    SettledTrial highest{best.index, -1.0};
    for (const timing::Peak& peak : screened) {
        if (peak.value < least) break;
        const SettledTrial settled =
            settle(peak.index, low, high, [&](std::int64_t i) { return at(i, best.harmonics); });
        if (settled.value > highest.value ||
            (settled.value == highest.value && settled.index < highest.index))
            highest = settled;
    }
    best.index = highest.index;
    best.frequency = grid.frequency(best.index);
    return best;
}

}  // namespace

std::vector<PulsedFractionLimit> limit_rows(const LimitSetting& setting, const timing::FrequencyGrid& grid,
                                            std::span<const timing::StatisticPeaks> found,
                                            std::span<const PeriodCandidate> candidates,
                                            const timing::SearchOptions& options,
                                            const std::function<BandMaximum(const timing::Peak&)>& recompute,
                                            const std::function<TrialValue(std::int64_t, int)>& at) {
    const bool has_period = std::any_of(candidates.begin(), candidates.end(), [&](const PeriodCandidate& c) {
        return c.veto == 0 && c.log10_fap <= options.log10_fap;
    });
    const timing::StatisticPeaks* searched = nullptr;
    for (const auto& s : found)
        if (s.statistic.kind == setting.kind &&
            (searched == nullptr || s.statistic.harmonics < searched->statistic.harmonics))
            searched = &s;
    if (has_period || searched == nullptr || grid.count < 1) return {};

    const std::vector<std::int64_t> edges = timing::band_edges(grid, setting.confirmable, options);
    std::vector<PulsedFractionLimit> rows(1);
    BandMaximum highest;
    double highest_limit = -1.0, low = INFINITY, high = 0.0;
    const auto limit_of = [&](const BandMaximum& m) {
        return m.maximised
                   ? timing::maximised_fraction_limit(m.chi2, m.harmonics, m.photons, options.confidence,
                                                      m.double_angle)
                   : timing::pulsed_fraction_limit(m.chi2, m.harmonics, m.photons, options.confidence);
    };
    const auto fill = [&](PulsedFractionLimit& row, const BandMaximum& maximum, double from, double to) {
        row.exposure = setting.exposure->file;
        row.instrument = setting.exposure->instrument;
        row.method = setting.method;
        row.n_harmonics = maximum.harmonics;
        row.frequency_lo = from;
        row.frequency_hi = to;
        row.frequency = maximum.frequency;
        row.statistic = maximum.statistic;
        row.n_photons = setting.n_photons;
        row.pf_ul = limit_of(maximum) / (timing::frame_attenuation(to, setting.frame_time) * setting.live);
        row.flags = setting.flags;
        if (row.pf_ul > 1.0) row.flags |= limit_unconstraining;
        for (const PeriodCandidate& c : candidates)
            if (c.veto != 0 && c.log10_fap <= options.log10_fap &&
                std::fabs(c.frequency - maximum.frequency) < 1.0 / setting.span)
                row.flags |= limit_vetoed;
    };
    for (std::size_t b = 0; b < searched->band_maxima.size() && b + 1 < edges.size(); ++b) {
        const double from = grid.frequency(edges[b]), to = grid.frequency(edges[b + 1] - 1);
        if (searched->band_maxima[b].empty() || to > setting.confirmable) continue;
        const BandMaximum maximum =
            recompute(highest_of(searched->band_maxima[b], edges[b], edges[b + 1], grid, at));
        fill(rows.emplace_back(), maximum, from, to);
        low = std::min(low, from);
        high = std::max(high, to);
        if (const double limit = limit_of(maximum); limit > highest_limit) {
            highest_limit = limit;
            highest = maximum;
        }
    }
    if (rows.size() == 1) return {};
    fill(rows.front(), highest, low, high);
    return rows;
}

std::vector<PulsedFractionLimit> pulsed_fraction_limits(const EventList& events,
                                                        const timing::FrequencyGrid& grid,
                                                        std::span<const timing::StatisticPeaks> found,
                                                        std::span<const PeriodCandidate> candidates,
                                                        const timing::SearchOptions& options) {
    if (events.time.empty()) return {};
    const PhotonSums sums(events);
    LimitSetting setting;
    setting.exposure = &events.exposure;
    setting.method = "Z2";
    setting.span = timing::time_span(events);
    setting.confirmable = timing::confirmable_frequency(events.exposure);
    setting.frame_time = events.exposure.frame_time;
    setting.live = live_fraction(events.exposure, sums.good_time());
    setting.n_photons = sums.effective_photons();
    setting.flags = limit_of_all;
    if (!(events.exposure.frame_time > 0.0)) setting.flags |= limit_frame_time_unknown;
    if (setting.live < 1.0) setting.flags |= limit_dead_time;
    const double window_limit = sums.window_limit();
    const auto usable = [&](double frequency, int wanted) {
        return std::max(
            1, static_cast<int>(std::min(setting.confirmable / frequency, static_cast<double>(wanted))));
    };
    const auto at = [&](std::int64_t trial, int harmonics) -> TrialValue {
        const double f = grid.frequency(trial);
        const int n = usable(f, harmonics);
        return {(f < window_limit ? sums.residual(f, n, {}) : sums.evaluate(f, n)).z2.back(), NAN};
    };
    const auto recompute = [&](const timing::Peak& peak) {
        const int n = usable(peak.frequency, peak.harmonics);
        if (peak.frequency >= window_limit) {
            BandMaximum maximum = maximum_near(sums, peak.frequency, grid.df, n);
            if (events.weight.empty()) maximum.double_angle = double_angle(sums, maximum.frequency);
            return maximum;
        }
        BandMaximum maximum{peak.frequency,      0.0,         0.0, n, sums.effective_photons(),
                            /*maximised=*/false, not_measured};
        for (const timing::Complex& alpha : sums.amplitudes(peak.frequency, n))
            maximum.chi2 += 0.5 * maximum.photons * alpha.norm();
        maximum.statistic = maximum.chi2;
        return maximum;
    };
    return limit_rows(setting, grid, found, candidates, options, recompute, at);
}

}  // namespace xsift::refine
