#include "shape_lanes.hpp"

#include <xsift/core/x86.hpp>

namespace xsift::spectral {
const ShapeLanes& best_shape_lanes() {
    if (has_x86_64_v4()) return shape_lanes_avx512;
    return has_avx2() ? shape_lanes_avx2 : shape_lanes_baseline;
}
}  // namespace xsift::spectral
