// Simulated fits on the CPU, their checks and their oracle.
#include "simulations.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include <xsift/core/error.hpp>
#include <xsift/engine/grid_task.hpp>
#include <xsift/engine/simulation_arrays.hpp>

namespace xsift::engine {

void check_task(const SimulationTask& t) {
    const std::int64_t nodes = std::int64_t{t.rows} * t.columns;
    const bool sizes = t.rows > 0 && t.columns > 0 && t.n_bins > 0 && t.n_draws >= 0 &&
                       std::ssize(t.log_counts) == nodes * t.n_bins && std::ssize(t.expected) == t.n_bins &&
                       (t.expected_background.empty() || std::ssize(t.expected_background) == t.n_bins);
    const bool well = sizes && (t.expected_background.empty() ? t.ratio == 0.0 : t.ratio > 0.0) &&
                      t.norm_min > 0.0 && t.norm_max > t.norm_min;
    if (!well)
        throw Error(ErrorKind::internal, "GRID_TASK", "a simulation task cannot be evaluated",
                    fmt::format("{} x {} nodes, {} bins, {} draws, ratio {} contradict its arrays", t.rows,
                                t.columns, t.n_bins, t.n_draws, t.ratio));
}

SimulationArrays::SimulationArrays(const SimulationTask& task) {
    const std::int64_t stride = CellCounts::padded(task.n_bins),
                       nodes = std::int64_t{task.rows} * task.columns;
    node_counts.assign(static_cast<std::size_t>(nodes * stride), 0.0F);
    for (std::int64_t i = 0; i < nodes; ++i)
        for (std::int64_t k = 0; k < task.n_bins; ++k)
            node_counts[i * stride + k] = static_cast<float>(std::exp(task.log_counts[i * task.n_bins + k]));
    data = {{task.log_counts.data(), task.rows, task.columns, task.n_bins, task.tabulated},
            node_counts.data(),
            stride,
            task.expected.data(),
            task.expected_background.empty() ? nullptr : task.expected_background.data(),
            task.ratio,
            task.norm_min,
            task.norm_max,
            task.seed};
}

std::vector<SimulationOutcome> simulate_on(const ThreadPool& pool, std::span<const SimulationTask> tasks,
                                           const NufftKernel& kernel) {
    constexpr std::int64_t at_once = 16;  // draws a piece of work
    struct Piece {
        std::size_t task;
        std::int64_t first;
    };
    std::vector<Piece> pieces;
    std::vector<SimulationArrays> arrays;
    std::vector<SimulationOutcome> outcomes(tasks.size());
    for (std::size_t i = 0; i < tasks.size(); ++i) {
        check_task(tasks[i]);
        arrays.emplace_back(tasks[i]);
        outcomes[i].fits.resize(static_cast<std::size_t>(tasks[i].n_draws));
        for (std::int64_t first = 0; first < tasks[i].n_draws; first += at_once) pieces.push_back({i, first});
    }
    pool.for_each(pieces.size(), [&](std::size_t p) {
        const auto [task, first] = pieces[p];
        const SimulationData& of = arrays[task].data;
        const std::int64_t nodes = std::int64_t{of.lattice.rows} * of.lattice.columns;
        std::vector<float> counts(static_cast<std::size_t>(of.node_stride), 0.0F), background = counts;
        std::vector<GridCell> cells(static_cast<std::size_t>(nodes));
        for (std::int64_t draw = first; draw < std::min(first + at_once, tasks[task].n_draws); ++draw) {
            const CellData drawn = draw_counts(of, draw, counts.data(), background.data(), 1);
            kernel.grid_cells({drawn, of.node_counts, of.node_stride, 0, nodes, cells.data()});
            outcomes[task].fits[draw] =
                fit_from_node(of, drawn, 1, *std::min_element(cells.begin(), cells.end(), better_cell));
        }
    });
    return outcomes;
}

namespace {

/// ln of a bin's counts: the polynomial through up to four nodes around a position along each axis, as a sum
/// of products; between tabulated columns the mean of the counts.
double interpolated(const SimulationTask& t, double row, double column, std::int64_t k) {
    struct Stencil {
        int first, n;
    };
    const auto stencil = [](double at, int n) {
        const int points = std::min(n, 4);
        return Stencil{std::clamp(static_cast<int>(at) - 1, 0, n - points), points};
    };
    const auto weight = [](const Stencil& s, int i, double at) {
        double product = 1.0;
        for (int j = 0; j < s.n; ++j)
            if (j != i) product *= (at - s.first - j) / (i - j);
        return product;
    };
    const Stencil r = stencil(row, t.rows), c = stencil(column, t.columns);
    const auto along_row = [&](int of_column) {
        double sum = 0.0;
        for (int i = 0; i < r.n; ++i)
            sum += weight(r, i, row) *
                   t.log_counts[((r.first + i) * std::int64_t{t.columns} + of_column) * t.n_bins + k];
        return sum;
    };
    if (t.tabulated) {
        const int below = std::min(static_cast<int>(column), t.columns - 1),
                  above = std::min(below + 1, t.columns - 1);
        const double share = column - below;
        return std::log((1.0 - share) * std::exp(along_row(below)) + share * std::exp(along_row(above)));
    }
    double sum = 0.0;
    for (int j = 0; j < c.n; ++j) sum += weight(c, j, column) * along_row(c.first + j);
    return sum;
}

}  // namespace

std::vector<spectral::LatticeMinimum> reference_fits(const SimulationTask& t) {
    constexpr int first_steps = 3;  // places a node, along each axis
    constexpr double last = 1e-5;   // nodes
    const SimulationArrays arrays(t);
    std::vector<float> counts(static_cast<std::size_t>(t.n_bins)), background = counts;
    std::vector<double> rate(static_cast<std::size_t>(t.n_bins));
    std::vector<spectral::LatticeMinimum> out;
    for (std::int64_t draw = 0; draw < t.n_draws; ++draw) {
        draw_counts(arrays.data, draw, counts.data(), background.data(), 1);
        spectral::LatticeMinimum best{{}, std::numeric_limits<double>::infinity(), true};
        const auto look = [&](double row, double column) {
            row = std::clamp(row, 0.0, t.rows - 1.0);
            column = std::clamp(column, 0.0, t.columns - 1.0);
            for (std::int64_t k = 0; k < t.n_bins; ++k) rate[k] = std::exp(interpolated(t, row, column, k));
            const auto statistic = [&](double log_norm) {
                double sum = 0.0;
                for (std::int64_t k = 0; k < t.n_bins; ++k)
                    sum += spectral::bin_statistic(static_cast<double>(counts[k]),
                                                   static_cast<double>(background[k]), 1.0, t.ratio,
                                                   std::exp(log_norm) * rate[k]);
                return sum;
            };
            double lo = std::log(t.norm_min), hi = std::log(t.norm_max);
            while (hi - lo > 1e-9) {
                const double a = lo + (hi - lo) / 3.0, b = hi - (hi - lo) / 3.0;
                (statistic(a) <= statistic(b) ? hi : lo) = statistic(a) <= statistic(b) ? b : a;
            }
            const bool better = statistic(lo) < best.stat;
            if (better) best = {{row, column, lo}, statistic(lo), true};
            return better;
        };
        for (int i = 0; i <= first_steps * (t.rows - 1); ++i)
            for (int j = 0; j <= first_steps * (t.columns - 1); ++j)
                look(static_cast<double>(i) / first_steps, static_cast<double>(j) / first_steps);
        for (double step = 0.5 / first_steps; step > last;) {
            const spectral::LatticePlace at = best.at;
            bool moved = false;
            for (const double i : {-1.0, 0.0, 1.0})
                for (const double j : {-1.0, 0.0, 1.0})
                    if (i != 0.0 || j != 0.0) moved = look(at.row + i * step, at.column + j * step) || moved;
            if (!moved) step *= 0.5;
        }
        out.push_back(best);
    }
    return out;
}

}  // namespace xsift::engine
