#include "shape_lanes.hpp"

namespace xsift::spectral {
const ShapeLanes& best_shape_lanes() {
    static const ShapeLanes& best =
        __builtin_cpu_supports("avx2") ? shape_lanes_avx2 : shape_lanes_baseline;
    return best;
}
}  // namespace xsift::spectral
