#include <algorithm>
#include <cmath>

#include <xsift/timing/light_curve.hpp>

namespace xsift::timing {
namespace {

double fraction(const LightCurve& curve, std::size_t i) {
    return curve.fractional_exposure.empty() ? 1.0 : curve.fractional_exposure[i];
}

bool usable(const LightCurve& curve, std::size_t i) {
    return std::isfinite(curve.time[i]) && std::isfinite(curve.rate[i]) && fraction(curve, i) > 0.0;
}

double mean_rate(const LightCurve& curve) {
    double rate = 0.0, exposure = 0.0;
    for (std::size_t i = 0; i < curve.size(); ++i)
        if (usable(curve, i)) {
            rate += curve.rate[i] * fraction(curve, i);
            exposure += fraction(curve, i);
        }
    return exposure > 0.0 ? rate / exposure : 0.0;
}

double error_of(const LightCurve& curve, std::size_t i) {
    const double error = i < curve.error.size() ? curve.error[i] : 0.0;
    return std::isfinite(error) && error > 0.0 ? error : 0.0;
}

double median_error(const LightCurve& curve) {
    std::vector<double> errors;
    for (std::size_t i = 0; i < curve.size(); ++i)
        if (usable(curve, i) && error_of(curve, i) > 0.0) errors.push_back(error_of(curve, i));
    if (errors.empty()) return 1.0;
    const auto middle = errors.begin() + static_cast<std::ptrdiff_t>(errors.size() / 2);
    std::nth_element(errors.begin(), middle, errors.end());
    return *middle;
}

}  // namespace

UsableBins usable_bins(const LightCurve& curve) {
    const double rate = std::max(0.0, mean_rate(curve)), missing = median_error(curve);
    UsableBins bins;
    for (std::size_t i = 0; i < curve.size(); ++i) {
        if (!usable(curve, i)) continue;
        const double floor =
            curve.bin_width > 0.0 ? std::sqrt(rate / (curve.bin_width * fraction(curve, i))) : 0.0;
        const double given = error_of(curve, i);
        const double error = std::max(given, floor);
        bins.time.push_back(curve.time[i]);
        bins.value.push_back(curve.rate[i]);
        bins.weight.push_back(1.0 / (error > 0.0 ? error * error : missing * missing));
    }
    return bins;
}

}  // namespace xsift::timing
