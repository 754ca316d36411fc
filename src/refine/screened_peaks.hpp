#pragma once
// Screened peaks settled in double, so that what is reported does not depend on which evaluator or
// instruction set has screened them.

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace xsift::refine {

/// How far a screened statistic may be from its value in double, twice over.
inline double screening_tolerance(double value) {
    return 2e-2 * std::max(1.0, value / 100.0);
}

/// A statistic in double at a trial, and where its maximum lies from there, in trials; NaN: not known.
struct TrialValue {
    double value = 0.0, offset = NAN;
};

struct SettledTrial {
    std::int64_t index = 0;
    double value = 0.0;
};

/// The trial within [low, high) that none of its neighbours exceeds in double, uphill from `index`; of equals
/// the first. `at(index)` gives the TrialValue.
template <typename At>
SettledTrial settle(std::int64_t index, std::int64_t low, std::int64_t high, const At& at) {
    constexpr double clearly_here = 0.3;
    TrialValue here = at(index);
    for (bool moved = true; moved;) {
        moved = false;
        if (std::fabs(here.offset) < clearly_here) break;
        for (const int side : {-1, 1}) {
            const std::int64_t next = index + side;
            if (here.offset * side < 0.0 || next < low || next >= high) continue;
            const TrialValue there = at(next);
            if (!(there.value > here.value || (there.value == here.value && side < 0))) continue;
            index = next;
            here = there;
            moved = true;
            break;
        }
    }
    return {index, here.value};
}

}  // namespace xsift::refine
