#include "fold_products.hpp"

namespace xsift::refine {
const FoldProducts& best_fold_products() {
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
        return fold_products_avx512;
    return __builtin_cpu_supports("avx2") ? fold_products_avx2 : fold_products_baseline;
}
}  // namespace xsift::refine
