#pragma once
// The bodies of MomentKernels, included for each instruction set inside its own namespace. Nothing of the
// standard library inside.

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

static void add_photon_sums(const MomentPass& pass, int harmonics, double* sums) {
    const MomentLanes *turn_re = reinterpret_cast<const MomentLanes*>(pass.turn_re),
                      *turn_im = reinterpret_cast<const MomentLanes*>(pass.turn_im);
    MomentLanes *re = reinterpret_cast<MomentLanes*>(pass.re), *im = reinterpret_cast<MomentLanes*>(pass.im),
                *sum = reinterpret_cast<MomentLanes*>(sums);
    for (int k = 0; k < harmonics; ++k, sum += sum_rows) {
        MomentLanes re0 = sum[0], im0 = sum[1];
        for (std::size_t j = 0; j < pass.n / moment_lanes; ++j) {
            const MomentLanes a = re[j], b = im[j], c = turn_re[j], s = turn_im[j];
            re0 += a;
            im0 += b;
            re[j] = a * c - b * s;
            im[j] = a * s + b * c;
        }
        sum[0] = re0;
        sum[1] = im0;
    }
}

static void fill_phasors(double frequency, const double* times, double* cosines, double* sines,
                         std::size_t n) {
    constexpr double splitter = 0x1p27 + 1.0;  // halves of a double, whose products are exact (Dekker 1971)
    constexpr double to_integer = 0x1.8p52;    // added and subtracted again, it rounds to the nearest integer
    const double scaled = splitter * frequency, f_hi = scaled - (scaled - frequency), f_lo = frequency - f_hi;
    for (std::size_t j = 0; j < n; j += moment_lanes) {
        const MomentLanes t = *reinterpret_cast<const MomentLanes*>(times + j);
        const MomentLanes split = splitter * t, t_hi = split - (split - t), t_lo = t - t_hi;
        const MomentLanes product = frequency * t;
        const MomentLanes rest = ((f_hi * t_hi - product) + f_hi * t_lo + f_lo * t_hi) + f_lo * t_lo;
        const MomentLanes cycle =
            product - ((product + to_integer) - to_integer);                  // exact, as is what follows
        const MomentLanes quarter = (4.0 * cycle + to_integer) - to_integer;  // -2 to 2
        const MomentLanes a = constants::two_pi * ((cycle - 0.25 * quarter) + rest), q = a * a;
        // The series of timing::octant_phasor.
        const MomentLanes s =
            a * (1.0 +
                 q * (-1.0 / 6 +
                      q * (1.0 / 120 + q * (-1.0 / 5040 +
                                            q * (1.0 / 362880 + q * (-1.0 / 39916800 +
                                                                     q * (1.0 / 6227020800.0 +
                                                                          q * (-1.0 / 1307674368000.0))))))));
        const MomentLanes c =
            1.0 + q * (-0.5 + q * (1.0 / 24 +
                                   q * (-1.0 / 720 +
                                        q * (1.0 / 40320 + q * (-1.0 / 3628800 +
                                                                q * (1.0 / 479001600.0 +
                                                                     q * (-1.0 / 87178291200.0 +
                                                                          q * (1.0 / 20922789888000.0))))))));
        const MomentLanes square = quarter * quarter, sign = 1.0 - 0.5 * square;
        *reinterpret_cast<MomentLanes*>(cosines + j) = square == 1.0 ? -quarter * s : sign * c;
        *reinterpret_cast<MomentLanes*>(sines + j) = square == 1.0 ? quarter * c : sign * s;
    }
}
