#include <algorithm>
#include <array>
#include <numeric>

#include <xsift/timing/red_noise.hpp>

namespace xsift::timing {
namespace {

constexpr std::int64_t dense_multiples = 256, multiples_per_octave = 128;
/// What is known of the noise where no power is: that it may be white or anything.
constexpr NoiseLevel unknown{1.0, 1.0, 0.5, 0.5};

/// Bins of powers that are taken together, around a frequency and for the shape of the whole spectrum.
constexpr double bins_an_octave = 8.0, bins_an_octave_of_whole = 4.0;
/// Half-widths of the windows, octaves, and the powers with which one is wide enough: spectra bend, so that
/// the widest is for want of powers only (around the eruptions of GSN 069 it gives twice the level).
struct Window {
    double octaves, enough;
};
constexpr std::array<Window, 3> windows{{{NoiseSpectrum::narrowest_window, 64.0}, {3.0, 12.0}, {4.0, 0.0}}};
/// The first estimate: half-width of its window at first, octaves, and the powers that this should hold.
constexpr double first_window = 2.0, enough_for_first = 12.0;
/// Limit of a power, over its first estimate.
constexpr double limit_over_level = 3.0;
/// Mean of ln(power / 2 L): - Euler's constant. Smaller powers than this count as this.
constexpr double mean_logarithm = -0.5772156649015329, least_power = 0.02;

constexpr double steepest = 4.0, slope_step = 0.5, highest_excess = 1e6;
/// Distance in ln f of the knees that the whole spectrum may have, and slopes above them.
constexpr double knee_step = 0.35;
constexpr std::array<double, 3> slopes_above_knee{1.0, 2.0, 4.0};
/// Shapes and excesses that are less likely than this, as ln of their share, say nothing of the whole.
constexpr double least_share = -15.0;
/// Nodes of the integral over the excess: around the maximum, in standard deviations, and the growth of their
/// distances beyond.
constexpr double around = 5.0, node_step = 0.5, growth = 1.5;
/// Beyond a fall of the logarithm by this nothing counts.
constexpr double negligible = 60.0;

/// The bin of a frequency.
/// @param x ln f
double bin_of(double x, double bins_of_octave) {
    return std::floor(x * (bins_of_octave / std::log(2.0)));
}

double tricube(double x) {
    const double a = std::fabs(x);
    if (a >= 1.0) return 0.0;
    const double b = 1.0 - a * a * a;
    return b * b * b;
}

/// Limits of the powers of all bins, from a regression of the logarithms of the powers around each.
/// @param log_sum of the logarithms of the halves of the powers of each bin
std::vector<double> power_limits(const std::vector<NoiseSpectrum::Bin>& bins,
                                 const std::vector<double>& log_sum) {
    std::vector<double> limits;
    for (const auto& centre : bins) {
        double w = 0.0, x = 0.0, xx = 0.0, y = 0.0, xy = 0.0;
        for (double octaves = first_window; octaves < 64.0; octaves *= 2.0) {
            w = x = xx = y = xy = 0.0;
            for (std::size_t i = 0; i < bins.size(); ++i) {
                const double at = bins[i].x - centre.x, k = tricube(at / (octaves * std::log(2.0)));
                w += k * bins[i].n;
                x += k * bins[i].n * at;
                xx += k * bins[i].n * at * at;
                y += k * log_sum[i];
                xy += k * log_sum[i] * at;
            }
            if (w >= enough_for_first) break;
        }
        const double spread = w * xx - x * x;
        const double at_centre = spread > 1e-9 * w * w ? (xx * y - x * xy) / spread : y / w;
        limits.push_back(limit_over_level * std::exp(at_centre - mean_logarithm));
    }
    return limits;
}

/// A bin in a window: the distance of its frequency, and what it holds times its weight there.
struct Weighed {
    double x, n, below, sum;
};

/// Of a bin: ln of its likelihood at so many times the level of white noise over that of white noise.
double log_gain(double below, double sum, double level) {
    return sum * (1.0 - 1.0 / level) - below * std::log(level);
}

/// Integrates over excesses of one shape; `shape` is that of each bin.
class OfShape {
  public:
    OfShape(std::span<const Weighed> bins, std::span<const double> shape) : bins_(bins), shape_(shape) {
        double information = 0.0;
        for (std::size_t i = 0; i < bins.size(); ++i) information += bins[i].n * shape[i] * shape[i];
        sigma_ = 1.0 / std::sqrt(std::max(information, 1e-12));
        end_ = std::log1p(highest_excess / sigma_);
    }

