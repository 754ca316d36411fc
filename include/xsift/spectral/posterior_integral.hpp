#pragma once
/// @file
/// The integral of a posterior over a lattice (posterior_task.hpp), for host and device: nodes one by one,
/// then sums by all threads of a block.

#include <cmath>
#include <cstdint>

#include <xsift/core/host_device.hpp>
#include <xsift/spectral/posterior_task.hpp>
#include <xsift/spectral/profile.hpp>

namespace xsift::spectral {

inline constexpr double posterior_reach = 16.0;  ///< rise of the statistic up to which a posterior matters
inline constexpr double unseen_rise = 32.0;      ///< points further up count as this
inline constexpr double widest_norm = 1.0;  ///< standard deviation of ln norm that its integral may stand for

/// The density of ln norm at a node, not normalised: highest at 0, where its logarithm has second derivative
/// -1/sigma^2 and third -skewness / sigma^2: a normal distribution for skewness 0, the logarithm of a gamma
/// variate for 1.
XSIFT_HD inline double skewed_normal(double distance, double sigma, double skewness) {
    constexpr double hardly = 1e-3;
    const double skew = skewness * sigma, z = distance / sigma, s = skew * z;
    return std::exp(std::fabs(skew) < hardly ? -0.5 * z * z : -(std::expm1(s) - s) / (skew * skew));
}

/// The statistic of a node with what the integral over ln norm adds. @param curvature of the statistic in ln
/// norm, at its best value. Where the norm can be 0 the integral is no Gaussian: what lies towards 0 counts
/// as one e-fold.
XSIFT_HD inline double integrated_over_norm(double stat, double curvature) {
    constexpr double four_pi = 12.566370614359172;
    return stat + std::log(curvature) - std::log(four_pi);
}
XSIFT_HD inline double norm_curvature(double curvature) {
    return std::fmax(curvature, 2.0 / (widest_norm * widest_norm));
}

/// Probability below a quantile of a DensitySummary: the median, then the ends of the intervals of 68.27%,
/// 90% and the one asked for. @param tail probability beyond each end of the latter
XSIFT_HD inline double probability_below(int quantile, double tail) {
    constexpr double tail68 = 0.5 * (1.0 - 0.6826894921370859), tail90 = 0.05;
    if (quantile == 0) return 0.5;
    const double beyond = quantile < 3 ? tail68 : quantile < 5 ? tail90 : tail;
    return quantile % 2 == 1 ? beyond : 1.0 - beyond;
}

/// Mean and quantiles of a density on ascending points, linear between them.
/// @param value of a point by its number; @param cumulative scratch, n
template <typename Value>
XSIFT_HD DensitySummary summarise_density(const double* at, const double* density, int n, const Value& value,
                                          double tail, double* cumulative) {
    DensitySummary out;
    cumulative[0] = 0.0;
    for (int i = 1; i < n; ++i) {
        const double width = at[i] - at[i - 1];
        cumulative[i] = cumulative[i - 1] + 0.5 * (density[i] + density[i - 1]) * width;
        out.mean += 0.5 * (density[i] * value(i) + density[i - 1] * value(i - 1)) * width;
    }
    const double total = cumulative[n - 1];
    out.mean /= total;
    for (int q = 0; q < DensitySummary::n_quantiles; ++q) {
        const double wanted = probability_below(q, tail) * total;
        int lo = 0, hi = n;  // the first that is not below
        while (lo < hi) {
            const int middle = (lo + hi) / 2;
            if (cumulative[middle] < wanted)
                lo = middle + 1;
            else
                hi = middle;
        }
        const int i = lo < 1 ? 1 : (lo > n - 1 ? n - 1 : lo);
        if (n == 1) {
            out.quantile[q] = at[0];
            continue;
        }
        const double step = cumulative[i] - cumulative[i - 1];
        const double share = step > 0.0 ? (wanted - cumulative[i - 1]) / step : 0.0;
        out.quantile[q] = at[i - 1] + share * (at[i] - at[i - 1]);
    }
    return out;
}

/// Arrays of a task as plain pointers (host or device memory).
struct PosteriorAxisData {
    int n_nodes = 1, n_points = 1;
    const double *mass = nullptr, *at = nullptr, *weight = nullptr, *log_prior = nullptr, *value = nullptr;
    const std::int32_t* first = nullptr;
    const double* share = nullptr;
};
struct PosteriorData {
    std::int64_t n_bins = 0, n_energies = 0;
    const double *counts = nullptr, *background = nullptr, *background_exposure = nullptr;
    double source_exposure = 0.0;
    const double* response = nullptr;
    const std::int32_t *first = nullptr, *count = nullptr;
    const std::int64_t* start = nullptr;
    const double *row_factor = nullptr, *column_factor = nullptr;
    PosteriorAxisData row, column;
    double norm_lo = 0.0, norm_hi = 0.0, skewness = 0.0, tail = 0.0;
    double net_counts = 0.0;  ///< of the source, the background's share subtracted
    int n_fluxes = 0;

