#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string_view>
#include <utility>

#include <xsift/characterise/history.hpp>
#include <xsift/core/chi2.hpp>
#include <xsift/data/source.hpp>

namespace xsift::characterise {

HistoryVerdict compare_with_history(double flux_lo, double flux_hi, std::span<const EarlierFlux> earlier,
                                    double threshold) {
    if (!(std::isfinite(flux_lo) && flux_hi > 0.0)) return {not_measured, ""};
    const double lo = std::max(flux_lo, 0.0);
    double lowest_hi = std::numeric_limits<double>::infinity(), highest_lo = 0.0;
    bool any = false, detected = false;
    for (const EarlierFlux& flux : earlier) {
        if (flux.hi > 0.0) {
            lowest_hi = std::min(lowest_hi, flux.hi);
            any = true;
        }
        if (std::isfinite(flux.lo)) {
            highest_lo = std::max(highest_lo, flux.lo);
            any = detected = true;
        }
    }
    if (!any) return {not_measured, ""};
    HistoryVerdict verdict{std::max(lo / lowest_hi, highest_lo / flux_hi), ""};
    if (!(verdict.ratio > threshold)) return verdict;
    verdict.type = !detected             ? "first detection"
                   : lo > highest_lo     ? "high flux state"
                   : flux_hi < lowest_hi ? "low flux state"
                                         : "past variability";
    return verdict;
}

double probability_of_variation(std::span<const EarlierFlux> fluxes) {
    constexpr double between_missions = 0.2;
    double weights = 0.0, sum = 0.0, squares = 0.0;
    int n = 0;
    for (const auto& [lo, hi] : fluxes) {
        if (!(lo > 0.0 && hi >= lo) || !std::isfinite(hi)) continue;
        const double log_flux = 0.5 * (std::log(lo) + std::log(hi)), error = 0.5 * std::log(hi / lo);
        const double weight = 1.0 / (error * error + between_missions * between_missions);
        weights += weight;
        sum += weight * log_flux;
        squares += weight * log_flux * log_flux;
        ++n;
    }
    if (n < 2) return not_measured;
    const double chi2 = std::max(0.0, squares - sum * sum / weights);
    return 1.0 - std::pow(10.0, log10_chi2_survival(chi2, n - 1.0));
}

double band_divisor(const std::string& mission) {
    constexpr std::array<std::pair<std::string_view, double>, 5> divisors{
        {{"XMM", 0.999}, {"Chandra", 0.69}, {"Swift", 0.9}, {"eROSITA", 0.39}, {"ROSAT", 0.41}}};
    for (const auto& [name, divisor] : divisors)
        if (mission.starts_with(name)) return divisor;
    return not_measured;
}

}  // namespace xsift::characterise
