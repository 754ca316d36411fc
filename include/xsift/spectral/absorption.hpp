#pragma once
/// @file
/// Photoelectric absorption of the interstellar medium: XSPEC's tbabs (Wilms, Allen & McCray 2000).

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <xsift/spectral/energy_bins.hpp>
#include <xsift/spectral/options.hpp>

namespace xsift::spectral {

/// Cross-sections of one abundance table, embedded in the library (made by
/// scripts/make-absorption-tables.py). Defined from 0.03 to 25 keV; outside they go on as E^-3.
class Absorption {
  public:
    static const Absorption& of(Abundance abundance);

    /// Content checksum of the embedded table, for provenance.
    static std::string checksum(Abundance abundance);

    /// Cross-section of a narrow bin at an energy (keV), 1e-22 cm2 per H.
    double cross_section(double energy) const;
    /// Effective cross-section of each bin, 1e-22 cm2 per H: its transmission is exp(-nH x cross-section), nH
    /// in 1e22 cm^-2. As XSPEC does: the mean of the values at the edges, shielding by grains applied to the
    /// mean.
    std::vector<double> cross_sections(const EnergyBins& bins) const;

    /// Bins between limits that are met exactly: bins_per_decade logarithmic ones, halved wherever the
    /// cross-section at the middle differs from the mean of the edges by more than 0.2% (edges and
    /// resonances), down to 1e-5 of the energy.
    EnergyBins resolving_bins(double lo, double hi, int bins_per_decade) const;

  private:
    struct Components {
        double gas, dust;
    };
    explicit Absorption(std::span<const unsigned char> resource);
    Components components(double energy) const;
    std::vector<double> computed_cross_sections(const EnergyBins& bins) const;
    EnergyBins computed_resolving_bins(double lo, double hi, int bins_per_decade) const;

    double grain_depth_ = 0.0;
    std::vector<double> log_energy_, log_gas_, log_dust_;
};

}  // namespace xsift::spectral
