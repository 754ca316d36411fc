// Posteriors on the CPU, and the checks of their tasks.
#include "posteriors.hpp"

#include <algorithm>
#include <cmath>
#include <memory>

#include <fmt/format.h>

#include <xsift/core/error.hpp>
#include <xsift/engine/grid_task.hpp>
#include <xsift/engine/posterior_arrays.hpp>
#include <xsift/spectral/chi2.hpp>

namespace xsift::engine {

namespace {

using spectral::PosteriorAxis;
using spectral::PosteriorAxisData;

bool is_well(const PosteriorAxis& axis) {
    const std::ptrdiff_t n = std::ssize(axis.at);
    const auto nodes = [&](std::int32_t first) {
        return first >= 0 && first + std::min(4, axis.n_nodes) <= axis.n_nodes;
    };
    return axis.n_nodes > 0 && axis.n_nodes <= spectral::most_side_nodes && n > 0 &&
           n <= spectral::PosteriorRoom::most_points && std::ssize(axis.mass) == axis.n_nodes &&
           std::ssize(axis.weight) == n && std::ssize(axis.log_prior) == n && std::ssize(axis.value) == n &&
           std::ssize(axis.first) == n && std::ssize(axis.share) == 4 * n &&
           std::all_of(axis.first.begin(), axis.first.end(), nodes);
}

PosteriorAxisData data_of(const PosteriorAxis& axis) {
    return {axis.n_nodes,       static_cast<int>(axis.at.size()),
            axis.mass.data(),   axis.at.data(),
            axis.weight.data(), axis.log_prior.data(),
            axis.value.data(),  axis.first.data(),
            axis.share.data()};
}

}  // namespace

void check_task(const PosteriorTask& t) {
    const auto bins = [&](const auto& values) { return std::ssize(values) == t.n_bins; };
    const auto factors = [&](const auto& row, const auto& column, std::int64_t n) {
        return std::ssize(row) == t.row.n_nodes * n && std::ssize(column) == t.column.n_nodes * n;
    };
    bool well = t.n_bins > 0 && t.n_energies > 0 && is_well(t.row) && is_well(t.column) && bins(t.counts) &&
                bins(t.background) && bins(t.background_exposure) && bins(t.first) && bins(t.count) &&
                bins(t.start) && factors(t.row_factor, t.column_factor, t.n_energies) &&
                t.row.n_nodes * t.column.n_nodes <= spectral::most_lattice_nodes && t.source_exposure > 0.0 &&
                t.log_norm_hi > t.log_norm_lo;
    for (const PosteriorTask::Flux& flux : t.fluxes)
        well = well && flux.n_energies > 0 && factors(flux.row_factor, flux.column_factor, flux.n_energies);
    for (std::int64_t k = 0; well && k < t.n_bins; ++k)
        well = t.first[k] >= 0 && t.count[k] >= 0 && t.first[k] + t.count[k] <= t.n_energies &&
               t.start[k] >= 0 && t.start[k] + t.count[k] <= std::ssize(t.response);
    if (!well)
        throw Error(ErrorKind::internal, "GRID_TASK", "a posterior task cannot be evaluated",
                    fmt::format("{} x {} nodes, {} bins, {} energies contradict its arrays", t.row.n_nodes,
                                t.column.n_nodes, t.n_bins, t.n_energies));
}

spectral::PosteriorData posterior_data(const PosteriorTask& t) {
    spectral::PosteriorData out;
    out.n_bins = t.n_bins;
    out.n_energies = t.n_energies;
    out.counts = t.counts.data();
    out.background = t.background.data();
    out.background_exposure = t.background_exposure.data();
    out.source_exposure = t.source_exposure;
    out.response = t.response.data();
    out.first = t.first.data();
    out.count = t.count.data();
    out.start = t.start.data();
    out.row_factor = t.row_factor.data();
    out.column_factor = t.column_factor.data();
    out.row = data_of(t.row);
    out.column = data_of(t.column);
    out.norm_lo = std::exp(t.log_norm_lo);
    out.norm_hi = std::exp(t.log_norm_hi);
    out.skewness = t.skewness;
    out.tail = t.tail;
    for (std::int64_t k = 0; k < t.n_bins; ++k)
        out.net_counts +=
            spectral::net_counts(t.counts[k], t.background[k], t.source_exposure, t.background_exposure[k]);
    out.n_fluxes = static_cast<int>(t.fluxes.size());
    return out;
}

std::vector<PosteriorOutcome> integrate_on(const ThreadPool& pool, std::span<const PosteriorTask> tasks) {
    for (const PosteriorTask& task : tasks) check_task(task);
    std::vector<PosteriorOutcome> outcomes(tasks.size());
    pool.for_each(tasks.size(), [&](std::size_t t) {
        const spectral::PosteriorData data = posterior_data(tasks[t]);
        const auto n = static_cast<std::size_t>(data.nodes());
        std::vector<double> rates(static_cast<std::size_t>(data.n_bins)), log_unit, weights(n);
        std::vector<spectral::PosteriorNode> nodes;
        for (int k = 0; k < data.nodes(); ++k)
            nodes.push_back(spectral::posterior_node(data, k, rates.data(), 1));
        for (const PosteriorTask::Flux& flux : tasks[t].fluxes)
            for (int k = 0; k < data.nodes(); ++k)
                log_unit.push_back(spectral::log_unit_flux(
                    data, {flux.n_energies, flux.row_factor.data(), flux.column_factor.data()}, k));
        outcomes[t].fluxes.resize(tasks[t].fluxes.size());
        const auto room = std::make_unique<spectral::PosteriorRoom>();
        spectral::integrate_posterior(data, nodes.data(), log_unit.data(), weights.data(), *room,
                                      spectral::SingleThread{}, outcomes[t].integral,
                                      outcomes[t].fluxes.data());
    });
    return outcomes;
}

}  // namespace xsift::engine
