#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

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

double johnson_v(double g, double bp, double rp) {
    const double c = bp - rp;
    if (!(c > -0.5 && c < 5.0)) return std::numeric_limits<double>::quiet_NaN();
    return g + 0.02704 - c * (0.01424 + c * (-0.2156 + c * 0.01426));
}

std::optional<double> distance_from_parallax(double parallax, double error) {
    if (!(parallax > 0.0 && error > 0.0 && parallax / error > min_parallax_over_error)) return std::nullopt;
    return 1000.0 / parallax;
}

double luminosity(double flux, double distance) {
    const double cm = distance * constants::cm_per_parsec;
    return 4.0 * constants::pi * cm * cm * flux;
}

namespace {

/// Half-width of a central interval of a standard normal deviate.
double normal_half_width(double confidence) {
    double lo = 0.0, hi = 40.0;
    for (int i = 0; i < 100; ++i) {
        const double middle = 0.5 * (lo + hi);
        (std::erf(middle / std::sqrt(2.0)) < confidence ? lo : hi) = middle;
    }
    return 0.5 * (lo + hi);
}

Estimate posterior_interval(double parallax, double error, double scale, double confidence) {
    // Trapezoids in ln r, from a parsec to where exp(-r/L) has ended. Below 5 sigma the posterior is a tenth
    // wide or more in ln r: with 2,000 steps and a density linear in each the quantiles are right to 1e-4.
    constexpr int n = 2000;
    const double first = std::log(1e-3), last = std::log(100.0 * scale);
    const double step = (last - first) / n;
    std::vector<double> density(n + 1), sum(n + 1, 0.0);
    double highest = -1e300;
    for (std::size_t i = 0; i < density.size(); ++i) {
        const double log_r = first + step * static_cast<double>(i), r = std::exp(log_r);
        const double pull = (parallax - 1.0 / r) / error;
        density[i] = 3.0 * log_r - r / scale - 0.5 * pull * pull;  // of ln r; r in kpc
        highest = std::max(highest, density[i]);
    }
    for (double& value : density) value = std::exp(value - highest);
    for (std::size_t i = 1; i < sum.size(); ++i) sum[i] = sum[i - 1] + 0.5 * (density[i - 1] + density[i]);
    auto quantile = [&](double share) {
        const double wanted = share * sum.back();
        const auto at =
            static_cast<std::size_t>(std::upper_bound(sum.begin() + 1, sum.end() - 1, wanted) - sum.begin());
        // wanted = below + f0 x + (f1 - f0) x^2/2 for the part x of the step, written without cancellation.
        const double f0 = density[at - 1], rise = density[at] - f0, left = wanted - sum[at - 1];
        const double part = 2.0 * left / (f0 + std::sqrt(std::max(0.0, f0 * f0 + 2.0 * rise * left)));
        return 1000.0 * std::exp(first + step * (static_cast<double>(at) - 1.0 + std::min(part, 1.0)));
    };
    return {quantile(0.5), quantile(0.5 - 0.5 * confidence), quantile(0.5 + 0.5 * confidence)};
}

}  // namespace

Distance distance_of(double parallax, double error, const DistanceOptions& options) {
    Distance distance;
    parallax -= options.zero_point;
    if (!std::isfinite(parallax) || !(error > 0.0) || !std::isfinite(error)) return distance;
    if (const auto inverse = distance_from_parallax(parallax, error)) {
        const double width = normal_half_width(options.confidence) * error;
        distance.value = {*inverse, 1000.0 / (parallax + width),
                          width < parallax ? 1000.0 / (parallax - width) : not_measured};
        return distance;
    }
    distance.from_prior = true;
    distance.value = posterior_interval(parallax, error, options.scale / 1000.0, options.confidence);
    return distance;
}

double posterior_mode(double parallax, double error, double scale) {
    const double l = scale / 1000.0, inverse = 1.0 / (error * error);
    auto slope = [&](double r) { return ((r / l - 2.0) * r + parallax * inverse) * r - inverse; };
    // The slope of the density is positive at 0; the first change of sign from there is its first mode.
    double lo = 0.0, hi = 1e-4;
    while (hi < 100.0 * l && slope(hi) < 0.0) {
        lo = hi;
        hi *= 1.0005;
    }
    if (!(hi < 100.0 * l)) return not_measured;
    for (int i = 0; i < 80; ++i) {
        const double middle = 0.5 * (lo + hi);
        (slope(middle) < 0.0 ? lo : hi) = middle;
    }
    return 500.0 * (lo + hi);
}

Estimate luminosity(const Estimate& flux, const Estimate& distance) {
    Estimate found;
    if (!(flux.value > 0.0 && distance.value > 0.0)) return found;
    found.value = luminosity(flux.value, distance.value);
    auto end = [&](double f, double d) {
        if (!(f >= 0.0 && d > 0.0)) return not_measured;
        const double away = std::hypot(std::log(f / flux.value), 2.0 * std::log(d / distance.value));
        return found.value * std::exp(f < flux.value || d < distance.value ? -away : away);
    };
    found.lo = end(flux.lo, distance.lo);
    found.hi = end(flux.hi, distance.hi);
    return found;
}

}  // namespace xsift::characterise
