#pragma once
/// @file
/// Trigonometric sums and statistics by direct summation: the definition that every faster evaluator is
/// tested against.

#include <cstdint>

#include <xsift/timing/phase.hpp>
#include <xsift/timing/window.hpp>

namespace xsift::engine {

/// sum_j w_j exp(2 pi i index theta_j); theta_j is the phase advance of photon j per grid step, so the phase
/// is exact for every index. A null weight means 1.
XSIFT_HD inline timing::Complex direct_sum(const timing::FixedPhase* step, const float* weight,
                                           std::int64_t n, std::uint64_t index) {
    timing::Complex sum;
    for (std::int64_t j = 0; j < n; ++j) {
        const timing::Phasor p = timing::phasor(step[j] * index);
        const double w = weight ? static_cast<double>(weight[j]) : 1.0;
        sum = sum + timing::Complex{w * p.cosine, w * p.sine};
    }
    return sum;
}

}  // namespace xsift::engine
