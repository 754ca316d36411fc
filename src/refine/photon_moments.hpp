#pragma once
// The hot loop of polishing: sums over photons of w e, w t e, w t^2 e, e = exp(2 pi i k f t), harmonic by
// harmonic.

#include <cstddef>

namespace xsift::refine {

inline constexpr std::size_t moment_lanes =
    8;  ///< photon j goes to lane j modulo this, in every instruction set
inline constexpr std::size_t moment_rows = 6;  ///< re, im of the sums of e; of t e; of t^2 e

/// Photons of one pass; arrays on 64-byte boundaries.
struct MomentPass {
    const double *time, *turn_re, *turn_im;  ///< s; exp(2 pi i f t)
    double *re, *im;                         ///< w e of the first harmonic on entry; overwritten
    std::size_t n;                           ///< a multiple of moment_lanes
};

/// Adds to moments[harmonic][row][lane]. Products and sums are rounded one by one and in the same order
/// whatever the instruction set, so that results are the same to the last bit.
using AddMoments = void (*)(const MomentPass&, int harmonics, double* moments);
void add_moments_baseline(const MomentPass&, int harmonics, double* moments);
void add_moments_avx2(const MomentPass&, int harmonics, double* moments);
void add_moments_avx512(const MomentPass&, int harmonics, double* moments);
/// The fastest that this processor runs.
AddMoments best_add_moments();

}  // namespace xsift::refine
