// The NUFFT hot loops compiled for x86-64-v4 (AVX-512, of which the 32 registers count); chosen at run time.
#include "nufft.hpp"

#include <algorithm>
#include <utility>

namespace xsift::engine {
namespace {
#include "nufft_kernel.hpp"
constexpr unsigned matrix_lanes = 16, matrix_rows = 6;
#include "matrix_kernel.hpp"
constexpr unsigned product_rows = 8, product_vectors = 3;
#include "grid_cells_kernel.hpp"
#include "grid_product_kernel.hpp"
}  // namespace
const NufftKernel nufft_avx512{"avx512", run_spread, run_transform,    run_gather,     run_powers, run_add,
                               run_scan, run_matrix, run_grid_product, run_grid_cells, run_peak,   peak_flop};
}  // namespace xsift::engine
