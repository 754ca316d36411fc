#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string_view>
#include <utility>

#include <xsift/characterise/history.hpp>
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

double band_divisor(const std::string& mission) {
    constexpr std::array<std::pair<std::string_view, double>, 5> divisors{
        {{"XMM", 0.999}, {"Chandra", 0.69}, {"Swift", 0.9}, {"eROSITA", 0.39}, {"ROSAT", 0.41}}};
    for (const auto& [name, divisor] : divisors)
        if (mission.starts_with(name)) return divisor;
    return not_measured;
}

}  // namespace xsift::characterise
