#pragma once
/// @file
/// Absorbed models on energy bins: names, limits, photons a bin, derivatives, fluxes.

#include <array>
#include <span>
#include <string>
#include <vector>

#include <xsift/spectral/absorption.hpp>
#include <xsift/spectral/energy_bins.hpp>
#include <xsift/spectral/models.hpp>
#include <xsift/spectral/options.hpp>

namespace xsift::spectral {

/// Hard limits of a parameter.
struct Limits {
    double lo = 0.0, hi = 0.0;
};
inline constexpr Limits nh_limits{0.0, 50.0};  ///< 1e22 cm^-2
inline constexpr Limits norm_limits{1e-12, 1.0};

/// Limits of the photon index (-3..10) or kT (bbody 0.01..100, bremss 0.03..100 keV).
Limits parameter_limits(Shape shape);

/// The shape of "tbabs*powerlaw", "tbabs*bbody" or "tbabs*bremss". @throws Error (usage, UNKNOWN_MODEL).
Shape parse_model(const std::string& model);

/// Unabsorbed photons (photon/cm2/s) in each bin at norm 1. T: double, or Dual for the derivative too.
template <typename T>
void shape_photons(Shape shape, T parameter, const EnergyBins& bins, std::span<T> photons);

/// tbabs times a shape on fixed bins. Not for concurrent use: it holds scratch space.
class AbsorbedModel {
  public:
    AbsorbedModel(Shape shape, Abundance abundance, EnergyBins bins);

    std::size_t size() const { return bins_.size(); }
    const EnergyBins& bins() const { return bins_; }

    /// photon/cm2/s in each bin at norm 1.
    void evaluate(double nh, double parameter, std::span<double> photons);
    /// The same with its derivatives with respect to nH (1e22 cm^-2) and the shape's parameter.
    void evaluate(double nh, double parameter, std::span<double> photons, std::span<double> by_nh,
                  std::span<double> by_parameter);

  private:
    Shape shape_;
    EnergyBins bins_;
    std::vector<double> cross_section_;
    std::vector<Dual> scratch_;
};

/// Energy flux of a model at norm 1 in a band, erg/cm2/s, and its derivatives.
struct BandFlux {
    double value = 0.0, by_nh = 0.0, by_parameter = 0.0;
};

/// Fluxes in a band on its own fine energy bins (1,000 a decade, the band's limits met exactly), whatever the
/// range of the response.
class FluxBand {
  public:
    FluxBand(Shape shape, Abundance abundance, double lo, double hi);
    BandFlux absorbed(double nh, double parameter);
    BandFlux unabsorbed(double parameter) { return absorbed(0.0, parameter); }

  private:
    AbsorbedModel model_;
    std::vector<double> photons_, by_nh_, by_parameter_;
};

}  // namespace xsift::spectral
