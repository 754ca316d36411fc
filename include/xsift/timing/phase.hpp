#pragma once
/// @file
/// Exact phases: f t mod 1 without losing digits however many cycles have passed.

#include <cmath>
#include <cstdint>

#include <xsift/core/constants.hpp>
#include <xsift/core/host_device.hpp>

namespace xsift::timing {

/// A phase as a 64-bit fraction of a turn: 2^64 is one turn, and overflow is the reduction modulo 1.
using FixedPhase = std::uint64_t;

/// frequency * time modulo 1. The product is formed exactly (two-product through fma), so the only error is
/// that of the last place, 2^-64 of a turn plus 2^-106 of the product.
XSIFT_HD inline FixedPhase fixed_phase(double frequency, double time) {
    const double product = frequency * time;
    const double rest = std::fma(frequency, time, -product);
    const double fraction = product - std::floor(product);
    return static_cast<FixedPhase>(fraction < 1.0 ? fraction * 0x1p64 : 0.0) +
           static_cast<FixedPhase>(static_cast<std::int64_t>(rest * 0x1p64));
}

/// The phase in turns, in [-0.5, 0.5).
XSIFT_HD inline double turns(FixedPhase phase) {
    return static_cast<double>(static_cast<std::int64_t>(phase)) * 0x1p-64;
}

/// cos and sin of a phase.
struct Phasor {
    double cosine, sine;
};

/// cos and sin of 2 pi x for |x| <= 1/8 turn (Taylor polynomials, error below 2e-16).
XSIFT_HD inline Phasor octant_phasor(double x) {
    const double a = constants::two_pi * x, q = a * a;
    const double sine =
        a * (1 + q * (-1.0 / 6 +
                      q * (1.0 / 120 + q * (-1.0 / 5040 +
                                            q * (1.0 / 362880 + q * (-1.0 / 39916800 +
                                                                     q * (1.0 / 6227020800.0 +
                                                                          q * (-1.0 / 1307674368000.0))))))));
    const double cosine =
        1 + q * (-0.5 +
                 q * (1.0 / 24 +
                      q * (-1.0 / 720 + q * (1.0 / 40320 + q * (-1.0 / 3628800 +
                                                                q * (1.0 / 479001600.0 +
                                                                     q * (-1.0 / 87178291200.0 +
                                                                          q * (1.0 / 20922789888000.0))))))));
    return {cosine, sine};
}

/// cos and sin of a fixed phase: the nearest quarter turn is split off exactly, in integers.
XSIFT_HD inline Phasor phasor(FixedPhase phase) {
    const FixedPhase quarter = (phase + (FixedPhase{1} << 61)) >> 62;
    const Phasor p = octant_phasor(turns(phase - (quarter << 62)));
    const double c = (quarter & 1) ? -p.sine : p.cosine, s = (quarter & 1) ? p.cosine : p.sine;
    return (quarter & 2) ? Phasor{-c, -s} : Phasor{c, s};
}

}  // namespace xsift::timing
