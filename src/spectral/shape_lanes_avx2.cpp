#include "shape_lanes.hpp"

namespace xsift::spectral {
namespace {
#include "shape_lanes_kernel.hpp"
}  // namespace
const ShapeLanes shape_lanes_avx2{density, powerlaw, transmission};
}  // namespace xsift::spectral
