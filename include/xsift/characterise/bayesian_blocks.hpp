#pragma once
/// @file
/// Bayesian blocks (Scargle et al. 2013, ApJ 764, 167): the piecewise constant rate of largest posterior
/// probability, for events and for rates with Gaussian errors.

#include <cstddef>
#include <vector>

namespace xsift::characterise {

/// Cells in order. Events: count and length of each. Rates: sums of x/sigma^2 and 1/sigma^2. The fitness of a
/// block with the sums a and b of its cells is a ln(a/b) for events and a^2/(2b) for rates.
struct BlockCells {
    enum class Kind { events, rates };
    Kind kind = Kind::events;
    std::vector<double> a, b;

    std::size_t size() const { return a.size(); }
};

/// Cost of a block: 4 - ln(73.53 p0 n^-0.478), eq. 21 of the paper (as corrected in its code); p0 is the
/// chance that a constant source shows a change.
double block_penalty(std::size_t n_cells, double p0);

/// Index of the first cell of each block (the first is 0). Exact. Functional pruning (Maidstone et al. 2017):
/// for each rate only the best last change is kept, so that the time grows as n times the few that survive.
std::vector<std::size_t> bayesian_blocks(const BlockCells& cells, double penalty);

/// The same by trying every pair of cells, O(n^2): the oracle.
std::vector<std::size_t> bayesian_blocks_direct(const BlockCells& cells, double penalty);

}  // namespace xsift::characterise
