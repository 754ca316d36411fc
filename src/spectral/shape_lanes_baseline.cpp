#include "shape_lanes.hpp"

namespace xsift::spectral {
namespace {
#include "shape_lanes_kernel.hpp"
}  // namespace
const ShapeLanes shape_lanes_baseline{density, powerlaw, transmission};
}  // namespace xsift::spectral
