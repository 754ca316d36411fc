#pragma once
/// @file
/// Models given as tables of spectra on a grid of parameters (OGIP 92-009).

#include <cstddef>
#include <string>
#include <vector>

namespace xsift {

/// A parameter of a table model and the values at which spectra are tabulated.
struct TableAxis {
    std::string name, unit;
    double initial = 0.0;
    double lo = 0.0, hi = 0.0;   ///< hard limits, within the tabulated values
    bool frozen = false;         ///< kept at its initial value unless freed
    bool logarithmic = false;    ///< interpolated linearly in its logarithm
    std::vector<double> values;  ///< ascending
};

/// A table model. Spectra are ordered with the last axis varying fastest.
struct TableModel {
    std::string name;                 ///< of the model or file
    std::string origin;               ///< how it was made: atomic data, abundances
    std::string hash;                 ///< content hash
    bool additive = true;             ///< photon/cm2/s in each bin at norm 1; otherwise a factor
    bool redshift = false;            ///< may be shifted
    double below = 0.0, above = 0.0;  ///< value outside the tabulated energies (density, or factor)
    std::vector<double> edge;         ///< keV, ascending, n_bins + 1
    std::vector<TableAxis> axes;
    std::vector<float> spectra;  ///< product of the axes' sizes x n_bins

    std::size_t n_bins() const { return edge.size() - 1; }
};

}  // namespace xsift
