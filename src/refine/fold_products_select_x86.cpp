#include "fold_products.hpp"

namespace xsift::refine {
FoldProducts best_fold_products() {
    return __builtin_cpu_supports("avx2") ? fold_products_avx2 : fold_products_baseline;
}
}  // namespace xsift::refine
