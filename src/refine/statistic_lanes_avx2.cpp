#include "statistic_lanes.hpp"

#include <xsift/spectral/profile.hpp>

namespace xsift::refine {
namespace {
constexpr std::size_t n_lanes = 4;
#include "statistic_lanes_kernel.hpp"
}  // namespace
const StatisticLanes statistic_lanes_avx2{terms, sum, dot, triple, exponentials, add_skewed};
}  // namespace xsift::refine
