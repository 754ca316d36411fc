#include "statistic_lanes.hpp"

#include <xsift/core/x86.hpp>

namespace xsift::refine {
const StatisticLanes& best_statistic_lanes() {
    if (has_x86_64_v4()) return statistic_lanes_avx512;
    return has_avx2() ? statistic_lanes_avx2 : statistic_lanes_baseline;
}
}  // namespace xsift::refine
