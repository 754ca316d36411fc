#pragma once
/// @file
/// Spectra to be drawn and fitted on a lattice of a model's shape parameters.

#include <cstdint>
#include <span>

namespace xsift::spectral {

/// Spectra drawn from expected counts, each fitted by a model of one norm whose expected counts are known at
/// the nodes of a lattice. The arrays are somebody else's.
struct SimulationTask {
    int rows = 1, columns = 1;  ///< of nodes
    std::int64_t n_bins = 0;
    std::span<const double>
        log_counts;  ///< rows x columns x n_bins: ln of the source's expected counts at norm 1
    std::span<const double> expected;             ///< n_bins, mean counts of the source region
    std::span<const double> expected_background;  ///< n_bins, of the background region; empty: C-stat
    double ratio = 0.0;  ///< exposure of the background (times BACKSCAL ratio) over that of the source
    double norm_min = 1e-12, norm_max = 1e12;
    std::uint64_t seed = 0;  ///< draw n is stream n of it
    std::int64_t n_draws = 0;
    bool tabulated = false;  ///< see RateLattice
};

}  // namespace xsift::spectral
