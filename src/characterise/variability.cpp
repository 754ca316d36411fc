#include <algorithm>
#include <cmath>
#include <numeric>

#include <xsift/characterise/bayesian_blocks.hpp>
#include <xsift/characterise/tail_probabilities.hpp>
#include <xsift/characterise/variability.hpp>
#include <xsift/core/chi2.hpp>

namespace xsift::characterise {
namespace {

/// Bins shorter than this many read-out frames would differ in their number of frames by more than 2%.
constexpr double frames_a_bin = 50.0;
constexpr std::size_t least_bins = 2;
constexpr std::size_t least_events = 5;

/// Binned rates with errors, all of which a Gaussian describes.
struct Bins {
    std::vector<double> rate, variance, exposure;
    std::vector<double> observed;     ///< variance from the errors of a light curve's own bins
    std::vector<double> start, stop;  ///< of a light curve, s
};

/// Excess variance and its root (Vaughan et al. 2003, MNRAS 345, 1271, eq. 8, 11, B2).
void set_excess_variance(const Bins& bins, Variability& result) {
    const double n = static_cast<double>(bins.rate.size());
    if (n < 2.0) return;
    const double mean = std::accumulate(bins.rate.begin(), bins.rate.end(), 0.0) / n;
    const double noise = std::accumulate(bins.variance.begin(), bins.variance.end(), 0.0) / n;
    if (!(mean > 0.0)) return;
    double sample = 0.0;
    for (const double rate : bins.rate) sample += (rate - mean) * (rate - mean) / (n - 1.0);
    const double excess = (sample - noise) / (mean * mean), relative_noise = noise / (mean * mean);
    const double fvar = std::sqrt(std::max(0.0, excess));
    result.excess_variance = excess;
    result.excess_variance_error =
        std::hypot(std::sqrt(2.0 / n) * relative_noise, std::sqrt(relative_noise / n) * 2.0 * fvar);
    if (!(excess > 0.0)) return;
    result.fvar = fvar;
    result.fvar_error = std::hypot(std::sqrt(0.5 / n) * relative_noise / fvar, std::sqrt(relative_noise / n));
}

void set_blocks(const std::vector<RateBlock>& blocks, const Exposure& exposure, Variability& result,
                std::vector<Flare>& flares) {
    if (blocks.empty()) return;
    const auto less = [](const RateBlock& a, const RateBlock& b) { return a.rate < b.rate; };
    const auto [lo, hi] = std::minmax_element(blocks.begin(), blocks.end(), less);
    result.n_blocks = static_cast<std::int32_t>(blocks.size());
    result.rate_lo = lo->rate;
    result.rate_hi = hi->rate;
    const std::vector<Flare> found = find_flares(blocks, exposure);
    result.n_flares = static_cast<std::int32_t>(found.size());
    flares.insert(flares.end(), found.begin(), found.end());
}

/// The usable bins of a light curve. Values are relative to exposure.
struct CurveBins {
    std::vector<std::size_t> index;
    std::vector<double> exposure;  ///< s
    std::vector<double> variance;  ///< of rate * exposure: count^2
    double mean = 0.0;             ///< count/s
    double variance_rate = 0.0;    ///< count^2/s: variance of rate * exposure per second, pooled
    double unit = 0.0;             ///< what one count adds to rate * exposure; 0 when errors follow no counts
    double total = 0.0;            ///< s
};

/// A bin without counts has an error of almost zero: single errors cannot be used. Their squares times
/// exposure^2 are the counts of the bin, in square units of a count, and sum to the right variance. The unit
/// (other than 1 where a pipeline corrects for the area outside the region) is the slope of that variance
/// against rate * exposure.
CurveBins usable(const LightCurve& curve) {
    CurveBins bins;
    double sum = 0.0, variance = 0.0;
    for (std::size_t i = 0; i < curve.size(); ++i) {
        const double fraction = curve.fractional_exposure.empty() ? 1.0 : curve.fractional_exposure[i];
        const double exposure = curve.bin_width * fraction;
        if (!std::isfinite(curve.rate[i]) || !std::isfinite(curve.error[i]) || !(exposure > 0.0)) continue;
        bins.index.push_back(i);
        bins.exposure.push_back(exposure);
        bins.variance.push_back(curve.error[i] * curve.error[i] * exposure * exposure);
        sum += curve.rate[i] * exposure;
        variance += bins.variance.back();
        bins.total += exposure;
    }
    if (!(bins.total > 0.0)) return bins;
    bins.mean = sum / bins.total;
    bins.variance_rate = variance / bins.total;
    double xx = 0.0, xy = 0.0;
    for (std::size_t k = 0; k < bins.index.size(); ++k) {
        const double x = (curve.rate[bins.index[k]] - bins.mean) * bins.exposure[k];
        xx += x * x;
        xy += x * (bins.variance[k] - bins.variance_rate * bins.exposure[k]);
    }
    const double slope = xx > 0.0 ? xy / xx : 0.0;
    bins.unit = slope > 0.1 ? slope : 0.0;
    return bins;
}

/// Bins of a light curve joined until `min_counts` are expected in each. The variance is that of the mean
/// rate plus what the background adds in the group, so that it does not follow the counts (which would bias
/// chi2).
Bins joined(const LightCurve& curve, const CurveBins& from, double min_counts) {
    Bins bins;
    const double per_second = from.unit > 0.0 ? from.variance_rate / (from.unit * from.unit)
                                              : from.mean * from.mean / from.variance_rate;
    double sum = 0.0, variance = 0.0, exposure = 0.0;
    std::size_t first = 0;
    auto close = [&](std::size_t last) {
        const double expected = variance - from.unit * (sum - from.mean * exposure);
        bins.rate.push_back(sum / exposure);
        bins.variance.push_back(std::max(expected, 0.25 * from.variance_rate * exposure) /
                                (exposure * exposure));
        bins.observed.push_back(variance / (exposure * exposure));
        bins.exposure.push_back(exposure);
        bins.start.push_back(curve.time[from.index[first]] - 0.5 * curve.bin_width);
        bins.stop.push_back(curve.time[from.index[last]] + 0.5 * curve.bin_width);
        first = last + 1;
    };
    double left = from.total;
    for (std::size_t k = 0; k < from.index.size(); ++k) {
        sum += curve.rate[from.index[k]] * from.exposure[k];
        variance += from.variance[k];
        exposure += from.exposure[k];
        left -= from.exposure[k];
        const bool last = k + 1 == from.index.size();
        // What is left at the end and would not fill a bin goes into the last one.
        const bool full = exposure * per_second >= min_counts && left * per_second >= min_counts;
        if (!full && !last) continue;
        close(k);
        sum = variance = exposure = 0.0;
    }
    return bins;
}

}  // namespace

GoodClock::GoodClock(const GoodTimeIntervals& gti) : start_(gti.start), stop_(gti.stop), before_{0.0} {
    for (std::size_t i = 0; i < start_.size(); ++i)
        before_.push_back(before_.back() + (stop_[i] - start_[i]));
}

double GoodClock::good(double t) const {
    const auto after =
        static_cast<std::size_t>(std::upper_bound(start_.begin(), start_.end(), t) - start_.begin());
    if (after == 0) return 0.0;
    return before_[after - 1] + std::min(t, stop_[after - 1]) - start_[after - 1];
}

double GoodClock::elapsed(double good, bool later) const {
    // Ends of intervals are met exactly by the cells that were made of them, up to rounding.
    const double slack = 1e-9 * (1.0 + exposure());
    std::size_t i = 0;
    while (i + 1 < start_.size() && (later ? before_[i + 1] <= good + slack : before_[i + 1] < good - slack))
        ++i;
    return std::clamp(start_[i] + (good - before_[i]), start_[i], stop_[i]);
}

std::vector<RateBlock> rate_blocks(const EventList& events, double p0) {
    if (events.size() < least_events || events.gti.size() == 0) return {};
    const GoodClock clock(events.gti);
    std::vector<double> at;
    BlockCells cells;
    for (const double t : events.time) {
        const double good = clock.good(t);
        if (!at.empty() && good <= at.back()) {
            cells.a.back() += 1.0;
        } else {
            at.push_back(good);
            cells.a.push_back(1.0);
        }
    }
    std::vector<double> edges{0.0};
    for (std::size_t i = 1; i < at.size(); ++i) edges.push_back(0.5 * (at[i - 1] + at[i]));
    edges.push_back(clock.exposure());
    for (std::size_t i = 0; i + 1 < edges.size(); ++i) cells.b.push_back(edges[i + 1] - edges[i]);
    std::vector<std::size_t> starts = bayesian_blocks(cells, block_penalty(cells.size(), p0));
    starts.push_back(cells.size());
    std::vector<RateBlock> blocks;
    for (std::size_t k = 0; k + 1 < starts.size(); ++k) {
        RateBlock block;
        for (std::size_t i = starts[k]; i < starts[k + 1]; ++i) block.counts += cells.a[i];
        block.exposure = edges[starts[k + 1]] - edges[starts[k]];
        block.start = clock.elapsed(edges[starts[k]], true);
        block.stop = clock.elapsed(edges[starts[k + 1]], false);
        block.rate = block.counts / block.exposure;
        block.error = std::sqrt(block.counts) / block.exposure;
        blocks.push_back(block);
    }
    return blocks;
}

std::vector<RateBlock> rate_blocks(const LightCurve& curve, double p0, int min_counts) {
    const CurveBins from = usable(curve);
    if (!(from.variance_rate > 0.0)) return {};
    const Bins bins = joined(curve, from, min_counts);
    BlockCells cells;
    cells.kind = BlockCells::Kind::rates;
    for (std::size_t k = 0; k < bins.rate.size(); ++k) {
        // In a bright bin the expected variance of a constant source would make changes of its noise.
        const double variance = std::max(bins.variance[k], bins.observed[k]);
        cells.a.push_back((bins.rate[k] - from.mean) / variance);
        cells.b.push_back(1.0 / variance);
    }
    std::vector<std::size_t> starts = bayesian_blocks(cells, block_penalty(cells.size(), p0));
    starts.push_back(cells.size());
    std::vector<RateBlock> blocks;
    for (std::size_t k = 0; k + 1 < starts.size(); ++k) {
        RateBlock block;
        double variance = 0.0;
        for (std::size_t i = starts[k]; i < starts[k + 1]; ++i) {
            block.counts += bins.rate[i] * bins.exposure[i];
            block.exposure += bins.exposure[i];
            variance += bins.observed[i] * bins.exposure[i] * bins.exposure[i];
        }
        block.start = bins.start[starts[k]];
        block.stop = bins.stop[starts[k + 1] - 1];
        block.rate = block.counts / block.exposure;
        block.error = std::sqrt(std::max(variance, from.unit * from.unit)) / block.exposure;
        blocks.push_back(block);
    }
    return blocks;
}

std::vector<Flare> find_flares(const std::vector<RateBlock>& blocks, const Exposure& exposure) {
    std::vector<Flare> flares;
    if (blocks.size() < 2) return flares;
    std::vector<const RateBlock*> by_rate;
    double total = 0.0, below = 0.0;
    for (const RateBlock& block : blocks) {
        by_rate.push_back(&block);
        total += block.exposure;
    }
    std::stable_sort(by_rate.begin(), by_rate.end(),
                     [](const RateBlock* a, const RateBlock* b) { return a->rate < b->rate; });
    const RateBlock* quiescent = by_rate.back();
    for (const RateBlock* block : by_rate) {
        below += block->exposure;
        if (below >= 0.5 * total) {
            quiescent = block;
            break;
        }
    }
    const auto above = [&](const RateBlock& block) {
        return block.rate - quiescent->rate >= 3.0 * std::hypot(block.error, quiescent->error) &&
               block.rate > quiescent->rate;
    };
    for (std::size_t first = 0; first < blocks.size();) {
        std::size_t end = first;
        while (end < blocks.size() && above(blocks[end])) ++end;
        if (end == first) {
            ++first;
            continue;
        }
        const auto peak =
            std::max_element(blocks.begin() + static_cast<std::ptrdiff_t>(first),
                             blocks.begin() + static_cast<std::ptrdiff_t>(end),
                             [](const RateBlock& a, const RateBlock& b) { return a.rate < b.rate; });
        Flare flare;
        flare.exposure = exposure.file;
        flare.instrument = exposure.instrument;
        flare.start = exposure.time_zero + blocks[first].start;
        flare.stop = exposure.time_zero + blocks[end - 1].stop;
        const double middle = 0.5 * (peak->start + peak->stop);
        flare.peak = exposure.time_zero + middle;
        flare.rise = middle - blocks[first].start;
        flare.duration = blocks[end - 1].stop - blocks[first].start;
        flare.peak_rate = peak->rate;
        flare.peak_rate_error = peak->error;
        flare.quiescent_rate = quiescent->rate;
        flare.excess_counts = 0.0;
        for (std::size_t i = first; i < end; ++i)
            flare.excess_counts += (blocks[i].rate - quiescent->rate) * blocks[i].exposure;
        if (first == 0) flare.flags |= flare_starts_before;
        if (end == blocks.size()) flare.flags |= flare_ends_after;
        flares.push_back(flare);
        first = end;
    }
    return flares;
}

Variability assess(const EventList& events, const VariabilityOptions& options, std::vector<Flare>& flares) {
    Variability result;
    result.exposure = events.exposure.file;
    result.instrument = events.exposure.instrument;
    result.flags |= variability_background_included;
    if (events.exposure.flags & exposure_no_gti) result.flags |= variability_no_gti;
    const double n = static_cast<double>(events.size());
    const GoodClock clock(events.gti);
    const double exposure = clock.exposure();
    result.counts = n;
    result.good_time = exposure;
    if (!(exposure > 0.0)) return result;
    result.rate = n / exposure;
    std::vector<double> good;
    for (const double t : events.time) good.push_back(clock.good(t));
    if (events.size() >= least_events) {
        result.ks = 0.0;
        for (std::size_t i = 0; i < good.size(); ++i) {
            const double u = good[i] / exposure, below = static_cast<double>(i) / n;
            result.ks = std::max({result.ks, u - below, below + 1.0 / n - u});
        }
        result.log10_p_ks = log10_ks_survival(result.ks, static_cast<long>(events.size()));
    }
    // Bins of equal good time: the expected counts are known, so Pearson's chi2 has no bias from low bins.
    double n_bins = std::floor(n / options.min_counts);
    if (events.exposure.frame_time > 0.0)
        n_bins = std::min(n_bins, std::floor(exposure / (frames_a_bin * events.exposure.frame_time)));
    if (n_bins >= static_cast<double>(least_bins)) {
        const auto m = static_cast<std::size_t>(n_bins);
        result.bin_width = exposure / n_bins;
        std::vector<double> counts(m, 0.0);
        for (const double t : good)
            counts[std::min(m - 1, static_cast<std::size_t>(t / exposure * n_bins))] += 1.0;
        const double expected = n / n_bins;
        Bins bins;
        result.chi2 = 0.0;
        for (const double c : counts) {
            result.chi2 += (c - expected) * (c - expected) / expected;
            bins.rate.push_back(c / result.bin_width);
            bins.variance.push_back(c / (result.bin_width * result.bin_width));
        }
        result.chi2_dof = static_cast<std::int32_t>(m) - 1;
        result.log10_p_chi2 = log10_chi2_survival(result.chi2, result.chi2_dof);
        set_excess_variance(bins, result);
    } else {
        result.flags |= variability_few_counts;
    }
    set_blocks(rate_blocks(events, options.block_p0), events.exposure, result, flares);
    return result;
}

Variability assess(const LightCurve& curve, const VariabilityOptions& options, std::vector<Flare>& flares) {
    Variability result;
    result.exposure = curve.exposure.file;
    result.instrument = curve.exposure.instrument;
    const CurveBins from = usable(curve);
    if (!(from.variance_rate > 0.0)) return result;
    if (from.unit == 0.0) result.flags |= variability_unit_guessed;
    result.good_time = from.total;
    result.rate = from.mean;
    result.counts = from.unit > 0.0 ? from.variance_rate * from.total / (from.unit * from.unit)
                                    : from.mean * from.mean * from.total / from.variance_rate;
    const Bins bins = joined(curve, from, options.min_counts);
    if (bins.rate.size() >= least_bins && result.counts >= 2.0 * options.min_counts) {
        double weights = 0.0, mean = 0.0;
        for (std::size_t i = 0; i < bins.rate.size(); ++i) {
            weights += 1.0 / bins.variance[i];
            mean += bins.rate[i] / bins.variance[i];
        }
        mean /= weights;
        result.chi2 = 0.0;
        for (std::size_t i = 0; i < bins.rate.size(); ++i)
            result.chi2 += (bins.rate[i] - mean) * (bins.rate[i] - mean) / bins.variance[i];
        result.chi2_dof = static_cast<std::int32_t>(bins.rate.size()) - 1;
        result.bin_width = from.total / static_cast<double>(bins.rate.size());
        result.log10_p_chi2 = log10_chi2_survival(result.chi2, result.chi2_dof);
        set_excess_variance(bins, result);
    } else {
        result.flags |= variability_few_counts;
    }
    set_blocks(rate_blocks(curve, options.block_p0, options.min_counts), curve.exposure, result, flares);
    return result;
}

double combined_log10_p(const std::vector<Variability>& exposures) {
    double lowest = not_measured, tests = 0.0;
    for (const Variability& v : exposures)
        for (const double log10_p : {v.log10_p_ks, v.log10_p_chi2})
            if (!std::isnan(log10_p)) {
                lowest = std::fmin(lowest, log10_p);
                tests += 1.0;
            }
    return std::isnan(lowest) ? lowest : std::min(0.0, lowest + std::log10(tests));
}

}  // namespace xsift::characterise
