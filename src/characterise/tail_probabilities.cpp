#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <xsift/characterise/tail_probabilities.hpp>
#include <xsift/core/constants.hpp>

namespace xsift::characterise {
namespace {

using constants::pi;

/// A square matrix, row by row.
using Matrix = std::vector<double>;

Matrix product(const Matrix& a, const Matrix& b, std::size_t m) {
    Matrix c(m * m, 0.0);
    for (std::size_t i = 0; i < m; ++i)
        for (std::size_t k = 0; k < m; ++k) {
            const double x = a[i * m + k];
            for (std::size_t j = 0; j < m; ++j) c[i * m + j] += x * b[k * m + j];
        }
    return c;
}

/// P(D_n < d), Marsaglia, Tsang & Wang (2003).
double ks_matrix(double d, long n) {
    const auto k = static_cast<std::size_t>(static_cast<double>(n) * d) + 1;
    const std::size_t m = 2 * k - 1;
    const double h = static_cast<double>(k) - static_cast<double>(n) * d;
    Matrix base(m * m, 0.0);
    for (std::size_t i = 0; i < m; ++i)
        for (std::size_t j = 0; j < std::min(i + 2, m); ++j) base[i * m + j] = 1.0;
    for (std::size_t i = 0; i < m; ++i) {
        base[i * m] -= std::pow(h, static_cast<double>(i + 1));
        base[(m - 1) * m + i] -= std::pow(h, static_cast<double>(m - i));
    }
    if (2.0 * h > 1.0) base[(m - 1) * m] += std::pow(2.0 * h - 1.0, static_cast<double>(m));
    for (std::size_t i = 0; i < m; ++i)
        for (std::size_t j = 0; j <= std::min(i, m - 1); ++j)
            for (std::size_t g = 1; g <= i - j + 1; ++g) base[i * m + j] /= static_cast<double>(g);
    // base^n by squaring; exponents of ten are kept apart.
    Matrix power(m * m, 0.0), square = base;
    for (std::size_t i = 0; i < m; ++i) power[i * m + i] = 1.0;
    int exponent = 0, square_exponent = 0;
    const std::size_t middle = (k - 1) * m + (k - 1);
    for (long left = n; left > 0; left /= 2) {
        if (left % 2 == 1) {
            power = product(power, square, m);
            exponent += square_exponent;
            if (power[middle] > 1e140) {
                for (double& x : power) x *= 1e-140;
                exponent += 140;
            }
        }
        square = product(square, square, m);
        square_exponent *= 2;
        if (square[middle] > 1e140) {
            for (double& x : square) x *= 1e-140;
            square_exponent += 140;
        }
    }
    double p = power[middle];
    for (long i = 1; i <= n; ++i) {
        p *= static_cast<double>(i) / static_cast<double>(n);
        if (p < 1e-140) {
            p *= 1e140;
            exponent -= 140;
        }
    }
    return p * std::pow(10.0, exponent);
}

/// P(D_n < d), Pelz & Good (1976) to the term in 1/n; z = sqrt(n) d.
double ks_pelz_good(double d, double n) {
    const double z = std::sqrt(n) * d, z2 = z * z, z4 = z2 * z2, pi2 = pi * pi;
    double k0 = 0.0, k1 = 0.0, k2 = 0.0, k2b = 0.0;
    for (int k = 1; k <= 40; ++k) {
        const double half = k - 0.5, square = half * half;
        const double e = std::exp(-pi2 * square / (2.0 * z2));
        k0 += e;
        k1 += 2.0 * (pi2 * square - z2) * e;
        k2 += 2.0 *
              (6.0 * z2 * z4 + 2.0 * z4 + pi2 * (2.0 * z4 - 5.0 * z2) * square +
               pi2 * pi2 * (1.0 - 2.0 * z2) * square * square) *
              e;
        k2b += 2.0 * pi2 * k * k * std::exp(-pi2 * k * k / (2.0 * z2));
    }
    const double root = std::sqrt(0.5 * pi);
    return std::sqrt(constants::two_pi) / z * k0 + root / (6.0 * z4) * k1 / std::sqrt(n) +
           (root / (72.0 * z4 * z2 * z) * k2 - root / (36.0 * z2 * z) * k2b) / n;
}

/// log10 P(D_n^+ >= d), Smirnov's finite sum: all terms are positive.
double log10_one_sided(double d, long n) {
    const double size = static_cast<double>(n);
    if (n > 100000) return -(6.0 * size * d + 1.0) * (6.0 * size * d + 1.0) / (18.0 * size) / constants::ln10;
    double largest = -std::numeric_limits<double>::infinity();
    std::vector<double> terms;
    const auto last = static_cast<long>(std::floor(size * (1.0 - d)));
    double log_choose = 0.0;
    for (long j = 0; j <= last; ++j) {
        const double x = static_cast<double>(j), below = d + x / size, above = 1.0 - below;
        if (above > 0.0 || j == n) {
            const double tail = j == n ? 0.0 : (size - x) * std::log(above);
            terms.push_back(log_choose + (x - 1.0) * std::log(below) + tail);
            largest = std::max(largest, terms.back());
        }
        log_choose += std::log((size - x) / (x + 1.0));
    }
    if (terms.empty()) return -std::numeric_limits<double>::infinity();
    double sum = 0.0;
    for (const double term : terms) sum += std::exp(term - largest);
    return (std::log(d) + largest + std::log(sum)) / constants::ln10;
}

}  // namespace

double log10_ks_survival(double d, long n) {
    const double size = static_cast<double>(n);
    if (n < 1 || std::isnan(d)) return std::numeric_limits<double>::quiet_NaN();
    if (size * d <= 0.5) return 0.0;  // no sample is nearer than 1/(2n)
    // The largest distance that n values can have ends here: P is 0 beyond, which log10 cannot say.
    d = std::min(d, 1.0 - 1e-12);
    if (size * d * d >= 2.2) return std::min(0.0, std::log10(2.0) + log10_one_sided(d, n));
    const double below = n <= 140 ? ks_matrix(d, n) : ks_pelz_good(d, size);
    return std::log10(std::clamp(1.0 - below, 1e-16, 1.0));
}

}  // namespace xsift::characterise
