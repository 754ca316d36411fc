#pragma once
// The shapes of models at many energies, several at once.

#include <cstddef>

#include <xsift/spectral/models.hpp>

namespace xsift::spectral {

/// The formulas of models.hpp and of the absorption at n places. Derivatives by the parameter are left out
/// where their array is null. Operations are rounded one by one and in the same order whatever the
/// instruction set, so that results are the same to the last bit.
struct ShapeLanes {
    /// photon/cm2/s/keV at energies (keV) of bbody or bremss. @param kT keV
    void (*density)(Shape, double kT, const double* energy, std::size_t n, double* value, double* derivative);
    /// photon/cm2/s of a power law between each two neighbours of n + 1 edges (ln keV)
    void (*powerlaw)(double index, const double* log_edge, std::size_t n, double* value, double* derivative);
    /// exp(-column x cross-section), and its derivative by the column
    void (*transmission)(double column, const double* cross_section, std::size_t n, double* value,
                         double* derivative);
};
extern const ShapeLanes shape_lanes_baseline, shape_lanes_avx2, shape_lanes_avx512;
/// The fastest that this processor runs.
const ShapeLanes& best_shape_lanes();

}  // namespace xsift::spectral
