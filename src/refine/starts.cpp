#include "starts.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <xsift/spectral/pairs.hpp>

namespace xsift::refine {

namespace {

/// Folded rates of the values of both components at one place of the shared coordinates.
struct Folded {
    Vector at{};
    std::vector<std::vector<double>> rates[2];
};

}  // namespace

std::vector<Vector> coarse_starts(const Objective& objective) {
    constexpr std::size_t most = 250;
    std::vector<int> shapes(static_cast<std::size_t>(objective.coordinates().n_shape));
    std::iota(shapes.begin(), shapes.end(), 0);
    std::vector<Vector> out;
    for (const std::vector<double>& values : spectral::combinations(objective.model(), objective.freedom(),
                                                                    shapes, spectral::coarse_values, most))
        out.push_back(objective.start(values));
    return out;
}

std::vector<Vector> paired_starts(Objective& objective, Point& scratch) {
    const auto pairing = spectral::pairing_of(objective.model(), objective.freedom());
    if (!pairing) return {};
    const Coordinates& c = objective.coordinates();
    const std::size_t n_bins = objective.n_bins();
    const Vector base = objective.start(objective.model().initial_values());
    const auto [places, own] = spectral::pair_values(objective.model(), objective.freedom(), *pairing);
    std::vector<Folded> folded;
    std::vector<double> rates;
    for (const std::vector<double>& place : places) {
        Folded& f = folded.emplace_back();
        f.at = objective.start(place);
        for (std::size_t v = 0; v < std::max(own[0].size(), own[1].size()); ++v) {
            Vector x = f.at;
            for (int g = 0; g < 2; ++g) {
                const int i = pairing->own[g];
                x[i] = c.coordinate(i, own[g][std::min(v, own[g].size() - 1)]);
            }
            objective.fold_groups(x, rates);
            for (std::size_t g = 0; g < 2; ++g)
                if (v < own[g].size())
                    f.rates[g].emplace_back(rates.begin() + static_cast<std::ptrdiff_t>(g * n_bins),
                                            rates.begin() + static_cast<std::ptrdiff_t>((g + 1) * n_bins));
        }
    }

    const double most[2] = {std::exp(c.hi[c.first_norm()]), std::exp(c.hi[c.first_norm() + 1])};
    const spectral::PairShape shape{std::ssize(places), std::ssize(own[0]), std::ssize(own[1]),
                                    pairing->alike};
    std::vector<spectral::PairEntry> entries(static_cast<std::size_t>(shape.count()));
    // the best single component, its norm profiled, is what the parabola is drawn around
    double lowest = std::numeric_limits<double>::infinity();
    std::vector<double> slope, curvature, reference(n_bins);
    for (const Folded& f : folded)
        for (const auto& component : f.rates)
            for (const std::vector<double>& unit : component) {
                const auto [norm, stat] = objective.single_norm(base, unit);
                if (!(stat < lowest)) continue;
                lowest = stat;
                for (std::size_t k = 0; k < n_bins; ++k) reference[k] = norm * unit[k];
            }
    if (!std::isfinite(lowest)) return {};
    objective.expand_rates(base, reference, slope, curvature);
    const auto product = [&](const std::vector<double>& a, const std::vector<double>& b) {
        double sum = 0.0;
        for (std::size_t k = 0; k < n_bins; ++k) sum += curvature[k] * a[k] * b[k];
        return sum;
    };
    for (std::size_t p = 0; p < folded.size(); ++p) {
        std::vector<double> square[2], right[2];
        for (std::size_t g = 0; g < 2; ++g)
            for (const auto& unit : folded[p].rates[g]) {
                square[g].push_back(product(unit, unit));
                double sum = product(unit, reference);
                for (std::size_t k = 0; k < n_bins; ++k) sum -= slope[k] * unit[k];
                right[g].push_back(sum);
            }
        for (std::size_t a = 0; a < own[0].size(); ++a)
            for (std::size_t b = 0; b < own[1].size(); ++b) {
                const spectral::PairIndex pair{static_cast<std::int64_t>(p), static_cast<std::int64_t>(a),
                                               static_cast<std::int64_t>(b)};
                if (!shape.counts(pair)) continue;
                const double cross = product(folded[p].rates[0][a], folded[p].rates[1][b]);
                const spectral::PairNorms best = spectral::best_pair_norms(
                    {square[0][a], cross, square[1][b], right[0][a], right[1][b]}, most);
                entries[static_cast<std::size_t>(shape.number(pair))] = {
                    best.value, {static_cast<float>(best.norm[0]), static_cast<float>(best.norm[1])}};
            }
    }
    std::vector<std::pair<double, Vector>> starts;
    for (const std::int64_t number : spectral::best_pairs(shape, entries, most_starts)) {
        const auto at = [](std::int64_t i) { return static_cast<std::size_t>(i); };
        const spectral::PairIndex pair = shape.index(number);
        Vector x = folded[at(pair.place)].at;
        x[pairing->own[0]] = c.coordinate(pairing->own[0], own[0][at(pair.first)]);
        x[pairing->own[1]] = c.coordinate(pairing->own[1], own[1][at(pair.second)]);
        const float* const single = entries[at(number)].norm;
        const double norm[2] = {static_cast<double>(single[0]), static_cast<double>(single[1])};
        const double least = 1e-3 * std::max(norm[0], norm[1]);  // not at the limit of its logarithm
        for (int g = 0; g < 2; ++g) x[c.first_norm() + g] = std::log(std::max({norm[g], least, 1e-300}));
        objective.evaluate(c.clipped(x), scratch);
        starts.emplace_back(scratch.stat, scratch.x);
    }
    std::stable_sort(starts.begin(), starts.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<Vector> out;
    for (const auto& start : starts) out.push_back(start.second);
    return out;
}

}  // namespace xsift::refine
