#pragma once
/// @file
/// What the blocks of the grid likelihood do: templates folded and fitted, the best cells of a grid, the best
/// pairs. Compiled for a block of threads of a device, and in tests for one of the host.

#include "items.cuh"
#include "split_product.cuh"

#include <cstdint>

#include <xsift/engine/grid_cell.hpp>
#include <xsift/engine/pair_cell.hpp>

namespace xsift::cuda {

using engine::CellData;
using engine::GridCell;
using engine::PairCell;
using engine::PairEntry;
using engine::PairShape;
using engine::PairSums;

inline constexpr int grid_threads = 128;  ///< of a block, and templates of an item

/// The templates of a task that are folded and fitted, in device memory.
struct GridJob {
    CellData data;
    const float* templates;  ///< n_templates x n_energies
    const float* fold;       ///< n_energies x n_bins
    std::int64_t n_templates, n_energies;
    GridCell* cells;  ///< n_templates
    float* rates;     ///< bin k of template t at [k * rate_stride + t]; null: nobody asks for them later
    std::int64_t rate_stride;  ///< at least n_templates, a multiple of grid_threads
};

/// grid_threads templates of a job, from `first` on.
struct GridItem {
    std::int32_t job, first;
};

/// Which cells of a job are wanted.
struct ChoiceJob {
    std::int64_t columns;
    double within;
    int max_cells;
    GridCell* best;  ///< max_cells
    int* n_best;
};

/// The pairs of a job.
struct PairJob {
    PairShape shape;
    float *weight, *target;  ///< n_bins
    PairSums* sums;          ///< n_templates
    PairEntry* entries;      ///< a pair
    double norms_most[2];
    int max_pairs;
    PairCell* best;  ///< max_pairs
    int* n_best;
};

/// Folds the templates of an item. @param rates bin k of template first + i at [k * stride + i]
template <typename Ops>
__device__ inline void fold_item(int thread, const GridJob& job, std::int64_t first, float* rates,
                                 std::int64_t stride) {
    constexpr int tiles = 8;
    const int warp = thread / 32, lane = thread % 32;
    const std::int64_t n_bins = job.data.n_bins;
    for (int part = warp; part < grid_threads / split_rows; part += grid_threads / 32) {
        const std::int64_t from = first + part * split_rows;
        if (from >= job.n_templates) break;
        for (std::int64_t bin = 0; bin < n_bins; bin += tiles * split_columns) {
            const std::int64_t left_over = (n_bins - bin + split_columns - 1) / split_columns;
            float sums[tiles][4] = {};
            split_product<Ops>(
                lane, job.n_energies, static_cast<int>(left_over < tiles ? left_over : tiles),
                [&](int row, std::int64_t e) {
                    const std::int64_t t = from + row;
                    return t < job.n_templates && e < job.n_energies ? job.templates[t * job.n_energies + e]
                                                                     : 0.0F;
                },
                [&](std::int64_t e, int column) {
                    const std::int64_t k = bin + column;
                    return e < job.n_energies && k < n_bins ? job.fold[e * n_bins + k] : 0.0F;
                },
                sums);
#pragma unroll
            for (int tile = 0; tile < tiles; ++tile)
#pragma unroll
                for (int i = 0; i < 4; ++i) {
                    const int row = lane / 4 + 8 * (i / 2);
                    const std::int64_t k = bin + split_columns * tile + 2 * (lane % 4) + i % 2;
                    if (k < n_bins && from + row < job.n_templates)
                        rates[k * stride + part * split_rows + row] = sums[tile][i];
                }
        }
    }
}

/// Blocks take items until none is left: templates are folded by all, then each thread fits one.
/// @param ticket shared by the block; next of all blocks
/// @param own room of the block for rates that nobody asks for later, grid_threads x bins of the largest job
template <typename Ops>
__device__ inline void fold_and_fit(unsigned& ticket, int thread, const GridJob* jobs, const GridItem* items,
                                    unsigned n_items, unsigned* next, float* own) {
    take_items(ticket, thread, items, n_items, next, [&](const GridItem& item) {
        const GridJob& job = jobs[item.job];
        float* const rates = job.rates != nullptr ? job.rates + item.first : own;
        const std::int64_t stride = job.rates != nullptr ? job.rate_stride : grid_threads;
        fold_item<Ops>(thread, job, item.first, rates, stride);
        __syncthreads();
        const std::int64_t t = std::int64_t{item.first} + thread;
        if (t < job.n_templates) {
            const CellData data = job.data;
            job.cells[t] = engine::fit_cell(t, data, engine::SerialBins<Ops>{&data, rates + thread, stride});
        }
        __syncthreads();
    });
}

/// Of what the threads of a block have each, what comes first. @param before (a, b): whether a comes before b
template <typename T, typename Before>
__device__ inline T first_of_block(T (&shared)[grid_threads], int thread, const T& own,
                                   const Before& before) {
    shared[thread] = own;
    __syncthreads();
    for (int half = grid_threads / 2; half > 0; half /= 2) {
        if (thread < half && before(shared[thread + half], shared[thread]))
            shared[thread] = shared[thread + half];
        __syncthreads();
    }
    const T first = shared[0];
    __syncthreads();
    return first;
}

/// The order of cells, of which index -1 is none.
__device__ inline bool cell_before(const GridCell& a, const GridCell& b) {
    return a.index >= 0 && (b.index < 0 || engine::better_cell(a, b));
}

/// The best cells of a job, by the threads of a block: round by round the best of those behind the last.
__device__ inline void choose_cells(GridCell (&shared)[grid_threads], int thread, const GridJob& job,
                                    const ChoiceJob& choice) {
    GridCell last{-1, 0.0, 0.0};
    double lowest = 0.0;
    int n = 0;
    for (; n < choice.max_cells; ++n) {
        GridCell own{-1, 0.0, 0.0};
        for (std::int64_t i = thread; i < job.n_templates; i += grid_threads) {
            const GridCell cell = job.cells[i];
            if (last.index >= 0 && !engine::better_cell(last, cell)) continue;
            if (cell_before(cell, own) && engine::is_minimum(job.cells, job.n_templates, choice.columns, i))
                own = cell;
        }
        last = first_of_block(shared, thread, own, cell_before);
        if (n == 0) lowest = last.stat;
        if (last.index < 0 || last.stat > lowest + choice.within) break;
        if (thread == 0) choice.best[n] = last;
    }
    if (thread == 0) *choice.n_best = n;
}

/// What the threads of a block share while they look at pairs.
struct SharedPairs {
    GridCell cell[grid_threads];
    std::int64_t pair[grid_threads];
    std::int64_t kept[PairShape::most_kept];
};

/// The entries of all pairs: a tile of first times second templates of a place a warp.
template <typename Ops>
__device__ inline void fill_entries(int thread, const GridJob& job, const PairJob& pairs) {
    const int warp = thread / 32, lane = thread % 32;
    const PairShape& shape = pairs.shape;
    const std::int64_t n_bins = job.data.n_bins, stride = job.rate_stride,
                       rows = (shape.n_first + split_rows - 1) / split_rows,
                       columns = (shape.n_second + split_columns - 1) / split_columns;
    for (std::int64_t unit = warp; unit < shape.n_places * rows * columns; unit += grid_threads / 32) {
        const std::int64_t place = unit / (rows * columns), row = unit / columns % rows * split_rows,
                           column = unit % columns * split_columns;
        const float* const first = job.rates + shape.first_template({place, row, 0});
        const float* const second = job.rates + shape.second_template({place, 0, column});
        float sums[1][4] = {};
        split_product<Ops>(
            lane, n_bins, 1,
            [&](int i, std::int64_t k) {
                return row + i < shape.n_first && k < n_bins ? pairs.weight[k] * first[k * stride + i] : 0.0F;
            },
            [&](std::int64_t k, int j) {
                return column + j < shape.n_second && k < n_bins ? second[k * stride + j] : 0.0F;
            },
            sums);
#pragma unroll
        for (int i = 0; i < 4; ++i) {
            const spectral::PairIndex pair{place, row + lane / 4 + 8 * (i / 2),
                                           column + 2 * (lane % 4) + i % 2};
            if (pair.first >= shape.n_first || pair.second >= shape.n_second) continue;
            pairs.entries[shape.number(pair)] =
                shape.counts(pair) ? engine::pair_entry(pairs.sums[shape.first_template(pair)],
                                                        pairs.sums[shape.second_template(pair)],
                                                        static_cast<double>(sums[0][i]), pairs.norms_most)
                                   : PairEntry{};
        }
    }
}

/// The best pairs of a job, by the threads of a block, after all its templates have been folded and fitted.
template <typename Ops>
__device__ inline void choose_pairs(SharedPairs& shared, int thread, const GridJob& job,
                                    const PairJob& pairs) {
    const PairShape& shape = pairs.shape;
    GridCell best{-1, 0.0, 0.0};
    for (std::int64_t i = thread; i < job.n_templates; i += grid_threads)
        if (cell_before(job.cells[i], best)) best = job.cells[i];
    best = first_of_block(shared.cell, thread, best, cell_before);
    for (std::int64_t k = thread; k < job.data.n_bins; k += grid_threads) {
        const engine::PairBin bin = engine::pair_bin(
            job.data, k, best.norm * static_cast<double>(job.rates[k * job.rate_stride + best.index]));
        pairs.weight[k] = static_cast<float>(bin.weight);
        pairs.target[k] = static_cast<float>(bin.target);
    }
    __syncthreads();
    for (std::int64_t t = thread; t < job.n_templates; t += grid_threads)
        pairs.sums[t] =
            engine::pair_sums(job.rates + t, job.rate_stride, job.data.n_bins, pairs.weight, pairs.target);
    __syncthreads();
    fill_entries<Ops>(thread, job, pairs);
    __syncthreads();
    const auto before = [&](std::int64_t a, std::int64_t b) {
        return a >= 0 && (b < 0 || spectral::better_pair(pairs.entries, a, b));
    };
    int n = 0;
    for (bool minima = true; n < pairs.max_pairs;) {  // as spectral::best_pairs
        const std::int64_t own =
            spectral::best_distinct_pair(shape, pairs.entries, shared.kept, n, minima, thread, grid_threads);
        const std::int64_t next = first_of_block(shared.pair, thread, own, before);
        if (next < 0 && !minima) break;
        if (next < 0) {
            minima = false;
            continue;
        }
        if (thread == 0) shared.kept[n] = next;
        ++n;
        __syncthreads();
    }
    if (thread < n) {
        const std::int64_t number = shared.kept[thread];
        const spectral::PairIndex index = shape.index(number);
        const float(&norm)[2] = pairs.entries[number].norm;
        pairs.best[thread] = {
            index,
            {static_cast<double>(norm[0]), static_cast<double>(norm[1])},
            engine::pair_statistic<Ops>(job.data, job.rates + shape.first_template(index),
                                        job.rates + shape.second_template(index), job.rate_stride, norm)};
    }
    if (thread == 0) *pairs.n_best = n;
}

}  // namespace xsift::cuda
