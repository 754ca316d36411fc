#include <cmath>

#include <xsift/characterise/brightness.hpp>
#include <xsift/core/constants.hpp>

namespace xsift::characterise {

namespace {
/// Below this the inverse of the parallax is a biased and skewed estimate (Luri et al. 2018).
constexpr double min_parallax_over_error = 5.0;
}  // namespace

double optical_flux(double g_magnitude, double zero_point) {
    return zero_point * std::pow(10.0, -0.4 * g_magnitude);
}

double maccacaro_ratio(double xray_flux, double v_magnitude) {
    return std::log10(xray_flux) + v_magnitude / 2.5 + 5.37;
}

std::optional<double> distance_from_parallax(double parallax, double error) {
    if (!(parallax > 0.0 && error > 0.0 && parallax / error > min_parallax_over_error)) return std::nullopt;
    return 1000.0 / parallax;
}

double luminosity(double flux, double distance) {
    const double cm = distance * constants::cm_per_parsec;
    return 4.0 * constants::pi * cm * cm * flux;
}

}  // namespace xsift::characterise
