#include "fold_products.hpp"

#include <xsift/core/x86.hpp>

namespace xsift::refine {
const FoldProducts& best_fold_products() {
    if (has_x86_64_v4()) return fold_products_avx512;
    return has_avx2() ? fold_products_avx2 : fold_products_baseline;
}
}  // namespace xsift::refine
