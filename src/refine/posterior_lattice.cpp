#include "posterior_lattice.hpp"

#include "fold_products.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <unordered_set>

#include <xsift/spectral/posterior_integral.hpp>

namespace xsift::refine {

namespace {

constexpr std::size_t most_points = 1200;
constexpr double least_significance = 2.0;  ///< of the norm, standard deviations

}  // namespace

Lattice::Lattice(Objective& objective, std::array<Axis, 2> axes, const Vector& best)
    : objective_(objective), axes_(axes) {
    if (objective.coordinates().n_factors > 0) return;
    std::vector<double> slope;
    objective.fold_places(std::span(&best, 1), 0, rates_);
    const double norm = std::exp(best[objective.coordinates().first_norm()]);
    for (double& r : rates_) r *= norm;
    objective.expand_rates(best, rates_, slope, weight_);
    for (std::size_t k = 0; k < rates_.size(); ++k) weight_[k] *= rates_[k];
}

void Lattice::adopt(const Lattice& coarse, int multiple) {
    for (const auto& [index, node] : coarse.nodes_) {
        Index own{};
        bool inside = true;
        for (int a = 0; a < 2; ++a) {
            own[a] = index[a] * multiple;
            inside = inside && own[a] >= axes_[a].first() && own[a] <= axes_[a].last() &&
                     (own[a] == 0 || axes_[a].apart(own[a], own[a] > 0 ? own[a] - 1 : own[a] + 1));
        }
        if (inside) keep(own, node);
    }
}

bool Lattice::fill(std::vector<Candidate> todo) {
    const int norm = objective_.coordinates().first_norm();
    const bool one_by_one = objective_.coordinates().n_factors > 0;
    const std::size_t at_once = one_by_one ? 1 : fold_wide_lanes;
    std::unordered_set<std::int64_t> reached;
    const auto key = [](const Index& index) { return (std::int64_t{index[0]} << 32) + index[1]; };
    std::vector<Candidate> next;
    const auto surround = [&](const Candidate& from) {
        const Node& node = nodes_.at(from.index);
        if (node.stat > lowest_ + matters) return;
        for_each_neighbour(axes_, from.index, [&](const Index& index) {
            if (reached.contains(key(index))) return;
            const auto behind = nodes_.find({2 * from.index[0] - index[0], 2 * from.index[1] - index[1]});
            const double rise = behind == nodes_.end() ? 0.0 : node.log_source - behind->second.log_source;
            Candidate& more = todo.emplace_back(index, from.place, node.log_source + rise);
            more.place[norm] = node.log_norm;
            for (std::size_t i = 0; i < node.log_factor.size(); ++i)
                more.place[objective_.coordinates().first_factor() + static_cast<int>(i)] =
                    node.log_factor[i];
        });
    };
    while (!todo.empty()) {
        next.clear();
        while (!todo.empty() && next.size() < at_once) {
            Candidate candidate = todo.back();
            todo.pop_back();
            if (!reached.insert(key(candidate.index)).second) continue;
            for (int a = 0; a < 2; ++a) axes_[a].put(candidate.place, axes_[a].at(candidate.index[a]));
            candidate.place = objective_.coordinates().clipped(candidate.place);
            if (nodes_.contains(candidate.index))  // adopted
                surround(candidate);
            else
                next.push_back(candidate);
        }
        if (nodes_.size() + next.size() > most_points) return false;
        if (!one_by_one)
            look(next);
        else if (!next.empty() && !look(next.front()))
            return false;
        for (const Candidate& c : next) surround(c);
    }
    return true;
}

bool norm_is_significant(double sigma) {
    return sigma * least_significance < 1.0;
}

std::size_t Lattice::within() const {
    return static_cast<std::size_t>(std::count_if(
        nodes_.begin(), nodes_.end(), [&](const auto& n) { return n.second.stat < lowest_ + matters; }));
}

std::array<Index, 2> Lattice::range() const {
    std::array<Index, 2> out{nodes_.begin()->first, nodes_.begin()->first};
    for (const auto& [index, node] : nodes_)
        for (int a = 0; a < 2; ++a) {
            out[0][a] = std::min(out[0][a], index[a]);
            out[1][a] = std::max(out[1][a], index[a]);
        }
    return out;
}

int Lattice::width(int axis) const {
    int lo = 1 << 30, hi = -(1 << 30);
    for (const auto& [index, node] : nodes_)
        if (node.stat < lowest_ + matters) lo = std::min(lo, index[axis]), hi = std::max(hi, index[axis]);
    return hi - lo;
}

void Lattice::keep(const Index& index, const Node& node) {
    nodes_.emplace(index, node);
    if (!(node.stat < lowest_)) return;
    lowest_ = node.stat;
    sigma_of_lowest_ = node.norm_sigma;
}

void Lattice::look(const std::vector<Candidate>& candidates) {
    if (candidates.empty()) return;
    std::vector<Vector> places;
    for (const Candidate& c : candidates) places.push_back(c.place);
    objective_.fold_places(places, 0, rates_);
    const int norm = objective_.coordinates().first_norm();
    const std::size_t n = objective_.n_bins();
    for (std::size_t i = 0; i < places.size(); ++i) {
        const auto unit = std::span(rates_).subspan(i * n, n);
        const double log_unit = std::log(std::max(StatisticTerms::dot(weight_, unit), 1e-300));
        const auto& before = candidates[i].log_source;
        const auto [stat, log_norm, curvature] =
            objective_.fit_norm(unit, before ? *before - log_unit : places[i][norm]);
        Node node;
        const double at_least = spectral::norm_curvature(curvature);
        node.stat = spectral::integrated_over_norm(stat, at_least);
        node.log_norm = log_norm;
        node.log_source = log_norm + log_unit;
        node.norm_sigma = std::sqrt(2.0 / at_least);
        keep(candidates[i].index, node);
    }
}

bool Lattice::look(const Candidate& candidate) {
    Point p = objective_.make_point();
    const auto node = evaluate(candidate.place, p);
    if (!node) return false;
    keep(candidate.index, *node);
    return true;
}

std::optional<Node> Lattice::evaluate(const Vector& x, Point& p) {
    const Coordinates& c = objective_.coordinates();
    objective_.evaluate_linear(x, p);
    profile_factors(p);
    const Expansion at = objective_.expand_linear(p);
    Mask linear{};
    for (int i = c.first_factor(); i < c.n; ++i) linear[i] = true;
    Node node;
    double log_determinant = 0.0;  // the product of the conditional curvatures
    Mask done{};
    for (int i = c.first_factor(); i < c.n; ++i) {
        done[i] = true;
        const auto variance = inverse_diagonal(at.observed, i, done, c.n);
        if (!variance) return std::nullopt;
        log_determinant -= std::log(*variance);
    }
    const int m = c.n - c.first_factor();
    for (int i = c.first_factor(); i < c.n; ++i) {
        const auto variance = inverse_diagonal(at.observed, i, linear, c.n);
        if (!variance) return std::nullopt;
        if (i < c.first_norm()) {
            node.log_factor.push_back(p.x[i]);
            node.factor_sigma.push_back(std::sqrt(2.0 * *variance));
        } else {
            node.log_norm = p.x[i];
            node.norm_sigma = std::sqrt(2.0 * *variance);
        }
    }
    node.stat = p.stat + log_determinant - m * std::log(4.0 * std::numbers::pi);
    return node;
}

void Lattice::profile_factors(Point& p) {
    const Coordinates& c = objective_.coordinates();
    Mask linear{};
    for (int i = c.first_factor(); i < c.n; ++i) linear[i] = true;
    for (int step = 0; step < 8; ++step) {
        const Expansion at = objective_.expand_linear(p);
        const auto move = solve(at.expected, at.slope, linear, c.n);
        if (!move) return;
        double promised = 0.0;
        Vector x = p.x;
        for (int i = c.first_factor(); i < c.n; ++i) {
            promised += 0.5 * at.slope[i] * (*move)[i];
            x[i] -= std::clamp((*move)[i], -1.0, 1.0);
        }
        if (promised < 1e-4) return;
        objective_.evaluate_linear(c.clipped(x), p);
    }
}

namespace {

/// Where a lattice starts: at the best point, and at others.
std::vector<Candidate> seeds_of(const std::array<Axis, 2>& axes, int n_axes, const Vector& best,
                                const std::vector<Vector>& others) {
    std::vector<Candidate> seeds;
    for (const Vector& x : others) {
        Index index{};
        for (int a = 0; a < n_axes; ++a)
            index[a] = std::clamp(
                static_cast<int>(std::lround((axes[a].to_u(x[a]) - axes[a].origin) / axes[a].step)),
                axes[a].first() + 1, axes[a].last() - 1);
        seeds.push_back({index, x, {}});
    }
    seeds.push_back({Index{}, best, {}});  // looked at first
    return seeds;
}

/// A first lattice of steps three times as long tells how large the part is that matters, and lengthens the
/// steps when there would be more points than are wanted.
/// @param wanted at most
Lattice survey(Objective& objective, std::array<Axis, 2>& axes, const Vector& best,
               const std::vector<Vector>& others, double wanted) {
    const int n_axes = objective.coordinates().n_shape;
    std::array<Axis, 2> wide = axes;
    for (int a = 0; a < n_axes; ++a) wide[a].step *= coarser_steps;
    Lattice lattice(objective, wide, best);
    lattice.fill(seeds_of(wide, n_axes, best, others));
    const double points = static_cast<double>(lattice.within()) * std::pow(coarser_steps, n_axes);
    if (n_axes > 0 && points > wanted)
        for (int a = 0; a < n_axes; ++a) {
            axes[a].step *= std::pow(points / wanted, 1.0 / n_axes);
            meet_limit(axes[a]);
        }
    return lattice;
}

}  // namespace

std::optional<SurveyedPosterior> survey_posterior(Objective& objective, const Vector& best,
                                                  const std::vector<Vector>& others, bool fine) {
    const Coordinates& c = objective.coordinates();
    Point p = objective.make_point(), scratch = objective.make_point();
    objective.evaluate(best, p);
    const Expansion at = objective.expand(p);
    // most spectra without a significant norm are told before anything is looked at
    if (!(at.observed[c.first_norm()][c.first_norm()] > 2.0 * least_significance * least_significance))
        return std::nullopt;
    std::array<Axis, 2> axes;
    for (int a = 0; a < c.n_shape; ++a) {
        axes[a] = make_axis(objective, p, at, a, scratch);
        if (fine) axes[a].step *= 0.5;
        meet_limit(axes[a]);
    }
    Lattice first = survey(objective, axes, p.x, others, fine ? 800.0 : 250.0);
    if (!first.significant()) return std::nullopt;
    return SurveyedPosterior{p.x, axes, std::move(first)};
}

std::optional<Lattice> resolve(Objective& objective, const Vector& best, const std::vector<Vector>& others,
                               bool fine) {
    constexpr int most_tries = 5;
    const Coordinates& c = objective.coordinates();
    const auto surveyed = survey_posterior(objective, best, others, fine);
    if (!surveyed) return std::nullopt;
    const Vector& from = surveyed->best;
    const Lattice& first = surveyed->coarse;
    std::array<Axis, 2> axes = surveyed->axes;
    for (int attempt = 0; attempt < most_tries; ++attempt) {
        Lattice lattice(objective, axes, from);
        bool thirds = true;  // of the first lattice's steps
        for (int a = 0; a < c.n_shape; ++a)
            thirds = thirds && coarser_steps * axes[a].step == first.axes()[a].step;
        if (thirds) lattice.adopt(first, coarser_steps);
        const bool all = lattice.fill(seeds_of(axes, c.n_shape, from, others));
        if (!lattice.significant()) return std::nullopt;
        if (!all) {  // fewer along the axis that has more
            Axis& longer = axes[lattice.width(0) >= lattice.width(1) ? 0 : 1];
            longer.step *= 2.0;
            meet_limit(longer);
            continue;
        }
        bool good = true;
        for (int a = 0; a < c.n_shape; ++a)
            if (lattice.width(a) < least_lattice_width) {
                axes[a].step *= 0.5;
                meet_limit(axes[a]);
                good = false;
            }
        if (good) return lattice;
    }
    return std::nullopt;
}

}  // namespace xsift::refine
