#pragma once
/// @file
/// What every backend of the grid likelihood does with a task besides the numbers.

#include <cstdint>
#include <vector>

#include <xsift/engine/grid_cell.hpp>
#include <xsift/engine/grid_likelihood.hpp>
#include <xsift/engine/pair_cell.hpp>

namespace xsift::engine {

/// @throws Error (internal, GRID_TASK) when the sizes of a task contradict each other or its exposures are
/// not positive.
void check_task(const GridTask& task);
void check_task(const PairTask& task);
void check_task(const SimulationTask& task);
void check_task(const PosteriorTask& task);
PairShape shape_of(const PairTask& task);

/// The counts of a spectrum as cells read them.
struct CellCounts {
    /// Bins are filled up to a multiple of this with ones that hold nothing.
    static constexpr std::int64_t lanes = 16;

    explicit CellCounts(const GridSpectrum& spectrum);
    /// Of these arrays. n_bins is that of the spectrum.
    CellData data() const;
    static constexpr std::int64_t padded(std::int64_t n_bins) { return (n_bins + lanes - 1) / lanes * lanes; }

    std::vector<float> counts, background;  ///< padded n_bins
    CellData plain;                         ///< without the arrays
};

/// The best cells of a task. @param cells all of them, in the order of their index
GridOutcome best_cells(const GridTask& task, const std::vector<GridCell>& cells);

/// Pairs in the order of the outcome: lowest statistic first, ties by place, first, second.
void sort_pairs(std::vector<PairCell>& pairs);

/// The oracle: every cell of a task in double, with plain loops and a search of the norm that only compares
/// statistics.
std::vector<GridCell> reference_cells(const GridTask& task);

/// The oracle of simulations: a finer and finer search by comparison around the best of many places, the norm
/// by reference_cells' search. Draws as draw_counts makes them.
std::vector<spectral::LatticeMinimum> reference_fits(const SimulationTask& task);

}  // namespace xsift::engine
