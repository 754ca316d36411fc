#pragma once
/// @file
/// The lattice of shape parameters on which spectra drawn from a fit are fitted, single ones or those of
/// several instruments together.

#include "objective.hpp"

#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <xsift/spectral/prepared.hpp>
#include <xsift/spectral/rate_lattice.hpp>

namespace xsift::refine {

/// A model of one norm at places around its fit, folded through the whole responses of the spectra. Rows
/// follow the first shape parameter, columns the second, around the values that fit best at each row. A
/// parameter of a table has the columns in any case: they are tabulated values, the same in all rows.
struct ShapeLattice {
    Coordinates coordinates;
    int rows = 1, columns = 1;
    int tabulated = -1;  ///< coordinate of the columns when these are tabulated values
    /// Whether the table is interpolated in the logarithm of that parameter.
    bool by_logarithm = false;
    std::vector<Vector> nodes;  ///< a node, row by row: the fit's coordinates (the norm's means nothing)
    std::vector<double>
        log_counts;                 ///< a node, a bin of any spectrum: ln of the counts expected at log_scale
    std::vector<double> log_scale;  ///< of the fit: ln of the norm, then of the factors of further spectra
    /// Whether the first and the last row and column are limits of a parameter.
    bool limit[2][2] = {{true, true}, {true, true}};
    /// Standard deviation of what the interpolation adds to the statistic of a draw.
    double error = 0.0;

    /// What fits on the lattice see of it.
    spectral::RateLattice rates() const {
        return {log_counts.data(), rows, columns,
                std::ssize(log_counts) / (static_cast<std::int64_t>(rows) * columns), tabulated >= 0};
    }
    /// The fit's coordinates at a place between the nodes.
    Vector coordinates_at(const spectral::LatticePlace& place) const;
    /// Whether a place does not lie at an edge behind which the lattice could go on.
    bool holds(const spectral::LatticePlace& place) const;
    /// Coordinate of the norm (spectrum 0) or the factor of a spectrum.
    int scale(std::size_t spectrum) const {
        return spectrum == 0 ? coordinates.first_norm()
                             : coordinates.first_factor() + static_cast<int>(spectrum) - 1;
    }
};

/// @param mean the spectra with the counts that draws have in the mean, none of them 0
/// @param source of these those of the source, a spectrum
/// @param fit that they are expected from
/// @return nothing for models with several norms, more than two shape parameters or two with kinks, where the
/// norm is not significant, and where no lattice of reasonable size interpolates well
std::optional<ShapeLattice> make_shape_lattice(std::span<const spectral::PreparedSpectrum> mean,
                                               std::span<const std::vector<double>> source,
                                               const std::shared_ptr<const spectral::ModelDefinition>& model,
                                               spectral::Abundance abundance, const SpectralFit& fit);

}  // namespace xsift::refine
