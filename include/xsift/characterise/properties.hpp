#pragma once
/// @file
/// The properties that tell classes of sources apart, and how they follow from what was measured.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <xsift/data/characterisation.hpp>

namespace xsift::characterise {

/// None of them depends on how deep a survey is or where it looked: fluxes, magnitudes and Galactic
/// longitude are left out on purpose.
enum class Property : std::uint8_t {
    hr_ms,
    hr_hm,
    hr_hms,
    p_intra,
    p_inter,
    gamma,
    log_kt,
    log_period,
    log_b,  // clang-format off
    fx_g, fx_j, fx_k, fx_w1, bp_rp, g_rp, g_j, g_k, g_w1, j_h, h_k, j_k, k_w1, j_w1, w1_w2, w2_w3,
    parallax_sn, abs_g, abs_w1, log_lx, log_pm,
    fx_g_above, fx_j_above, fx_k_above, fx_w1_above,  // clang-format on
};
inline constexpr std::size_t n_properties = 34;
/// NaN: not known. Indexed by Property.
using Properties = std::array<double, n_properties>;

/// Short name, what it is in words, and whether it comes from the X-rays and the position alone.
struct PropertyText {
    std::string_view name, words;
    bool counterpart;
};
const PropertyText& describe(Property property);
/// Of a lower limit the property that it bounds; nothing for the others. fx_g_above says that fx_g, which is
/// not measured, is larger.
std::optional<Property> bounded_by(Property limit);
/// The property of a name, or nothing.
std::optional<Property> property_of(std::string_view name);

/// What was measured of a source; NaN: not measured.
struct Observables {
    /// erg/cm2/s in 0.5-1.2, 1.2-2, 2-7 keV and in 0.5-7 keV, absorbed.
    double flux_soft = not_measured, flux_medium = not_measured, flux_hard = not_measured,
           flux_broad = not_measured;
    double p_intra = not_measured, p_inter = not_measured;    ///< 1: variable within, between observations
    double gamma = not_measured, gamma_error = not_measured;  ///< photon index, 1 sigma
    double kt = not_measured;                                 ///< keV
    double period = not_measured;                             ///< s
    double galactic_latitude = not_measured;                  ///< deg
    Magnitudes magnitude{not_measured, not_measured, not_measured, not_measured, not_measured,
                         not_measured, not_measured, not_measured, not_measured};
    /// The source was looked for and is fainter than this; NaN: not looked for, or seen. Used of G, J, K, W1.
    Magnitudes fainter_than = magnitude;
    double parallax_over_error = not_measured;
    double distance = not_measured;       ///< pc
    double proper_motion = not_measured;  ///< mas/yr, total
};

/// Hardness ratios (M-S)/(M+S), (H-M)/(H+M), (H-M-S)/(H+M+S); log10 Fx/Fopt with the 0.5-7 keV flux and
/// gaia_g_zero_physical, log10 Fx + 0.4 m for J, K, W1; colours; sign(s) log10(1 + |s|) of s =
/// parallax/error; absolute magnitudes and log10 luminosity where s > 5, or where a distance is given and s
/// is not; log10 of kT, period, proper motion, and |b| + 0.1 deg. A photon index with an error above 0.6 is
/// not used. Where a magnitude is not measured but known to be fainter than a limit, the flux ratio has a
/// lower limit.
Properties properties_of(const Observables& observed);

/// Chandra's bands from those of XMM-Newton, by power laws of the slope of neighbouring bands (index 1.7
/// where one of them is missing): 0.5-1.2 keV is band 2 and the part of band 3 below 1.2 keV; 1.2-2 keV is
/// the rest of it; 2-7 keV is band 4 and the part of band 5 below 7 keV.
/// @param flux bands 2 to 5 (0.5-1, 1-2, 2-4.5, 4.5-12 keV), erg/cm2/s
void set_bands_from_xmm(const std::array<double, 4>& flux, Observables& observed);

/// Share of the energy flux of a power law in [lo, hi] that lies in [a, b].
double power_law_share(double index, double lo, double hi, double a, double b);

}  // namespace xsift::characterise
