#include "statistic_lanes.hpp"

namespace xsift::refine {
const StatisticLanes& best_statistic_lanes() {
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
        return statistic_lanes_avx512;
    return __builtin_cpu_supports("avx2") ? statistic_lanes_avx2 : statistic_lanes_baseline;
}
}  // namespace xsift::refine
