#include "fold_products.hpp"

namespace xsift::refine {
namespace {
#include "fold_products_kernel.hpp"
}  // namespace
const FoldProducts fold_products_avx512{fold_products<fold_lanes>, fold_products<fold_wide_lanes>};
}  // namespace xsift::refine
