#pragma once
/// @file
/// Free-free Gaunt factors of hydrogen-like ions as XSPEC's bremss uses them: the polynomial fits of Kellogg,
/// Baldwin & Koch (1975, ApJ 199, 299) to Karzas & Latter (1961), and Kurucz' table for cool gas.

#include <cmath>

#include <xsift/spectral/dual.hpp>

namespace xsift::spectral {

/// Born approximation sqrt(3)/pi exp(u/2) K0(u/2), u = E/kT; K0 after Abramowitz &
/// Stegun 9.8.1, 9.8.5, 9.8.6.
template <typename T>
XSIFT_HD T gaunt_born(T u) {
    using std::exp, std::log, std::sqrt;
    constexpr double root3_over_pi = 0.5513;  // rounded as in the published routine
    const T x = 0.5 * u, half = 0.5 * x;
    const auto above = [&] {
        const T r = 1.0 / half;
        const T k0 =
            1.25331414 +
            r * (-0.07832358 +
                 r * (0.02189568 + r * (-0.01062446 + r * (0.00587872 + r * (-0.0025154 + r * 0.00053208)))));
        return root3_over_pi * k0 / sqrt(x);
    };
    const auto below = [&] {
        const T t = (x / 3.75) * (x / 3.75), h = half * half;
        const T i0 =
            1.0 + t * (3.5156229 +
                       t * (3.089942 + t * (1.2067492 + t * (0.2659732 + t * (0.0360768 + t * 0.0045813)))));
        const T k0 =
            -log(half) * i0 - 0.57721566 +
            h * (0.4227842 +
                 h * (0.23069756 + h * (0.0348859 + h * (0.00262698 + h * (0.0001075 + h * 0.0000074)))));
        return root3_over_pi * exp(x) * k0;
    };
    return choose(value_of(half) > 1.0, above, below);
}

/// g(Z=1) + 4 x 0.085 g(Z=2) of hydrogen and helium, n(He)/n(H) = 0.085, at one temperature: the Born
/// approximation times a correction, or, where gamma2 = Z^2 Ry/kT > 0.1, Kurucz' table.
template <typename T>
class GauntFactor {
  public:
    /// @param kT keV
    XSIFT_HD explicit GauntFactor(T kT) {
        constexpr double rydberg = 0.01358;  // keV, as in the published routine
        for (int z = 1; z <= 2; ++z) {
            const T gamma2 = static_cast<double>(z * z) * rydberg / kT;
            const double weight = z == 1 ? 1.0 : 4.0 * 0.085, g = first_of(value_of(gamma2));
            if (g > 0.1)
                add_kurucz(weight, gamma2);
            else if (g < 0.001)
                add_born(weight);
            else
                add_correction(weight, 1000.0 * gamma2);
        }
    }

    /// @param u E/kT, below 50
    XSIFT_HD T operator()(T u) const {
        T sum(0.0);
        if (born_) {
            const T v = choose(
                value_of(u) < 0.003, [] { return T(0.003); }, [&] { return u; });
            const auto n = count_below(value_of(v), u_limit);
            sum = gaunt_born(u) * (pick(c0_, n) + v * (pick(c1_, n) + v * pick(c2_, n)));
        }
        if (kurucz_) sum = sum + from_table(u);
        return sum;
    }

  private:
    static constexpr double two_over_ln10 = 2.0 / 2.302585092994046;
    static constexpr double u_limit[5] = {0.03, 0.30, 1.0, 5.0, 15.0};

    XSIFT_HD void add_born(double weight) {
        born_ = true;
        for (T& c : c0_) c = c + weight;
    }

