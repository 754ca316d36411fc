#pragma once
/// @file
/// Long-term variability between missions: the amplitude and alert type of STONKS (Quintin et al. 2024, A&A
/// 687, A250).

#include <span>
#include <string>

namespace xsift::characterise {

/// An earlier flux or upper limit in the band of the new flux, erg/cm2/s. Detections have both ends (1
/// sigma); an upper limit has hi alone and lo = NaN.
struct EarlierFlux {
    double lo, hi;
};

/// The new flux against its history.
struct HistoryVerdict {
    double
        ratio;  ///< amplitude from bounds: 1 or less means that nothing varied for certain; NaN: no history
    std::string type;  ///< high flux state, low flux state, first detection, past variability, or empty
};

/// ratio = max(new_lo / min(earlier hi), max(earlier lo) / new_hi). Above the threshold the type is
/// first detection without an earlier detection, high flux state when new_lo is above every earlier lower
/// end, low flux state when new_hi is below every earlier upper end and limit, past variability otherwise.
/// @param flux_lo, flux_hi 1 sigma ends of the new flux; a negative lower end counts as 0
HistoryVerdict compare_with_history(double flux_lo, double flux_hi, std::span<const EarlierFlux> earlier,
                                    double threshold = 5.0);

/// Probability that a flux varies between observations: 1 - P(chi2) of the logarithms of the detections
/// against a constant, with 20% for the missions' calibration and band conversion added to each error. Upper
/// limits are left out. NaN with fewer than two detections.
double probability_of_variation(std::span<const EarlierFlux> fluxes);

/// What a mission's catalogue flux is divided by to reach 0.2-12 keV (power law of index 1.7, nH 3e20): XMM
/// 0.999, Chandra 0.69, Swift 0.9, eROSITA 0.39, ROSAT 0.41; NaN for another mission.
double band_divisor(const std::string& mission);

}  // namespace xsift::characterise
