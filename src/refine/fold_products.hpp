#pragma once
// The hot loop of spectral fits: scalar products of the rows of a response with models that lie side by side.

#include <cstddef>
#include <cstdint>

namespace xsift::refine {

inline constexpr std::size_t fold_lanes = 4;       ///< models lie side by side in multiples of this
inline constexpr std::size_t fold_wide_lanes = 8;  ///< models of one wide pass

/// A response a bin at a time: bin k has count[k] values from value[start[k]] on, of energies first[k], ...
struct FoldRows {
    const double* value;
    const std::int32_t *first, *count;
    const std::int64_t* start;
    std::size_t n_bins;
};

/// rate[m * stride + k] = sum over energies of the response times photons[energy * width + m], for some
/// models m. Products and sums are rounded one by one and in the same order whatever the instruction set and
/// the number of models, so that results are the same to the last bit.
using FoldPass = void (*)(const FoldRows&, const double* photons, std::size_t width, double* rate,
                          std::size_t stride);
struct FoldProducts {
    FoldPass narrow;  ///< fold_lanes models
    FoldPass wide;    ///< fold_wide_lanes models
};
extern const FoldProducts fold_products_baseline, fold_products_avx2, fold_products_avx512;
/// The fastest that this processor runs.
const FoldProducts& best_fold_products();

}  // namespace xsift::refine
