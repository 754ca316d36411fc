#pragma once
/// @file
/// A posterior to be integrated over a lattice of a model's shape parameters, and what comes of it.

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace xsift::spectral {

/// A side of a lattice that an engine integrates has at most so many nodes, all of it so many.
inline constexpr int most_side_nodes = 64, most_lattice_nodes = 2048;
/// Steps between two nodes, for the points on which a density is integrated.
inline constexpr int lattice_subdivisions = 5;

/// One axis of the lattice: its nodes, and the fine points between them on which its marginal density is
/// wanted. The arrays are somebody else's.
struct PosteriorAxis {
    int n_nodes = 1;
    std::span<const double> mass;         ///< a node: the prior's share of the cell around it (any scale)
    std::span<const double> at;           ///< a point, ascending
    std::span<const double> weight;       ///< of the trapezoidal rule
    std::span<const double> log_prior;    ///< ln of the prior's density in `at`
    std::span<const double> value;        ///< the parameter's
    std::span<const std::int32_t> first;  ///< the first of the (up to four) nodes that a point lies between
    std::span<const double> share;        ///< four a point: what it takes of each
};

/// A spectrum, and a model of one norm whose photons at each node are a product of one factor a row and one a
/// column. On the lattice the statistic is minimised over the norm, which is integrated as a Gaussian in its
/// logarithm.
struct PosteriorTask {
    std::int64_t n_bins = 0, n_energies = 0;
    std::span<const double> counts, background;   ///< n_bins; background 0 for C-stat
    double source_exposure = 0.0;                 ///< s
    std::span<const double> background_exposure;  ///< s, a bin; 0: C-stat
    /// The response a bin at a time (cm2 x probability): bin k has count[k] values from value[start[k]] on,
    /// of energies first[k], ...
    std::span<const double> response;
    std::span<const std::int32_t> first, count;
    std::span<const std::int64_t> start;
    /// Photons (photon/cm2/s at norm 1) in energy e at node (i, j): row_factor[i * n_energies + e] times
    /// column_factor[j * n_energies + e].
    std::span<const double> row_factor, column_factor;
    PosteriorAxis row, column;
    /// A quantity that grows with the norm: at norm 1 the sum over energies of a product of factors likewise.
    struct Flux {
        std::int64_t n_energies = 0;
        std::span<const double> row_factor, column_factor;
    };
    std::vector<Flux> fluxes;
    double log_norm_lo = 0.0, log_norm_hi = 0.0;
    double skewness = 0.0;  ///< of ln norm at a node, see skewed_normal()
    double tail = 0.05;     ///< probability beyond each end of the interval asked for
};

/// A density in short.
struct DensitySummary {
    static constexpr int n_quantiles = 7;
    double mean = 0.0;               ///< of the value
    double quantile[n_quantiles]{};  ///< positions, see probability_below()
};

/// The integral of a task.
struct PosteriorIntegral {
    /// Of the statistic at the nodes, with the determinant of the integral over the norm; infinite where
    /// nothing could be evaluated.
    double lowest = std::numeric_limits<double>::infinity();
    double log_integral = 0.0;  ///< ln of the integral of prior times exp(-(statistic - lowest) / 2)
    double norm_sigma = 0.0;    ///< of ln norm at the lowest node
    /// How many steps the part below lowest + posterior_reach is wide.
    int row_width = 0, column_width = 0;
    /// Rise of the lowest statistic in the first and the last row and column.
    double row_edge[2]{}, column_edge[2]{};
    DensitySummary row, column;  ///< positions are those of PosteriorAxis::at
    DensitySummary norm;         ///< positions are ln norm
};
struct PosteriorOutcome {
    PosteriorIntegral integral;
    std::vector<DensitySummary> fluxes;  ///< as the task's; positions are logarithms
};

}  // namespace xsift::spectral
