#include <algorithm>
#include <cmath>
#include <limits>

#include <xsift/core/chi2.hpp>
#include <xsift/core/constants.hpp>

namespace xsift {

double log10_chi2_survival(double x, double dof) {
    const double a = 0.5 * dof, y = 0.5 * x;
    if (!(dof > 0.0) || std::isnan(x)) return std::numeric_limits<double>::quiet_NaN();
    if (!(y > 0.0)) return 0.0;
    const double log_front = a * std::log(y) - y - std::lgamma(a);
    constexpr double tiny = 1e-300, precision = 1e-15;
    constexpr int most_terms = 100000;
    if (y < a + 1.0) {  // series of the lower tail
        double term = 1.0 / a, sum = term;
        for (int i = 1; i < most_terms && term > precision * sum; ++i) {
            term *= y / (a + i);
            sum += term;
        }
        const double upper = -std::expm1(log_front + std::log(sum));
        return std::log10(std::max(upper, tiny));
    }
    // Lentz's continued fraction of the upper tail
    double b = y + 1.0 - a, c = 1.0 / tiny, f = 1.0 / b, result = f;
    for (int i = 1; i < most_terms; ++i) {
        const double an = -i * (i - a);
        b += 2.0;
        f = an * f + b;
        if (std::fabs(f) < tiny) f = tiny;
        c = b + an / c;
        if (std::fabs(c) < tiny) c = tiny;
        f = 1.0 / f;
        const double delta = f * c;
        result *= delta;
        if (std::fabs(delta - 1.0) < precision) break;
    }
    return std::min(0.0, (log_front + std::log(result)) / constants::ln10);
}

}  // namespace xsift