    /// Correction to the Born approximation, 0.001 < gamma2 <= 0.1: interpolated between polynomials in u.
    /// @param g 1000 gamma2
    XSIFT_HD void add_correction(double weight, T g) {
        static constexpr double node[7] = {1.0, 1.7783, 3.0, 5.6234, 10.0, 30.0, 100.0};  // 1000 gamma2
        static constexpr double width[6] = {0.7783, 1.2217, 2.6234, 4.3766, 20.0, 70.0};
        static constexpr double node_limit[5] = {1.773, 3.0, 5.6234, 10.0, 30.0};  // 1.773: as published
        static constexpr double c0[7][6] = {
            {1.001, 1.004, 1.017, 1.036, 1.056, 1.121}, {1.001, 1.005, 1.017, 1.046, 1.073, 1.115},
            {.9991, 1.005, 1.030, 1.055, 1.102, 1.176}, {.9970, 1.005, 1.035, 1.069, 1.134, 1.186},
            {.9962, 1.004, 1.042, 1.100, 1.193, 1.306}, {.9874, .9962, 1.047, 1.156, 1.327, 1.485},
            {.9681, .9755, 1.020, 1.208, 1.525, 1.965}};
        static constexpr double c1[7][6] = {
            {.3029, .1616, .04757, .01300, .00490, -.00320}, {.4905, .2155, .08357, .02041, .00739, .00029},
            {.6540, .2833, .08057, .03257, .00759, -.00151}, {1.029, .3910, .12660, .05149, .01274, .00324},
            {.9569, .4891, .17640, .05914, .01407, -.00024}, {1.236, .7579, .32600, .10770, .02800, .00548},
            {1.327, 1.017, .60170, .20500, .06050, .00187}};
        static constexpr double c2[7][6] = {{-1.323, -.2540, -.01571, -.001000, -.000184, .00008},
                                            {-4.762, -.3386, -.03571, -.001786, -.000300, .00001},
                                            {-6.349, -.4206, -.02571, -.003429, -.000234, .00005},
                                            {-13.231, -.5900, -.04571, -.005714, -.000445, -.00004},
                                            {-7.672, -.6852, -.06430, -.005857, -.000420, .00004},
                                            {-7.143, -.9947, -.12000, -.010070, -.000851, -.00004},
                                            {-3.175, -1.116, -.22700, -.018210, -.001729, .00023}};
        born_ = true;
        const int m = count_below(first_of(value_of(g)), node_limit);
        const T p = weight * ((g - node[m]) / width[m]), q = weight - p;
        for (int n = 0; n < 6; ++n) {
            c0_[n] = c0_[n] + (q * c0[m][n] + p * c0[m + 1][n]);
            c1_[n] = c1_[n] + (q * c1[m][n] + p * c1[m + 1][n]);
            c2_[n] = c2_[n] + (q * c2[m][n] + p * c2[m + 1][n]);
        }
    }

    /// Kurucz' table for gamma2 > 0.1, bilinear in the logarithms; 0 outside the table.
    XSIFT_HD void add_kurucz(double weight, T gamma2) {
        using std::log;
        static constexpr double table[12][7] = {
            {5.40, 5.25, 5.00, 4.69, 4.48, 4.16, 3.85}, {4.77, 4.63, 4.40, 4.13, 3.87, 3.52, 3.27},
            {4.15, 4.02, 3.80, 3.57, 3.27, 2.98, 2.70}, {3.54, 3.41, 3.22, 2.97, 2.70, 2.45, 2.20},
            {2.94, 2.81, 2.65, 2.44, 2.21, 2.01, 1.81}, {2.41, 2.32, 2.19, 2.02, 1.84, 1.67, 1.50},
            {1.95, 1.90, 1.80, 1.68, 1.52, 1.41, 1.30}, {1.55, 1.56, 1.51, 1.42, 1.33, 1.25, 1.17},
            {1.17, 1.30, 1.32, 1.30, 1.20, 1.15, 1.11}, {0.86, 1.00, 1.15, 1.18, 1.15, 1.11, 1.08},
            {0.59, 0.76, 0.97, 1.09, 1.13, 1.10, 1.08}, {0.38, 0.53, 0.76, 0.96, 1.08, 1.09, 1.09}};
        const T row = two_over_ln10 * log(gamma2) + 2.0;
        const int j = static_cast<int>(first_of(value_of(row)));
        if (j >= 6) return;
        kurucz_ = true;
        const T t = weight * (row - static_cast<double>(j)), rest = weight - t;
        for (int k = 0; k < 12; ++k) column_[k] = column_[k] + (rest * table[k][j] + t * table[k][j + 1]);
    }

    XSIFT_HD T from_table(T u) const {
        using std::log;
        static constexpr double whole[10] = {1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0};
        static constexpr double number[11] = {0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0};
        const T column = two_over_ln10 * log(u) + 8.0;  // below 0: extrapolated
        const auto k = count_below(value_of(column), whole);
        return choose(
            value_of(column) < 11.0,
            [&] {
                const T s = column - pick(number, k);
                return (1.0 - s) * pick(column_, k) + s * pick(column_ + 1, k);
            },
            [] { return T(0.0); });
    }

    bool born_ = false, kurucz_ = false;
    T c0_[6]{}, c1_[6]{}, c2_[6]{};  // of the polynomials between the limits of u
    T column_[12]{};                 // of the table, between its rows
};

}  // namespace xsift::spectral
