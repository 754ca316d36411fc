#include "statistic_lanes.hpp"

namespace xsift::refine {
const StatisticLanes& best_statistic_lanes() {
    return statistic_lanes_baseline;
}
}  // namespace xsift::refine