    XSIFT_HD int nodes() const { return row.n_nodes * column.n_nodes; }
};
struct PosteriorFluxData {
    std::int64_t n_energies = 0;
    const double *row_factor = nullptr, *column_factor = nullptr;
};

/// What is known at a node (row * columns + column).
struct PosteriorNode {
    double stat = 0.0;  ///< see integrated_over_norm()
    double log_norm = 0.0, norm_sigma = 0.0;
};

/// Folds the model at a node and finds its norm. @param rates scratch: bin k at [k * stride]
XSIFT_HD inline PosteriorNode posterior_node(const PosteriorData& d, int node, double* rates,
                                             std::int64_t stride) {
    constexpr double tolerance = 1e-7;  // of the norm
    const double* const row = d.row_factor + (node / d.column.n_nodes) * d.n_energies;
    const double* const column = d.column_factor + (node % d.column.n_nodes) * d.n_energies;
    double total = 0.0;
    for (std::int64_t k = 0; k < d.n_bins; ++k) {
        const double* const response = d.response + d.start[k];
        double rate = 0.0;
        for (std::int32_t e = 0; e < d.count[k]; ++e)
            rate += response[e] * (row[d.first[k] + e] * column[d.first[k] + e]);
        rates[k * stride] = rate;
        total += rate;
    }
    const double expected = d.source_exposure * total;
    const double norm = profiled_norm(
        [&](double n) {
            NormSlope sum;
            for (std::int64_t k = 0; k < d.n_bins; ++k) {
                const NormSlope of = norm_slope(d.counts[k], d.background[k], d.source_exposure,
                                                d.background_exposure[k], rates[k * stride], n);
                sum.first += of.first;
                sum.second += of.second;
            }
            return sum;
        },
        d.norm_lo, d.norm_hi, expected > 0.0 ? std::fmax(d.net_counts, 1.0) / expected : d.norm_lo,
        tolerance);
    double stat = 0.0, curvature = 0.0;
    for (std::int64_t k = 0; k < d.n_bins; ++k) {
        const double rate = norm * rates[k * stride];
        stat +=
            bin_statistic(d.counts[k], d.background[k], d.source_exposure, d.background_exposure[k], rate);
        curvature += norm_slope(d.counts[k], d.background[k], d.source_exposure, d.background_exposure[k],
                                rates[k * stride], norm)
                         .second;
    }
    curvature = norm_curvature(curvature * norm * norm);
    return {integrated_over_norm(stat, curvature), std::log(norm), std::sqrt(2.0 / curvature)};
}

/// ln of a flux at norm 1 at a node.
XSIFT_HD inline double log_unit_flux(const PosteriorData& d, const PosteriorFluxData& flux, int node) {
    constexpr double least = 1e-300;
    const double* const row = flux.row_factor + (node / d.column.n_nodes) * flux.n_energies;
    const double* const column = flux.column_factor + (node % d.column.n_nodes) * flux.n_energies;
    double sum = 0.0;
    for (std::int64_t e = 0; e < flux.n_energies; ++e) sum += row[e] * column[e];
    return std::log(std::fmax(sum, least));
}

/// What the threads of a block share while they integrate.
struct PosteriorRoom {
    static constexpr int most_points = lattice_subdivisions * (most_side_nodes - 1) + 1;
    static constexpr int mixture_points = 201;
    double x[most_points], y[most_points], cumulative[most_points];
    double lowest, negligible, lo, hi;
};

/// A block of one thread.
struct SingleThread {
    static constexpr int thread = 0, threads = 1;
    XSIFT_HD void synchronize() const {}
};

namespace posterior_detail {

/// The rise of the statistic between the nodes.
XSIFT_HD inline double rise_between(const PosteriorData& d, const PosteriorNode* nodes, double lowest, int i,
                                    int j) {
    const int rows = d.row.n_nodes < 4 ? d.row.n_nodes : 4,
              columns = d.column.n_nodes < 4 ? d.column.n_nodes : 4;
    double sum = 0.0;
    for (int a = 0; a < rows; ++a) {
        const PosteriorNode* const from = nodes + (d.row.first[i] + a) * d.column.n_nodes + d.column.first[j];
        double own = 0.0;
        for (int b = 0; b < columns; ++b)
            own += d.column.share[4 * j + b] * std::fmin(from[b].stat - lowest, unseen_rise);
        sum += d.row.share[4 * i + a] * own;
    }
    return sum;
}

/// Lowest node, extent and edges, by one thread.
XSIFT_HD inline void survey_nodes(const PosteriorData& d, const PosteriorNode* nodes,
                                  PosteriorIntegral& out) {
    const int rows = d.row.n_nodes, columns = d.column.n_nodes;
    out = {};
    for (int k = 0; k < rows * columns; ++k)
        if (nodes[k].stat < out.lowest) {
            out.lowest = nodes[k].stat;
            out.norm_sigma = nodes[k].norm_sigma;
        }
    int first_row = rows, last_row = -1, first_column = columns, last_column = -1;
    for (double* edge : {out.row_edge, out.column_edge}) edge[0] = edge[1] = HUGE_VAL;
    for (int i = 0; i < rows; ++i)
        for (int j = 0; j < columns; ++j) {
            const double rise = nodes[i * columns + j].stat - out.lowest;
            if (i == 0) out.row_edge[0] = std::fmin(out.row_edge[0], rise);
            if (i == rows - 1) out.row_edge[1] = std::fmin(out.row_edge[1], rise);
            if (j == 0) out.column_edge[0] = std::fmin(out.column_edge[0], rise);
            if (j == columns - 1) out.column_edge[1] = std::fmin(out.column_edge[1], rise);
            if (!(rise < posterior_reach)) continue;
            first_row = i < first_row ? i : first_row;
            last_row = i > last_row ? i : last_row;
            first_column = j < first_column ? j : first_column;
            last_column = j > last_column ? j : last_column;
        }
    out.row_width = last_row - first_row;
    out.column_width = last_column - first_column;
}

/// The weight up to which nodes together hold a ten-thousandth of the posterior: they would only make the
/// range of a mixture wide. @param held scratch, weight_steps
inline constexpr int weight_steps = 120;
XSIFT_HD inline double negligible_weight(const double* weights, int n, double* held) {
    constexpr double share = 1e-4, steps_an_efold = 5.0;
    double highest = 0.0, total = 0.0, sum = 0.0;
    for (int k = 0; k < n; ++k) {
        highest = std::fmax(highest, weights[k]);
        total += weights[k];
    }
    for (int s = 0; s < weight_steps; ++s) held[s] = 0.0;
    for (int k = 0; k < n; ++k) {
        if (!(weights[k] > 0.0)) continue;
        const double step = steps_an_efold * std::log(highest / weights[k]);
        held[step < weight_steps ? static_cast<int>(step) : weight_steps - 1] += weights[k];
    }
    int first = weight_steps;  // steps from here on are left out
    while (first > 1 && sum + held[first - 1] < share * total) sum += held[--first];
    return highest * std::exp(-first / steps_an_efold);
}

/// A mixture of the nodes' densities of a quantity that is log_norm, or that plus log_unit.
/// @param log_unit null: the norm itself
template <typename Block>
XSIFT_HD void summarise_mixture(const PosteriorData& d, const PosteriorNode* nodes, const double* weights,
                                const double* log_unit, PosteriorRoom& room, const Block& block,
                                DensitySummary& out) {
    constexpr double reach = 6.0;
    constexpr int n = PosteriorRoom::mixture_points;
    if (block.thread == 0) {
        room.lo = HUGE_VAL;
        room.hi = -room.lo;
        for (int k = 0; k < d.nodes(); ++k) {
            if (!(weights[k] > room.negligible)) continue;
            const double mean = nodes[k].log_norm + (log_unit != nullptr ? log_unit[k] : 0.0);
            room.lo = std::fmin(room.lo, mean - reach * nodes[k].norm_sigma);
            room.hi = std::fmax(room.hi, mean + reach * nodes[k].norm_sigma);
        }
    }
    block.synchronize();
    for (int i = block.thread; i < n; i += block.threads) {
        const double at = room.lo + (room.hi - room.lo) * i / (n - 1);
        double density = 0.0;
        for (int k = 0; k < d.nodes(); ++k) {
            if (!(weights[k] > room.negligible)) continue;
            const double sigma = nodes[k].norm_sigma,
                         distance = at - nodes[k].log_norm - (log_unit != nullptr ? log_unit[k] : 0.0);
            if (std::fabs(distance) <= reach * sigma)
                density += weights[k] / sigma * skewed_normal(distance, sigma, d.skewness);
        }
        room.x[i] = at;
        room.y[i] = density;
    }
    block.synchronize();
    if (block.thread == 0)
        out = summarise_density(
            room.x, room.y, n, [&](int i) { return std::exp(room.x[i]); }, d.tail, room.cumulative);
    block.synchronize();
}

}  // namespace posterior_detail

/// Integrates over the nodes. All threads of a block call it.
/// @param log_unit d.n_fluxes x nodes; @param weights scratch of the block, a node
/// @param out, fluxes (d.n_fluxes) written by one thread
template <typename Block>
XSIFT_HD void integrate_posterior(const PosteriorData& d, const PosteriorNode* nodes, const double* log_unit,
                                  double* weights, PosteriorRoom& room, const Block& block,
                                  PosteriorIntegral& out, DensitySummary* fluxes) {
    if (block.thread == 0) {
        posterior_detail::survey_nodes(d, nodes, out);
        room.lowest = out.lowest;
    }
    block.synchronize();
    const int n_x = d.row.n_points, n_y = d.column.n_points;
    // a thread a marginal point: rows first, then columns
    for (int own = block.thread; own < n_x + n_y; own += block.threads) {
        const bool is_row = own < n_x;
        const int fixed = is_row ? own : own - n_x, n = is_row ? n_y : n_x;
        const double* const weight = is_row ? d.column.weight : d.row.weight;
        double sum = 0.0;
        for (int k = 0; k < n; ++k) {
            const int i = is_row ? fixed : k, j = is_row ? k : fixed;
            sum += weight[k] * std::exp(d.row.log_prior[i] + d.column.log_prior[j] -
                                        0.5 * posterior_detail::rise_between(d, nodes, room.lowest, i, j));
        }
        (is_row ? room.x : room.y)[fixed] = sum;
    }
    block.synchronize();
    if (block.thread == 0) {
        double total = 0.0;
        for (int i = 0; i < n_x; ++i) total += d.row.weight[i] * room.x[i];
        out.log_integral = std::log(total);
        out.row = summarise_density(
            d.row.at, room.x, n_x, [&](int i) { return d.row.value[i]; }, d.tail, room.cumulative);
        out.column = summarise_density(
            d.column.at, room.y, n_y, [&](int j) { return d.column.value[j]; }, d.tail, room.cumulative);
    }
    for (int k = block.thread; k < d.nodes(); k += block.threads) {
        const double rise = nodes[k].stat - room.lowest, weight = std::exp(-0.5 * rise) *
                                                                  d.row.mass[k / d.column.n_nodes] *
                                                                  d.column.mass[k % d.column.n_nodes];
        weights[k] = rise < posterior_reach ? weight : 0.0;
    }
    block.synchronize();
    if (block.thread == 0)
        room.negligible = posterior_detail::negligible_weight(weights, d.nodes(), room.cumulative);
    block.synchronize();
    posterior_detail::summarise_mixture(d, nodes, weights, nullptr, room, block, out.norm);
    for (int b = 0; b < d.n_fluxes; ++b)
        posterior_detail::summarise_mixture(d, nodes, weights, log_unit + b * std::int64_t{d.nodes()}, room,
                                            block, fluxes[b]);
}

}  // namespace xsift::spectral
