#include "few_photons.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include <xsift/core/constants.hpp>
#include <xsift/timing/significance.hpp>

namespace xsift::timing {
namespace {

/// Tails of few photons: log10 of the probability of a value over that in the limit of many, where the latter
/// is 10^-exponent. Simulated with 20 and 200 photons (tests/validation/calibrate_tails.cpp): phases drawn
/// uniformly down to 1e-5, accurate to 0.02 there; beyond from pulsed densities, accurate to 0.1 to 0.3.
constexpr std::array<double, 10> exponent{0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 13.0};
/// Where the extrapolation ends.
constexpr double largest_exponent = 20.0;
struct FewPhotons {
    int harmonics;  ///< of Z2; 0: H
    std::array<double, 10> of_20, of_200;
};
constexpr std::array<FewPhotons, 6> few_photons{{
    {2,
     {0, -0.02, -0.07, -0.09, -0.09, -0.05, -0.05, -0.08, -0.15, -0.20},
     {0, 0, 0, 0, 0, 0, 0, 0.05, 0.25, 0.45}},
    {3,
     {0, -0.025, -0.052, -0.01, 0.107, 0.243, 0.40, 0.80, 1.15, 1.55},
     {0, 0, 0, 0, 0.03, 0.05, 0.08, 0.15, 0.28, 0.50}},
    {4,
     {0, -0.028, -0.032, 0.025, 0.19, 0.48, 0.70, 1.20, 1.75, 2.60},
     {0, 0, 0, 0, 0.04, 0.08, 0.12, 0.28, 0.48, 0.85}},
    {8,
     {0, -0.033, 0.017, 0.18, 0.39, 0.80, 1.16, 1.90, 2.75, 4.60},
     {0, 0, 0, 0.01, 0.07, 0.13, 0.20, 0.38, 0.65, 1.15}},
    {20,
     {0, -0.028, 0.10, 0.357, 0.70, 1.14, 1.60, 2.50, 3.50, 5.00},
     {0, 0, 0.01, 0.03, 0.09, 0.16, 0.25, 0.50, 0.90, 1.50}},
    {0,
     {0, -0.033, -0.052, 0.086, 0.388, 0.85, 1.24, 2.15, 3.20, 4.80},
     {0, 0, 0, 0.01, 0.065, 0.12, 0.18, 0.36, 0.60, 1.00}},
}};

/// Linear between the places, beyond the last with its slope.
template <std::size_t n>
double interpolated(const std::array<double, n>& place, const std::array<double, n>& value, double at) {
    std::size_t i = 1;
    while (i + 1 < n && at > place[i]) ++i;
    const double slope = (value[i] - value[i - 1]) / (place[i] - place[i - 1]);
    return value[i - 1] + slope * (at - place[i - 1]);
}

/// Linear in 1/sqrt(N) between 20 and 200 photons (in 1/N a list of 50 has too many false alarms of H, in ln
/// N too few), in ln N below, inverse to N above.
double of_photons(const FewPhotons& row, double at, double photons) {
    const double many = interpolated(exponent, row.of_200, at);
    if (photons >= 200.0) return many * 200.0 / photons;
    const double few = interpolated(exponent, row.of_20, at);
    const double share = photons >= 20.0 ? (std::sqrt(200.0 / photons) - 1.0) / (std::sqrt(10.0) - 1.0)
                                         : std::log(200.0 / photons) / std::log(10.0);
    return many + (few - many) * share;
}

/// Crossings of H: log10 of their factor for 20 photons and a single-trial probability of 10^-exponent.
/// Simulated with 20, 50 and 100 photons, 50,000 searches each: an excess goes with 1/sqrt(N), the lack at
/// probable levels with 1/N.
constexpr std::array<double, 6> crossings_exponent{3.9, 4.7, 5.3, 5.9, 6.5, 7.0};
constexpr std::array<double, 6> crossings_of_20{-0.02, -0.07, 0.0, 0.11, 0.205, 0.315};
constexpr double most_crossings = 0.6;

}  // namespace

double of_few_photons(double log10_p, int harmonics, double photons) {
    if (!(photons < 1e9) || log10_p >= 0.0) return log10_p;
    const double at = std::min(-log10_p, largest_exponent);
    double shift = 0.0;
    if (harmonics == 0) {
        shift = of_photons(few_photons.back(), at, photons);
    } else {
        std::size_t i = 0;
        while (i + 2 < few_photons.size() && few_photons[i + 1].harmonics < harmonics) ++i;
        const FewPhotons &low = few_photons[i], &high = few_photons[i + 1];
        const double x = std::clamp(
            static_cast<double>(harmonics - low.harmonics) / (high.harmonics - low.harmonics), 0.0, 1.0);
        shift = (1.0 - x) * of_photons(low, at, photons) + x * of_photons(high, at, photons);
    }
    return std::min(0.0, log10_p + shift);
}

double few_crossings(double log10_p, double photons) {
    if (!(photons < 1e9)) return 0.0;
    const double at = std::max(-log10_p, crossings_exponent.front());
    const double value = std::min(interpolated(crossings_exponent, crossings_of_20, at), most_crossings);
    const double share = std::min(1.0, 20.0 / photons);
    return value * (value > 0.0 ? std::sqrt(share) : share);
}

double log10_rayleigh(double z2, double photons) {
    if (!(photons < 1e9)) return log10_chi2_survival(z2, 1);
    const double resultant = std::min(0.5 * z2 * photons, photons * photons);
    const double full = 1.0 + 2.0 * photons;
    // sqrt(full^2 - 4 resultant) - full without the difference of large numbers
    return -4.0 * resultant / (std::sqrt(std::max(0.0, full * full - 4.0 * resultant)) + full) /
           constants::ln10;
}

}  // namespace xsift::timing
