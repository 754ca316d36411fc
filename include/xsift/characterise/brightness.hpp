#pragma once
/// @file
/// Distance, luminosity and X-ray to optical flux ratios.

#include <optional>

namespace xsift::characterise {

/// Zero points F0 of F_opt = F0 10^(-0.4 G) for Gaia G, erg/cm2/s. Say which one was used.
inline constexpr double gaia_g_zero_physical = 1.013e-5;  ///< 2.5e-9 erg/cm2/s/A x 4053 A
inline constexpr double gaia_g_zero_report = 1.05e-5;     ///< used by published survey reports

/// Optical flux of a Gaia G magnitude, erg/cm2/s.
double optical_flux(double g_magnitude, double zero_point = gaia_g_zero_physical);

/// log10(Fx / Fopt) after Maccacaro et al. (1988): log10 Fx + V/2.5 + 5.37; Fx in erg/cm2/s, V in mag.
double maccacaro_ratio(double xray_flux, double v_magnitude);

/// 1/parallax in pc, only where it is a distance estimate at all: parallax/error above 5.
/// @param parallax, error mas
std::optional<double> distance_from_parallax(double parallax, double error);

/// 4 pi d^2 F in erg/s.
/// @param flux erg/cm2/s  @param distance pc
double luminosity(double flux, double distance);

}  // namespace xsift::characterise
