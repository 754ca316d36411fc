#include <algorithm>
#include <cmath>

#include <xsift/timing/pulsed_fraction.hpp>

namespace xsift::timing {
namespace {

/// Between these the factor on the standard deviation of an amplitude is believed as measured: below, the
/// photons would have to stand in a few places, which so few do by chance.
constexpr double narrowest = 0.5, widest = 1.25;

}  // namespace

double maximised_fraction_limit(double z, int n, double n_photons, double confidence, double double_angle) {
    if (!std::isfinite(z) || !(n_photons > 0.0) || !(confidence > 0.0 && confidence < 1.0))
        return static_cast<double>(NAN);
    const auto below = [&](double root) {
        double spread = 1.0;
        if (n == 1 && std::isfinite(double_angle)) {
            const double a = std::min(1.0, amplitude_of(root * root, n_photons));
            spread = std::sqrt(
                std::clamp(1.0 + double_angle - 0.5 * a * a, narrowest * narrowest, widest * widest));
        }
        return maximum_cdf(z, n, root * root, spread);
    };
    double low = 0.0, high = std::sqrt(std::max(z, 0.0)) + 10.0;
    if (below(low) <= 1.0 - confidence) return 0.0;
    while (high - low > 1e-7 * high) {
        const double middle = 0.5 * (low + high);
        (below(middle) > 1.0 - confidence ? low : high) = middle;
    }
    return amplitude_of(high * high, n_photons);
}

}  // namespace xsift::timing