    /// Calls node(ln of the likelihood over that of white noise times the step, excess), if the likelihood
    /// has its maximum above exp(`least`).
    template <typename OnNode>
    void integrate(double least, const OnNode& node) const {
        double low = 0.0, high = end_, z = 0.5 * end_, slope = 0.0, bend = 0.0;
        derivatives(0.0, slope, bend);
        if (slope <= 0.0) {
            z = 0.0;
        } else {
            for (int i = 0; i < 40 && high - low > 1e-3; ++i) {
                derivatives(z, slope, bend);
                (slope > 0.0 ? low : high) = z;
                const double next = bend < 0.0 ? z - slope / bend : end_;
                const bool inside = next > low && next < high;
                if (inside && std::fabs(next - z) < 1e-3) break;
                z = inside ? next : 0.5 * (low + high);
            }
            derivatives(z, slope, bend);
        }
        const double width = std::min(z > 0.0 && bend < 0.0 ? 1.0 / std::sqrt(-bend) : 1.0, 1.0);
        const double top = log_likelihood(excess(z));
        if (top < least) return;
        // Equal steps around the maximum, growing ones to the largest excess: trapezoids.
        double at = std::max(0.0, z - around * width), step = node_step * width, before = 0.0;
        for (;;) {
            if (at > z + around * width) step *= growth;
            const double a = excess(at), log = log_likelihood(a);
            const bool last = at >= end_ || (at > z && log < top - negligible);
            const double share = 0.5 * (before + (last ? 0.0 : std::min(step, end_ - at)));
            node(log + std::log(share / end_), a);
            if (last) return;
            before = std::min(step, end_ - at);
            at += before;
            if (end_ - at < 1e-9) at = end_;
        }
    }

  private:
    double excess(double z) const { return sigma_ * std::expm1(z); }
    double log_likelihood(double a) const {
        double sum = 0.0;
        for (std::size_t i = 0; i < bins_.size(); ++i)
            sum += log_gain(bins_[i].below, bins_[i].sum, 1.0 + a * shape_[i]);
        return sum;
    }
    /// In z.
    void derivatives(double z, double& slope, double& bend) const {
        const double a = excess(z), da = a + sigma_;
        double first = 0.0, second = 0.0;
        for (std::size_t i = 0; i < bins_.size(); ++i) {
            const double r = shape_[i] / (1.0 + a * shape_[i]), m = 1.0 / (1.0 + a * shape_[i]);
            first += r * (bins_[i].sum * m - bins_[i].below);
            second += r * r * (bins_[i].below - 2.0 * bins_[i].sum * m);
        }
        slope = first * da;
        bend = second * da * da + slope;
    }

