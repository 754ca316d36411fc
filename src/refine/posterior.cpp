#include "posterior.hpp"

#include "objective.hpp"
#include "posterior_axis.hpp"
#include "posterior_lattice.hpp"
#include "statistic_lanes.hpp"
#include "two_scales.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace xsift::refine {

namespace {

using spectral::ModelDefinition;

/// A node of the lattice and its share of the posterior.
struct WeightedNode {
    double weight;
    const Node* node;
    Vector place;
};

/// The posterior of a norm, a factor or a flux, which at each point of the lattice is skewed by its standard
/// deviation times a constant, in its logarithm.
/// @param part mean and standard deviation of the logarithm at a node
template <typename Part>
Summary summarise_mixture(const std::vector<WeightedNode>& weighted, double skewness, double tail,
                          const Part& part) {
    constexpr int points = 200;
    constexpr double reach = 6.0;
    struct Piece {
        double weight, mean, sigma;
    };
    std::vector<Piece> pieces;
    double lo = std::numeric_limits<double>::infinity(), hi = -lo;
    for (const WeightedNode& w : weighted) {
        const auto [mean, sigma] = part(w);
        pieces.push_back({w.weight, mean, sigma});
        lo = std::min(lo, mean - reach * sigma);
        hi = std::max(hi, mean + reach * sigma);
    }
    std::vector<double> at(points + 1), density(points + 1, 0.0);
    for (int i = 0; i <= points; ++i) at[i] = lo + (hi - lo) * i / points;
    for (const auto& [weight, mean, sigma] : pieces) {
        const auto first = std::lower_bound(at.begin(), at.end(), mean - reach * sigma),
                   last = std::upper_bound(first, at.end(), mean + reach * sigma);
        const std::ptrdiff_t from = first - at.begin();
        best_statistic_lanes().add_skewed({weight, mean, sigma, skewness}, at.data() + from,
                                          static_cast<std::size_t>(last - first), density.data() + from);
    }
    return summarise(
        at, density, [](double log_value) { return std::exp(log_value); }, tail);
}

/// Leaves out the lightest nodes, which hold a ten-thousandth of the posterior.
void drop_light_nodes(std::vector<WeightedNode>& weighted) {
    constexpr double negligible = 1e-4;
    std::stable_sort(weighted.begin(), weighted.end(),
                     [](const WeightedNode& a, const WeightedNode& b) { return a.weight > b.weight; });
    double total = 0.0, beyond = 0.0;
    for (const WeightedNode& w : weighted) total += w.weight;
    while (!weighted.empty() && beyond + weighted.back().weight < negligible * total) {
        beyond += weighted.back().weight;
        weighted.pop_back();
    }
}

/// Fluxes of a band at each node: ln of the flux at norm 1.
std::vector<double> log_unit_fluxes(Objective& objective, const std::vector<WeightedNode>& weighted,
                                    spectral::FluxBand& band, bool absorbed) {
    std::vector<double> out;
    for (const WeightedNode& w : weighted) {
        const std::vector<double> values = objective.values(w.place);
        const spectral::BandFlux flux =
            absorbed ? band.absorbed(values, false) : band.unabsorbed(values, false);
        out.push_back(std::log(std::max(flux.unit.front(), 1e-300)));
    }
    return out;
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

double credible_tail(const spectral::FitOptions& options) {
    return 0.5 * std::erfc(std::sqrt(0.5 * options.confidence_delta));
}

bool has_posterior(const Objective& objective) {
    const Coordinates& c = objective.coordinates();
    return c.n_norms == 1 && objective.freedom().groups.size() == 1 && c.n_shape <= 2;
}

std::vector<Vector> others_that_matter(Objective& objective, const Point& best,
                                       std::span<const StartingPoint> starts) {
    const Coordinates& c = objective.coordinates();
    Point p = objective.make_point();
    std::vector<Vector> others;
    for (const StartingPoint& start : starts) {
        Vector x = objective.start(start);
        for (int i = c.first_factor(); i < c.first_norm(); ++i) x[i] = best.x[i];
        objective.evaluate_linear(x, p);
        if (p.stat < best.stat + matters) others.push_back(p.x);
    }
    return others;
}

double norm_skewness(Objective& objective, const Vector& best, double sigma) {
    const Coordinates& c = objective.coordinates();
    Point p = objective.make_point();
    const auto stat_at = [&](double distance) {
        Vector x = best;
        x[c.first_norm()] += distance;
        return objective.statistic_at(c.clipped(x), p);
    };
    return std::clamp(1.5 * (stat_at(sigma) - stat_at(-sigma)) / sigma, 0.0, 3.0);
}

double log_linear_prior(const Coordinates& c) {
    double sum = 0.0;
    for (int i = c.first_factor(); i < c.n; ++i) sum -= std::log(c.hi[i] - c.lo[i]);
    return sum;
}

PosteriorAround::PosteriorAround(const Objective& objective) {
    parameters.resize(objective.model().parameters.size() +
                      static_cast<std::size_t>(objective.coordinates().n_factors));
    intervals.resize(parameters.size());
}

PosteriorAround::PosteriorAround(const Objective& objective, const Integrated& found)
    : PosteriorAround(objective) {
    const ModelDefinition& model = objective.model();
    const Coordinates& c = objective.coordinates();
    log_evidence = found.log_evidence;
    const auto put = [&](int coordinate, const Summary& of, bool open_lo, bool open_hi) {
        for (std::size_t k = 0; k < model.parameters.size(); ++k) {
            const int tied = model.parameters[k].tied_to;
            if ((tied >= 0 ? tied : static_cast<int>(k)) != c.parameter[coordinate]) continue;
            parameters[k] = of.posterior;
            intervals[k] = {of.lo, of.hi, open_lo, open_hi};
        }
    };
    for (std::size_t a = 0; a < found.shape.size(); ++a)
        put(static_cast<int>(a), found.shape[a].summary, found.shape[a].open_lo, found.shape[a].open_hi);
    put(c.first_norm(), found.norm, false, false);
    for (std::size_t i = 0; i < found.factors.size(); ++i) {
        const Summary& of = found.factors[i];
        parameters[model.parameters.size() + i] = of.posterior;
        intervals[model.parameters.size() + i] = {of.lo, of.hi, false, false};
    }
    for (std::size_t b = 0; b < found.fluxes.size(); ++b)
        (b % 2 == 0 ? absorbed : unabsorbed)
            .push_back({found.fluxes[b].lo, found.fluxes[b].hi, false, false});
}

PosteriorAround posterior_around(Objective& objective, const Point& best,
                                 std::span<const StartingPoint> starts, const spectral::FitOptions& options,
                                 std::span<spectral::FluxBand> bands, bool with_map) {
    const Coordinates& c = objective.coordinates();
    if (!has_posterior(objective)) return PosteriorAround(objective);
    const std::vector<Vector> others = others_that_matter(objective, best, starts);
    objective.remember(columns_kept);
    const auto lattice = resolve(objective, best.x, others, with_map);
    objective.remember(0);
    if (!lattice) return PosteriorAround(objective);
    Integrated found;
    // the statistic on the lattice, then on the fine points
    const auto range = lattice->range();
    const auto& axes = lattice->axes();
    const FineAxis x(axes[0], range[0][0], range[1][0]), y(axes[1], range[0][1], range[1][1]);
    const auto rows = static_cast<std::size_t>(range[1][0] - range[0][0] + 1),
               columns = static_cast<std::size_t>(range[1][1] - range[0][1] + 1);
    std::vector<double> coarse(rows * columns, spectral::unseen_rise);
    for (const auto& [index, node] : lattice->nodes())
        coarse[static_cast<std::size_t>(index[0] - range[0][0]) * columns +
               static_cast<std::size_t>(index[1] - range[0][1])] = node.stat - lattice->lowest();
    std::vector<double> half(rows * y.at.size(), 0.0), density(x.at.size() * y.at.size());
    for (std::size_t i = 0; i < rows; ++i)
        for (std::size_t j = 0; j < y.at.size(); ++j)
            for (std::size_t k = 0; k < std::min<std::size_t>(4, columns); ++k)
                half[i * y.at.size() + j] +=
                    y.share[4 * j + k] * coarse[i * columns + static_cast<std::size_t>(y.first[j]) + k];
    const auto prior = [&](int a, double at) { return log_prior_on(objective, axes[a], at, options); };
    std::vector<double> x_density(x.at.size(), 0.0), y_density(y.at.size(), 0.0);
    std::vector<double> y_prior;
    for (const double at : y.at) y_prior.push_back(prior(1, at));
    double total = 0.0;
    std::vector<double> value(y.at.size());
    for (std::size_t i = 0; i < x.at.size(); ++i) {
        const double x_prior = prior(0, x.at[i]);
        double* const log_density = density.data() + i * y.at.size();
        for (std::size_t j = 0; j < y.at.size(); ++j) log_density[j] = x_prior + y_prior[j];
        for (std::size_t k = 0; k < std::min<std::size_t>(4, rows); ++k) {
            const double* const rise = half.data() + (static_cast<std::size_t>(x.first[i]) + k) * y.at.size();
            const double share = -0.5 * x.share[4 * i + k];
            for (std::size_t j = 0; j < y.at.size(); ++j) log_density[j] += share * rise[j];
        }
        std::copy_n(log_density, y.at.size(), value.begin());
        best_statistic_lanes().exponentials(value.data(), value.size());
        for (std::size_t j = 0; j < y.at.size(); ++j) {
            x_density[i] += value[j] * y.weight[j];
            y_density[j] += value[j] * x.weight[i];
        }
        total += x_density[i] * x.weight[i];
    }
    found.log_evidence = std::log(total) - 0.5 * lattice->lowest() + log_linear_prior(c);

    const double tail = credible_tail(options);
    // whether the lattice meets a limit before the statistic has risen enough
    const auto open = [&](int a, double limit) {
        for (const auto& [index, node] : lattice->nodes())
            if (axes[a].meets(index[a], limit) && node.stat < lattice->lowest() + options.confidence_delta)
                return true;
        return false;
    };
    for (int a = 0; a < c.n_shape; ++a)
        found.shape.push_back({summarise(
                                   a == 0 ? x.at : y.at, a == 0 ? x_density : y_density,
                                   [&](double at) { return value_on(c, axes[a], at); }, tail),
                               open(a, axes[a].lo), open(a, axes[a].hi)});
    std::vector<WeightedNode> weighted;
    for (const auto& [index, node] : lattice->nodes()) {
        double weight = std::exp(-0.5 * (node.stat - lattice->lowest()));
        Vector place = best.x;
        for (int a = 0; a < c.n_shape; ++a) {
            weight *= prior_mass(objective, axes[a], index[a], options);
            axes[a].put(place, axes[a].at(index[a]));
        }
        weighted.push_back({weight, &node, c.clipped(place)});
    }
    drop_light_nodes(weighted);
    const double skewness = norm_skewness(objective, best.x, lattice->norm_sigma());
    found.norm = summarise_mixture(weighted, skewness, tail, [](const WeightedNode& w) {
        return std::pair(w.node->log_norm, w.node->norm_sigma);
    });
    for (int i = 0; i < c.n_factors; ++i)
        found.factors.push_back(summarise_mixture(weighted, skewness, tail, [i](const WeightedNode& w) {
            return std::pair(w.node->log_factor[static_cast<std::size_t>(i)],
                             w.node->factor_sigma[static_cast<std::size_t>(i)]);
        }));
    for (spectral::FluxBand& band : bands) {
        band.remember(columns_kept);
        for (const bool absorbed : {true, false}) {
            const std::vector<double> log_unit = log_unit_fluxes(objective, weighted, band, absorbed);
            found.fluxes.push_back(summarise_mixture(weighted, skewness, tail, [&](const WeightedNode& w) {
                return std::pair(w.node->log_norm + log_unit[static_cast<std::size_t>(&w - weighted.data())],
                                 w.node->norm_sigma);
            }));
        }
    }
    PosteriorAround out(objective, found);
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
        for (double& v : at) v = value_on(c, axes[coordinate], v);
        return at;
    };
    const auto name_of = [&](int coordinate) {
        return objective.model().parameters[static_cast<std::size_t>(c.parameter[coordinate])].full_name();
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
    return posterior_around(scales.merged(), best, starts, options, {}, true);
}

}  // namespace xsift::refine
