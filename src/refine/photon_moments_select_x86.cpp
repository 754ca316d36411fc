#include "photon_moments.hpp"

namespace xsift::refine {
const MomentKernels& best_moments() {
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
        return moments_avx512;
    return __builtin_cpu_supports("avx2") ? moments_avx2 : moments_baseline;
}
}  // namespace xsift::refine
