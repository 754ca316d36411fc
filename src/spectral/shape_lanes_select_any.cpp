#include "shape_lanes.hpp"

namespace xsift::spectral {
const ShapeLanes& best_shape_lanes() {
    return shape_lanes_baseline;
}
}  // namespace xsift::spectral
