#include "fold_products.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <xsift/refine/fit_data.hpp>
#include <xsift/spectral/energy_bins.hpp>

namespace xsift::refine {

namespace {

/// Half the summed difference of two rows of the response, each scaled to 1: 0 the same, 1 disjoint.
/// @param sums of the rows
double total_variation(const spectral::PreparedSpectrum& s, const std::vector<double>& sums, std::size_t a,
                       std::size_t b) {
    if (!(sums[a] > 0.0) || !(sums[b] > 0.0)) return sums[a] > 0.0 || sums[b] > 0.0 ? 1.0 : 0.0;
    const double scale_a = 1.0 / sums[a], scale_b = 1.0 / sums[b];
    const std::int32_t first_a = s.row_first[a], end_a = first_a + s.row_count[a], first_b = s.row_first[b],
                       end_b = first_b + s.row_count[b];
    const double* const row_a = s.value.data() + s.row_value[a];
    const double* const row_b = s.value.data() + s.row_value[b];
    const std::int32_t first = std::max(first_a, first_b), end = std::max(first, std::min(end_a, end_b));
    double both = 0.0, alone = 0.0;
    for (std::int32_t k = first; k < end; ++k)
        both += std::fabs(row_a[k - first_a] * scale_a - row_b[k - first_b] * scale_b);
    const auto add_alone = [&](const double* row, std::int32_t row_first, std::int32_t row_end,
                               double scale) {
        for (std::int32_t k = row_first; k < std::min(first, row_end); ++k)
            alone += std::fabs(row[k - row_first]) * scale;
        for (std::int32_t k = std::max(end, row_first); k < row_end; ++k)
            alone += std::fabs(row[k - row_first]) * scale;
    };
    add_alone(row_a, first_a, end_a, scale_a);
    add_alone(row_b, first_b, end_b, scale_b);
    return 0.5 * (both + alone);
}

}  // namespace

std::vector<std::int32_t> merged_energies(const spectral::PreparedSpectrum& s) {
    constexpr double most_variation = 0.2, widest = 0.015;
    std::vector<double> sums;
    for (std::size_t i = 0; i < s.n_energies(); ++i) {
        const double* const from = s.value.data() + s.row_value[i];
        sums.push_back(std::accumulate(from, from + s.row_count[i], 0.0));
    }
    std::vector<std::int32_t> out(s.n_energies(), 0);
    for (std::size_t i = 1, first = 0; i < s.n_energies(); ++i) {
        const bool same = s.energy_lo[i] == s.energy_hi[i - 1] &&
                          s.energy_hi[i] <= s.energy_lo[first] * (1.0 + widest) &&
                          total_variation(s, sums, first, i) <= most_variation;
        if (!same) first = i;
        out[i] = out[i - 1] + (same ? 0 : 1);
    }
    return out;
}

FitData::FitData(const spectral::PreparedSpectrum& s)
    : source_exposure(s.source_exposure), energy_lo(s.energy_lo), energy_hi(s.energy_hi) {
    std::vector<std::int32_t> column(s.n_bins(), -1);
    double empty_background = 0.0, empty_logarithms = 0.0, any_exposure = 0.0;
    const auto exposure_of = [&](std::size_t k) {
        return s.has_background() ? s.background_exposure_of(k) : 0.0;
    };
    const auto background_of = [&](std::size_t k) {
        return s.has_background() ? s.background_counts[k] : 0.0;
    };
    for (std::size_t k = 0; k < s.n_bins(); ++k) {
        if (s.counts[k] == 0.0) {
            const double tb = exposure_of(k);
            empty_background += background_of(k);
            if (tb > 0.0) empty_logarithms += background_of(k) * std::log(tb / (s.source_exposure + tb));
            any_exposure = tb;
            continue;
        }
        column[k] = static_cast<std::int32_t>(counts.size());
        counts.push_back(s.counts[k]);
        background.push_back(background_of(k));
        background_exposure.push_back(exposure_of(k));
    }
    if (counts.size() < s.n_bins()) {
        const auto merged = static_cast<std::int32_t>(counts.size());
        std::replace(column.begin(), column.end(), -1, merged);
        counts.push_back(0.0);
        background.push_back(empty_background);
        // the exposure that gives the merged bin the constant term of its parts, -B ln(tb/(ts + tb))
        const double share = empty_background > 0.0 ? std::exp(empty_logarithms / empty_background) : 0.0;
        const bool differ = !s.bin_background_exposure.empty() && empty_background > 0.0;
        background_exposure.push_back(differ ? s.source_exposure * share / (1.0 - share) : any_exposure);
    }

    std::vector<std::int32_t> end(counts.size(), 0);
    first_.assign(counts.size(), static_cast<std::int32_t>(n_energies()));
    const auto each_value = [&](const auto& visit) {
        for (std::int32_t i = 0; i < static_cast<std::int32_t>(n_energies()); ++i)
            for (std::int32_t j = 0; j < s.row_count[i]; ++j)
                visit(i, column[s.row_first[i] + j], s.value[s.row_value[i] + j]);
    };
    each_value([&](std::int32_t i, std::int32_t k, double v) {
        if (v == 0.0) return;
        first_[k] = std::min(first_[k], i);
        end[k] = i + 1;
    });
    std::int64_t total = 0;
    for (std::size_t k = 0; k < counts.size(); ++k) {
        first_[k] = std::min(first_[k], end[k]);
        count_.push_back(end[k] - first_[k]);
        start_.push_back(total);
        total += count_[k];
    }
    value_.assign(static_cast<std::size_t>(total), 0.0);
    each_value([&](std::int32_t i, std::int32_t k, double v) {
        if (v != 0.0) value_[static_cast<std::size_t>(start_[k] + i - first_[k])] += v;
    });

    energy_of_ = merged_energies(s);
    if (energy_of_.empty() || static_cast<std::size_t>(energy_of_.back()) + 1 == energy_of_.size()) return;
    coarse_ = std::make_unique<const FitData>(merged({}));
}

FitData FitData::merged(std::span<const double> share) const {
    FitData out;
    out.counts = counts;
    out.background = background;
    out.source_exposure = source_exposure;
    out.background_exposure = background_exposure;
    for (std::size_t i = 0; i < n_energies(); ++i) {
        if (energy_of_[i] == std::ssize(out.energy_lo)) {
            out.energy_lo.push_back(energy_lo[i]);
            out.energy_hi.push_back(energy_hi[i]);
        }
        out.energy_hi.back() = energy_hi[i];
    }
    for (std::size_t k = 0; k < n_bins(); ++k) {
        const auto first = static_cast<std::size_t>(first_[k]), n = static_cast<std::size_t>(count_[k]);
        out.start_.push_back(std::ssize(out.value_));
        out.first_.push_back(n > 0 ? energy_of_[first] : 0);
        out.count_.push_back(n > 0 ? energy_of_[first + n - 1] - energy_of_[first] + 1 : 0);
        out.value_.resize(out.value_.size() + static_cast<std::size_t>(out.count_.back()));
        double* const to = out.value_.data() + out.start_.back();
        for (std::size_t i = first; i < first + n; ++i) {
            const auto e = static_cast<std::size_t>(energy_of_[i]);
            const double part = share.empty()
                                    ? (energy_hi[i] - energy_lo[i]) / (out.energy_hi[e] - out.energy_lo[e])
                                    : share[i];
            to[energy_of_[i] - out.first_.back()] +=
                part * value_[static_cast<std::size_t>(start_[k]) + i - first];
        }
    }
    return out;
}

std::vector<double> FitData::averaged(std::span<const double> quantity,
                                      std::span<const double> photons) const {
    std::vector<double> width;
    for (std::size_t i = 0; i < n_energies(); ++i) width.push_back(energy_hi[i] - energy_lo[i]);
    return spectral::merged_means(quantity, photons, width, energy_of_);
}

FitData FitData::weighted(std::span<const double> photons, std::span<const double> coarse_photons) const {
    std::vector<double> share(n_energies());
    for (std::size_t i = 0; i < share.size(); ++i) {
        const auto e = static_cast<std::size_t>(energy_of_[i]);
        share[i] = coarse_photons[e] > 0.0
                       ? photons[i] / coarse_photons[e]
                       : (energy_hi[i] - energy_lo[i]) / (coarse_->energy_hi[e] - coarse_->energy_lo[e]);
    }
    return merged(share);
}

void FitData::fold(std::span<const double> photons, std::size_t n_models, double* rate,
                   std::size_t stride) const {
    const FoldProducts& products = best_fold_products();
    const FoldRows rows{value_.data(), first_.data(), count_.data(), start_.data(), n_bins()};
    const std::size_t width = padded(n_models);
    std::vector<double> last;
    for (std::size_t m = 0; m < n_models;) {
        const bool wide = m + fold_wide_lanes <= width;
        const FoldPass pass = wide ? products.wide : products.narrow;
        const std::size_t lanes = wide ? fold_wide_lanes : fold_lanes;
        if (m + lanes <= n_models) {
            pass(rows, photons.data() + m, width, rate + m * stride, stride);
        } else {
            last.resize(lanes * n_bins());
            pass(rows, photons.data() + m, width, last.data(), n_bins());
            for (std::size_t i = m; i < n_models; ++i)
                std::copy_n(last.data() + (i - m) * n_bins(), n_bins(), rate + i * stride);
        }
        m += lanes;
    }
}

std::size_t FitData::padded(std::size_t n_models) {
    return (n_models + fold_lanes - 1) / fold_lanes * fold_lanes;
}

}  // namespace xsift::refine
