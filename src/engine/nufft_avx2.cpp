// The NUFFT hot loops compiled for x86-64-v3 (AVX2, FMA); chosen at run time.
#include "nufft.hpp"

#include <algorithm>
#include <utility>

namespace xsift::engine {
namespace {
#include "nufft_kernel.hpp"
constexpr unsigned matrix_lanes = 8, matrix_rows = 3;
#include "matrix_kernel.hpp"
constexpr unsigned product_rows = 4, product_vectors = 3;
#include "grid_cells_kernel.hpp"
#include "grid_product_kernel.hpp"
}  // namespace
const NufftKernel nufft_avx2{"avx2",   run_spread, run_transform,    run_gather,     run_powers, run_add,
                             run_scan, run_matrix, run_grid_product, run_grid_cells, run_peak,   peak_flop};
}  // namespace xsift::engine