    std::span<const Weighed> bins_;
    std::span<const double> shape_;
    double sigma_ = 1.0, end_ = 1.0;
};

using Shape = NoiseSpectrum::Shape;
using Node = NoiseSpectrum::Node;

std::vector<Shape> power_laws() {
    std::vector<Shape> shapes;
    for (double slope = 0.0; slope <= steepest; slope += slope_step) shapes.push_back({slope});
    return shapes;
}

/// Flat below a knee within the spectrum.
std::vector<Shape> bends(double lowest, double highest) {
    std::vector<Shape> shapes;
    for (double knee = lowest + knee_step; knee < highest; knee += knee_step)
        for (const double slope : slopes_above_knee) shapes.push_back({slope, knee});
    return shapes;
}

/// Adds the excesses of some shapes, each shape as likely beforehand as the others.
void add_excesses(std::span<const Weighed> bins, std::span<const Shape> shapes, double pivot,
                  double log_prior, std::vector<Node>& nodes) {
    std::vector<double> of_bin(bins.size());
    log_prior -= std::log(static_cast<double>(shapes.size()));
    double most = -INFINITY;
    for (const Shape& shape : shapes) {
        for (std::size_t i = 0; i < bins.size(); ++i) of_bin[i] = shape.at(bins[i].x, pivot);
        OfShape(bins, of_bin).integrate(most - negligible, [&](double log, double a) {
            most = std::max(most, log);
            nodes.push_back({log + log_prior, a, shape});
        });
    }
}

/// Makes the likelihoods of nodes their shares. Returns ln of their sum.
double normalise(std::vector<Node>& nodes) {
    double most = -INFINITY, total = 0.0;
    for (const Node& n : nodes) most = std::max(most, n.log);
    for (const Node& n : nodes) total += std::exp(n.log - most);
    const double log_total = most + std::log(total);
    for (Node& n : nodes) n.log -= log_total;
    return log_total;
}

/// Of ln L at a frequency.
struct Moments {
    double mean = 0.0, squares = 0.0;
};

Moments moments(std::span<const Node> nodes, double x, double pivot) {
    Moments result;
    for (const Node& n : nodes) {
        const double share = std::exp(n.log), log_level = std::log1p(n.excess * n.shape.at(x, pivot));
        result.mean += share * log_level;
        result.squares += share * log_level * log_level;
    }
    return result;
}

}  // namespace

double NoiseSpectrum::Shape::at(double x, double pivot) const {
    return knee > -INFINITY ? 1.0 / (1.0 + std::exp(slope * (x - knee))) : std::exp(-slope * (x - pivot));
}

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

NoiseSpectrum::NoiseSpectrum(std::span<const NoisePower> powers, double exposure) : exposure_(exposure) {
    if (powers.empty()) return;
    lowest_ = powers.front().frequency;
    highest_ = powers.back().frequency;
    std::vector<std::size_t> first;  // power of each bin, and the end
    std::vector<double> log_sum;
    double bin = NAN;
    for (std::size_t i = 0; i < powers.size(); ++i) {
        const double x = std::log(powers[i].frequency), here = bin_of(x, bins_an_octave);
        if (!(here == bin)) {
            bin = here;
            first.push_back(i);
            bins_.emplace_back();
            log_sum.push_back(0.0);
        }
        bins_.back().x += x;
        bins_.back().n += 1.0;
        log_sum.back() += std::log(std::max(0.5 * powers[i].power, 0.5 * least_power));
    }
    first.push_back(powers.size());
    for (Bin& b : bins_) b.x /= b.n;
    const std::vector<double> limit = power_limits(bins_, log_sum);
    for (std::size_t b = 0; b < bins_.size(); ++b)
        for (std::size_t i = first[b]; i < first[b + 1]; ++i) {
            const double half = 0.5 * powers[i].power;
            bins_[b].below += half < limit[b] ? 1.0 : 0.0;
            bins_[b].sum += std::min(half, limit[b]);
        }
    fit_whole(static_cast<double>(powers.size()));
}

void NoiseSpectrum::fit_whole(double powers) {
    const double share = std::min(1.0, (1.0 + (highest_ - lowest_) * exposure_) / powers);
    std::vector<Weighed> all;
    double bin = NAN;
    for (const Bin& b : bins_) {
        const double here = bin_of(b.x, bins_an_octave_of_whole);
        if (!(here == bin)) all.emplace_back();
        bin = here;
        Weighed& w = all.back();
        w.x += b.n * b.x;
        w.n += b.n;
        w.below += b.below;
        w.sum += b.sum;
    }
    for (Weighed& w : all) {
        w = {w.x / w.n, share * w.n, share * w.below, share * w.sum};
        whole_.push_back(w.x);
    }
    const double pivot = all.front().x;
    const std::vector<Shape> bent = bends(pivot, all.back().x);
    add_excesses(all, power_laws(), pivot, std::log(bent.empty() ? 1.0 : 0.5), nodes_);
    if (!bent.empty()) add_excesses(all, bent, pivot, std::log(0.5), nodes_);
    log_red_ = normalise(nodes_);
    std::erase_if(nodes_, [](const Node& n) { return n.log < least_share; });
    normalise(nodes_);
    for (const Node& n : nodes_)
        for (const Weighed& w : all)
            gains_.push_back(log_gain(w.below, w.sum, 1.0 + n.excess * n.shape.at(w.x, pivot)));
}

double NoiseSpectrum::log_gain_of_whole(double centre, double reach) const {
    std::vector<double> weight;
    for (const double x : whole_) weight.push_back(tricube((x - centre) / reach));
    // The likelihood of all powers over that of those elsewhere, which is the mean of the inverse of that of
    // the window over what all allow.
    std::vector<Node> elsewhere = nodes_;
    auto gain = gains_.begin();
    for (Node& n : elsewhere) {
        n.log -= std::inner_product(weight.begin(), weight.end(), gain, 0.0);
        gain += static_cast<std::ptrdiff_t>(weight.size());
    }
    return -normalise(elsewhere);
}

NoiseLevel NoiseSpectrum::at(double frequency) const {
    if (bins_.empty()) return unknown;
    const double x = std::log(frequency), pivot = std::min(x, std::log(highest_));
    std::vector<Weighed> near;
    double n = 0.0, reach = 0.0;
    for (const auto& [octaves, enough] : windows) {
        near.clear();
        n = 0.0;
        reach = octaves * std::log(2.0);
        double low = INFINITY, high = -INFINITY, all = 0.0;
        for (const Bin& b : bins_) {
            const double w = tricube((b.x - pivot) / reach);
            if (!(w > 0.0)) continue;
            near.push_back({b.x, w * b.n, w * b.below, w * b.sum});
            n += w * b.n;
            all += b.n;
            low = std::min(low, b.x);
            high = std::max(high, b.x);
        }
        if (near.empty()) continue;
        const double share = std::min(1.0, (1.0 + (std::exp(high) - std::exp(low)) * exposure_) / all);
        n *= share;
        for (Weighed& w : near) w = {w.x, share * w.n, share * w.below, share * w.sum};
        if (n >= enough) break;
    }
    if (near.empty()) return unknown;
    std::vector<Node> nodes;
    add_excesses(near, power_laws(), pivot, 0.0, nodes);
    const double log_local = normalise(nodes);
    const Moments local = moments(nodes, x, pivot);
    const Moments whole = moments(nodes_, x, whole_.front());
    const double of_whole =
        1.0 / (1.0 + std::exp(std::min(log_local - log_gain_of_whole(pivot, reach), 300.0)));
    const double mean = of_whole * whole.mean + (1.0 - of_whole) * local.mean,
                 squares = of_whole * whole.squares + (1.0 - of_whole) * local.squares;
    NoiseLevel result;
    // The logarithm of the mean of k exponential deviates has the variance 1/(k - 1/2) and, as a distribution
    // of the level, a mean 1/(2k) above that of the estimate.
    result.powers = 1.0 / std::max(squares - mean * mean, 1e-9) + 0.5;
    result.estimate = std::max(1.0, std::exp(mean - 0.5 / result.powers));
    const double odds = 0.5 * (std::exp(std::min(log_red_, 300.0)) + std::exp(std::min(log_local, 300.0)));
    result.white = 1.0 / (1.0 + odds);
    result.level = result.white + (1.0 - result.white) * result.estimate;
    return result;
}

}  // namespace xsift::timing
