#pragma once
/// @file
/// Emission models with XSPEC's definitions and norms, as formulas for host and device.
///
/// Every formula is a template over double and Dual: with Dual the derivative with respect to the model's one
/// shape parameter (photon index or kT) comes along. The same formulas run over several energies at once
/// (shape_lanes.hpp). XSPEC integrates bbody and bremss over a bin by the
/// trapezoidal rule on the bin's edges, and so does xsift; the power law is integrated analytically.

#include <cmath>

#include <xsift/spectral/dual.hpp>
#include <xsift/spectral/gaunt.hpp>

namespace xsift::spectral {

/// Shape of the emission. Its parameter is the photon index (powerlaw) or kT in keV.
enum class Shape { powerlaw, bbody, bremss };

/// bbody: 8.0525 K E^2 / (kT^4 (exp(E/kT) - 1)), photon/cm2/s/keV, K = L39/D10^2 = 1; 0 above 700 kT.
template <typename T>
class BbodyDensity {
  public:
    /// @param kT keV
    XSIFT_HD explicit BbodyDensity(T kT) : inverse_(1.0 / kT), scale_(8.0525 / (kT * kT * (kT * kT))) {}
    /// @param energy keV, > 0
    XSIFT_HD T operator()(typename RealOf<T>::type energy) const {
        using std::expm1;
        const T x = energy * inverse_;
        return choose(
            value_of(x) < 700.0, [&] { return energy * energy * scale_ / expm1(x); }, [] { return T(0.0); });
    }

  private:
    T inverse_, scale_;
};

/// bremss: exp(-E/kT)/(E sqrt(kT)) [g(Z=1) + 4 x 0.085 g(Z=2)], photon/cm2/s/keV at norm 1; 0 above 50 kT.
template <typename T>
class BremssDensity {
  public:
    /// @param kT keV
    XSIFT_HD explicit BremssDensity(T kT) : inverse_(1.0 / kT), scale_(1.0 / root(kT)), gaunt_(kT) {}
    /// @param energy keV, > 0
    XSIFT_HD T operator()(typename RealOf<T>::type energy) const {
        using std::exp;
        const T u = energy * inverse_;
        return choose(
            value_of(u) < 50.0, [&] { return gaunt_(u) * exp(-u) * scale_ / energy; }, [] { return T(0.0); });
    }

  private:
    XSIFT_HD static T root(T kT) {
        using std::sqrt;
        return sqrt(kT);
    }
    T inverse_, scale_;
    GauntFactor<T> gaunt_;
};

/// (exp(x) - 1)/x, also at and near 0.
template <typename T>
XSIFT_HD T relative_expm1(T x) {
    using std::expm1;
    const auto v = value_of(x);
    return choose(
        v * v < 0.0009,
        [&] {
            return 1.0 + x * (1.0 / 2 + x * (1.0 / 6 + x * (1.0 / 24 + x * (1.0 / 120 + x * (1.0 / 720)))));
        },
        [&] { return expm1(x) / x; });
}

/// powerlaw: integral of E^-index over a bin, photon/cm2/s at norm 1 (photon/keV/cm2/s at 1 keV).
/// Smooth through index = 1. @param log_lo, log_hi natural logarithms of the bin's bounds in keV.
template <typename T>
XSIFT_HD T powerlaw_photons(typename RealOf<T>::type log_lo, typename RealOf<T>::type log_hi, T index) {
    using std::exp;
    const T a = 1.0 - index;
    const auto width = log_hi - log_lo;
    return width * exp(a * log_lo) * relative_expm1(a * width);
}

/// cutoffpl: E^-index exp(-E/cutoff) integrated over a bin, photon/cm2/s at norm 1, with its derivatives.
struct CutoffPowerLaw {
    double value = 0.0, by_index = 0.0, by_cutoff = 0.0;
};

/// Five-point Gauss-Legendre in ln E: 1e-10 for bins narrower than a factor 1.2 below the cutoff.
XSIFT_HD inline CutoffPowerLaw cutoffpl_photons(double log_lo, double log_hi, double index, double cutoff) {
    constexpr double node[3] = {0.0, 0.53846931010568309, 0.90617984593866399};
    constexpr double weight[3] = {0.56888888888888889, 0.47862867049936647, 0.23692688505618909};
    const double middle = 0.5 * (log_lo + log_hi), half = 0.5 * (log_hi - log_lo);
    CutoffPowerLaw sum;
    for (int i = -2; i <= 2; ++i) {
        const int k = i < 0 ? -i : i;
        const double x = middle + half * (i < 0 ? -node[k] : node[k]), energy = std::exp(x);
        const double term = half * weight[k] * std::exp((1.0 - index) * x - energy / cutoff);
        sum.value += term;
        sum.by_index -= x * term;
        sum.by_cutoff += energy / (cutoff * cutoff) * term;
    }
    return sum;
}

/// gaussian: a line of one photon/cm2/s, and its derivatives by energy and width.
struct GaussianLine {
    double value = 0.0, by_energy = 0.0, by_sigma = 0.0;
};

/// @param lo, hi of the bin, keV; @param energy, sigma of the line, keV, sigma > 0
XSIFT_HD inline GaussianLine gaussian_photons(double lo, double hi, double energy, double sigma) {
    constexpr double root_half = 0.70710678118654752, inverse_root_2pi = 0.39894228040143268;
    const double a = (lo - energy) / sigma, b = (hi - energy) / sigma;
    const double at_a = inverse_root_2pi * std::exp(-0.5 * a * a),
                 at_b = inverse_root_2pi * std::exp(-0.5 * b * b);
    // on the side where both are small, so that nothing cancels
    const double value = a > 0.0 ? 0.5 * (std::erfc(a * root_half) - std::erfc(b * root_half))
                                 : 0.5 * (std::erfc(-b * root_half) - std::erfc(-a * root_half));
    return {value, (at_a - at_b) / sigma, (a * at_a - b * at_b) / sigma};
}

/// Self-shielding of grains (Wilms, Allen & McCray 2000): what is left of a cross-section locked in grains
/// with radii 0.025 to 0.25 um, distributed as radius^-3.5.
/// @param dust unshielded cross-section, 1e-22 cm2 per H; @param depth optical depth of a grain a um and a
/// unit of dust
XSIFT_HD inline double shielded_by_grains(double dust, double depth) {
    constexpr double root_lo = 0.15811388300841897, root_hi = 0.5;  // square roots of the radii
    constexpr double lo = root_lo * root_lo, hi = root_hi * root_hi;
    const double b = depth * dust;
    if (b * hi < 1e-5) {  // first order: the mean of b a/2 under the weight a^-0.5
        const double mean_radius = (hi * root_hi - lo * root_lo) / (3.0 * (root_hi - root_lo));
        return dust * (1.0 - 0.5 * b * mean_radius);
    }
    // integral of a^-1.5 (1 - exp(-b a)) by parts
    const double boundary = 2.0 * (std::expm1(-b * hi) / root_hi - std::expm1(-b * lo) / root_lo);
    const double root_b = std::sqrt(b);
    const double integral = boundary + 2.0 * root_b * 1.7724538509055160 *
                                           (std::erf(root_b * root_hi) - std::erf(root_b * root_lo));
    return dust * integral / (2.0 * b * (root_hi - root_lo));
}

}  // namespace xsift::spectral
