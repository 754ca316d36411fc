#include "poisson_draws.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

namespace xsift::refine {

namespace {

constexpr int most_points = 10;
constexpr double infinity = std::numeric_limits<double>::infinity();

/// Orthonormal polynomials: next[k + 1] p[k + 1] = (y - centre[k]) p[k] - next[k] p[k - 1].
struct Polynomials {
    std::array<double, most_points> centre{};
    std::array<double, most_points + 1> next{};

    std::array<double, most_points + 1> values(int degree, double y) const {
        std::array<double, most_points + 1> p{1.0};
        for (int k = 0; k < degree; ++k)
            p[k + 1] = ((y - centre[k]) * p[k] - (k > 0 ? next[k] * p[k - 1] : 0.0)) / next[k + 1];
        return p;
    }
    /// One between any two neighbours of those of one degree less.
    std::vector<double> zeros(int degree) const {
        double beyond = 0.0;
        for (int k = 0; k < degree; ++k)
            beyond = std::fmax(beyond, std::fabs(centre[k]) + next[k] + next[k + 1]);
        std::vector<double> out;
        for (int d = 1; d <= degree; ++d) {
            std::vector<double> between{-beyond};
            between.insert(between.end(), out.begin(), out.end());
            between.push_back(beyond);
            for (std::size_t i = 1; i < between.size(); ++i) {
                double lo = between[i - 1], hi = between[i];
                const bool rises = values(d, hi)[d] > 0.0;
                for (int halvings = 0; halvings < 54; ++halvings) {
                    const double middle = 0.5 * (lo + hi);
                    ((values(d, middle)[d] > 0.0) == rises ? hi : lo) = middle;
                }
                between[i - 1] = 0.5 * (lo + hi);
            }
            between.pop_back();
            out = between;
        }
        return out;
    }
};

/// Charlier polynomials of (count - mean) / sigma.
Polynomials over_all_counts(int degree, double sigma) {
    Polynomials out;
    for (int k = 0; k < degree; ++k) {
        out.centre[k] = k / sigma;
        out.next[k + 1] = std::sqrt(k + 1.0);
    }
    return out;
}

/// Those over the counts from `first` on (procedure of Stieltjes).
Polynomials over_counts_from(int first, int degree, double sigma) {
    const double mean = sigma * sigma, last = mean + 12.0 * sigma + 30.0;
    std::vector<double> y, weight{1.0};
    for (double k = first; k <= last; k += 1.0) {
        y.push_back((k - mean) / sigma);
        weight.push_back(weight.back() * mean / (k + 1.0));
    }
    const auto expectation = [&](const auto& of) {
        double sum = 0.0, total = 0.0;
        for (std::size_t i = 0; i < y.size(); ++i) {
            sum += weight[i] * of(i);
            total += weight[i];
        }
        return sum / total;
    };
    Polynomials out;
    std::vector<double> before(y.size(), 0.0), now(y.size(), 1.0);
    for (int k = 0; k < degree; ++k) {
        out.centre[k] = expectation([&](std::size_t i) { return y[i] * now[i] * now[i]; });
        for (std::size_t i = 0; i < y.size(); ++i)
            before[i] = (y[i] - out.centre[k]) * now[i] - out.next[k] * before[i];
        before.swap(now);
        out.next[k + 1] = std::sqrt(expectation([&](std::size_t i) { return now[i] * now[i]; }));
        for (double& p : now) p /= out.next[k + 1];
    }
    return out;
}

/// The Gauss part of a rule as a function of 1/sigma: Chebyshev series of its points, (count - mean) / sigma,
/// and weights.
class RuleSeries {
  public:
    explicit RuleSeries(const PoissonRule& rule)
        : rule_(rule), lo_(1.0 / std::sqrt(rule.most)), hi_(1.0 / std::sqrt(rule.least)) {
        const int n = rule.points;
        for (int k = 0; k < terms; ++k) {
            const double angle = (k + 0.5) * std::numbers::pi / terms;
            const double sigma = 1.0 / (lo_ + 0.5 * (hi_ - lo_) * (1.0 + std::cos(angle)));
            const Polynomials polynomials =
                rule.counts == 0 ? over_all_counts(n, sigma) : over_counts_from(rule.counts, n, sigma);
            const std::vector<double> y = polynomials.zeros(n);
            for (int i = 0; i < n; ++i) {
                const double zero = y[static_cast<std::size_t>(i)];
                double squares = 0.0;
                const auto p = polynomials.values(n, zero);
                for (int d = 0; d < n; ++d) squares += p[d] * p[d];
                for (int j = 0; j < terms; ++j) {
                    const double share = (j == 0 ? 1.0 : 2.0) / terms * std::cos(j * angle);
                    coefficient_[j][i] += share * zero;
                    coefficient_[j][n + i] += share / squares;
                }
            }
        }
    }

