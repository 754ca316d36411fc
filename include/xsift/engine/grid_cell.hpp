#pragma once
/// @file
/// One cell of the grid likelihood: the profiled statistic of one folded template, for host and device.

#include <cmath>
#include <cstdint>

#include <xsift/core/host_device.hpp>
#include <xsift/engine/bin_terms.hpp>
#include <xsift/engine/grid_likelihood.hpp>
#include <xsift/spectral/profile.hpp>

namespace xsift::engine {

/// Counts of one spectrum as plain pointers (host or device memory).
struct CellData {
    const float* counts = nullptr;      ///< n_bins
    const float* background = nullptr;  ///< n_bins; 0 for C-stat
    std::int64_t n_bins = 0;
    double exposure = 0.0;  ///< s
    float ratio = 0.0f;     ///< of the exposures, background over source; 0: C-stat
    double norm_min = 0.0, norm_max = 0.0;
    double total = 0.0, net = 0.0;  ///< counts: all of the source region, and without the background's
};

/// Sums over the bins at one norm: half the statistic, half its derivative times the norm, half its second
/// derivative times the norm's square.
struct BinSums {
    double half = 0.0, first = 0.0, second = 0.0;
};

/// Statistics are rounded to 1/stat_steps, so that cells which differ only by the rounding of single
/// precision are ties, on every backend, and the first of them wins.
inline constexpr double stat_steps = 1024.0;

/// The sums by one thread. Single precision holds for a few dozen bins; these are added up in double.
template <typename Ops>
struct SerialBins {
    const CellData* data;
    const float* rate;  ///< count/s at norm 1 of bin k at rate[k * stride]
    std::int64_t stride;
    std::int64_t count_stride = 1;  ///< of the counts, likewise

    template <bool with_statistic>
    XSIFT_HD BinSums sums(double norm) const {
        constexpr std::int64_t at_once = 32;
        const auto scale = static_cast<float>(norm * data->exposure);
        BinSums out;
        for (std::int64_t from = 0; from < data->n_bins; from += at_once) {
            const std::int64_t end = from + at_once < data->n_bins ? from + at_once : data->n_bins;
            float half = 0.0f, first = 0.0f, second = 0.0f;
            for (std::int64_t k = from; k < end; ++k) {
                const float s = data->counts[k * count_stride], b = data->background[k * count_stride],
                            m = scale * rate[k * stride];
                const float mu = m > least_expected ? m : least_expected;
                const float phi = expected_background<Ops>(s, b, data->ratio, mu);
                const BinSlope<float> slope = bin_slope<Ops>(s, b, mu, phi);
                first += slope.first;
                second += slope.second;
                if constexpr (with_statistic) half += bin_half<Ops>(s, b, data->ratio, mu, phi);
            }
            out.half += static_cast<double>(half);
            out.first += static_cast<double>(first);
            out.second += static_cast<double>(second);
        }
        return out;
    }
    /// Sum of the rates.
    XSIFT_HD double total() const {
        double sum = 0.0;
        for (std::int64_t k = 0; k < data->n_bins; ++k) sum += static_cast<double>(rate[k * stride]);
        return sum;
    }
};

/// Fits the norm of one template to the counts: Newton steps until the next one is short, then the statistic
/// with the parabola that is left.
/// @param bins like SerialBins
/// @param share of all counts that the model is expected to have, to begin with; 0: what the background
/// leaves. The
///   share found comes back: templates that follow each other are alike.
template <typename Bins>
XSIFT_HD GridCell fit_cell(std::int64_t index, const CellData& data, const Bins& bins, double& share) {
    constexpr double short_step = 0.03;  // of the norm: what is left after it is some 1e-3
    constexpr double enough = 1e-4;      // what the statistic may miss in third order
    constexpr double farthest = 5e-3;    // second derivatives of bins without background counts jump
    constexpr int most_passes = 6;
    const double rate = data.exposure * bins.total();
    // The model cannot expect more than all counts where the slope vanishes (the sum over bins of S mu / (mu
    // + phi) is that of mu then).
    const double lo = data.norm_min,
                 most = rate > 0.0 ? std::fmin(1.001 * data.total / rate, data.norm_max) : lo,
                 hi = std::fmax(lo, most);
    const double expected = share > 0.0 ? share * data.total : data.net;
    double norm = expected > 0.0 && rate > 0.0 ? expected / rate : lo;
    norm = spectral::profiled_norm(
        [&](double n) {
            const BinSums at = bins.template sums<false>(n);
            return spectral::NormSlope{at.first / n, at.second / (n * n)};
        },
        lo, hi, norm, short_step);
    for (int pass = 1;; ++pass) {
        const BinSums at = bins.template sums<true>(norm);
        const double gain = at.first + at.second;
        const double next =
            gain > 0.0 ? std::fmin(std::fmax(norm * at.second / gain, lo), hi) : norm;  // as in profiled_norm
        const double step = (next - norm) / norm;
        const double length = std::fabs(step);
        if ((!(at.second * length * length * length > enough) && !(length > farthest)) ||
            pass == most_passes) {
            const double stat = 2.0 * (at.half + step * (at.first + 0.5 * step * at.second));
            share = next > lo ? next * rate / data.total : 0.0;
            return {index, next, std::rint(stat * stat_steps) / stat_steps};
        }
        norm = next;
    }
}

template <typename Bins>
XSIFT_HD GridCell fit_cell(std::int64_t index, const CellData& data, const Bins& bins) {
    double share = 0.0;
    return fit_cell(index, data, bins, share);
}

/// Order of the outcome: lowest statistic first, ties by index; what is not a number comes last.
XSIFT_HD inline bool better_cell(const GridCell& a, const GridCell& b) {
    const bool a_valid = a.stat == a.stat, b_valid = b.stat == b.stat;
    if (a_valid != b_valid) return a_valid;
    if (a_valid && a.stat != b.stat) return a.stat < b.stat;
    return a.index < b.index;
}

/// Whether no neighbour of a cell (of eight, in rows of `columns`; 0: it has none) is better.
/// @param cells n of them, in the order of their index
XSIFT_HD inline bool is_minimum(const GridCell* cells, std::int64_t n, std::int64_t columns,
                                std::int64_t index) {
    if (columns <= 0) return true;
    const std::int64_t rows = n / columns, row = index / columns, column = index % columns;
    for (std::int64_t i = row > 0 ? row - 1 : 0; i <= row + 1 && i < rows; ++i)
        for (std::int64_t j = column > 0 ? column - 1 : 0; j <= column + 1 && j < columns; ++j)
            if (better_cell(cells[i * columns + j], cells[index])) return false;
    return true;
}

}  // namespace xsift::engine
