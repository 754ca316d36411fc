#include "posterior_lattice.hpp"

#include "fold_products.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace xsift::refine {

namespace {

constexpr std::size_t most_points = 1200;
constexpr double least_significance = 2.0;  ///< of the norm, standard deviations
constexpr double widest = 1.0;              ///< standard deviation of ln norm

}  // namespace

bool Lattice::fill(std::vector<std::pair<Index, Vector>> todo) {
    const std::size_t at_once = objective_.coordinates().n_factors > 0 ? 1 : fold_lanes;
    std::vector<Index> indices;
    std::vector<Vector> places;
    while (!todo.empty()) {
        indices.clear();
        places.clear();
        for (; !todo.empty() && indices.size() < at_once; todo.pop_back()) {
            auto& [index, from] = todo.back();
            if (nodes_.contains(index) || std::find(indices.begin(), indices.end(), index) != indices.end())
                continue;
            for (int a = 0; a < 2; ++a) axes_[a].put(from, axes_[a].at(index[a]));
            indices.push_back(index);
            places.push_back(objective_.coordinates().clipped(from));
        }
        if (nodes_.size() + indices.size() > most_points) return false;
        if (objective_.coordinates().n_factors == 0)
            look(indices, places);
        else if (!indices.empty() && !look(indices.front(), places.front()))
            return false;
        for (std::size_t i = 0; i < indices.size(); ++i) {
            if (nodes_.at(indices[i]).stat > lowest_ + matters) continue;
            for_each_neighbour(axes_, indices[i],
                               [&](const Index& next) { todo.emplace_back(next, places[i]); });
        }
    }
    return true;
}

bool Lattice::significant() const {
    return sigma_of_lowest_ * least_significance < 1.0;
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

void Lattice::look(const std::vector<Index>& indices, std::vector<Vector>& places) {
    objective_.fold_places(places, rates_);
    const int norm = objective_.coordinates().first_norm();
    const std::size_t n = objective_.n_bins();
    for (std::size_t i = 0; i < places.size(); ++i) {
        const auto [stat, log_norm, curvature] =
            objective_.fit_norm(std::span(rates_).subspan(i * n, n), places[i][norm]);
        places[i][norm] = log_norm;
        Node node;
        const double at_least = std::max(curvature, 2.0 / (widest * widest));
        node.stat = stat + std::log(at_least) - std::log(4.0 * std::numbers::pi);
        node.log_norm = log_norm;
        node.norm_sigma = std::sqrt(2.0 / at_least);
        keep(indices[i], node);
    }
}

bool Lattice::look(const Index& index, Vector& place) {
    Point p = objective_.make_point();
    const auto node = evaluate(place, p);
    if (!node) return false;
    place = p.x;
    keep(index, *node);
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
std::vector<std::pair<Index, Vector>> seeds_of(const std::array<Axis, 2>& axes, int n_axes,
                                               const Vector& best, const std::vector<Vector>& others) {
    std::vector<std::pair<Index, Vector>> seeds;
    for (const Vector& x : others) {
        Index index{};
        for (int a = 0; a < n_axes; ++a)
            index[a] = std::clamp(
                static_cast<int>(std::lround((axes[a].to_u(x[a]) - axes[a].origin) / axes[a].step)),
                axes[a].first() + 1, axes[a].last() - 1);
        seeds.emplace_back(index, x);
    }
    seeds.emplace_back(Index{}, best);  // looked at first
    return seeds;
}

/// Lengthens the steps so that there will be no more points than are wanted: a coarse lattice tells how large
/// the part is that matters.
/// @return false when it tells that there is no posterior to be had
bool coarsen(Objective& objective, std::array<Axis, 2>& axes, const Vector& best,
             const std::vector<Vector>& others) {
    constexpr double coarser = 3.0, wanted = 700.0;
    const int n_axes = objective.coordinates().n_shape;
    std::array<Axis, 2> wide = axes;
    for (int a = 0; a < n_axes; ++a) {
        wide[a].step *= coarser;
        meet_limit(wide[a]);
    }
    Lattice lattice(objective, wide);
    lattice.fill(seeds_of(wide, n_axes, best, others));
    if (!lattice.significant()) return false;
    const double points = static_cast<double>(lattice.within()) * std::pow(coarser, n_axes);
    if (n_axes > 0 && points > wanted)
        for (int a = 0; a < n_axes; ++a) axes[a].step *= std::pow(points / wanted, 1.0 / n_axes);
    return true;
}

}  // namespace

std::optional<Lattice> resolve(Objective& objective, const Vector& best, const std::vector<Vector>& others) {
    constexpr int most_tries = 5, least_width = 5;
    const Coordinates& c = objective.coordinates();
    Point p = objective.make_point(), scratch = objective.make_point();
    objective.evaluate(best, p);
    const Expansion at = objective.expand(p);
    std::array<Axis, 2> axes;
    for (int a = 0; a < c.n_shape; ++a) axes[a] = make_axis(objective, p, at, a, scratch);
    if (!coarsen(objective, axes, p.x, others)) return std::nullopt;
    for (int attempt = 0; attempt < most_tries; ++attempt) {
        for (int a = 0; a < c.n_shape; ++a) meet_limit(axes[a]);
        Lattice lattice(objective, axes);
        const bool all = lattice.fill(seeds_of(axes, c.n_shape, p.x, others));
        if (!lattice.significant()) return std::nullopt;
        if (!all) {  // fewer along the axis that has more
            axes[lattice.width(0) >= lattice.width(1) ? 0 : 1].step *= 2.0;
            continue;
        }
        bool good = true;
        for (int a = 0; a < c.n_shape; ++a)
            if (lattice.width(a) < least_width) {
                axes[a].step *= 0.5;
                good = false;
            }
        if (good) return lattice;
    }
    return std::nullopt;
}

}  // namespace xsift::refine
