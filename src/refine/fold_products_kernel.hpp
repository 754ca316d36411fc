#pragma once
// The body of fold_products_*, included by each inside its own namespace. Nothing of the standard library
// inside.

template <std::size_t n>
struct FoldLanesOf;
template <>
struct FoldLanesOf<fold_lanes> {
    using type = double __attribute__((vector_size(8 * fold_lanes)));
};
template <>
struct FoldLanesOf<fold_wide_lanes> {
    using type = double __attribute__((vector_size(8 * fold_wide_lanes)));
};

template <std::size_t lanes>
static void fold_products(const FoldRows& rows, const double* photons, std::size_t width, double* rate,
                          std::size_t stride) {
    using FoldLanes = typename FoldLanesOf<lanes>::type;
    const auto load_lanes = [](const double* from) __attribute__((always_inline)) {
        FoldLanes out;
        __builtin_memcpy(&out, from, sizeof out);
        return out;
    };
    for (std::size_t k = 0; k < rows.n_bins; ++k) {
        const double* const value = rows.value + rows.start[k];
        const double* at = photons + static_cast<std::size_t>(rows.first[k]) * width;
        const std::int32_t n = rows.count[k];
        FoldLanes a{}, b{}, c{}, d{};  // four chains: additions wait for each other otherwise
        std::int32_t j = 0;
        for (; j + 3 < n; j += 4, at += 4 * width) {
            a += value[j] * load_lanes(at);
            b += value[j + 1] * load_lanes(at + width);
            c += value[j + 2] * load_lanes(at + 2 * width);
            d += value[j + 3] * load_lanes(at + 3 * width);
        }
        for (; j < n; ++j, at += width) a += value[j] * load_lanes(at);
        const FoldLanes sum = (a + b) + (c + d);
        for (std::size_t m = 0; m < lanes; ++m) rate[m * stride + k] = sum[m];
    }
}
