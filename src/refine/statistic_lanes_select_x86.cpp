#include "statistic_lanes.hpp"

namespace xsift::refine {
const StatisticLanes& best_statistic_lanes() {
    static const StatisticLanes& best =
        __builtin_cpu_supports("avx2") ? statistic_lanes_avx2 : statistic_lanes_baseline;
    return best;
}
}  // namespace xsift::refine
