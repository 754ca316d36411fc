#include "shape_lanes.hpp"

namespace xsift::spectral {
namespace {
constexpr std::size_t n_lanes = 8;
#include "shape_lanes_kernel.hpp"
}  // namespace
const ShapeLanes shape_lanes_avx512{density, powerlaw, transmission};
}  // namespace xsift::spectral
