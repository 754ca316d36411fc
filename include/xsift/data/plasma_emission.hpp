#pragma once
/// @file
/// Emissivities of an optically thin plasma in collisional equilibrium at one temperature.

#include <vector>

namespace xsift {

/// Energy (keV) times wavelength (Angstrom) of a photon (CODATA 2018).
inline constexpr double kev_angstrom = 12.398419843320026;

/// A spectral line: photon cm3/s for the abundances the emissivities were computed with.
struct EmissionLine {
    double energy = 0.0;  ///< keV
    double emissivity = 0.0;
    int element = 0;  ///< nuclear charge
};

/// Continua of one element: piecewise linear between energies (keV, ascending), photon cm3/s/keV. The pseudo
/// continuum holds the lines too weak to be listed.
struct ElementContinuum {
    int element = 0;
    std::vector<double> energy, continuum;
    std::vector<double> pseudo_energy, pseudo;
};

struct PlasmaEmission {
    double temperature = 0.0;  ///< kT, keV
    std::vector<EmissionLine> lines;
    std::vector<ElementContinuum> continua;
};

}  // namespace xsift
