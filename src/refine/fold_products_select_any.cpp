#include "fold_products.hpp"

namespace xsift::refine {
const FoldProducts& best_fold_products() {
    return fold_products_baseline;
}
}  // namespace xsift::refine
