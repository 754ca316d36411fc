#pragma once
/// @file
/// The kernel that non-uniform transforms spread photons with.

#include <cmath>

#include <xsift/core/constants.hpp>
#include <xsift/core/host_device.hpp>

namespace xsift::engine {

/// The "exponential of semicircle" kernel for a twofold grid (Barnett, Magland & af Klinteberg 2019,
/// doi:10.1137/18M120885X): exp(beta (sqrt(1 - z^2) - 1)) on |z| < 1, z = 2 x / width.
struct SpreadingKernel {
    int width;  ///< cells that a photon is spread over: the error is about 10^(1 - width)

    XSIFT_HD constexpr double beta() const { return 2.30 * width; }
    /// The kernel at z, with the functions `exponential` and `root` of Math.
    template <typename Math, typename Real>
    XSIFT_HD static Real bell(Real beta, Real z) {
        const Real square = Real{1} - z * z;
        return square > Real{0} ? Math::exponential(beta * (Math::root(square) - Real{1})) : Real{0};
    }
    /// At a distance of x cells.
    double value(double x) const { return bell<Precise>(beta(), 2.0 * x / width); }
    /// Fourier transform at `frequency` cycles per cell, by the midpoint rule.
    double transform(double frequency) const {
        constexpr int points = 100;
        const double step = 0.5 * width / points;
        double sum = 0.0;
        for (int i = 0; i < points; ++i) {
            const double x = (i + 0.5) * step;
            sum += value(x) * std::cos(constants::two_pi * frequency * x);
        }
        return 2.0 * step * sum;
    }

  private:
    struct Precise {
        XSIFT_HD static double exponential(double x) { return std::exp(x); }
        XSIFT_HD static double root(double x) { return std::sqrt(x); }
    };
};

}  // namespace xsift::engine
