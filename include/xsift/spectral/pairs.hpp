#pragma once
/// @file
/// Models of two norms as pairs of components that are each looked at alone: where they are tried, and the
/// norms that suit a pair.

#include <cmath>
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

/// How many pairs there are, and in which order: place by place, first by first. The components of a place
/// are templates: those of the first, then those of the second.
struct PairShape {
    static constexpr int most_kept = 16;  ///< of a model
    std::int64_t n_places = 0, n_first = 0, n_second = 0;
    bool alike = false;  ///< pairs (i, j) and (j, i) are the same; only i < j count

    XSIFT_HD std::int64_t templates_of_place() const { return n_first + n_second; }
    XSIFT_HD std::int64_t n_templates() const { return n_places * templates_of_place(); }
    XSIFT_HD std::int64_t count() const { return n_places * n_first * n_second; }
    XSIFT_HD bool counts(const PairIndex& p) const { return !alike || p.first < p.second; }
    XSIFT_HD std::int64_t number(const PairIndex& p) const {
        return (p.place * n_first + p.first) * n_second + p.second;
    }
    XSIFT_HD PairIndex index(std::int64_t number) const {
        return {number / (n_first * n_second), number / n_second % n_first, number % n_second};
    }
    XSIFT_HD std::int64_t first_template(const PairIndex& p) const {
        return p.place * templates_of_place() + p.first;
    }
    XSIFT_HD std::int64_t second_template(const PairIndex& p) const {
        return p.place * templates_of_place() + n_first + p.second;
    }
};

/// A parabola in the norms n of two components, but for a constant: -right . n + n matrix n / 2 with the
/// matrix (aa ab; ab bb) and right (a, b).
struct PairParabola {
    double aa = 0.0, ab = 0.0, bb = 0.0, a = 0.0, b = 0.0;

    XSIFT_HD double value(double x, double y) const {
        return -a * x - b * y + 0.5 * (aa * x * x + 2.0 * ab * x * y + bb * y * y);
    }
};

/// Norms of two components and the parabola's value there.
struct PairNorms {
    double value = 0.0, norm[2] = {0.0, 0.0};
};

/// Minimum of the parabola over norms from 0 to `most`. Two components whose correlation is 1 but for `apart`
/// are one.
XSIFT_HD inline PairNorms best_pair_norms(const PairParabola& p, const double (&most)[2],
                                          double apart = 1e-10) {
    const double determinant = p.aa * p.bb - p.ab * p.ab;
    if (determinant > apart * p.aa * p.bb) {
        const double x = (p.a * p.bb - p.b * p.ab) / determinant, y = (p.b * p.aa - p.a * p.ab) / determinant;
        if (x > 0.0 && y > 0.0 && x < most[0] && y < most[1]) return {p.value(x, y), {x, y}};
    }
    // along an edge, where one norm is given: slope and square of the other
    const auto along = [](double slope, double square, double highest) {
        const double n = square > 0.0 ? slope / square : 0.0;
        return n > 0.0 ? (n < highest ? n : highest) : 0.0;
    };
    PairNorms best;
    const auto offer = [&](double x, double y) {
        const double value = p.value(x, y);
        if (value < best.value) best = {value, {x, y}};
    };
    offer(along(p.a, p.aa, most[0]), 0.0);
    offer(0.0, along(p.b, p.bb, most[1]));
    offer(along(p.a - p.ab * most[1], p.aa, most[0]), most[1]);
    offer(most[0], along(p.b - p.ab * most[0], p.bb, most[1]));
    return best;
}

/// A pair with its norms: the parabola's value above its constant (infinite: does not count).
struct PairEntry {
    double value = INFINITY;
    float norm[2] = {0.0F, 0.0F};

    /// Which component is alone, the other's norm being 0; -1: none.
    XSIFT_HD int lone() const { return norm[1] <= 0.0F ? 0 : norm[0] <= 0.0F ? 1 : -1; }
};

/// Whether pairs a and b (by number) are the same or next to each other. A component with a norm of 0 is not
/// there, wherever it was tried: all pairs of the other alone are one.
XSIFT_HD inline bool neighbours(const PairShape& shape, const PairEntry* entries, std::int64_t a,
                                std::int64_t b) {
    const auto near = [](std::int64_t x, std::int64_t y) { return x - y <= 1 && y - x <= 1; };
    const PairIndex i = shape.index(a), j = shape.index(b);
    const int lone_a = entries[a].lone(), lone_b = entries[b].lone();
    if (!near(i.place, j.place) || (lone_a < 0) != (lone_b < 0)) return false;
    if (lone_a < 0) return near(i.first, j.first) && near(i.second, j.second);
    return (lone_a == lone_b || shape.alike) &&
           near(lone_a == 0 ? i.first : i.second, lone_b == 0 ? j.first : j.second);
}

/// Whether entry a (by number) comes before b: lower, ties by number.
XSIFT_HD inline bool better_pair(const PairEntry* entries, std::int64_t a, std::int64_t b) {
    return entries[a].value < entries[b].value || (entries[a].value == entries[b].value && a < b);
}

/// Whether no pair next to entry i on the grid (of 26) comes before it.
XSIFT_HD inline bool is_lowest_around(const PairShape& shape, const PairEntry* entries, std::int64_t i) {
    const PairIndex at = shape.index(i);
    for (std::int64_t p = at.place - 1; p <= at.place + 1; ++p)
        for (std::int64_t f = at.first - 1; f <= at.first + 1; ++f)
            for (std::int64_t s = at.second - 1; s <= at.second + 1; ++s)
                if (p >= 0 && p < shape.n_places && f >= 0 && f < shape.n_first && s >= 0 &&
                    s < shape.n_second && better_pair(entries, shape.number({p, f, s}), i))
                    return false;
    return true;
}

/// Number of the best of the entries first, first + step, ... that is no neighbour of those kept; -1: none.
/// @param minima of those only that are the lowest around them
XSIFT_HD inline std::int64_t best_distinct_pair(const PairShape& shape, const PairEntry* entries,
                                                const std::int64_t* kept, int n_kept, bool minima,
                                                std::int64_t first, std::int64_t step) {
    std::int64_t best = -1;
    for (std::int64_t i = first; i < shape.count(); i += step) {
        if (!(entries[i].value < INFINITY) || (best >= 0 && !better_pair(entries, i, best))) continue;
        bool counts = true;
        for (int k = 0; k < n_kept; ++k) counts = counts && !neighbours(shape, entries, i, kept[k]);
        if (counts && (!minima || is_lowest_around(shape, entries, i))) best = i;
    }
    return best;
}

/// The numbers of the pairs to start from, `most` at most: minima of the grid, the lowest first, so that each
/// valley has one, then the best of the others; none are neighbours.
std::vector<std::int64_t> best_pairs(const PairShape& shape, const std::vector<PairEntry>& entries, int most);

}  // namespace xsift::spectral
