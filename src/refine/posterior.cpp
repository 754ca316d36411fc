#include "posterior.hpp"

#include "objective.hpp"
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

constexpr double lattice_step = 1.2;  ///< in conditional standard deviations
constexpr double matters = 20.0;      ///< rise of the statistic up to which neighbours are looked at
constexpr double unseen = 40.0;       ///< rise that stands for points not looked at
constexpr std::size_t most_points = 1200;
constexpr int subdivisions = 8;             ///< of a step of the lattice
constexpr double least_significance = 2.0;  ///< of the norm, standard deviations

/// Points and weights of an axis: a shape parameter's coordinate, or the single point of an axis that is not
/// there.
struct Axis {
    int coordinate = -1;
    double origin = 0.0, step = 1.0, lo = 0.0, hi = 0.0;

    /// Position of a lattice index; the limits end the lattice.
    double at(int index) const { return coordinate < 0 ? 0.0 : std::clamp(origin + step * index, lo, hi); }
    /// The last index before or at the limit on either side.
    int first() const {
        return coordinate < 0 ? 0 : static_cast<int>(std::ceil((lo - origin) / step - 1e-9)) - 1;
    }
    int last() const {
        return coordinate < 0 ? 0 : static_cast<int>(std::floor((hi - origin) / step + 1e-9)) + 1;
    }
};

/// One evaluated point of the lattice.
struct Node {
    double stat = 0.0;  ///< with the determinant of what was integrated over
    double log_norm = 0.0, norm_sigma = 0.0;
    std::vector<double> log_factor, factor_sigma;
};

using Index = std::array<int, 2>;

/// ln of the prior density of a coordinate.
double log_prior(const ModelParameter& p, double coordinate, const spectral::FitOptions& options) {
    if (p.logarithmic) return -std::log(std::log(p.hi / p.lo));
    if (p.name == "nH" && options.nh_prior == spectral::NhPrior::logarithmic) {
        const double scale = spectral::nh_prior_scale;
        return -std::log((coordinate + scale) * std::log((p.hi + scale) / (p.lo + scale)));
    }
    return -std::log(p.hi - p.lo);
}

/// Diagonal element i of the inverse of the masked part of a curvature.
std::optional<double> inverse_diagonal(const Matrix& curvature, int i, const Mask& mask, int n) {
    Vector unit{};
    unit[i] = 1.0;
    const auto column = solve(curvature, unit, mask, n);
    if (!column || !((*column)[i] > 0.0)) return std::nullopt;
    return (*column)[i];
}

class Lattice {
  public:
    Lattice(Objective& objective, std::array<Axis, 2> axes) : objective_(objective), axes_(axes) {}

    /// Looks at everything that hangs together with the seeds and matters.
    /// @return whether few enough points did it
    bool fill(std::vector<std::pair<Index, Vector>> seeds) {
        Point p = objective_.make_point();
        std::vector<std::pair<Index, Vector>> todo = std::move(seeds);
        while (!todo.empty()) {
            const auto [index, from] = todo.back();
            todo.pop_back();
            if (nodes_.contains(index)) continue;
            if (nodes_.size() == most_points) return false;
            Vector x = from;
            for (int a = 0; a < 2; ++a)
                if (axes_[a].coordinate >= 0) x[axes_[a].coordinate] = axes_[a].at(index[a]);
            const auto node = evaluate(x, p);
            if (!node) return false;
            lowest_ = std::min(lowest_, node->stat);
            nodes_.emplace(index, *node);
            if (node->stat > lowest_ + matters) continue;
            for (int a = 0; a < 2; ++a)
                for (const int step : {-1, 1}) {
                    Index next = index;
                    next[a] += step;
                    if (axes_[a].coordinate < 0 || next[a] < axes_[a].first() || next[a] > axes_[a].last())
                        continue;
                    if (std::fabs(axes_[a].at(next[a]) - axes_[a].at(index[a])) < 0.05 * axes_[a].step)
                        continue;
                    todo.emplace_back(next, p.x);
                }
        }
        return true;
    }
    double lowest() const { return lowest_; }
    const std::map<Index, Node>& nodes() const { return nodes_; }
    const std::array<Axis, 2>& axes() const { return axes_; }
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
    /// The norms are profiled, and the factors with them; then both are integrated as Gaussians.
    std::optional<Node> evaluate(const Vector& x, Point& p) {
        const Coordinates& c = objective_.coordinates();
        objective_.evaluate(c.clipped(x), p);
        if (c.n_factors > 0) profile_factors(p);
        const Expansion at = objective_.expand(p);
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
            const Expansion at = objective_.expand(p);
            const auto move = solve(at.expected, at.slope, linear, c.n);
            if (!move) return;
            double promised = 0.0;
            Vector x = p.x;
            for (int i = c.first_factor(); i < c.n; ++i) {
                promised += 0.5 * at.slope[i] * (*move)[i];
                x[i] -= std::clamp((*move)[i], -1.0, 1.0);
            }
            if (promised < 1e-4) return;
            objective_.evaluate(c.clipped(x), p);
        }
    }

    Objective& objective_;
    std::array<Axis, 2> axes_;
    std::map<Index, Node> nodes_;
    double lowest_ = std::numeric_limits<double>::infinity();
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

