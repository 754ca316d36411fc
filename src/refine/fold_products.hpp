#pragma once
// The hot loop of spectral fits: scalar products of the rows of a response with models that lie side by side.

#include <cstddef>
#include <cstdint>

namespace xsift::refine {

inline constexpr std::size_t fold_lanes = 4;  ///< models of one pass

/// A response a bin at a time: bin k has count[k] values from value[start[k]] on, of energies first[k], ...
struct FoldRows {
    const double* value;
    const std::int32_t *first, *count;
    const std::int64_t* start;
    std::size_t n_bins;
};

/// rate[m * stride + k] = sum over energies of the response times photons[energy * width + m], for fold_lanes
/// models m. Products and sums are rounded one by one and in the same order whatever the instruction set, so
/// that results are the same to the last bit.
using FoldProducts = void (*)(const FoldRows&, const double* photons, std::size_t width, double* rate,
                              std::size_t stride);
void fold_products_baseline(const FoldRows&, const double*, std::size_t, double*, std::size_t);
void fold_products_avx2(const FoldRows&, const double*, std::size_t, double*, std::size_t);
/// The fastest that this processor runs.
FoldProducts best_fold_products();

}  // namespace xsift::refine
