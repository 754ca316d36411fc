#include "statistic_lanes.hpp"

#include <xsift/spectral/profile.hpp>

namespace xsift::refine {
namespace {
#include "statistic_lanes_kernel.hpp"
}  // namespace
const StatisticLanes statistic_lanes_baseline{terms, sum, dot, triple};
}  // namespace xsift::refine