    void apply(double mean, double* count, double* weight) const {
        double above = 1.0, probability = std::exp(-mean);
        for (int k = 0; k < rule_.counts; ++k) {
            *count++ = k;
            *weight++ = probability;
            above -= probability;
            probability *= mean / (k + 1);
        }
        const double sigma = std::sqrt(mean), x = 2.0 * (1.0 / sigma - lo_) / (hi_ - lo_) - 1.0;
        std::array<double, 2 * most_points> sum{};
        double before = x, now = 1.0;  // of the Chebyshev polynomials
        for (int j = 0; j < terms; ++j) {
            for (int i = 0; i < 2 * rule_.points; ++i) sum[i] += now * coefficient_[j][i];
            const double next = j == 0 ? x : 2.0 * x * now - before;
            before = now;
            now = next;
        }
        for (int i = 0; i < rule_.points; ++i) {
            count[i] = mean + sigma * sum[i];
            weight[i] = above * sum[rule_.points + i];
        }
    }

  private:
    static constexpr int terms = 13;
    PoissonRule rule_;
    double lo_, hi_;  ///< of 1/sigma
    std::array<std::array<double, 2 * most_points>, terms> coefficient_{};
};

}  // namespace

/// By trial: moments of W-stat must keep to what PoissonDraws promises. Below 16 a Gauss rule alone does not,
/// because s ln s is no polynomial near 0.
const std::vector<PoissonRule>& poisson_rules() {
    static const std::vector<PoissonRule> rules{
        {0, 3, 40.0, infinity, 0.005}, {0, 4, 20.0, infinity, 0.03},    {0, 4, 4.0, 20.0, 0.003},
        {0, 6, 20.0, infinity, 0.1},   {0, 6, 4.0, 20.0, 0.01},         {3, 5, 0.7, 3.0, infinity},
        {4, 6, 3.0, 8.0, infinity},    {3, 8, 8.0, 16.0, infinity},     {0, 10, 16.0, 20.0, infinity},
        {0, 8, 20.0, 60.0, infinity},  {0, 6, 60.0, infinity, infinity}};
    return rules;
}

void apply_poisson_rule(std::size_t rule, double mean, double* count, double* weight) {
    static const std::vector<RuleSeries> series = [] {
        std::vector<RuleSeries> out;
        for (const PoissonRule& of : poisson_rules()) out.emplace_back(of);
        return out;
    }();
    series[rule].apply(mean, count, weight);
}

void PoissonDraws::set(double mean, double share, bool kinked) {
    const std::vector<PoissonRule>& rules = poisson_rules();
    const auto rule = std::find_if(rules.begin(), rules.end(), [&](const PoissonRule& r) {
        return mean >= r.least && mean < r.most && share < r.share;
    });
    if (kinked || rule == rules.end()) return set_lattice(mean);
    count_.resize(static_cast<std::size_t>(rule->counts + rule->points));
    weight_.resize(count_.size());
    apply_poisson_rule(static_cast<std::size_t>(rule - rules.begin()), mean, count_.data(), weight_.data());
}

/// Every count up to a deviation of 6, then at most a third of a deviation apart.
void PoissonDraws::set_lattice(double mean) {
    constexpr double deviations = 6.0;
    const double sigma = std::sqrt(mean), step = std::fmax(1.0, std::floor(sigma / 3.0));
    const double last = mean + deviations * sigma + 5.0;
    count_.clear();
    weight_.clear();
    double weight = 1.0, total = 0.0;
    for (double k = std::fmax(0.0, std::floor(mean - deviations * sigma)); k <= last; k += step) {
        count_.push_back(k);
        weight_.push_back(weight);
        total += weight;
        for (double next = k + 1.0; next <= k + step; next += 1.0) weight *= mean / next;
    }
    for (double& w : weight_) w /= total;
}

}  // namespace xsift::refine
