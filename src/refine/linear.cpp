#include "linear.hpp"

#include <cmath>
#include <utility>

namespace xsift::refine {

std::optional<Vector> solve(const Matrix& a, const Vector& b, const Mask& free, int n) {
    Matrix l;
    Vector x{};
    for (int i = 0; i < n; ++i) {
        if (!free[i]) continue;
        for (int j = 0; j <= i; ++j) {
            if (!free[j]) continue;
            double sum = a[i][j];
            for (int k = 0; k < j; ++k)
                if (free[k]) sum -= l[i][k] * l[j][k];
            if (i != j) {
                l[i][j] = sum / l[j][j];
            } else {
                if (!(sum > 1e-13 * a[i][i]) || !(a[i][i] > 0.0)) return std::nullopt;
                l[i][i] = std::sqrt(sum);
            }
        }
        double sum = b[i];
        for (int k = 0; k < i; ++k)
            if (free[k]) sum -= l[i][k] * x[k];
        x[i] = sum / l[i][i];
    }
    for (int i = n - 1; i >= 0; --i) {
        if (!free[i]) continue;
        double sum = x[i];
        for (int k = i + 1; k < n; ++k)
            if (free[k]) sum -= l[k][i] * x[k];
        x[i] = sum / l[i][i];
    }
    return x;
}

Elimination eliminate(Matrix a, Vector b, const Mask& free, int n) {
    std::array<int, most_coordinates> at{};
    int count = 0;
    for (int i = 0; i < n; ++i)
        if (free[i]) at[count++] = i;
    Elimination out;
    double determinant = 1.0;
    for (int k = 0; k < count; ++k) {
        int pivot = k;
        for (int r = k + 1; r < count; ++r)
            if (std::fabs(a[at[r]][at[k]]) > std::fabs(a[at[pivot]][at[k]])) pivot = r;
        if (pivot != k) {
            std::swap(a[at[pivot]], a[at[k]]);
            std::swap(b[at[pivot]], b[at[k]]);
            determinant = -determinant;
        }
        const double diagonal = a[at[k]][at[k]];
        if (diagonal == 0.0) return out;
        determinant *= diagonal;
        for (int r = k + 1; r < count; ++r) {
            const double factor = a[at[r]][at[k]] / diagonal;
            for (int c = k; c < count; ++c) a[at[r]][at[c]] -= factor * a[at[k]][at[c]];
            b[at[r]] -= factor * b[at[k]];
        }
    }
    for (int k = count - 1; k >= 0; --k) {
        double sum = b[at[k]];
        for (int c = k + 1; c < count; ++c) sum -= a[at[k]][at[c]] * out.x[at[c]];
        out.x[at[k]] = sum / a[at[k]][at[k]];
    }
    out.determinant = determinant;
    return out;
}

Matrix sum(const Matrix& a, const Matrix& b, double factor, int n) {
    Matrix c = a;
    for (int i = 0; i < n; ++i)
        for (int j = 0; j < n; ++j) c[i][j] += factor * b[i][j];
    return c;
}

Vector product(const Matrix& a, const Vector& x, int n) {
    Vector y{};
    for (int i = 0; i < n; ++i)
        for (int j = 0; j < n; ++j) y[i] += a[i][j] * x[j];
    return y;
}

double dot(const Vector& a, const Vector& b, int n) {
    double s = 0.0;
    for (int i = 0; i < n; ++i) s += a[i] * b[i];
    return s;
}

}  // namespace xsift::refine
