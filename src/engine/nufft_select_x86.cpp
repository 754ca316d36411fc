#include "nufft.hpp"

namespace xsift::engine {
std::vector<const NufftKernel*> nufft_kernels() {
    std::vector<const NufftKernel*> kernels{&nufft_baseline};
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) kernels.push_back(&nufft_avx2);
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
        kernels.push_back(&nufft_avx512);
    return kernels;
}
}  // namespace xsift::engine
