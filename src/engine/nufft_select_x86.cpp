#include "nufft.hpp"

#include <xsift/core/x86.hpp>

namespace xsift::engine {
std::vector<const NufftKernel*> nufft_kernels() {
    std::vector<const NufftKernel*> kernels{&nufft_baseline};
    if (has_avx2() && __builtin_cpu_supports("fma")) kernels.push_back(&nufft_avx2);
    if (has_x86_64_v4()) kernels.push_back(&nufft_avx512);
    return kernels;
}
}  // namespace xsift::engine
