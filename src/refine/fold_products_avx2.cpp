#include "fold_products.hpp"

namespace xsift::refine {
namespace {
#include "fold_products_kernel.hpp"
}  // namespace
void fold_products_avx2(const FoldRows& rows, const double* photons, std::size_t width, double* rate,
                        std::size_t stride) {
    fold_products(rows, photons, width, rate, stride);
}
}  // namespace xsift::refine
