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
    std::int64_t bins = 0;
    bool spectra = !t.spectra.empty() && t.spectra.size() <= spectral::most_lattice_spectra, wstat = false;
    for (const spectral::LatticeSpectrum& s : t.spectra) {
        spectra = spectra && s.n_bins > 0 && s.ratio >= 0.0 && s.scale_min > 0.0 && s.scale_max > s.scale_min;
        wstat = wstat || s.ratio > 0.0;
        bins += s.n_bins;
    }
    const bool sizes = t.rows > 0 && t.columns > 0 && t.n_draws >= 0 && t.n_bins() == bins &&
                       std::ssize(t.log_counts) == nodes * bins &&
                       std::ssize(t.expected_background) == (wstat ? bins : 0);
    if (!spectra || !sizes)
        throw Error(ErrorKind::internal, "GRID_TASK", "a simulation task cannot be evaluated",
                    fmt::format("{} x {} nodes, {} spectra of {} bins, {} draws contradict its arrays",
                                t.rows, t.columns, t.spectra.size(), bins, t.n_draws));
}

SimulationArrays::SimulationArrays(const SimulationTask& task) {
    data.lattice = {task.log_counts.data(), task.rows, task.columns, task.n_bins(), task.tabulated};
    data.expected = task.expected.data();
    data.expected_background = task.expected_background.data();
    data.seed = task.seed;
    const std::int64_t nodes = data.n_nodes();
    for (const spectral::LatticeSpectrum& spectrum : task.spectra) {
        const int d = data.n_spectra++;
        data.spectrum[d] = spectrum;
        data.place[d] = data.n_places;
        data.node_stride[d] = CellCounts::padded(spectrum.n_bins);
        data.n_places += data.node_stride[d];
    }
    node_counts.assign(static_cast<std::size_t>(nodes * data.n_places), 0.0F);
    std::int64_t first_bin = 0;
    for (int d = 0; d < data.n_spectra; ++d) {
        float* const own = node_counts.data() + nodes * data.place[d];
        data.node_counts[d] = own;
        for (std::int64_t i = 0; i < nodes; ++i)
            for (std::int64_t k = 0; k < data.spectrum[d].n_bins; ++k)
                own[i * data.node_stride[d] + k] =
                    static_cast<float>(std::exp(task.log_counts[i * task.n_bins() + first_bin + k]));
        first_bin += data.spectrum[d].n_bins;
    }
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
        const auto nodes = static_cast<std::size_t>(of.n_nodes());
        std::vector<float> counts(static_cast<std::size_t>(of.n_places), 0.0F), background = counts;
        CellData drawn[spectral::most_lattice_spectra];
        std::vector<GridCell> cells[spectral::most_lattice_spectra];
        for (std::int64_t draw = first; draw < std::min(first + at_once, tasks[task].n_draws); ++draw) {
            draw_counts(of, draw, counts.data(), background.data(), 1, drawn);
            for (int d = 0; d < of.n_spectra; ++d) {
                cells[d].resize(nodes);
                kernel.grid_cells(
                    {drawn[d], of.node_counts[d], of.node_stride[d], 0, of.n_nodes(), cells[d].data()});
            }
            const auto node_of = [&](std::int64_t i) {
                return NodeFit::of(of.n_spectra,
                                   [&](int d) { return cells[d][static_cast<std::size_t>(i)]; });
            };
            outcomes[task].fits[draw] =
                of.n_spectra == 1 ? fit_from_nodes<1>(of, counts.data(), background.data(), 1, node_of)
                                  : fit_from_nodes<spectral::most_lattice_spectra>(
                                        of, counts.data(), background.data(), 1, node_of);
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
                   t.log_counts[((r.first + i) * std::int64_t{t.columns} + of_column) * t.n_bins() + k];
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
    const SimulationData& of = arrays.data;
    std::vector<float> counts(static_cast<std::size_t>(of.n_places)), background = counts;
    std::vector<spectral::LatticeMinimum> out;
    for (std::int64_t draw = 0; draw < t.n_draws; ++draw) {
        CellData drawn[spectral::most_lattice_spectra];
        draw_counts(of, draw, counts.data(), background.data(), 1, drawn);
        spectral::LatticeMinimum best{{}, std::numeric_limits<double>::infinity(), true};
        const auto look = [&](double row, double column) {
            row = std::clamp(row, 0.0, t.rows - 1.0);
            column = std::clamp(column, 0.0, t.columns - 1.0);
            spectral::LatticeMinimum here{{row, column}, 0.0, true};
            std::int64_t first_bin = 0;
            for (int d = 0; d < of.n_spectra; ++d) {
                const spectral::LatticeSpectrum& spectrum = of.spectrum[d];
                std::vector<double> rate;
                for (std::int64_t k = 0; k < spectrum.n_bins; ++k)
                    rate.push_back(std::exp(interpolated(t, row, column, first_bin + k)));
                const auto statistic = [&](double log_norm) {
                    double sum = 0.0;
                    for (std::int64_t k = 0; k < spectrum.n_bins; ++k)
                        sum += spectral::bin_statistic(static_cast<double>(drawn[d].counts[k]),
                                                       static_cast<double>(drawn[d].background[k]), 1.0,
                                                       spectrum.ratio, std::exp(log_norm) * rate[k]);
                    return sum;
                };
                double lo = std::log(drawn[d].norm_min), hi = std::log(drawn[d].norm_max);
                while (hi - lo > 1e-9) {
                    const double a = lo + (hi - lo) / 3.0, b = hi - (hi - lo) / 3.0;
                    (statistic(a) <= statistic(b) ? hi : lo) = statistic(a) <= statistic(b) ? b : a;
                }
                here.stat += statistic(lo);
                here.at.log_scale[d] = lo - (d > 0 ? here.at.log_scale[0] : 0.0);
                first_bin += spectrum.n_bins;
            }
            const bool better = here.stat < best.stat;
            if (better) best = here;
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
