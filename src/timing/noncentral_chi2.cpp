#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include <xsift/core/constants.hpp>
#include <xsift/timing/noncentral_chi2.hpp>

namespace xsift::timing {
namespace {

/// ln n! - Stirling's formula (Loader 2000, "Fast and accurate computation of binomial probabilities").
double stirling_error(double n) {
    if (n < 16.0) {
        double log_factorial = 0.0;
        for (double i = 2.0; i <= n; i += 1.0) log_factorial += std::log(i);
        return n == 0.0 ? 0.0
                        : log_factorial - (n + 0.5) * std::log(n) + n - 0.5 * std::log(constants::two_pi);
    }
    const double q = 1.0 / (n * n);
    return (1.0 / 12 - q * (1.0 / 360 - q * (1.0 / 1260 - q * (1.0 / 1680 - q / 1188)))) / n;
}

/// x ln(x/m) + m - x without cancellation near x = m.
double deviance(double x, double m) {
    if (std::fabs(x - m) >= 0.1 * (x + m)) return x * std::log(x / m) + m - x;
    const double v = (x - m) / (x + m);
    double sum = (x - m) * v, term = 2.0 * x * v;
    for (int j = 3;; j += 2) {
        term *= v * v;
        const double next = sum + term / j;
        if (next == sum) return sum;
        sum = next;
    }
}

double poisson(std::int64_t count, double mean) {
    const auto k = static_cast<double>(count);
    if (mean <= 0.0) return count == 0 ? 1.0 : 0.0;
    if (count == 0) return std::exp(-mean);
    return std::exp(-stirling_error(k) - deviance(k, mean)) / std::sqrt(constants::two_pi * k);
}

/// Poisson probabilities of a range of counts, from the one nearest to the mode outwards: none underflows
/// that is not negligible against it.
class PoissonRange {
  public:
    PoissonRange(double mean, std::int64_t first, std::int64_t last)
        : first_(first), value_(static_cast<std::size_t>(last - first + 1)) {
        const std::int64_t anchor = std::clamp(static_cast<std::int64_t>(std::min(mean, 9e15)), first, last);
        at(anchor) = poisson(anchor, mean);
        for (std::int64_t k = anchor; k < last; ++k) at(k + 1) = at(k) * mean / static_cast<double>(k + 1);
        for (std::int64_t k = anchor; k > first; --k)
            at(k - 1) = mean > 0.0 ? at(k) * static_cast<double>(k) / mean : 0.0;
    }
    double operator()(std::int64_t k) const { return value_[static_cast<std::size_t>(k - first_)]; }

  private:
    double& at(std::int64_t k) { return value_[static_cast<std::size_t>(k - first_)]; }
    std::int64_t first_;
    std::vector<double> value_;
};

/// Counts that hold all but less than 1e-20 of a Poisson distribution.
struct Range {
    std::int64_t first, last;

    explicit Range(double mean) {
        const double width = 10.0 * std::sqrt(mean) + 50.0;
        first = std::max<std::int64_t>(0, static_cast<std::int64_t>(mean - width));
        last = static_cast<std::int64_t>(mean + width);
    }
};

/// P(X <= x) for 2n and for 2n + 2 degrees of freedom; half their difference is the slope in lambda.
struct CdfPair {
    double same, next;
};

CdfPair cdf_pair(double x, int n, double lambda) {
    if (!(x > 0.0)) return {0.0, 0.0};
    const Range signal(0.5 * lambda);
    const std::int64_t lowest = signal.first + n,
                       highest = std::max(signal.last + n, Range(0.5 * x).last) + 1;
    const PoissonRange weight(0.5 * lambda, signal.first, signal.last), density(0.5 * x, lowest, highest);
    double at_least = 0.0;  // P(Poisson(x/2) >= k)
    std::int64_t k = highest;
    for (; k > signal.last + n; --k) at_least += density(k);
    CdfPair sum{0.0, 0.0};
    for (std::int64_t j = signal.last; j >= signal.first; --j) {
        sum.next += weight(j) * at_least;
        at_least += density(n + j);
        sum.same += weight(j) * at_least;
    }
    return {std::min(sum.same, 1.0), std::min(sum.next, 1.0)};
}

}  // namespace

double noncentral_chi2_cdf(double x, int n, double lambda) {
    return cdf_pair(x, n, lambda).same;
}

double noncentral_chi2_survival(double x, int n, double lambda) {
    if (!(x > 0.0)) return 1.0;
    const Range signal(0.5 * lambda);
    const std::int64_t first = std::min(signal.first, Range(0.5 * x).first), last = signal.last + n;
    const PoissonRange weight(0.5 * lambda, signal.first, signal.last), density(0.5 * x, first, last);
    double less = 0.0, sum = 0.0;  // P(Poisson(x/2) < k)
    std::int64_t k = first;
    for (; k < signal.first + n; ++k) less += density(k);
    for (std::int64_t j = signal.first; j <= signal.last; ++j) {
        sum += weight(j) * less;
        less += density(n + j);
    }
    return std::min(sum, 1.0);
}

double noncentrality_at(double x, int n, double probability) {
    if (!std::isfinite(x) || !(probability > 0.0 && probability < 1.0)) return static_cast<double>(NAN);
    if (x <= 0.0 || cdf_pair(x, n, 0.0).same <= probability) return 0.0;
    // sqrt(X) is nearly normal with unit variance around sqrt(lambda): Newton steps in sqrt(lambda), kept
    // inside a bracket.
    double low = 0.0, high = std::sqrt(x) + 40.0;
    double root = std::clamp(std::sqrt(x) + std::log((1.0 - probability) / probability) / 1.702, 0.1, high);
    for (int iteration = 0; iteration < 100; ++iteration) {
        const CdfPair p = cdf_pair(x, n, root * root);
        (p.same > probability ? low : high) = root;
        const double slope = root * (p.next - p.same);  // with respect to the root
        double next = slope < 0.0 ? root - (p.same - probability) / slope : low;
        if (!(next > low && next < high)) next = 0.5 * (low + high);
        const double step = std::fabs(next - root);
        root = next;
        if (step <= 1e-7 * root) break;  // squared by the next step
    }
    return root * root;
}

double maximum_cdf(double x, int n, double lambda, double spread) {
    if (!(x > 0.0)) return 0.0;
    const double root = std::sqrt(x), centre = std::sqrt(lambda);
    const double low = std::max(-8.0, (-root - centre) / spread),
                 high = std::min(8.0, (root - centre) / spread);
    if (!(high > low)) return high > 0.0 ? 1.0 : 0.0;
    constexpr int steps = 128;
    double sum = 0.0;
    for (int i = 0; i < steps; ++i) {
        // Midpoints in u with g = low + (high - low) u^3 (10 - 15 u + 6 u^2): the ends, where the integrand
        // rises with a slope, do no harm then.
        const double u = (i + 0.5) / steps, share = u * u * u * (10.0 - u * (15.0 - 6.0 * u)),
                     stretch = 30.0 * u * u * (1.0 - u) * (1.0 - u);
        const double g = low + (high - low) * share, along = centre + spread * g,
                     y = std::max(0.0, 0.5 * (x - along * along));
        double term = std::exp(-y), tail = 0.0;  // P(chi2 of 2n > 2y)
        for (int k = 0; k < n; ++k) {
            tail += term;
            term *= y / (k + 1);
        }
        sum += stretch * std::exp(-0.5 * g * g) * std::max(0.0, 1.0 - tail);
    }
    return std::min(1.0, sum * (high - low) / steps / std::sqrt(constants::two_pi));
}

}  // namespace xsift::timing
