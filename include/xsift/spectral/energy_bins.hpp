#pragma once
/// @file
/// Energy bins of a model as a list of edges.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace xsift::spectral {

/// Bins of ascending energy. Bin i spans edge[left[i]] .. edge[left[i] + 1] (keV); neighbours share an edge,
/// so that models are evaluated once an edge.
struct EnergyBins {
    std::vector<double> edge, log_edge;  ///< keV, and natural logarithm
    std::vector<std::int32_t> left;

    std::size_t size() const { return left.size(); }
    double lo(std::size_t i) const { return edge[left[i]]; }
    double hi(std::size_t i) const { return edge[left[i] + 1]; }

    /// From lower and upper bounds (keV, positive, ascending; gaps are allowed).
    static EnergyBins from_bounds(std::span<const double> lo, std::span<const double> hi);
    /// About bins_per_decade logarithmic bins a decade between bounds that are met exactly.
    static EnergyBins logarithmic(double lo, double hi, int bins_per_decade);
};

/// Means of a quantity over merged bins, weighted by photons; by width where there are none.
/// @param quantity, photons, width of each fine bin (photons empty: none anywhere)
/// @param merged which merged bin each belongs to, ascending from 0
std::vector<double> merged_means(std::span<const double> quantity, std::span<const double> photons,
                                 std::span<const double> width, std::span<const std::int32_t> merged);

}  // namespace xsift::spectral
