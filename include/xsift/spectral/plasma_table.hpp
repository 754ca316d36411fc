#pragma once
/// @file
/// A table model of a plasma from emissivities by element, for a chosen set of abundances.

#include <string>
#include <vector>

#include <xsift/data/plasma_emission.hpp>
#include <xsift/data/table_model.hpp>
#include <xsift/spectral/options.hpp>

namespace xsift::spectral {

/// Number of atoms of an element for one of hydrogen, as in XSPEC's abundance tables; 0 for elements that a
/// set leaves out. @param element nuclear charge, 1 to 30; beyond: 0
double abundance_of(Abundance set, int element);

/// Whether the metal abundance of apec scales an element: C, N, O, Ne, Mg, Al, Si, S, Ar, Ca, Fe, Ni. Helium
/// and the trace elements stay at the set's abundances, as in XSPEC.
bool is_scaled_metal(int element);

/// Builds the table temperature by temperature. Emissivities are those of Anders & Grevesse (1989), which
/// AtomDB's files are computed with, and are scaled by the ratio of the set's abundances to these.
///
/// A bin holds the photons of the lines inside it (an edge belongs to the bin above) and the exact integral
/// of the piecewise linear continua; norm 1 is 1e-14/(4 pi D_A^2 (1+z)^2) integral n_e n_H dV. The spectrum
/// is linear in the metal abundance: it is tabulated at 0 and at the highest.
class PlasmaTable {
  public:
    /// @param edges keV, ascending
    PlasmaTable(Abundance set, std::vector<double> edges);

    /// Temperatures in ascending order.
    void add(const PlasmaEmission& emission);
    /// @param source what the emissivities come from, for the origin
    TableModel finish(const std::string& source) &&;

  private:
    Abundance set_;
    std::vector<double> edge_, temperature_;
    std::vector<float> spectra_;
};

/// Continues a plasma table (kT first, then abundances) to 64 keV, where XSPEC's apec ends: the spectrum of its
/// hottest temperature times the ratio of bremsstrahlung of both temperatures, which is nearly all that a
/// plasma above 20 keV emits. Its lines then fade with the continuum under them, a little too slowly. Steps are
/// of 11% or less. A table that reaches so far, or whose limit of kT lies within,
/// stays as it is.
TableModel with_hotter_plasma(TableModel table);

}  // namespace xsift::spectral
