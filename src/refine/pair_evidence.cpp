#include "pair_evidence.hpp"

#include "posterior_axis.hpp"

#include <array>
#include <map>
#include <numbers>
#include <span>

namespace xsift::refine {

namespace {

using Index = std::array<int, 3>;

/// The likelihood over both norms at one place of the shape parameters.
class NormIntegral {
  public:
    NormIntegral(const Objective& objective, const Vector& x, std::span<const double> first,
                 std::span<const double> second)
        : objective_(objective), x_(x), first_(first), second_(second), unit_(first.size()) {}

    /// ln of the integral over ln of both norms of exp(-statistic/2). @param share of the second component in
    /// the expected counts, where the sums start; @param sum_of_first, sum_of_second expected rate at norm 1
    double log_integral(double share, double sum_of_first, double sum_of_second) {
        ratio_ = sum_of_first / sum_of_second;
        const double start = std::clamp(std::log(share / (1.0 - share)), -farthest, farthest);
        const Slice middle = slice(start);
        lowest_ = middle.stat;
        const double step = first_step(start, middle);
        double sum = walk(start, middle, step) + walk(start, middle, -step);
        return std::log(sum) - 0.5 * lowest_;
    }

  private:
    static constexpr double farthest = 9.0;  ///< logit: one part in 8,000
    static constexpr double negligible = 30.0;

    struct Slice {
        double stat = 0.0, norm = 0.0;
        double log_width = 0.0;  ///< ln of the integral over the sum of norms beside that of its maximum
    };

    Slice slice(double logit) {
        const double f = 1.0 / (1.0 + std::exp(-logit));
        for (std::size_t k = 0; k < unit_.size(); ++k)
            unit_[k] = (1.0 - f) * first_[k] + f * ratio_ * second_[k];
        const auto [norm, stat] = objective_.single_norm(x_, unit_);
        for (std::size_t k = 0; k < unit_.size(); ++k) unit_[k] *= norm;
        objective_.expand_rates(x_, unit_, slope_, curvature_);
        double information = 0.0;
        for (std::size_t k = 0; k < unit_.size(); ++k) information += curvature_[k] * unit_[k] * unit_[k];
        return {stat, norm, 0.5 * std::log(4.0 * std::numbers::pi / std::max(information, 1e-3))};
    }
    double likelihood(const Slice& s) const { return std::exp(-0.5 * (s.stat - lowest_) + s.log_width); }

    /// A step in which the statistic rises by about one.
    double first_step(double start, const Slice& middle) {
        double step = 0.5;
        for (int i = 0; i < 12; ++i) {
            const double rise = std::max(slice(start + step).stat, slice(start - step).stat) - middle.stat;
            if (rise < 1.5) break;
            step *= std::clamp(std::sqrt(1.0 / rise), 0.2, 0.8);
        }
        return step;
    }

    /// The integral to one side, with steps that grow slowly, and beyond the farthest share down to the limit
    /// of the smaller norm.
    double walk(double start, const Slice& middle, double step) {
        const Coordinates& c = objective_.coordinates();
        double sum = 0.0, at = start, before = likelihood(middle);
        Slice last = middle;
        while (std::fabs(at) < farthest || at * step < 0.0) {
            double next = at + step;
            if (next * step > 0.0 && std::fabs(next) > farthest) next = std::copysign(farthest, step);
            last = slice(next);
            const double here = likelihood(last);
            sum += 0.5 * (before + here) * std::fabs(next - at);
            at = next;
            before = here;
            if (last.stat > lowest_ + negligible) return sum;
            step *= 1.12;
            step = std::clamp(step, -0.8, 0.8);
        }
        // the smaller component no longer matters: as far as its norm may fall
        const int smaller = step > 0.0 ? c.first_norm() : c.first_norm() + 1;
        const double share = std::log1p(std::exp(-farthest)) + farthest;  // -ln of the smaller share
        const double log_norm = std::log(last.norm) - share + (step > 0.0 ? 0.0 : std::log(ratio_));
        return sum + before * std::max(0.0, log_norm - c.lo[smaller]);
    }

    const Objective& objective_;
    const Vector& x_;
    std::span<const double> first_, second_;
    std::vector<double> unit_, slope_, curvature_;
    double ratio_ = 1.0, lowest_ = 0.0;
};

/// Of two components of one kind the coordinates that are theirs alone: exchanging these changes nothing.
struct Exchange {
    int first = -1, second = -1;
};

Exchange exchange_of(const Objective& objective) {
    const spectral::ModelFreedom& freedom = objective.freedom();
    const auto component = [&](std::size_t g) -> const spectral::Component& {
        const auto term = static_cast<std::size_t>(freedom.groups[g].terms.front());
        return objective.model().components[static_cast<std::size_t>(objective.model().terms[term].additive)];
    };
    Exchange out;
    if (component(0).kind != component(1).kind || component(0).table != component(1).table) return out;
    for (int s = 0; s < objective.coordinates().n_shape; ++s) {
        const auto index = static_cast<std::size_t>(s);
        const bool first = freedom.depends(0, index), second = freedom.depends(1, index);
        if (first != second) (first ? out.first : out.second) = s;
    }
    return out.first >= 0 && out.second >= 0 ? out : Exchange{};
}

/// The integrals over the norms on the part of a lattice of up to three shape parameters that matters.
class PairLattice {
  public:
    /// Of two components that can be exchanged only the order that the best fit has is looked at.
    PairLattice(Objective& objective, const std::array<Axis, 3>& axes, Exchange exchange)
        : objective_(objective), axes_(axes), exchange_(exchange) {}

