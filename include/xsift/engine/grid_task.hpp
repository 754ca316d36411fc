#pragma once
/// @file
/// What every backend of the grid likelihood does with a task besides the numbers.

#include <xsift/engine/grid_cell.hpp>
#include <xsift/engine/grid_likelihood.hpp>

namespace xsift::engine {

/// @throws Error (internal, GRID_TASK) when the sizes of a task contradict each other or its exposures are
/// not positive.
void check_task(const GridTask& task);

/// The counts of a task on the host.
CellData cell_data(const GridTask& task);

/// The oracle: every cell of a task in double, with plain loops and a search of the norm that only compares
/// statistics.
std::vector<GridCell> reference_cells(const GridTask& task);

}  // namespace xsift::engine
