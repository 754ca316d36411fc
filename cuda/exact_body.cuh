#pragma once
/// @file
/// The wanted peaks of a search by tiles: chosen, and recomputed in double in an order that depends on
/// nothing but the photons.

#include <cstdint>

#include <xsift/engine/multi_term_kernel.hpp>
#include <xsift/engine/product_tile.hpp>

namespace xsift::cuda {

using engine::ProductTask;
using engine::TilePeak;

inline constexpr int exact_threads = 128;

/// A statistic of a task, and how many of its peaks are wanted.
struct StatisticSlot {
    std::int32_t task, statistic, max_peaks;
};
/// A peak recomputed in double.
struct ExactPeak {
    std::int64_t trial = 0;
    double value = 0.0;
    std::int32_t harmonics = 1;
};

/// Peaks of a slot that were kept and are wanted; none when more were found than there is room for, since the
/// task is then searched again.
__device__ inline int wanted_peaks(const StatisticSlot& slot, const ProductTask& task) {
    const std::uint32_t n = task.n_peaks[slot.statistic];
    return n > engine::tile_peaks                 ? 0
           : static_cast<int>(n) < slot.max_peaks ? static_cast<int>(n)
                                                  : slot.max_peaks;
}

/// The trials of the wanted peaks of block number `block`'s slot, strongest first, to trials[slot x most].
/// @param peaks tile_peaks in fast memory
__device__ inline void select_peaks(TilePeak* peaks, int thread, unsigned block, const ProductTask* tasks,
                                    const StatisticSlot* slots, int most, std::int64_t* trials) {
    const StatisticSlot slot = slots[block];
    const ProductTask& task = tasks[slot.task];
    const int wanted = wanted_peaks(slot, task);
    if (wanted == 0) return;
    const int n = static_cast<int>(task.n_peaks[slot.statistic]);
    for (int i = thread; i < n; i += exact_threads)
        peaks[i] = task.peaks[slot.statistic * engine::tile_peaks + i];
    __syncthreads();
    for (int i = thread; i < n; i += exact_threads) {
        const int rank = engine::peak_rank(peaks, n, i);
        if (rank < wanted) trials[static_cast<std::size_t>(block) * most + rank] = peaks[i].trial;
    }
}

/// The sum over the threads of a block, in an order that depends on nothing else; the same for all.
__device__ inline double block_sum(double own, double* shared, int thread) {
    __syncthreads();
    shared[thread] = own;
    for (int half = exact_threads / 2; half > 0; half /= 2) {
        __syncthreads();
        if (thread < half) shared[thread] += shared[thread + half];
    }
    __syncthreads();
    return shared[0];
}

/// A statistic at a trial in double; thread 0 has it.
/// @param shared exact_threads numbers in fast memory
__device__ inline ExactPeak exact_peak(double* shared, int thread, const ProductTask& task, int statistic,
                                       std::int64_t trial) {
    const auto index = static_cast<std::uint64_t>(task.first + trial);
    if (task.weighted_value != nullptr) {
        timing::LombScargleSums<double> sums = engine::exact_curve_share(task, index, thread, exact_threads);
        sums.c = block_sum(sums.c, shared, thread);
        sums.s = block_sum(sums.s, shared, thread);
        sums.yc = block_sum(sums.yc, shared, thread);
        sums.ys = block_sum(sums.ys, shared, thread);
        sums.c2 = block_sum(sums.c2, shared, thread);
        sums.s2 = block_sum(sums.s2, shared, thread);
        sums.yy = 1.0;
        return {trial, timing::lomb_scargle_power(sums), 1};
    }
    timing::HTest<double> h;
    for (int k = 1; k <= task.statistic_harmonics[statistic]; ++k) {
        const timing::Complex share = engine::exact_share(task, index, k, thread, exact_threads);
        const double re = block_sum(share.re, shared, thread), im = block_sum(share.im, shared, thread);
        if (thread == 0) h.add(engine::exact_term(task, trial, k, {re, im}));
    }
    return task.statistic_is_h[statistic] ? ExactPeak{trial, h.h, h.best_m}
                                          : ExactPeak{trial, h.z2, task.statistic_harmonics[statistic]};
}

/// The power of a fit of several harmonics at a trial in double; thread 0 has it.
/// @param shared exact_threads numbers in fast memory
__device__ inline ExactPeak exact_terms(double* shared, int thread, const engine::MultiTermPass& pass,
                                        int statistic, std::int64_t trial) {
    timing::MultiTermSums<double> sums;
    sums.yy = 1.0;
    for (int k = 1; k <= 2 * pass.terms; ++k) {
        const engine::TermShare share = engine::exact_term_share(pass, trial, k, thread, exact_threads);
        sums.c[k] = block_sum(share.c, shared, thread);
        sums.s[k] = block_sum(share.s, shared, thread);
        if (k > pass.terms) continue;
        sums.yc[k] = block_sum(share.yc, shared, thread);
        sums.ys[k] = block_sum(share.ys, shared, thread);
    }
    if (thread != 0) return {};
    const int n = engine::usable_terms_of(pass, trial, pass.statistic_terms[statistic]);
    return {trial, timing::multi_term_power(sums, timing::fit_terms(sums, n, false), n), n};
}

/// The statistic of one wanted peak in double.
/// @param shared exact_threads numbers in fast memory
__device__ inline void recompute_peak(double* shared, int thread, unsigned block, const ProductTask* tasks,
                                      const StatisticSlot* slots, int most, const std::int64_t* trials,
                                      ExactPeak* found) {
    const StatisticSlot slot = slots[block / static_cast<unsigned>(most)];
    const ProductTask& task = tasks[slot.task];
    if (static_cast<int>(block % static_cast<unsigned>(most)) >= wanted_peaks(slot, task)) return;
    const ExactPeak exact = exact_peak(shared, thread, task, slot.statistic, trials[block]);
    if (thread == 0) found[block] = exact;
}

}  // namespace xsift::cuda