/// Mean, median and equal-tailed intervals of a density on ascending points; value maps a point.
template <typename Value>
Posterior summarise(const std::vector<double>& at, const std::vector<double>& density, const Value& value) {
    std::vector<double> cumulative(at.size(), 0.0);
    double mean = 0.0;
    for (std::size_t i = 1; i < at.size(); ++i) {
        const double width = at[i] - at[i - 1];
        cumulative[i] = cumulative[i - 1] + 0.5 * (density[i] + density[i - 1]) * width;
        mean += 0.5 * (density[i] * value(at[i]) + density[i - 1] * value(at[i - 1])) * width;
    }
    const double total = cumulative.back();
    const auto quantile = [&](double q) {
        const auto above = std::lower_bound(cumulative.begin(), cumulative.end(), q * total);
        const auto i = std::clamp<std::ptrdiff_t>(above - cumulative.begin(), 1, std::ssize(at) - 1);
        const double step = cumulative[i] - cumulative[i - 1];
        const double share = step > 0.0 ? (q * total - cumulative[i - 1]) / step : 0.0;
        return value(at[i - 1] + share * (at[i] - at[i - 1]));
    };
    constexpr double tail68 = 0.5 * (1.0 - 0.6826894921370859), tail90 = 0.05;
    return {mean / total,           quantile(0.5),    quantile(tail68),
            quantile(1.0 - tail68), quantile(tail90), quantile(1.0 - tail90)};
}

/// The posterior of what is a Gaussian at each point of the lattice: a norm or factor, in its logarithm.
template <typename Part>
Posterior summarise_mixture(const std::vector<std::pair<double, const Node*>>& weighted, const Part& part) {
    constexpr int points = 240;
    double lo = std::numeric_limits<double>::infinity(), hi = -lo;
    for (const auto& [weight, node] : weighted) {
        const auto [mean, sigma] = part(*node);
        lo = std::min(lo, mean - 5.0 * sigma);
        hi = std::max(hi, mean + 5.0 * sigma);
    }
    std::vector<double> at(points + 1), density(points + 1, 0.0);
    for (int i = 0; i <= points; ++i) at[i] = lo + (hi - lo) * i / points;
    for (const auto& [weight, node] : weighted) {
        const auto [mean, sigma] = part(*node);
        for (int i = 0; i <= points; ++i) {
            const double z = (at[i] - mean) / sigma;
            density[i] += weight / sigma * std::exp(-0.5 * z * z);
        }
    }
    return summarise(at, density, [](double log_value) { return std::exp(log_value); });
}

}  // namespace

