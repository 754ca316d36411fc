#include <algorithm>
#include <cmath>

#include <xsift/timing/light_curve.hpp>

namespace xsift::timing {
namespace {

/// As many standard deviations from the mean are what noise does to a bin.
constexpr double noise_reach = 3.0;

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

/// Whether a bin's error can be used: of no counts it is 0.
bool has_error(const LightCurve& curve, std::size_t i) {
    return error_of(curve, i) > 0.0 ||
           (i < curve.error.size() && curve.error[i] == 0.0 && curve.rate[i] == 0.0);
}

/// Square of the error that the bin would have if all of it were exposed.
double error_square(const LightCurve& curve, std::size_t i) {
    return error_of(curve, i) * error_of(curve, i) * fraction(curve, i);
}

/// Slope of these against the rate, over the bins with an error; 0 where they do not rise with it.
double error_slope(const LightCurve& curve) {
    double n = 0.0, rate = 0.0, error = 0.0, product = 0.0, square = 0.0;
    for (int pass = 0; pass < 2; ++pass)
        for (std::size_t i = 0; i < curve.size(); ++i) {
            if (!usable(curve, i) || !has_error(curve, i)) continue;
            if (pass == 0) {
                n += 1.0;
                rate += curve.rate[i];
                error += error_square(curve, i);
                continue;
            }
            const double away = curve.rate[i] - rate / n;
            product += away * (error_square(curve, i) - error / n);
            square += away * away;
        }
    return square > 0.0 ? std::max(0.0, product / square) : 0.0;
}

}  // namespace

UsableBins usable_bins(const LightCurve& curve) {
    const double mean = mean_rate(curve), missing = median_error(curve);
    const double poisson = curve.bin_width > 0.0 ? std::max(0.0, mean) / curve.bin_width : 0.0;
    const double slope = error_slope(curve);
    UsableBins bins;
    for (std::size_t i = 0; i < curve.size(); ++i) {
        if (!usable(curve, i)) continue;
        double square = 0.0;
        if (has_error(curve, i)) {
            const double given = error_square(curve, i),
                         reach = noise_reach * std::sqrt(std::max(given, poisson) / fraction(curve, i));
            square = given - slope * std::clamp(curve.rate[i] - mean, -reach, reach);
        }
        square = std::max(square, poisson);
        bins.time.push_back(curve.time[i]);
        bins.value.push_back(curve.rate[i]);
        bins.weight.push_back(fraction(curve, i) / (square > 0.0 ? square : missing * missing));
    }
    return bins;
}

}  // namespace xsift::timing
