#pragma once
/// @file
/// What a block does for a draw of a source that does not pulsate: its photons, in the order of the host's;
/// and what it does for a peak of one: the maximum in double. Compiled for a block of threads of a device,
/// and in tests for one of the host.

#include "exact_body.cuh"

#include <cstdint>

#include <xsift/timing/constant_source.hpp>
#include <xsift/timing/screened_peaks.hpp>

namespace xsift::cuda {

inline constexpr int draw_threads = 128;

/// One draw. Pointers are to memory that the kernel can reach.
struct DrawJob {
    timing::ConstantRate rate;
    std::uint64_t seed, index;
    std::int64_t n_photons;
    double* time;   ///< n_photons
    float* weight;  ///< n_photons, in the order of the list on entry; null: all 1
};

/// Sorts numbers in place, ascending: a network of comparisons (Batcher 1968) as if numbers above all others
/// made their count a power of two.
__device__ inline void sort_ascending(double* value, std::int64_t n, int thread) {
    const auto put_in_order = [&](std::int64_t low, std::int64_t high) {
        if (high < n && value[low] > value[high]) {
            const double there = value[low];
            value[low] = value[high];
            value[high] = there;
        }
    };
    std::int64_t pairs = 1;
    while (2 * pairs < n) pairs *= 2;
    for (std::int64_t half = 1; half <= pairs; half *= 2) {
        __syncthreads();
        for (std::int64_t i = thread; i < pairs; i += draw_threads) {  // runs of `half` meet head to tail
            const std::int64_t begin = i / half * (2 * half), at = i % half;
            put_in_order(begin + at, begin + 2 * half - 1 - at);
        }
        for (std::int64_t stride = half / 2; stride > 0; stride /= 2) {
            __syncthreads();
            for (std::int64_t i = thread; i < pairs; i += draw_threads) {
                const std::int64_t low = i / stride * (2 * stride) + i % stride;
                put_in_order(low, low + stride);
            }
        }
    }
    __syncthreads();
}

/// The photons of a draw. Without weights their order is of no influence, and they stay as they are drawn.
__device__ inline void draw_photons(int thread, const DrawJob& job) {
    for (std::int64_t j = thread; j < job.n_photons; j += draw_threads)
        job.time[j] = timing::drawn_time(job.rate, job.seed, job.index, static_cast<std::uint64_t>(j));
    if (job.weight == nullptr) return;
    sort_ascending(job.time, job.n_photons, thread);
    if (thread == 0)
        timing::shuffle_weights(job.weight, static_cast<std::uint64_t>(job.n_photons), job.seed, job.index);
}

/// A trial of a draw whose maximum is wanted.
struct MaximumRequest {
    const double* time;  ///< of the draw's photons
    double origin;       ///< s, near their middle, so that derivatives are well conditioned
    std::int64_t trial;
    std::int32_t task, statistic;
};
/// The maximum near a trial: of the statistic, and of what is left of it without what a constant source shows
/// through the gaps, at its frequency.
struct MaximumFound {
    double frequency, value, evidence;
    std::int32_t harmonics;
    bool may_be_faster;  ///< a multiple of the frequency may be the fundamental
};
/// Harmonics of a maximum that are looked through for that; of one with more it is taken to be so.
inline constexpr int most_terms_kept = 24;

/// Sums of the warps of a block.
struct MomentRoom {
    double of_warp[exact_threads / 32][6];
};

/// The moments of harmonic k at a frequency, the same for all threads, in an order that depends on nothing
/// else.
__device__ inline timing::HarmonicMoments moments_of(MomentRoom& room, int thread, const ProductTask& task,
                                                     const MaximumRequest& request, double frequency, int k) {
    double sum[6] = {};
    for (std::int32_t j = thread; j < task.n_photons; j += exact_threads) {
        const double t = request.time[j] - request.origin,
                     w = task.weight != nullptr ? static_cast<double>(task.weight[j]) : 1.0;
        const timing::Phasor p =
            timing::phasor(timing::fixed_phase(frequency, t) * static_cast<timing::FixedPhase>(k));
        const double re = w * p.cosine, im = w * p.sine;
        sum[0] += re;
        sum[1] += im;
        sum[2] += re * t;
        sum[3] += im * t;
        sum[4] += re * t * t;
        sum[5] += im * t * t;
    }
    __syncthreads();  // all have read the sums before
    for (int i = 0; i < 6; ++i) {
        for (int distance = 16; distance > 0; distance /= 2)
            sum[i] += __shfl_xor_sync(0xffffffffu, sum[i], distance);
        if (thread % 32 == 0) room.of_warp[thread / 32][i] = sum[i];
    }
    __syncthreads();
    for (int i = 0; i < 6; ++i) {
        sum[i] = 0.0;
        for (int warp = 0; warp < exact_threads / 32; ++warp) sum[i] += room.of_warp[warp][i];
    }
    return {{sum[0], sum[1]}, {sum[2], sum[3]}, {sum[4], sum[5]}};
}

/// What the good time intervals show of a constant source in the sums of a request.
__device__ inline timing::Complex constant_of(const ProductTask& task, const MaximumRequest& request,
                                              double f) {
    const timing::Phasor turned = timing::phasor(timing::fixed_phase(f, request.origin));
    return timing::gti_window(f, task.gti_start, task.gti_stop, task.n_gti) *
           timing::Complex{turned.cosine, -turned.sine} * task.sum_w;
}

/// A statistic at a frequency, and its derivatives unless a constant source is taken out of it.
/// @param harmonics that are usable there
/// @param clean without what the good time intervals show of a constant source
/// @param terms what each harmonic adds to Z2; null: nobody asks
__device__ inline timing::StatisticAt statistic_at(MomentRoom& room, int thread, const ProductTask& task,
                                                   const MaximumRequest& request, double frequency,
                                                   int harmonics, bool clean, double* terms = nullptr) {
    const bool is_h = task.statistic_is_h[request.statistic];
    timing::HTest<double> test;
    timing::StatisticAt at;
    double slope = 0.0, curvature = 0.0;
    for (int k = 1; k <= harmonics; ++k) {
        const timing::Complex constant =
            clean ? constant_of(task, request, k * frequency) : timing::Complex{};
        timing::HarmonicMoments m = moments_of(room, thread, task, request, frequency, k);
        slope += timing::z2_slope(m, k, task.sum_w2);
        curvature += timing::z2_curvature(m, k, task.sum_w2);
        m.zeroth = m.zeroth - constant;
        const double term = timing::z2_term(m.zeroth.re, m.zeroth.im, task.sum_w2);
        if (terms != nullptr) terms[k - 1] = term;
        test.add(term);
        if (!is_h || test.best_m == k) at = {is_h ? test.h : test.z2, slope, curvature, k};
    }
    return at;
}

/// Settles a peak and climbs to the maximum from there, as a polish on the host does.
__device__ inline void find_maximum(MomentRoom& room, int thread, const ProductTask* tasks,
                                    const MaximumRequest& request, MaximumFound& found) {
    const ProductTask& task = tasks[request.task];
    const int wanted = task.statistic_harmonics[request.statistic];
    const auto usable = [&](double f) { return timing::usable_harmonics(f, wanted, task.harmonic_fmax); };
    const auto settled = timing::settle(request.trial, 0, task.count, [&](std::int64_t trial) {
        const double f = static_cast<double>(task.first + trial) * task.df;
        const bool clean = f < task.window_fmax;
        const timing::StatisticAt at = statistic_at(room, thread, task, request, f, usable(f), clean);
        return timing::TrialValue{at.value,
                                  clean ? static_cast<double>(NAN) : timing::offset_of_maximum(at, task.df)};
    });
    const double start = static_cast<double>(task.first + settled.index) * task.df;
    const int harmonics = usable(start);
    const auto highest = timing::climb<timing::StatisticAt>(start, task.df, [&](double f) {
        return statistic_at(room, thread, task, request, f, harmonics, /*clean=*/false);
    });
    const double f = highest.frequency;
    double evidence = highest.at.value;
    if (f < task.window_fmax)
        evidence = statistic_at(room, thread, task, request, f, usable(f), /*clean=*/true).value;
    const int m = highest.at.harmonics;
    bool may_be_faster = m > most_terms_kept;
    if (m >= 2 && m <= most_terms_kept) {
        double terms[most_terms_kept];
        statistic_at(room, thread, task, request, f, m, /*clean=*/false, terms);
        const double fmax = static_cast<double>(task.first + task.count - 1) * task.df;
        for (int d = m; d >= 2; --d)
            if (!(d * f > fmax + task.df))
                may_be_faster =
                    may_be_faster || timing::may_be_multiple(d, m, [&](int k) { return terms[k - 1]; });
    }
    if (thread == 0) found = {f, highest.at.value, evidence, m, may_be_faster};
}

}  // namespace xsift::cuda
