#include "shape_lanes.hpp"

namespace xsift::spectral {
namespace {
constexpr std::size_t n_lanes = 4;
#include "shape_lanes_kernel.hpp"
}  // namespace
const ShapeLanes shape_lanes_baseline{density, powerlaw, transmission};
}  // namespace xsift::spectral