namespace {

/// ln of the product of the prior densities of norms and factors, which are constant.
double log_linear_prior(const Coordinates& c) {
    double sum = 0.0;
    for (int i = c.first_factor(); i < c.n; ++i) sum -= std::log(c.hi[i] - c.lo[i]);
    return sum;
}

/// An axis over a shape parameter; its lattice meets a lower limit that is near.
Axis make_axis(const Coordinates& c, const Expansion& at, const Vector& best, int i, double step) {
    Axis axis{i, best[i], step, c.lo[i], c.hi[i]};
    if (axis.step <= 0.0) {
        Mask linear{};
        for (int j = c.first_factor(); j < c.n; ++j) linear[j] = true;
        linear[i] = true;
        const double sigma = std::sqrt(2.0 * inverse_diagonal(at.expected, i, linear, c.n).value_or(0.0));
        axis.step = std::clamp(lattice_step * sigma, 1e-6 * (axis.hi - axis.lo), 0.05 * (axis.hi - axis.lo));
    }
    constexpr double near = 12.0;  // steps
    const double room = axis.origin - axis.lo;
    if (room > 0.0 && room < near * axis.step) axis.step = room / std::ceil(room / axis.step);
    return axis;
}

/// The lattice over the part of the posterior that matters, with steps that resolve it.
std::optional<Lattice> resolve(Objective& objective, const Vector& best, const std::vector<Vector>& others) {
    constexpr int most_tries = 8;
    constexpr int least_width = 6, most_width = 36;
    const Coordinates& c = objective.coordinates();
    Point p = objective.make_point();
    objective.evaluate(best, p);
    const Expansion at = objective.expand(p);
    std::array<double, 2> step{};
    for (int attempt = 0; attempt < most_tries; ++attempt) {
        std::array<Axis, 2> axes;
        for (int a = 0; a < c.n_shape; ++a) axes[a] = make_axis(c, at, p.x, a, step[a]);
        Lattice lattice(objective, axes);
        std::vector<std::pair<Index, Vector>> seeds;
        for (const Vector& x : others) {
            Index index{};
            for (int a = 0; a < c.n_shape; ++a)
                index[a] = std::clamp(static_cast<int>(std::lround((x[a] - axes[a].origin) / axes[a].step)),
                                      axes[a].first() + 1, axes[a].last() - 1);
            seeds.emplace_back(index, x);
        }
        seeds.emplace_back(Index{}, p.x);  // looked at first
        const bool all = lattice.fill(std::move(seeds));
        bool good = all;
        for (int a = 0; a < c.n_shape; ++a) {
            step[a] = axes[a].step;
            if (!all || lattice.width(a) > most_width) {
                step[a] *= 1.7;
                good = false;
            } else if (lattice.width(a) < least_width) {
                step[a] *= 0.5;
                good = false;
            }
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
                                std::span<const StartingPoint> starts, const spectral::FitOptions& options) {
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
    const auto lattice = resolve(objective, best.x, others);
    if (!lattice) return out;
    const auto lowest =
        std::min_element(lattice->nodes().begin(), lattice->nodes().end(),
                         [](const auto& a, const auto& b) { return a.second.stat < b.second.stat; });
    if (!(lowest->second.norm_sigma * least_significance < 1.0)) return out;

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
        return log_prior(model.parameters[static_cast<std::size_t>(c.parameter[axes[a].coordinate])], at,
                         options);
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
            summarise(a == 0 ? x.at : y.at, a == 0 ? x_density : y_density,
                      [&](double at) { return c.logarithmic[axes[a].coordinate] ? std::exp(at) : at; }));
    // of the cell around a point: the prior of nH is steep at 0
    const auto prior_mass = [&](const Axis& axis, int k) {
        const double lo = 0.5 * (axis.at(k - 1) + axis.at(k)), hi = 0.5 * (axis.at(k) + axis.at(k + 1));
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
    put(c.first_norm(),
        summarise_mixture(weighted, [](const Node& n) { return std::pair(n.log_norm, n.norm_sigma); }));
    for (int i = 0; i < c.n_factors; ++i)
        out.parameters[model.parameters.size() + static_cast<std::size_t>(i)] =
            summarise_mixture(weighted, [i](const Node& n) {
                return std::pair(n.log_factor[static_cast<std::size_t>(i)],
                                 n.factor_sigma[static_cast<std::size_t>(i)]);
            });
    if (c.n_shape < 2) return out;
    const double highest = *std::max_element(density.begin(), density.end());
    std::vector<std::pair<double, double>> density_weight;
    for (std::size_t i = 0; i < x.at.size(); ++i)
        for (std::size_t j = 0; j < y.at.size(); ++j) {
            double& d = density[i * y.at.size() + j];
            d -= highest;
            density_weight.emplace_back(d, std::exp(d) * x.weight[i] * y.weight[j]);
        }
    const auto values_of = [&](const FineAxis& axis, int coordinate) {
        std::vector<double> at = axis.at;
        if (c.logarithmic[coordinate])
            for (double& v : at) v = std::exp(v);
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
    return posterior_around(scales.merged(), best, starts, options);
}

}  // namespace xsift::refine
