#include "sections.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <xsift/timing/fold.hpp>
#include <xsift/timing/light_curve.hpp>
#include <xsift/timing/phase.hpp>

namespace xsift::report {

namespace {

constexpr int light_curve_bins = 110;
constexpr double kilosecond = 1000.0;

/// Seconds of good time in [begin, end).
double good_time(const GoodTimeIntervals& gti, double begin, double end) {
    const auto first = std::upper_bound(gti.stop.begin(), gti.stop.end(), begin) - gti.stop.begin();
    double sum = 0.0;
    for (auto i = static_cast<std::size_t>(first); i < gti.size() && gti.start[i] < end; ++i)
        sum += std::max(0.0, std::min(end, gti.stop[i]) - std::max(begin, gti.start[i]));
    return sum;
}

Series blocks_of(const std::vector<characterise::RateBlock>& blocks, double begin) {
    Series line;
    line.kind = Series::Kind::line;
    line.label = fmt::format("{} Bayesian block{}", blocks.size(), blocks.size() == 1 ? "" : "s");
    line.tone = 1;
    for (const characterise::RateBlock& block : blocks)
        for (const double t : {block.start, block.stop}) {
            line.x.push_back((t - begin) / kilosecond);
            line.y.push_back(block.rate);
        }
    return line;
}

/// Good time as a strip below the rate; gaps that no pixel can show are closed.
Panel strip_of(const std::vector<double>& start, const std::vector<double>& stop, double begin, double span) {
    Panel panel;
    panel.height = 14.0;
    panel.y.categories = {"good time"};
    Series bars;
    bars.kind = Series::Kind::bars;
    bars.tone = 2;
    for (std::size_t i = 0; i < start.size(); ++i) {
        const double lo = (start[i] - begin) / kilosecond, hi = (stop[i] - begin) / kilosecond;
        if (!bars.x_hi.empty() && (lo - bars.x_hi.back()) * kilosecond < span / 800.0) {
            bars.x_hi.back() = hi;
            continue;
        }
        bars.x_lo.push_back(lo);
        bars.x_hi.push_back(hi);
    }
    bars.x.resize(bars.x_lo.size(), not_measured);
    bars.y = bars.x;
    bars.y_lo.assign(bars.x_lo.size(), -0.4);
    bars.y_hi.assign(bars.x_lo.size(), 0.4);
    panel.series = {std::move(bars)};
    return panel;
}

std::string start_of(const Exposure& exposure, double begin) {
    const double mjd = exposure.mjd_reference + (exposure.time_zero + begin) / 86400.0;
    return std::isfinite(mjd) ? fmt::format("Time since MJD {:.5f}, ks", mjd)
                              : "Time since the first good time, ks";
}

std::string name_of(const Exposure& exposure) {
    std::string name =
        exposure.instrument.empty() ? exposure.file : exposure.mission + " " + exposure.instrument;
    if (!exposure.obs_id.empty()) name += ", observation " + exposure.obs_id;
    return name;
}

Figure curve_figure(const Exposure& exposure, Series points,
                    const std::vector<characterise::RateBlock>& blocks, Panel strip, double begin) {
    Figure figure;
    figure.title = "Light curve, " + name_of(exposure);
    figure.x.label = start_of(exposure, begin);
    Panel rate;
    rate.y.label = "Rate, count/s";
    rate.y.from_zero = true;
    if (!blocks.empty()) rate.series.push_back(blocks_of(blocks, begin));
    rate.series.push_back(std::move(points));
    figure.panels = {std::move(rate)};
    if (!strip.series.empty() && !strip.series.front().x_lo.empty())
        figure.panels.push_back(std::move(strip));
    return figure;
}

}  // namespace

Figure light_curve_figure(const EventList& events, const DossierContext& context) {
    if (events.time.empty()) return {};
    std::vector<double> start = events.gti.start, stop = events.gti.stop;
    const bool no_gti = start.empty();
    if (no_gti) start = {events.time.front()}, stop = {events.time.back()};
    const GoodTimeIntervals gti{start, stop};
    const double begin = start.front(), span = stop.back() - begin, width = span / light_curve_bins;
    if (!(span > 0.0)) return {};
    std::vector<double> counts(light_curve_bins, 0.0);
    for (const double t : events.time)
        counts[static_cast<std::size_t>(
            std::clamp(static_cast<int>((t - begin) / width), 0, light_curve_bins - 1))] += 1.0;
    Series points;
    points.label = fmt::format("bins of {} s", pretty(width, 3));
    for (int b = 0; b < light_curve_bins; ++b) {
        const double exposed = good_time(gti, begin + b * width, begin + (b + 1) * width);
        // A bin with little good time has an error larger than the plot.
        if (exposed < 0.1 * width) continue;
        const double n = counts[static_cast<std::size_t>(b)], error = std::sqrt(std::max(n, 1.0)) / exposed;
        points.x.push_back((b + 0.5) * width / kilosecond);
        points.x_lo.push_back(b * width / kilosecond);
        points.x_hi.push_back((b + 1) * width / kilosecond);
        points.y.push_back(n / exposed);
        points.y_lo.push_back(std::max(n / exposed - error, 0.0));
        points.y_hi.push_back(n / exposed + error);
    }
    const auto blocks = characterise::rate_blocks(events, context.variability.block_p0);
    Figure figure =
        curve_figure(events.exposure, std::move(points), blocks, strip_of(start, stop, begin, span), begin);
    figure.caption = fmt::format(
        "{}: {} events{} in {} s of good time{}; background not subtracted. Bayesian blocks: a constant "
        "source "
        "shows a change with probability {}.",
        events.exposure.file, events.size(), events.weight.empty() ? "" : " (unweighted here)",
        pretty(gti.exposure(), 6), no_gti ? " (taken from the events: the file has no intervals)" : "",
        context.variability.block_p0);
    return figure;
}

Figure light_curve_figure(const LightCurve& curve, const DossierContext& context) {
    constexpr std::size_t most_points = 150;
    const timing::UsableBins usable = timing::usable_bins(curve);
    if (usable.size() == 0) return {};
    const double half = std::isfinite(curve.bin_width) ? 0.5 * curve.bin_width : 0.0;
    const double begin = usable.time.front() - half;
    const std::size_t join = (usable.size() + most_points - 1) / most_points;
    Series points;
    if (half > 0.0)
        points.label = fmt::format("bins of {} s", pretty(curve.bin_width * static_cast<double>(join), 3));
    std::vector<double> start, stop;
    for (std::size_t first = 0; first < usable.size(); first += join) {
        const std::size_t end = std::min(usable.size(), first + join);
        double weight = 0.0, sum = 0.0;
        for (std::size_t i = first; i < end; ++i) {
            weight += usable.weight[i];
            sum += usable.weight[i] * usable.value[i];
        }
        const double lo = usable.time[first] - half - begin, hi = usable.time[end - 1] + half - begin;
        const double error = 1.0 / std::sqrt(weight);
        points.x.push_back(0.5 * (lo + hi) / kilosecond);
        points.x_lo.push_back(lo / kilosecond);
        points.x_hi.push_back(hi / kilosecond);
        points.y.push_back(sum / weight);
        points.y_lo.push_back(sum / weight - error);
        points.y_hi.push_back(sum / weight + error);
    }
    if (half > 0.0)
        for (const double t : usable.time) {
            start.push_back(t - half);
            stop.push_back(t + half);
        }
    const auto blocks =
        characterise::rate_blocks(curve, context.variability.block_p0, context.variability.min_counts);
    const double span = usable.time.back() + half - begin;
    Figure figure =
        curve_figure(curve.exposure, std::move(points), blocks, strip_of(start, stop, begin, span), begin);
    figure.caption = fmt::format(
        "{}: {} usable bins{}; errors no smaller than that of the mean rate. Bayesian blocks: a constant "
        "source "
        "shows a change with probability {}.",
        curve.exposure.file, usable.size(),
        join > 1 ? fmt::format(", drawn {} at a time (the blocks are those of all)", join) : "",
        context.variability.block_p0);
    return figure;
}

Figure periodogram_figure(const Periodogram& p, const SourceResult& result) {
    Figure figure;
    figure.title = "Periodogram, " + (p.instrument.empty() ? p.exposure : p.instrument);
    figure.x.label = "Frequency, Hz";
    figure.x.logarithmic = true;
    Panel panel;
    const std::string statistic = statistic_name(p.method, p.n_harmonics);
    panel.y.label = p.method == "GLS" ? "Lomb-Scargle power" : statistic;
    panel.y.from_zero = true;
    Series line;
    line.kind = Series::Kind::line;
    line.x = p.frequency;
    line.y = p.maximum;
    double highest = 0.0;
    for (const double value : p.maximum) highest = std::max(highest, value);
    const double level = p.levels.empty() ? 0.0 : p.levels.back().value;
    // A strong signal would press the noise flat.
    if (level > 0.0 && highest > 15.0 * level) {
        panel.y.logarithmic = true;
        panel.y.lo = 1.0;
        panel.y.hi = 3.0 * highest;
    } else {
        panel.y.hi = 1.18 * std::max(highest, level);
    }

    // One mark a frequency: that of its most telling row.
    Series offered, vetoed, others;
    offered.tone = 1;
    vetoed.tone = 3;
    others.tone = 4;
    const PeriodCandidate* const best = offered_period(result);
    const auto height = [&](double f) {
        const auto at = std::upper_bound(p.frequency_lo.begin(), p.frequency_lo.end(), f);
        if (at == p.frequency_lo.begin()) return not_measured;
        return p.maximum[static_cast<std::size_t>(at - p.frequency_lo.begin()) - 1];
    };
    std::vector<int> ranks;
    for (const PeriodCandidate& c : result.candidates) {
        const bool is_best = &c == best;
        if (c.exposure != p.exposure && !(is_best && c.exposure == "joint")) continue;
        const bool same = best != nullptr && best->exposure == c.exposure && best->rank == c.rank;
        if (same && !is_best) continue;
        if (!is_best && std::find(ranks.begin(), ranks.end(), c.rank) != ranks.end()) continue;
        ranks.push_back(c.rank);
        Series& to = is_best ? offered : c.veto != 0 ? vetoed : others;
        to.x.push_back(c.frequency);
        to.y.push_back(height(c.frequency));
        const std::uint32_t veto = c.veto;
        to.names.push_back(is_best                     ? fmt::format("{} s", pretty(c.period, 6))
                           : veto & veto_frame_alias   ? "frame alias"
                           : veto & veto_harmonic      ? "harmonic"
                           : veto & veto_few_cycles    ? "few cycles"
                           : veto & veto_window        ? "gaps"
                           : veto & veto_above_nyquist ? "above Nyquist"
                                                       : "");
    }
    if (!offered.x.empty()) offered.label = "period offered";
    if (!vetoed.x.empty()) vetoed.label = "vetoed";
    if (!others.x.empty()) others.label = "not offered";
    panel.series = {std::move(line), std::move(others), std::move(vetoed), std::move(offered)};
    for (const Periodogram::Level& l : p.levels)
        panel.rules.push_back({false, l.value, "chance " + chance(l.log10_fap), 2, true});
    if (std::isfinite(p.frame_frequency)) panel.rules.push_back({true, p.frame_frequency, "frame", 3, true});
    figure.panels = {std::move(panel)};
    figure.caption = fmt::format(
        "{} of {}: the highest of {} trial frequencies in each of {} bands. Horizontal: what white noise "
        "exceeds "
        "anywhere in this search with the given chance; candidates are judged in noise of the local level "
        "too.",
        statistic, p.exposure, pretty(p.n_trials, 9), p.frequency.size());
    return figure;
}

namespace {

/// A profile of two cycles; y and errors in units of `unit`.
Series two_cycles(const std::vector<double>& rate, const std::vector<double>& error, double unit) {
    Series s;
    const std::size_t bins = rate.size();
    const auto n = static_cast<double>(bins);
    for (std::size_t b = 0; b < 2 * bins; ++b) {
        const double value = rate[b % bins] / unit, half = error[b % bins] / unit;
        if (!std::isfinite(value)) continue;
        s.x.push_back((static_cast<double>(b) + 0.5) / n);
        s.x_lo.push_back(static_cast<double>(b) / n);
        s.x_hi.push_back((static_cast<double>(b) + 1.0) / n);
        s.y.push_back(value);
        s.y_lo.push_back(value - half);
        s.y_hi.push_back(value + half);
    }
    return s;
}

/// Rates of phase bins with their errors; faint sources get wider bins.
struct Profile {
    std::vector<double> rate, error;
};

Profile profile_of(const EventList& events, double frequency) {
    constexpr double counts_for_all_bins = 1000.0;
    const PhaseProfile folded = timing::fold(events, frequency);
    const std::size_t merged = static_cast<double>(events.size()) < counts_for_all_bins ? 2 : 1;
    Profile out;
    for (std::size_t b = 0; b < profile_bins; b += merged) {
        double counts = 0.0, exposed = 0.0;
        for (std::size_t i = b; i < b + merged; ++i) {
            counts += folded.counts[i];
            exposed += folded.exposure_time[i];
        }
        out.rate.push_back(exposed > 0.0 ? counts / exposed : not_measured);
        out.error.push_back(exposed > 0.0 ? std::sqrt(std::max(counts, 1.0)) / exposed : not_measured);
    }
    return out;
}

Profile profile_of(const LightCurve& curve, double frequency) {
    constexpr std::size_t bins = 16;
    const timing::UsableBins usable = timing::usable_bins(curve);
    std::vector<double> weight(bins, 0.0), sum(bins, 0.0);
    for (std::size_t i = 0; i < usable.size(); ++i) {
        const double phase = static_cast<double>(timing::fixed_phase(frequency, usable.time[i])) * 0x1p-64;
        const std::size_t b = std::min(bins - 1, static_cast<std::size_t>(phase * bins));
        weight[b] += usable.weight[i];
        sum[b] += usable.weight[i] * usable.value[i];
    }
    Profile out;
    for (std::size_t b = 0; b < bins; ++b) {
        out.rate.push_back(weight[b] > 0.0 ? sum[b] / weight[b] : not_measured);
        out.error.push_back(weight[b] > 0.0 ? 1.0 / std::sqrt(weight[b]) : not_measured);
    }
    return out;
}

double mean_of(const std::vector<double>& rates) {
    double sum = 0.0, n = 0.0;
    for (const double rate : rates)
        if (std::isfinite(rate)) {
            sum += rate;
            n += 1.0;
        }
    return n > 0.0 && sum > 0.0 ? sum / n : 1.0;
}

}  // namespace

Figure profile_figure(const DossierMaterial& material, const PeriodCandidate& offered) {
    constexpr std::size_t most_lists = 3;
    Figure figure{"profile", fmt::format("Folded at {} s", pretty(offered.period, 8)), "", {}, {}, false};
    figure.x.label = "Phase, cycles";
    figure.x.lo = 0.0;
    figure.x.hi = 2.0;
    Panel panel;
    const bool joint = offered.exposure == "joint";
    panel.y.label = joint ? "Rate / mean" : "Rate, count/s";
    if (joint) {
        std::vector<const EventList*> lists;
        for (const EventList& events : material.data.events) lists.push_back(&events);
        std::stable_sort(lists.begin(), lists.end(),
                         [](const EventList* a, const EventList* b) { return a->size() > b->size(); });
        if (lists.size() > most_lists) lists.resize(most_lists);
        for (std::size_t i = 0; i < lists.size(); ++i) {
            const Profile p = profile_of(*lists[i], offered.frequency);
            Series s = two_cycles(p.rate, p.error, mean_of(p.rate));
            s.label = lists[i]->exposure.instrument;
            s.tone = static_cast<int>(i);
            panel.series.push_back(std::move(s));
        }
        figure.caption =
            "Each instrument in units of its mean rate; phase 0 is that of each exposure's time zero.";
    } else {
        const auto add = [&](const auto& exposure) {
            if (exposure.exposure.file != offered.exposure || !panel.series.empty()) return;
            const Profile p = profile_of(exposure, offered.frequency);
            panel.series.push_back(two_cycles(p.rate, p.error, 1.0));
            figure.caption = fmt::format(
                "{}: two cycles of {} bins, each divided by its own good time; background "
                "not subtracted.",
                offered.exposure, p.rate.size());
        };
        for (const EventList& events : material.data.events) add(events);
        for (const LightCurve& curve : material.data.light_curves) add(curve);
    }
    if (std::isfinite(offered.fdot)) figure.caption += " Folded at constant frequency.";
    if (panel.series.empty()) return {};
    figure.panels = {std::move(panel)};
    return figure;
}

}  // namespace xsift::report
