#pragma once
/// @file
/// First derivatives by forward differentiation: a number and its derivative with respect to one parameter.

#include <cmath>

#include <xsift/core/host_device.hpp>

namespace xsift::spectral {

/// value + derivative * epsilon with epsilon^2 = 0. Model formulas are templates over double and Dual.
struct Dual {
    double value = 0.0, derivative = 0.0;

    Dual() = default;
    XSIFT_HD constexpr Dual(double v, double d = 0.0)
        : value(v), derivative(d) {}  // NOLINT: implicit on purpose
};

XSIFT_HD inline Dual operator-(Dual a) {
    return {-a.value, -a.derivative};
}
XSIFT_HD inline Dual operator+(Dual a, Dual b) {
    return {a.value + b.value, a.derivative + b.derivative};
}
XSIFT_HD inline Dual operator-(Dual a, Dual b) {
    return {a.value - b.value, a.derivative - b.derivative};
}
XSIFT_HD inline Dual operator*(Dual a, Dual b) {
    return {a.value * b.value, a.derivative * b.value + a.value * b.derivative};
}
XSIFT_HD inline Dual operator/(Dual a, Dual b) {
    const double inverse = 1.0 / b.value, quotient = a.value * inverse;
    return {quotient, (a.derivative - quotient * b.derivative) * inverse};
}
XSIFT_HD inline Dual exp(Dual a) {
    const double e = std::exp(a.value);
    return {e, e * a.derivative};
}
XSIFT_HD inline Dual expm1(Dual a) {
    const double e = std::expm1(a.value);
    return {e, (e + 1.0) * a.derivative};
}
XSIFT_HD inline Dual log(Dual a) {
    return {std::log(a.value), a.derivative / a.value};
}
XSIFT_HD inline Dual sqrt(Dual a) {
    const double s = std::sqrt(a.value);
    return {s, 0.5 * a.derivative / s};
}

XSIFT_HD inline double value_of(double a) {
    return a;
}
XSIFT_HD inline double value_of(Dual a) {
    return a.value;
}

}  // namespace xsift::spectral
