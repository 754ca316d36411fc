#include <algorithm>

#include <xsift/timing/red_noise.hpp>

namespace xsift::timing {
namespace {

constexpr std::int64_t dense_multiples = 256, multiples_per_octave = 128;
constexpr double enough_powers = 64.0;
/// What is known of the noise where no power is: that it may be white or anything.
constexpr NoiseLevel unknown{1.0, 1.0, 0.5, 0.5};
constexpr double widest_window = 8.0;
/// Variance of the logarithm of the median of n exponential deviates: 1/(n ln^2 2).
constexpr double median_variance = 2.0813689810056077;
/// Mean distance of the logarithm of an exponential deviate from that of its median.
constexpr double mean_distance = 0.97;
constexpr double steepest = 4.0, slope_step = 0.5;
constexpr double highest_level = 30.0;

/// A value with its weight.
struct Weighted {
    double value, weight;
};

/// Half of the weight lies below and half above.
double median(std::vector<Weighted>& values) {
    std::sort(values.begin(), values.end(),
              [](const Weighted& a, const Weighted& b) { return a.value < b.value; });
    double total = 0.0, below = 0.0;
    for (const Weighted& v : values) total += v.weight;
    for (std::size_t i = 0; i < values.size(); ++i) {
        below += values[i].weight;
        if (below == 0.5 * total && i + 1 < values.size())
            return 0.5 * (values[i].value + values[i + 1].value);
        if (below >= 0.5 * total) return values[i].value;
    }
    return values.back().value;
}

/// The powers within a factor of a frequency.
std::span<const NoisePower> window(double frequency, std::span<const NoisePower> powers, double factor) {
    const auto below = [](const NoisePower& p, double f) { return p.frequency < f; };
    const auto begin = std::lower_bound(powers.begin(), powers.end(), frequency / factor, below);
    const auto end = std::lower_bound(begin, powers.end(), frequency * factor * (1.0 + 1e-12), below);
    return {begin, end};
}

}  // namespace

std::vector<std::int64_t> noise_indices(const FrequencyGrid& grid, double resolution) {
    std::vector<std::int64_t> indices;
    if (!(resolution > 0.0) || !(grid.df > 0.0)) return indices;
    const double points = resolution / grid.df;
    const std::int64_t end = grid.first + grid.count;
    std::int64_t step = 1;
    for (std::int64_t r = 1;; r += step) {
        if (r >= dense_multiples * step) step *= 2;
        const auto index = static_cast<std::int64_t>(std::llround(static_cast<double>(r) * points));
        if (index >= end) return indices;
        if (index >= grid.first && (indices.empty() || index > indices.back())) indices.push_back(index);
    }
}

NoiseLevel local_noise_level(double frequency, std::span<const NoisePower> powers, double exposure) {
    if (powers.empty()) return unknown;
    const double f = std::min(frequency, powers.back().frequency);
    std::vector<NoisePower> near;
    std::vector<double> x, weight;  // ln(f'/f), and sqrt of its step
    double sum = 0.0, independent = 0.0;
    for (double factor = 2.0; factor <= widest_window; factor *= 2.0) {
        const auto inside = window(f, powers, factor);
        near.assign(inside.begin(), inside.end());
        x.clear();
        weight.clear();
        sum = 0.0;
        double squares = 0.0;
        for (std::size_t i = 0; i < near.size(); ++i) {
            const double left = i > 0 ? near[i].frequency - near[i - 1].frequency : INFINITY,
                         right = i + 1 < near.size() ? near[i + 1].frequency - near[i].frequency : INFINITY;
            x.push_back(std::log(near[i].frequency / f));
            const double step = std::min(left, right);
            weight.push_back(std::sqrt((std::isfinite(step) ? step : 1.0) / near[i].frequency));
            sum += weight.back();
            squares += weight.back() * weight.back();
        }
        if (near.empty()) continue;
        independent =
            std::min(sum * sum / squares, 1.0 + (near.back().frequency - near.front().frequency) * exposure);
        if (independent >= enough_powers) break;
    }
    if (near.empty()) return unknown;

    const double half = 2.0 * std::log(2.0);  // median of the power in white noise
    double centre = 0.0, spread = 0.0;
    for (std::size_t i = 0; i < x.size(); ++i) centre += weight[i] * x[i] / sum;
    for (std::size_t i = 0; i < x.size(); ++i) spread += weight[i] * (x[i] - centre) * (x[i] - centre) / sum;

    // Each slope with its level here and how well it fits.
    struct Fit {
        double level, distance;
    };
    std::vector<Fit> fits;
    std::vector<Weighted> value(near.size());
    std::vector<double> shape(near.size());
    for (double slope = 0.0; slope <= steepest; slope += slope_step) {
        for (std::size_t i = 0; i < near.size(); ++i) {
            shape[i] = std::exp(-slope * x[i]);
            value[i] = {(near[i].power / half - 1.0) / shape[i], weight[i]};
        }
        const double a = median(value);
        if (slope > 0.0 && a <= 0.0) break;  // white: steeper is not better
        double distance = 0.0;
        for (std::size_t i = 0; i < near.size(); ++i)
            distance += weight[i] * std::fabs(std::log(std::max(near[i].power, 1e-6) / half) -
                                              std::log(std::max(1.0 + a * shape[i], 1e-6)));
        fits.push_back({std::max(1.0 + a, 0.1), distance / sum});
    }
    double least = INFINITY, total = 0.0, mean = 0.0;
    for (const Fit& fit : fits) least = std::min(least, fit.distance);
    for (const Fit& fit : fits) {
        const double likelihood = std::exp(-(fit.distance - least) * independent / mean_distance);
        total += likelihood;
        mean += likelihood * fit.level;
    }

    NoiseLevel result;
    const double leverage = spread > 0.0 ? centre * centre / spread : 0.0;
    const double variance = median_variance * (1.0 + leverage) / independent;
    result.estimate = mean / total;
    result.level = std::max(result.estimate, 1.0);
    result.powers = 1.0 / variance;
    const double sigma = std::sqrt(variance), deviations = std::log(result.estimate) / sigma;
    const double as_white = std::exp(-0.5 * deviations * deviations) / (std::sqrt(constants::two_pi) * sigma);
    const double as_red = 0.5 * std::erfc(-deviations / std::sqrt(2.0)) / std::log(highest_level);
    result.white = as_white > 0.0 ? as_white / (as_white + as_red) : (deviations > 0.0 ? 0.0 : 1.0);
    return result;
}

}  // namespace xsift::timing
