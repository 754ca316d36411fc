#pragma once
// The body of add_moments_*, included by each inside its own namespace. Nothing of the standard library
// inside.

using MomentLanes = double __attribute__((vector_size(8 * moment_lanes)));

static void add_moments(const MomentPass& pass, int harmonics, double* moments) {
    const MomentLanes *time = reinterpret_cast<const MomentLanes*>(pass.time),
                      *turn_re = reinterpret_cast<const MomentLanes*>(pass.turn_re),
                      *turn_im = reinterpret_cast<const MomentLanes*>(pass.turn_im);
    MomentLanes *re = reinterpret_cast<MomentLanes*>(pass.re), *im = reinterpret_cast<MomentLanes*>(pass.im),
                *sum = reinterpret_cast<MomentLanes*>(moments);
    for (int k = 0; k < harmonics; ++k, sum += moment_rows) {
        MomentLanes re0 = sum[0], im0 = sum[1], re1 = sum[2], im1 = sum[3], re2 = sum[4], im2 = sum[5];
        for (std::size_t j = 0; j < pass.n / moment_lanes; ++j) {
            const MomentLanes a = re[j], b = im[j], t = time[j], c = turn_re[j], s = turn_im[j];
            const MomentLanes a_t = a * t, b_t = b * t;
            re0 += a;
            im0 += b;
            re1 += a_t;
            im1 += b_t;
            re2 += a_t * t;
            im2 += b_t * t;
            re[j] = a * c - b * s;
            im[j] = a * s + b * c;
        }
        sum[0] = re0;
        sum[1] = im0;
        sum[2] = re1;
        sum[3] = im1;
        sum[4] = re2;
        sum[5] = im2;
    }
}
