#include "posterior.hpp"

#include "fold_products.hpp"
#include "objective.hpp"
#include "posterior_axis.hpp"
#include "two_scales.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <numeric>

namespace xsift::refine {

namespace {

using spectral::ModelDefinition;
using spectral::ModelParameter;

constexpr double unseen = 32.0;  ///< rise that stands for points not looked at
constexpr std::size_t most_points = 1200;
constexpr int subdivisions = 8;             ///< of a step of the lattice
constexpr double least_significance = 2.0;  ///< of the norm, standard deviations
constexpr double widest = 1.0;              ///< standard deviation of ln norm

/// One evaluated point of the lattice.
struct Node {
    double stat = 0.0;  ///< with the determinant of what was integrated over
    double log_norm = 0.0, norm_sigma = 0.0;
    std::vector<double> log_factor, factor_sigma;
};

using Index = std::array<int, 2>;

class Lattice {
  public:
    Lattice(Objective& objective, std::array<Axis, 2> axes) : objective_(objective), axes_(axes) {}

    /// Looks at everything that hangs together with the seeds and matters.
    /// @return whether few enough points did it
    bool fill(std::vector<std::pair<Index, Vector>> todo) {
        const std::size_t at_once = objective_.coordinates().n_factors > 0 ? 1 : fold_lanes;
        std::vector<Index> indices;
        std::vector<Vector> places;
        while (!todo.empty()) {
            indices.clear();
            places.clear();
            for (; !todo.empty() && indices.size() < at_once; todo.pop_back()) {
                auto& [index, from] = todo.back();
                if (nodes_.contains(index) ||
                    std::find(indices.begin(), indices.end(), index) != indices.end())
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
    double lowest() const { return lowest_; }
    /// Of ln norm at the lowest point.
    double norm_sigma() const { return sigma_of_lowest_; }
    /// Whether the norm is significant there. Where it is not, its integral is no Gaussian.
    bool significant() const { return sigma_of_lowest_ * least_significance < 1.0; }
    const std::map<Index, Node>& nodes() const { return nodes_; }
    const std::array<Axis, 2>& axes() const { return axes_; }
    /// Points that matter.
    std::size_t within() const {
        return static_cast<std::size_t>(std::count_if(
            nodes_.begin(), nodes_.end(), [&](const auto& n) { return n.second.stat < lowest_ + matters; }));
    }
    /// Range of the indices looked at.
    std::array<Index, 2> range() const {
        std::array<Index, 2> out{nodes_.begin()->first, nodes_.begin()->first};
        for (const auto& [index, node] : nodes_)
            for (int a = 0; a < 2; ++a) {
                out[0][a] = std::min(out[0][a], index[a]);
                out[1][a] = std::max(out[1][a], index[a]);
            }
        return out;
    }
    /// How many steps the part that matters is wide along an axis.
    int width(int axis) const {
        int lo = 1 << 30, hi = -(1 << 30);
        for (const auto& [index, node] : nodes_)
            if (node.stat < lowest_ + matters) lo = std::min(lo, index[axis]), hi = std::max(hi, index[axis]);
        return hi - lo;
    }

  private:
    void keep(const Index& index, const Node& node) {
        nodes_.emplace(index, node);
        if (!(node.stat < lowest_)) return;
        lowest_ = node.stat;
        sigma_of_lowest_ = node.norm_sigma;
    }

    /// One spectrum, whose norm is profiled, and integrated as a Gaussian in its logarithm. Where the norm
    /// can be 0 that is none: what lies towards 0 counts as `widest`.
    /// @param places with norms to begin with; they get the profiled ones
    void look(const std::vector<Index>& indices, std::vector<Vector>& places) {
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

    /// The norm is profiled, and the factors with it; then all are integrated as Gaussians.
    bool look(const Index& index, Vector& place) {
        Point p = objective_.make_point();
        const auto node = evaluate(place, p);
        if (!node) return false;
        place = p.x;
        keep(index, *node);
        return true;
    }

    std::optional<Node> evaluate(const Vector& x, Point& p) {
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

    /// Newton steps on the factors; the norm follows.
    void profile_factors(Point& p) {
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

    Objective& objective_;
    std::array<Axis, 2> axes_;
    std::map<Index, Node> nodes_;
    std::vector<double> rates_;
    double lowest_ = std::numeric_limits<double>::infinity(), sigma_of_lowest_ = lowest_;
};

/// Fine points of an axis with their weights and the cubic interpolation from the lattice.
struct FineAxis {
    std::vector<double> at, weight;
    std::vector<int> first;                    ///< lattice index of the first of four points
    std::vector<std::array<double, 4>> share;  ///< of those four

    FineAxis(const Axis& axis, int lo, int hi) {
        if (axis.coordinate < 0 || lo == hi) {
            at = {axis.at(lo)};
            weight = {1.0};
            first = {lo};
            share = {{1.0, 0.0, 0.0, 0.0}};
            return;
        }
        for (int k = lo; k < hi; ++k)
            for (int j = 0; j < subdivisions + (k + 1 == hi ? 1 : 0); ++j) {
                const double u = axis.at(k) + (axis.at(k + 1) - axis.at(k)) * j / subdivisions;
                at.push_back(u);
                add_share(axis, std::clamp(k - 1, lo, std::max(lo, hi - 3)), std::min(4, hi - lo + 1), u);
            }
        weight.assign(at.size(), 0.0);
        for (std::size_t i = 0; i + 1 < at.size(); ++i) {
            weight[i] += 0.5 * (at[i + 1] - at[i]);
            weight[i + 1] += 0.5 * (at[i + 1] - at[i]);
        }
    }

  private:
    /// Lagrange's polynomial through n points.
    void add_share(const Axis& axis, int from, int n, double u) {
        std::array<double, 4> out{};
        for (int i = 0; i < n; ++i) {
            out[i] = 1.0;
            for (int j = 0; j < n; ++j)
                if (j != i) out[i] *= (u - axis.at(from + j)) / (axis.at(from + i) - axis.at(from + j));
        }
        first.push_back(from);
        share.push_back(out);
    }
};

/// ln of a density with standard deviation 1 and third derivative -skew at its highest point, 0: a Gaussian
/// for skew 0, that of the logarithm of a gamma variate otherwise.
double log_skewed(double z, double skew) {
    if (std::fabs(skew) < 1e-3) return -0.5 * z * z;
    return -(std::expm1(skew * z) - skew * z) / (skew * skew);
}

/// The posterior of a norm or factor, which at each point of the lattice is skewed by its standard deviation
/// times a constant, in its logarithm.
template <typename Part>
Posterior summarise_mixture(const std::vector<std::pair<double, const Node*>>& weighted, double skewness,
                            const Part& part) {
    constexpr int points = 200;
    constexpr double reach = 6.0;
    double lo = std::numeric_limits<double>::infinity(), hi = -lo;
    for (const auto& [weight, node] : weighted) {
        const auto [mean, sigma] = part(*node);
        lo = std::min(lo, mean - reach * sigma);
        hi = std::max(hi, mean + reach * sigma);
    }
    std::vector<double> at(points + 1), density(points + 1, 0.0);
    for (int i = 0; i <= points; ++i) at[i] = lo + (hi - lo) * i / points;
    const double step = (hi - lo) / points;
    for (const auto& [weight, node] : weighted) {
        const auto [mean, sigma] = part(*node);
        const int first = std::max(0, static_cast<int>((mean - reach * sigma - lo) / step)),
                  last = std::min(points, static_cast<int>((mean + reach * sigma - lo) / step) + 1);
        for (int i = first; i <= last; ++i)
            density[i] += weight / sigma * std::exp(log_skewed((at[i] - mean) / sigma, skewness * sigma));
    }
    return summarise(at, density, [](double log_value) { return std::exp(log_value); });
}

/// How skewed the likelihood is in ln norm, as its third over its second derivative: 1 when all counts are
/// the source's, towards 3 where the background outweighs it (a Gaussian in the norm itself).
/// @param sigma of ln norm
double norm_skewness(Objective& objective, const Vector& best, double sigma) {
    const Coordinates& c = objective.coordinates();
    Mask held{};
    for (int i = 0; i < c.n; ++i) held[i] = true;
    Point p = objective.make_point();
    const auto stat_at = [&](double distance) {
        Vector x = best;
        x[c.first_norm()] += distance;
        objective.evaluate(c.clipped(x), p, held);
        return p.stat;
    };
    return std::clamp(1.5 * (stat_at(sigma) - stat_at(-sigma)) / sigma, 0.0, 3.0);
}

}  // namespace

namespace {

/// ln of the product of the prior densities of norms and factors, which are constant.
double log_linear_prior(const Coordinates& c) {
    double sum = 0.0;
    for (int i = c.first_factor(); i < c.n; ++i) sum -= std::log(c.hi[i] - c.lo[i]);
    return sum;
}

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

/// The lattice over the part of the posterior that matters, with steps that resolve it.
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

/// Density above which the largest values hold a share of the total weight.
double level_of(std::vector<std::pair<double, double>> density_weight, double share) {
    std::sort(density_weight.begin(), density_weight.end(), std::greater<>());
    double total = 0.0, sum = 0.0;
    for (const auto& [density, weight] : density_weight) total += weight;
    for (const auto& [density, weight] : density_weight) {
        sum += weight;
        if (sum >= share * total) return density;
    }
    return density_weight.back().first;
}

}  // namespace

ModelPosterior posterior_around(Objective& objective, const Point& best,
                                std::span<const StartingPoint> starts, const spectral::FitOptions& options,
                                bool with_map) {
    const ModelDefinition& model = objective.model();
    const Coordinates& c = objective.coordinates();
    ModelPosterior out;
    out.parameters.resize(model.parameters.size() + static_cast<std::size_t>(c.n_factors));
    if (c.n_norms != 1 || objective.freedom().groups.size() != 1 || c.n_shape > 2) return out;

    Point p = objective.make_point();
    std::vector<Vector> others;
    for (const StartingPoint& start : starts) {
        Vector x = objective.start(start);
        for (int i = c.first_factor(); i < c.first_norm(); ++i) x[i] = best.x[i];
        objective.evaluate(x, p);
        if (p.stat < best.stat + matters) others.push_back(p.x);
    }
    constexpr std::size_t columns_kept = 64;
    objective.remember(columns_kept);
    const auto lattice = resolve(objective, best.x, others);
    objective.remember(0);
    if (!lattice) return out;
    // the statistic on the lattice, then on the fine points
    const auto range = lattice->range();
    const auto& axes = lattice->axes();
    const FineAxis x(axes[0], range[0][0], range[1][0]), y(axes[1], range[0][1], range[1][1]);
    const auto rows = static_cast<std::size_t>(range[1][0] - range[0][0] + 1),
               columns = static_cast<std::size_t>(range[1][1] - range[0][1] + 1);
    std::vector<double> coarse(rows * columns, unseen);
    for (const auto& [index, node] : lattice->nodes())
        coarse[static_cast<std::size_t>(index[0] - range[0][0]) * columns +
               static_cast<std::size_t>(index[1] - range[0][1])] = node.stat - lattice->lowest();
    std::vector<double> half(rows * y.at.size(), 0.0), density(x.at.size() * y.at.size());
    for (std::size_t i = 0; i < rows; ++i)
        for (std::size_t j = 0; j < y.at.size(); ++j)
            for (std::size_t k = 0; k < std::min<std::size_t>(4, columns); ++k)
                half[i * y.at.size() + j] +=
                    y.share[j][k] *
                    coarse[i * columns + static_cast<std::size_t>(y.first[j] - range[0][1]) + k];
    const auto prior = [&](int a, double at) {
        if (axes[a].coordinate < 0) return 0.0;
        return log_prior(model.parameters[static_cast<std::size_t>(c.parameter[axes[a].coordinate])],
                         axes[a].to_x(at), options) +
               axes[a].log_stretch(at);
    };
    std::vector<double> x_density(x.at.size(), 0.0), y_density(y.at.size(), 0.0);
    std::vector<double> y_prior;
    for (const double at : y.at) y_prior.push_back(prior(1, at));
    double total = 0.0;
    for (std::size_t i = 0; i < x.at.size(); ++i) {
        const double x_prior = prior(0, x.at[i]);
        for (std::size_t j = 0; j < y.at.size(); ++j) {
            double rise = 0.0;
            for (std::size_t k = 0; k < std::min<std::size_t>(4, rows); ++k)
                rise += x.share[i][k] *
                        half[(static_cast<std::size_t>(x.first[i] - range[0][0]) + k) * y.at.size() + j];
            const double log_density = -0.5 * rise + x_prior + y_prior[j], value = std::exp(log_density);
            density[i * y.at.size() + j] = log_density;
            x_density[i] += value * y.weight[j];
            y_density[j] += value * x.weight[i];
            total += value * x.weight[i] * y.weight[j];
        }
    }
    out.log_evidence = std::log(total) - 0.5 * lattice->lowest() + log_linear_prior(c);

    const auto put = [&](int coordinate, const Posterior& found) {
        for (std::size_t k = 0; k < model.parameters.size(); ++k) {
            const int tied = model.parameters[k].tied_to;
            if ((tied >= 0 ? tied : static_cast<int>(k)) == c.parameter[coordinate])
                out.parameters[k] = found;
        }
    };
    for (int a = 0; a < c.n_shape; ++a)
        put(axes[a].coordinate,
            summarise(a == 0 ? x.at : y.at, a == 0 ? x_density : y_density, [&](double at) {
                return c.logarithmic[axes[a].coordinate] ? std::exp(at) : axes[a].to_x(at);
            }));
    // of the cell around a point: the prior of nH is steep at 0
    const auto prior_mass = [&](const Axis& axis, int k) {
        const double lo = axis.to_x(0.5 * (axis.at(k - 1) + axis.at(k))),
                     hi = axis.to_x(0.5 * (axis.at(k) + axis.at(k + 1)));
        const ModelParameter& of = model.parameters[static_cast<std::size_t>(c.parameter[axis.coordinate])];
        const double scale = spectral::nh_prior_scale;
        return !of.logarithmic && of.name == "nH" && options.nh_prior == spectral::NhPrior::logarithmic
                   ? std::log((hi + scale) / (lo + scale))
                   : hi - lo;
    };
    std::vector<std::pair<double, const Node*>> weighted;
    for (const auto& [index, node] : lattice->nodes()) {
        double weight = std::exp(-0.5 * (node.stat - lattice->lowest()));
        for (int a = 0; a < c.n_shape; ++a) weight *= prior_mass(axes[a], index[a]);
        if (weight > 0.0) weighted.emplace_back(weight, &node);
    }
    const double skewness = norm_skewness(objective, best.x, lattice->norm_sigma());
    put(c.first_norm(), summarise_mixture(weighted, skewness,
                                          [](const Node& n) { return std::pair(n.log_norm, n.norm_sigma); }));
    for (int i = 0; i < c.n_factors; ++i)
        out.parameters[model.parameters.size() + static_cast<std::size_t>(i)] =
            summarise_mixture(weighted, skewness, [i](const Node& n) {
                return std::pair(n.log_factor[static_cast<std::size_t>(i)],
                                 n.factor_sigma[static_cast<std::size_t>(i)]);
            });
    if (c.n_shape < 2 || !with_map) return out;
    const double highest = *std::max_element(density.begin(), density.end());
    std::vector<std::pair<double, double>> density_weight;
    for (std::size_t i = 0; i < x.at.size(); ++i)
        for (std::size_t j = 0; j < y.at.size(); ++j) {
            double& d = density[i * y.at.size() + j];
            const double mass = std::exp(d - highest) * x.weight[i] * y.weight[j];
            d -= axes[0].log_stretch(x.at[i]) + axes[1].log_stretch(y.at[j]);
            density_weight.emplace_back(d, mass);
        }
    const double densest = *std::max_element(density.begin(), density.end());
    for (double& d : density) d -= densest;
    for (auto& entry : density_weight) entry.first -= densest;
    const auto values_of = [&](const FineAxis& axis, int coordinate) {
        std::vector<double> at = axis.at;
        for (double& v : at) v = c.logarithmic[coordinate] ? std::exp(v) : axes[coordinate].to_x(v);
        return at;
    };
    const auto name_of = [&](int coordinate) {
        return model.parameters[static_cast<std::size_t>(c.parameter[coordinate])].full_name();
    };
    out.map = {name_of(0),
               name_of(1),
               values_of(x, 0),
               values_of(y, 1),
               std::move(density),
               level_of(density_weight, 0.6826894921370859),
               level_of(density_weight, 0.9)};
    return out;
}

ModelPosterior posterior(std::span<const FitInput> spectra,
                         const std::shared_ptr<const ModelDefinition>& model, const SpectralFit& fit,
                         std::span<const StartingPoint> starts, const spectral::FitOptions& options) {
    std::vector<const FitData*> data;
    for (const FitInput& s : spectra) data.push_back(s.data);
    TwoScales scales(data, model, options.abundance, chosen_statistic(spectra, options).statistic);
    Point best = scales.merged().make_point();
    scales.merged().evaluate(scales.merged().start(fit), best);
    scales.settle(best);
    return posterior_around(scales.merged(), best, starts, options, true);
}

}  // namespace xsift::refine
