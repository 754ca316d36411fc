#pragma once
/// @file
/// What a source is taken to be: column, distance, brightness, counterparts, history, class. NaN: not
/// measured.

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include <xsift/data/estimate.hpp>

namespace xsift {

/// What can be said against a characterisation. Bits; CHAR_FLAGS of SOURCES.
enum CharacterFlag : std::uint32_t {
    character_no_position = 1u << 0,          ///< no position: no Galactic column, no counterparts
    character_nh_below_galactic = 1u << 1,    ///< the fitted column's interval lies below NH_GAL
    character_nh_above_galactic = 1u << 2,    ///< the fitted column's interval lies above NH_GAL
    character_nh_from_list = 1u << 3,         ///< NH_GAL is a column of the source list, not of a map
    character_distance_from_prior = 1u << 4,  ///< parallax below 5 sigma: DIST leans on the density prior
    character_no_parallax = 1u << 5,          ///< no parallax: no distance, no luminosity
    character_no_magnitude = 1u << 6,         ///< no G magnitude: no flux ratio
    character_no_flux = 1u << 7,              ///< no X-ray flux: no luminosity, no flux ratio
    character_no_counterpart = 1u << 8,       ///< no counterpart with P_ANY and P_I above the threshold
    character_ambiguous = 1u << 9,            ///< another candidate of the same catalogue is half as probable
    character_no_history = 1u << 10,          ///< no earlier flux or upper limit to compare with
    character_unlike_training = 1u << 11,     ///< unlike all labelled sources: the class means little
    character_few_properties = 1u << 12,      ///< the class rests on fewer than three properties
};

/// Magnitudes that a counterpart may have, in this order.
inline constexpr std::array<const char*, 9> magnitude_bands{"G", "BP", "RP", "J", "H", "K", "W1", "W2", "W3"};
using Magnitudes = std::array<double, magnitude_bands.size()>;

/// A candidate of one catalogue.
struct Counterpart {
    std::string catalogue, id;
    double separation = not_measured;  ///< arcsec
    double p_any = not_measured;       ///< probability that the source has any counterpart in the catalogue
    double p_i = not_measured;         ///< probability that it is this one, if it has any
    double ra = not_measured, dec = not_measured;  ///< deg, ICRS, at the epoch it was matched at
    double position_error = not_measured;          ///< arcsec, 1 sigma along the larger axis
    std::int32_t match_flag = 0;  ///< 1: the most probable one, 2: at least half as probable, 0: others
    Magnitudes magnitude{not_measured, not_measured, not_measured, not_measured, not_measured,
                         not_measured, not_measured, not_measured, not_measured};
    double parallax = not_measured, parallax_error = not_measured;  ///< mas
    double pm_ra = not_measured, pm_dec = not_measured;             ///< mas/yr, pm_ra with cos(dec)
};

/// The probability of one class and the properties that spoke most for and against it.
struct ClassProbability {
    std::string name;
    double probability = not_measured;
    std::string rival;               ///< the most probable other class: what the reasons compare with
    double log_odds = not_measured;  ///< ln of the probability over the rival's: the sum of all reasons
    std::string reasons_for, reasons_against;  ///< "PROPERTY=value +log-odds; ...", natural logarithms
};

struct Characterisation {
    double nh_galactic = not_measured;  ///< 1e22 cm^-2
    std::string nh_origin;
    double gaia_g = not_measured;  ///< mag
    Estimate distance;             ///< pc
    Estimate luminosity;           ///< erg/s
    double optical_zero = not_measured, log_fx_fopt = not_measured;
    double log_fx_fv = not_measured;  ///< after Maccacaro et al. (1988), V from Gaia's magnitudes
    double history_ratio = not_measured;
    std::string alert;
    std::string class_name;
    double class_probability = not_measured;
    std::uint32_t flags = 0;  ///< CharacterFlag bits
    std::vector<Counterpart> counterparts;
    std::vector<ClassProbability> classes;
};

}  // namespace xsift
