#pragma once
/// @file
/// Distance, luminosity and X-ray to optical flux ratios.

#include <optional>

#include <xsift/data/estimate.hpp>

namespace xsift::characterise {

/// Zero points F0 of F_opt = F0 10^(-0.4 G) for Gaia G, erg/cm2/s. Say which one was used.
inline constexpr double gaia_g_zero_physical = 1.013e-5;  ///< 2.5e-9 erg/cm2/s/A x 4053 A
inline constexpr double gaia_g_zero_report = 1.05e-5;     ///< used by published survey reports

/// Optical flux of a Gaia G magnitude, erg/cm2/s.
double optical_flux(double g_magnitude, double zero_point = gaia_g_zero_physical);

/// log10(Fx / Fopt) after Maccacaro et al. (1988): log10 Fx + V/2.5 + 5.37; Fx in erg/cm2/s, V in mag.
double maccacaro_ratio(double xray_flux, double v_magnitude);

/// V of a star from its Gaia magnitudes (Riello et al. 2021, A&A 649, A3, table C.2; scatter 0.03 mag); NaN
/// outside of -0.5 < BP - RP < 5.
double johnson_v(double g, double bp, double rp);

/// 1/parallax in pc, only where it is a distance estimate at all: parallax/error above 5.
/// @param parallax, error mas
std::optional<double> distance_from_parallax(double parallax, double error);

/// A distance and how it came to be.
struct Distance {
    Estimate value;           ///< pc
    bool from_prior = false;  ///< the parallax is below 5 sigma: the density prior has a say
};

/// Options of distances.
struct DistanceOptions {
    double zero_point = 0.0;  ///< mas, of the parallaxes; subtracted (Gaia DR3: about -0.017, Lindegren 2021)
    double scale = 1350.0;    ///< pc, length scale L of the density exp(-r/L)
    double confidence = 0.9;  ///< of the interval
};

/// The distance of a parallax: 1/parallax where parallax/error is above 5, with the interval of the normal
/// parallax; otherwise the median and the equal-tailed interval of the posterior
/// r^2 exp(-r/L) exp(-(parallax - 1/r)^2/(2 error^2)) (Bailer-Jones 2015, PASP 127, 994, eq. 18). The error
/// must be positive; NaN gives NaN.
Distance distance_of(double parallax, double error, const DistanceOptions& options);

/// The mode of that posterior: the root of r^3/L - 2 r^2 + (w/s^2) r - 1/s^2 (eq. 19), r in kpc, w and s in
/// mas. Where there are three, the smallest when the parallax is positive. For tests and comparisons.
/// @return pc
double posterior_mode(double parallax, double error, double scale);

/// 4 pi d^2 F in erg/s.
/// @param flux erg/cm2/s  @param distance pc
double luminosity(double flux, double distance);

/// Luminosity with errors: those of flux and distance, independent, added in quadrature in the logarithm on
/// each side. An end without its counterpart in flux or distance is NaN.
Estimate luminosity(const Estimate& flux, const Estimate& distance);

}  // namespace xsift::characterise
