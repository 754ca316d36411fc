#include "shape_lanes.hpp"

namespace xsift::spectral {
const ShapeLanes& best_shape_lanes() {
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
        return shape_lanes_avx512;
    return __builtin_cpu_supports("avx2") ? shape_lanes_avx2 : shape_lanes_baseline;
}
}  // namespace xsift::spectral