    bool fill(const Vector& from) {
        constexpr std::size_t most_points = 3000;
        Point p = objective_.make_point();
        std::vector<std::pair<Index, Vector>> todo{{Index{}, from}};
        while (!todo.empty()) {
            const auto [index, before] = todo.back();
            todo.pop_back();
            if (values_.contains(index)) continue;
            if (values_.size() == most_points) return false;
            Vector x = before;
            for (int a = 0; a < 3; ++a) axes_[a].put(x, axes_[a].at(index[a]));
            objective_.evaluate_linear(objective_.coordinates().clipped(x), p);
            const double value = integral(p);
            highest_ = std::max(highest_, value);
            values_.emplace(index, value);
            if (value < highest_ - 0.5 * matters) continue;
            for_each_neighbour(axes_, index, [&](const Index& next) {
                if (!exchanged(next)) todo.emplace_back(next, p.x);
            });
        }
        return true;
    }
    double highest() const { return highest_; }
    const std::map<Index, double>& values() const { return values_; }

  private:
    bool exchanged(const Index& index) const {
        if (exchange_.first < 0) return false;
        const auto apart = [&](const Index& at) {
            return axes_[exchange_.first].at(at[exchange_.first]) -
                   axes_[exchange_.second].at(at[exchange_.second]);
        };
        return apart(index) * apart(Index{}) < 0.0;
    }

    double integral(const Point& p) {
        const Coordinates& c = objective_.coordinates();
        const std::size_t n = objective_.n_bins();
        const std::span<const double> first(p.rates.data(), n), second(p.rates.data() + n, n);
        double sum_of_first = 0.0, sum_of_second = 0.0;
        for (std::size_t k = 0; k < n; ++k) sum_of_first += first[k], sum_of_second += second[k];
        const double a = std::exp(p.x[c.first_norm()]) * sum_of_first,
                     b = std::exp(p.x[c.first_norm() + 1]) * sum_of_second;
        return NormIntegral(objective_, p.x, first, second)
            .log_integral(b / (a + b), sum_of_first, sum_of_second);
    }

    Objective& objective_;
    std::array<Axis, 3> axes_;
    Exchange exchange_;
    std::map<Index, double> values_;
    double highest_ = -std::numeric_limits<double>::infinity();
};

}  // namespace

PairPosterior pair_posterior(Objective& objective, const Point& best, const spectral::FitOptions& options) {
    constexpr int most_tries = 4;
    constexpr double coarser = 1.5;
    const Coordinates& c = objective.coordinates();
    if (c.n_norms != 2 || c.n_factors > 0 || objective.freedom().groups.size() != 2 || c.n_shape > 3)
        return {};
    const Expansion at = objective.expand(best);
    Point scratch = objective.make_point();
    std::array<Axis, 3> axes;
    const Exchange exchange = exchange_of(objective);
    objective.remember(64);
    for (int a = 0; a < c.n_shape; ++a) axes[a] = make_axis(objective, best, at, a, scratch);
    for (int attempt = 0; attempt < most_tries; ++attempt) {
        for (int a = 0; a < c.n_shape; ++a) {
            if (attempt > 0) axes[a].step *= coarser;
            meet_limit(axes[a]);
        }
        PairLattice lattice(objective, axes, exchange);
        if (!lattice.fill(best.x)) continue;
        objective.remember(0);

        PairPosterior out;
        std::array<std::map<int, double>, 3> marginal;
        double total = 0.0;
        const auto half_width = [](const Axis& axis, int k) {
            return axis.coordinate < 0 ? 1.0 : 0.5 * (axis.at(k + 1) - axis.at(k - 1));
        };
        for (const auto& [index, value] : lattice.values()) {
            double density = std::exp(value - lattice.highest()), width = 1.0;
            for (int a = 0; a < c.n_shape; ++a) {
                const double u = axes[a].at(index[a]);
                const auto& of = objective.model().parameters[static_cast<std::size_t>(c.parameter[a])];
                density *= std::exp(log_prior(of, axes[a].to_x(u), options) + axes[a].log_stretch(u));
                width *= half_width(axes[a], index[a]);
            }
            total += density * width;
            for (int a = 0; a < c.n_shape; ++a)
                marginal[a][index[a]] += density * width / half_width(axes[a], index[a]);
        }
        double norm_priors = 0.0;
        for (int g = c.first_norm(); g < c.n; ++g) norm_priors -= std::log(c.hi[g] - c.lo[g]);
        const double orders = exchange.first >= 0 ? 2.0 : 1.0;
        out.log_evidence = std::log(orders * total) + lattice.highest() + norm_priors;
        for (int a = 0; a < c.n_shape; ++a) {
            std::vector<double> u, density;
            for (const auto& [k, value] : marginal[a]) {
                u.push_back(axes[a].at(k));
                density.push_back(value);
            }
            const auto value = [&](double position) {
                return c.logarithmic[a] ? std::exp(position) : axes[a].to_x(position);
            };
            out.shapes.push_back(u.size() < 2 ? Posterior{} : summarise(u, density, value).posterior);
        }
        return out;
    }
    objective.remember(0);
    return {};
}

}  // namespace xsift::refine
