#pragma once
/// @file
/// Small dense vectors and matrices of a fit.

#include <array>
#include <optional>

namespace xsift::refine {

inline constexpr int most_coordinates = 16;
using Vector = std::array<double, most_coordinates>;
using Matrix = std::array<Vector, most_coordinates>;
using Mask = std::array<bool, most_coordinates>;

/// Solves the symmetric positive system restricted to the masked coordinates (Cholesky); nothing when it is
/// singular.
std::optional<Vector> solve(const Matrix& a, const Vector& b, const Mask& free, int n);
/// A system that need not be symmetric, restricted to the masked coordinates.
struct Elimination {
    Vector x{};
    double determinant = 0.0;  ///< of the restricted matrix; 0: it is singular and x is not set
};
/// By elimination with pivots.
Elimination eliminate(Matrix a, Vector b, const Mask& free, int n);
Matrix sum(const Matrix& a, const Matrix& b, double factor, int n);
Vector product(const Matrix& a, const Vector& x, int n);
double dot(const Vector& a, const Vector& b, int n);

}  // namespace xsift::refine
