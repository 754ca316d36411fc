#pragma once
/// @file
/// Two components under what they share, for every pair of their templates: the norms at which the
/// statistic's parabola around the best single template is lowest. The parabola's matrix holds scalar
/// products of folded rates, so all pairs of a place are one matrix product. For host and device.

#include <cmath>
#include <cstdint>

#include <xsift/core/host_device.hpp>
#include <xsift/engine/grid_cell.hpp>
#include <xsift/spectral/pairs.hpp>

namespace xsift::engine {

/// How many pairs there are, and in which order: place by place, first by first.
struct PairShape {
    static constexpr int most_kept = 16;  ///< of a task
    std::int64_t n_places = 0, n_first = 0, n_second = 0;
    bool alike = false;  ///< pairs (i, j) and (j, i) are the same; only i < j count

    XSIFT_HD std::int64_t templates_of_place() const { return n_first + n_second; }
    XSIFT_HD std::int64_t n_templates() const { return n_places * templates_of_place(); }
    XSIFT_HD std::int64_t count() const { return n_places * n_first * n_second; }
    XSIFT_HD std::int64_t number(const spectral::PairIndex& p) const {
        return (p.place * n_first + p.first) * n_second + p.second;
    }
    XSIFT_HD spectral::PairIndex index(std::int64_t number) const {
        return {number / (n_first * n_second), number / n_second % n_first, number % n_second};
    }
    XSIFT_HD std::int64_t first_template(const spectral::PairIndex& p) const {
        return p.place * templates_of_place() + p.first;
    }
    XSIFT_HD std::int64_t second_template(const spectral::PairIndex& p) const {
        return p.place * templates_of_place() + n_first + p.second;
    }
};

/// The statistic's parabola in the rate of one bin, but for a constant: weight rate^2 / 2 - target rate
/// (expected curvature).
struct PairBin {
    double weight = 0.0, target = 0.0;
};

/// Around a rate (count/s) in bin k.
XSIFT_HD inline PairBin pair_bin(const CellData& d, std::int64_t k, double rate) {
    const auto s = static_cast<double>(d.counts[k]), b = static_cast<double>(d.background[k]);
    const double ts = d.exposure, tb = ts * static_cast<double>(d.ratio),
                 m = rate > spectral::lowest_rate ? rate : spectral::lowest_rate;
    const bool wstat = tb > 0.0;
    const double slope = wstat ? spectral::wstat_derivatives(s, b, ts, tb, m).first
                               : spectral::cstat_derivatives(s, ts, m).first,
                 weight = wstat ? spectral::expected_curvature(ts, tb, m,
                                                               spectral::profiled_background(s, b, ts, tb, m))
                                : 2.0 * ts / m;
    return {weight, weight * m - slope};
}

/// Of one template: the sums over bins of weight x rate^2 and of target x rate.
struct PairSums {
    double square = 0.0, right = 0.0;
};

/// @param rate of bin k at rate[k * stride]; weight, target of each bin
XSIFT_HD inline PairSums pair_sums(const float* rate, std::int64_t stride, std::int64_t n_bins,
                                   const float* weight, const float* target) {
    PairSums out;
    for (std::int64_t k = 0; k < n_bins; ++k) {
        const auto r = static_cast<double>(rate[k * stride]);
        out.square += static_cast<double>(weight[k]) * r * r;
        out.right += static_cast<double>(target[k]) * r;
    }
    return out;
}

/// A pair with its norms: the parabola's value above its constant, in steps of 1/stat_steps (infinite: does
/// not count).
struct PairEntry {
    double value = INFINITY;
    float norm[2] = {0.0F, 0.0F};
};

/// @param cross the scalar product of the two templates, in single precision
XSIFT_HD inline PairEntry pair_entry(const PairSums& a, const PairSums& b, double cross) {
    constexpr double apart = 1e-5;  // what single precision can tell from the same shape
    const spectral::PairNorms best =
        spectral::best_pair_norms(a.square, cross, b.square, a.right, b.right, apart);
    return {std::rint(best.value * stat_steps) / stat_steps,
            {static_cast<float>(best.norm[0]), static_cast<float>(best.norm[1])}};
}

/// Whether entry a (by number) comes before b: lower, ties by number.
XSIFT_HD inline bool better_pair(const PairEntry* entries, std::int64_t a, std::int64_t b) {
    return entries[a].value < entries[b].value || (entries[a].value == entries[b].value && a < b);
}

/// Number of the best of the entries first, first + step, ... that is no neighbour of those kept; -1: none.
XSIFT_HD inline std::int64_t best_distinct_pair(const PairShape& shape, const PairEntry* entries,
                                                const std::int64_t* kept, int n_kept, std::int64_t first,
                                                std::int64_t step) {
    std::int64_t best = -1;
    for (std::int64_t i = first; i < shape.count(); i += step) {
        if (!(entries[i].value < INFINITY) || (best >= 0 && !better_pair(entries, i, best))) continue;
        bool distinct = true;
        for (int k = 0; k < n_kept; ++k)
            if (spectral::neighbours(shape.index(i), shape.index(kept[k]))) distinct = false;
        if (distinct) best = i;
    }
    return best;
}

/// The statistic at the sum of two templates at given norms. @param first, second rates of bin k at
/// [k * stride]
template <typename Ops>
XSIFT_HD double pair_statistic(const CellData& d, const float* first, const float* second,
                               std::int64_t stride, const float (&norm)[2]) {
    double half = 0.0;
    for (std::int64_t k = 0; k < d.n_bins; ++k) {
        const float m =
            static_cast<float>(d.exposure) * (norm[0] * first[k * stride] + norm[1] * second[k * stride]);
        const float mu = m > least_expected ? m : least_expected;
        const float phi = expected_background<Ops>(d.counts[k], d.background[k], d.ratio, mu);
        half += static_cast<double>(bin_half<Ops>(d.counts[k], d.background[k], d.ratio, mu, phi));
    }
    return std::rint(2.0 * half * stat_steps) / stat_steps;
}

}  // namespace xsift::engine
