#include "nufft.hpp"

namespace xsift::engine {
const NufftKernel& nufft_best() {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? nufft_avx2 : nufft_baseline;
}
}  // namespace xsift::engine
