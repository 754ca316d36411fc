#include "sky.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace xsift::io {
namespace {
constexpr double degree = std::numbers::pi / 180.0;
}

double sky_separation(double ra1, double dec1, double ra2, double dec2) {
    const double a = std::sin(0.5 * (dec2 - dec1) * degree), b = std::sin(0.5 * (ra2 - ra1) * degree);
    const double h = a * a + std::cos(dec1 * degree) * std::cos(dec2 * degree) * b * b;
    return 2.0 * std::asin(std::sqrt(std::min(1.0, h))) / degree;
}

std::pair<double, double> TangentPlane::sky(double x, double y) const {
    const double xi = (x - x_reference) * x_step * degree, eta = (y - y_reference) * y_step * degree;
    const double sin0 = std::sin(dec * degree), cos0 = std::cos(dec * degree);
    const double denominator = cos0 - eta * sin0;
    const double sky_ra = ra + std::atan2(xi, denominator) / degree;
    const double sky_dec = std::atan2(sin0 + eta * cos0, std::hypot(xi, denominator)) / degree;
    return {std::fmod(sky_ra + 720.0, 360.0), sky_dec};
}

}  // namespace xsift::io
