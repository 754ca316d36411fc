#pragma once
/// @file
/// Models of two norms as pairs of components that are each looked at alone: where they are tried, and the
/// norms that suit a pair.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <xsift/core/host_device.hpp>
#include <xsift/spectral/definition.hpp>
#include <xsift/spectral/model.hpp>

namespace xsift::spectral {

/// A few values of a shape parameter within its limits, to start from.
std::vector<double> coarse_values(const ModelParameter& p);

/// Values of all parameters: every combination of those that `values` gives for some shape parameters (places
/// in ModelFreedom::shape), the others as they are initially. A parameter that would make them more than
/// `most` is left as it is.
std::vector<std::vector<double>> combinations(const ModelDefinition& model, const ModelFreedom& freedom,
                                              const std::vector<int>& shapes,
                                              std::vector<double> (*values)(const ModelParameter&),
                                              std::size_t most);

/// Which shape parameters (places in ModelFreedom::shape) two groups share, and the first that is a group's
/// alone.
struct Pairing {
    std::vector<int> shared;
    int own[2] = {-1, -1};
    bool alike = false;  ///< both are the same component: exchanging them changes nothing
};

/// None for a model that is no sum of two groups with free norms and shape parameters of their own.
std::optional<Pairing> pairing_of(const ModelDefinition& model, const ModelFreedom& freedom);

/// Where pairs are tried: at each place (values of what the groups share) every value of one component with
/// every value of the other.
struct PairValues {
    std::vector<std::vector<double>> places;  ///< values of all parameters, the rest as they are initially
    std::vector<double> own[2];               ///< of each group's own parameter
};
PairValues pair_values(const ModelDefinition& model, const ModelFreedom& freedom, const Pairing& pairing);

/// A pair by number.
struct PairIndex {
    std::int64_t place = 0, first = 0, second = 0;
};

/// Whether two pairs are the same or next to each other.
XSIFT_HD inline bool neighbours(const PairIndex& a, const PairIndex& b) {
    const auto near = [](std::int64_t x, std::int64_t y) { return x - y <= 1 && y - x <= 1; };
    return near(a.place, b.place) && near(a.first, b.first) && near(a.second, b.second);
}

/// Norms >= 0 of two components and the value there of a parabola in them.
struct PairNorms {
    double value = 0.0, norm[2] = {0.0, 0.0};
};

/// Minimum over norms >= 0 of the parabola -right . n + n matrix n / 2 with the matrix (aa ab; ab bb). Two
/// components whose correlation is 1 but for `apart` are one.
XSIFT_HD inline PairNorms best_pair_norms(double aa, double ab, double bb, double a, double b,
                                          double apart = 1e-10) {
    const auto value = [&](double x, double y) {
        return -a * x - b * y + 0.5 * (aa * x * x + 2.0 * ab * x * y + bb * y * y);
    };
    const double determinant = aa * bb - ab * ab;
    if (determinant > apart * aa * bb) {
        const double x = (a * bb - b * ab) / determinant, y = (b * aa - a * ab) / determinant;
        if (x > 0.0 && y > 0.0) return {value(x, y), {x, y}};
    }
    const double x = aa > 0.0 && a > 0.0 ? a / aa : 0.0, y = bb > 0.0 && b > 0.0 ? b / bb : 0.0;
    if (value(x, 0.0) <= value(0.0, y)) return {value(x, 0.0), {x, 0.0}};
    return {value(0.0, y), {0.0, y}};
}

}  // namespace xsift::spectral
