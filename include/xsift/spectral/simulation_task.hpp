#pragma once
/// @file
/// Spectra to be drawn and fitted on a lattice of a model's shape parameters.

#include <cstdint>
#include <span>
#include <vector>

#include <xsift/spectral/rate_lattice.hpp>

namespace xsift::spectral {

/// Spectra drawn from expected counts, each fitted by a model of one norm whose expected counts are known at
/// the nodes of a lattice. Those of several instruments are fitted together, with a norm each; their bins
/// follow each other. The arrays are somebody else's.
struct SimulationTask {
    int rows = 1, columns = 1;             ///< of nodes
    bool tabulated = false;                ///< see RateLattice
    std::vector<LatticeSpectrum> spectra;  ///< at most most_lattice_spectra
    /// rows x columns x bins: ln of the source's expected counts at norm 1.
    std::span<const double> log_counts;
    std::span<const double> expected;  ///< a bin: mean counts of the source region
    /// The same of the background region; what it says of a spectrum with C-stat means nothing, and it is
    /// empty when there are no others.
    std::span<const double> expected_background;
    std::uint64_t seed = 0;  ///< draw n is stream n of it
    std::int64_t n_draws = 0;

    /// Of all spectra.
    std::int64_t n_bins() const { return std::ssize(expected); }
};

}  // namespace xsift::spectral
