#include <algorithm>
#include <array>
#include <cmath>

#include <xsift/refine/fit_data.hpp>

namespace xsift::refine {

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

    const auto n_energies = static_cast<std::int32_t>(s.n_energies());
    std::vector<std::int32_t> end(counts.size(), 0);
    first_.assign(counts.size(), n_energies);
    const auto each_value = [&](const auto& visit) {
        for (std::int32_t i = 0; i < n_energies; ++i)
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
}

namespace {

/// Scalar products of one row of the matrix with N models that lie side by side.
template <std::size_t N>
std::array<double, N> products(const double* value, const double* photons, std::int32_t count,
                               std::size_t stride) {
    std::array<double, N> even{}, odd{};  // two chains: additions wait for each other otherwise
    std::int32_t j = 0;
    for (; j + 1 < count; j += 2) {
        const double a = value[j], b = value[j + 1];
        const double* const at = photons + static_cast<std::size_t>(j) * stride;
        for (std::size_t m = 0; m < N; ++m) even[m] += a * at[m];
        for (std::size_t m = 0; m < N; ++m) odd[m] += b * at[stride + m];
    }
    if (j < count)
        for (std::size_t m = 0; m < N; ++m)
            even[m] += value[j] * photons[static_cast<std::size_t>(j) * stride + m];
    for (std::size_t m = 0; m < N; ++m) even[m] += odd[m];
    return even;
}

}  // namespace

void FitData::fold(std::span<const double> photons, std::size_t n_models, double* rate,
                   std::size_t stride) const {
    const auto block = [&]<std::size_t N>(std::size_t first_model, std::integral_constant<std::size_t, N>) {
        for (std::size_t k = 0; k < counts.size(); ++k) {
            const auto sums =
                products<N>(value_.data() + start_[k],
                            photons.data() + static_cast<std::size_t>(first_[k]) * n_models + first_model,
                            count_[k], n_models);
            for (std::size_t m = 0; m < N; ++m) rate[(first_model + m) * stride + k] = sums[m];
        }
    };
    std::size_t m = 0;
    for (; m + 4 <= n_models; m += 4) block(m, std::integral_constant<std::size_t, 4>{});
    if (n_models - m == 3) block(m, std::integral_constant<std::size_t, 3>{});
    if (n_models - m == 2) block(m, std::integral_constant<std::size_t, 2>{});
    if (n_models - m == 1) block(m, std::integral_constant<std::size_t, 1>{});
}

}  // namespace xsift::refine
