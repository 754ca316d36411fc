#pragma once
/// @file
/// First derivatives by forward differentiation: a number and its derivative with respect to one parameter.
///
/// Formulas are templates over double and Dual, and over types that hold several energies at once. What
/// differs between these, choices and tables, is in the functions below: formulas use them in place of if and
/// [].

#include <cmath>

#include <xsift/core/host_device.hpp>

namespace xsift::spectral {

/// value + derivative * epsilon with epsilon^2 = 0. Real: double, or several of them. The value is rounded as
/// that of a Real is: a formula has the same value with and without its derivative.
template <typename Real>
struct DualOf {
    Real value{}, derivative{};

    DualOf() = default;
    XSIFT_HD constexpr DualOf(Real v)
        : value(v), derivative(0.0) {}  // NOLINT: implicit on purpose, as are those below
    XSIFT_HD constexpr DualOf(Real v, Real d) : value(v), derivative(d) {}

    XSIFT_HD friend DualOf operator-(DualOf a) { return {-a.value, -a.derivative}; }
    XSIFT_HD friend DualOf operator+(DualOf a, DualOf b) {
        return {a.value + b.value, a.derivative + b.derivative};
    }
    XSIFT_HD friend DualOf operator+(Real a, DualOf b) { return {a + b.value, b.derivative}; }
    XSIFT_HD friend DualOf operator+(DualOf a, Real b) { return {a.value + b, a.derivative}; }
    XSIFT_HD friend DualOf operator-(DualOf a, DualOf b) {
        return {a.value - b.value, a.derivative - b.derivative};
    }
    XSIFT_HD friend DualOf operator-(Real a, DualOf b) { return {a - b.value, -b.derivative}; }
    XSIFT_HD friend DualOf operator-(DualOf a, Real b) { return {a.value - b, a.derivative}; }
    XSIFT_HD friend DualOf operator*(DualOf a, DualOf b) {
        return {a.value * b.value, a.derivative * b.value + a.value * b.derivative};
    }
    XSIFT_HD friend DualOf operator*(Real a, DualOf b) { return {a * b.value, a * b.derivative}; }
    XSIFT_HD friend DualOf operator*(DualOf a, Real b) { return {a.value * b, a.derivative * b}; }
    XSIFT_HD friend DualOf operator/(DualOf a, DualOf b) {
        const Real quotient = a.value / b.value;
        return {quotient, (a.derivative - quotient * b.derivative) / b.value};
    }
    XSIFT_HD friend DualOf operator/(Real a, DualOf b) {
        const Real quotient = a / b.value;
        return {quotient, -quotient * b.derivative / b.value};
    }
    XSIFT_HD friend DualOf operator/(DualOf a, Real b) { return {a.value / b, a.derivative / b}; }
    XSIFT_HD friend DualOf exp(DualOf a) {
        using std::exp;
        const Real e = exp(a.value);
        return {e, e * a.derivative};
    }
    XSIFT_HD friend DualOf expm1(DualOf a) {
        using std::expm1;
        const Real e = expm1(a.value);
        return {e, (e + 1.0) * a.derivative};
    }
    XSIFT_HD friend DualOf log(DualOf a) {
        using std::log;
        return {log(a.value), a.derivative / a.value};
    }
    XSIFT_HD friend DualOf sqrt(DualOf a) {
        using std::sqrt;
        const Real s = sqrt(a.value);
        return {s, 0.5 * a.derivative / s};
    }
};
using Dual = DualOf<double>;

/// The type of the energies that go with values of a type, and of the values of a Dual.
template <typename T>
struct RealOf {
    using type = T;
};
template <typename Real>
struct RealOf<DualOf<Real>> {
    using type = Real;
};

template <typename T>
XSIFT_HD T value_of(T a) {
    return a;
}
template <typename Real>
XSIFT_HD Real value_of(DualOf<Real> a) {
    return a.value;
}

/// Of a number that is the same at all energies.
XSIFT_HD inline double first_of(double a) {
    return a;
}

/// yes() where the condition holds, no() elsewhere. Of several energies both are called unless all agree.
template <typename Yes, typename No>
XSIFT_HD auto choose(bool condition, const Yes& yes, const No& no) -> decltype(yes()) {
    return condition ? yes() : no();
}

/// How many of n ascending limits a number exceeds: an index for pick().
template <int n>
XSIFT_HD int count_below(double a, const double (&limits)[n]) {
    int count = 0;
    for (const double limit : limits) count += a > limit ? 1 : 0;
    return count;
}

template <typename T>
XSIFT_HD T pick(const T* table, int index) {
    return table[index];
}

}  // namespace xsift::spectral
