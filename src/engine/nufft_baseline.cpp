// The NUFFT hot loops for the instruction set that the whole build is allowed to use.
#include "nufft.hpp"

#include <algorithm>
#include <utility>

namespace xsift::engine {
namespace {
#include "nufft_kernel.hpp"
constexpr unsigned matrix_lanes = 8, matrix_rows = 1;
#include "matrix_kernel.hpp"
constexpr unsigned product_rows = 4, product_vectors = 1;
#include "grid_cells_kernel.hpp"
#include "grid_product_kernel.hpp"
}  // namespace
const NufftKernel nufft_baseline{"baseline",       run_spread,     run_transform, run_gather,
                                 run_powers,       run_add,        run_scan,      run_matrix,
                                 run_grid_product, run_grid_cells, run_peak,      peak_flop};
}  // namespace xsift::engine
