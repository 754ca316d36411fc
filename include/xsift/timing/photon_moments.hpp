#pragma once
/// @file
/// The hot loops of polishing: sums over photons of w e, w t e, w t^2 e, e = exp(2 pi i k f t), harmonic by
/// harmonic.

#include <cstddef>

#include <xsift/core/constants.hpp>

namespace xsift::timing {

inline constexpr std::size_t moment_lanes =
    8;  ///< photon j goes to lane j modulo this, in every instruction set
inline constexpr std::size_t moment_rows = 6;  ///< re, im of the sums of e; of t e; of t^2 e
inline constexpr std::size_t sum_rows = 2;     ///< re, im of the sums of e

/// Photons of one pass; arrays on 64-byte boundaries.
struct MomentPass {
    const double *time, *turn_re, *turn_im;  ///< s; exp(2 pi i f t)
    double *re, *im;                         ///< w e of the first harmonic on entry; overwritten
    std::size_t n;                           ///< a multiple of moment_lanes
};

/// The loops round products and sums one by one and in the same order whatever the instruction set, so that
/// results are the same to the last bit.
struct MomentKernels {
    /// Adds to moments[harmonic][row][lane].
    void (*add)(const MomentPass&, int harmonics, double* moments);
    /// The sums of e alone, the same numbers, to sums[harmonic][row][lane].
    void (*add_sums)(const MomentPass&, int harmonics, double* sums);
    /// cos and sin of 2 pi frequency time, as timing::phasor of timing::fixed_phase to 1e-15, for less than
    /// 1e15 cycles. Arrays on 64-byte boundaries, n a multiple of moment_lanes.
    void (*phasors)(double frequency, const double* time, double* cosine, double* sine, std::size_t n);
};
extern const MomentKernels moments_baseline, moments_avx2, moments_avx512;
/// The fastest that this processor runs.
const MomentKernels& best_moments();

}  // namespace xsift::timing
