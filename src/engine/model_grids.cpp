#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <optional>

#include <xsift/core/hash.hpp>
#include <xsift/engine/model_grids.hpp>
#include <xsift/spectral/model.hpp>

namespace xsift::engine {

namespace {

using spectral::EnergyBins;
using spectral::PreparedSpectrum;

/// Axes of a model's grid; templates are ordered nH-major.
struct Axes {
    int nh_index = -1, parameter_index = -1;  ///< of the model's parameters; -1: not free, one value
    std::vector<double> nh, parameter;
};

std::vector<double> logarithmic(double lo, double hi, int n) {
    std::vector<double> out;
    for (int i = 0; i < n; ++i) out.push_back(lo * std::pow(hi / lo, i / (n - 1.0)));
    return out;
}

std::vector<double> nh_values(const spectral::ModelParameter& nh) {
    std::vector<double> out = logarithmic(0.01, spectral::nh_limits.hi, 15);
    out.insert(out.begin(), 0.0);
    std::erase_if(out, [&](double v) { return v < nh.lo || v > nh.hi; });
    if (out.empty() || out.front() > nh.lo) out.insert(out.begin(), nh.lo);
    if (out.back() < nh.hi) out.push_back(nh.hi);
    return out;
}

std::vector<double> shape_values(const spectral::ModelParameter& p) {
    if (p.logarithmic) return logarithmic(p.lo, p.hi, 25);
    constexpr int n = 27;  // photon index: steps of 0.5
    std::vector<double> out;
    for (int i = 0; i < n; ++i) out.push_back(p.lo + (p.hi - p.lo) * i / (n - 1.0));
    return out;
}

/// The grid of a model of one term with at most one free column density: over that and the first free
/// parameter of the emission; further ones stay at their initial values.
std::optional<Axes> make_axes(const spectral::ModelDefinition& model) {
    if (model.terms.size() != 1) return std::nullopt;
    const spectral::Component& emission =
        model.components[static_cast<std::size_t>(model.terms.front().additive)];
    const auto emitted = [&](std::size_t i) {
        return static_cast<int>(i) >= emission.first_parameter &&
               static_cast<int>(i) < emission.first_parameter + emission.n_parameters;
    };
    Axes axes;
    for (std::size_t i = 0; i < model.parameters.size(); ++i) {
        const spectral::ModelParameter& p = model.parameters[i];
        if (p.is_norm || !p.free()) continue;
        if (p.name == "nH") {
            if (axes.nh_index >= 0) return std::nullopt;
            axes.nh_index = static_cast<int>(i);
            axes.nh = nh_values(p);
        } else if (axes.parameter_index < 0 && emitted(i)) {
            axes.parameter_index = static_cast<int>(i);
            axes.parameter = shape_values(p);
        }
    }
    if (axes.nh_index < 0) axes.nh = {0.0};
    if (axes.parameter_index < 0) axes.parameter = {0.0};
    return axes;
}

/// A spectrum reduced for the grid: neighbouring energies merged to at least energy_step of relative width
/// (screening precision), and all bins without source counts merged into one, which changes no statistic:
/// their terms are linear.
struct ReducedSpectrum {
    std::vector<double> energy_lo, energy_hi, counts, background;
    std::vector<float> fold;
    std::string energies_hash;
};

constexpr double energy_step = 0.015;

/// Column of each bin: those with counts keep their own, the others share the last.
std::vector<std::int32_t> reduce_bins(const PreparedSpectrum& s, ReducedSpectrum& out) {
    std::vector<std::int32_t> column(s.n_bins());
    const auto background = [&](std::size_t k) { return s.has_background() ? s.background_counts[k] : 0.0; };
    for (std::size_t k = 0; k < s.n_bins(); ++k) {
        if (s.counts[k] == 0.0) continue;
        column[k] = static_cast<std::int32_t>(out.counts.size());
        out.counts.push_back(s.counts[k]);
        out.background.push_back(background(k));
    }
    const auto shared = static_cast<std::int32_t>(out.counts.size());
    double shared_background = 0.0;
    bool any = false;
    for (std::size_t k = 0; k < s.n_bins(); ++k) {
        if (s.counts[k] != 0.0) continue;
        column[k] = shared;
        shared_background += background(k);
        any = true;
    }
    if (any) {
        out.counts.push_back(0.0);
        out.background.push_back(shared_background);
    }
    if (!s.has_background()) out.background.clear();
    return column;
}

ReducedSpectrum reduce(const PreparedSpectrum& s) {
    ReducedSpectrum out;
    const std::vector<std::int32_t> column = reduce_bins(s, out);
    const std::size_t n_bins = out.counts.size();
    std::vector<double> row(n_bins);
    double width = 0.0;
    for (std::size_t i = 0; i < s.n_energies(); ++i) {
        if (width == 0.0) out.energy_lo.push_back(s.energy_lo[i]);
        const double own = s.energy_hi[i] - s.energy_lo[i];
        width += own;
        for (std::int32_t j = 0; j < s.row_count[i]; ++j)
            row[column[s.row_first[i] + j]] += own * s.value[s.row_value[i] + j];
        const bool gap = i + 1 < s.n_energies() && s.energy_lo[i + 1] != s.energy_hi[i];
        if (i + 1 < s.n_energies() && !gap && s.energy_hi[i] < out.energy_lo.back() * (1.0 + energy_step))
            continue;
        out.energy_hi.push_back(s.energy_hi[i]);
        for (double& value : row) {
            out.fold.push_back(static_cast<float>(value / width));
            value = 0.0;
        }
        width = 0.0;
    }
    ContentHash hash;
    hash.update(std::span<const double>(out.energy_lo));
    hash.update(std::span<const double>(out.energy_hi));
    out.energies_hash = hash.digest();
    return out;
}

/// Values of all parameters at a cell.
std::vector<double> cell_values(const spectral::ModelDefinition& model, const Axes& axes, double nh,
                                double parameter) {
    std::vector<double> values = model.initial_values();
    if (axes.nh_index >= 0) values[static_cast<std::size_t>(axes.nh_index)] = nh;
    if (axes.parameter_index >= 0) values[static_cast<std::size_t>(axes.parameter_index)] = parameter;
    model.apply_ties(values);
    return values;
}

std::vector<float> make_templates(const std::shared_ptr<const spectral::ModelDefinition>& model,
                                  const Axes& axes, spectral::Abundance abundance, const EnergyBins& bins) {
    spectral::ModelEvaluator evaluator(model, abundance, bins);
    const std::size_t n = bins.size(), columns = axes.parameter.size();
    std::vector<float> templates(axes.nh.size() * columns * n);
    for (std::size_t p = 0; p < columns; ++p)  // the column density varies fastest: the emission is kept
        for (std::size_t h = 0; h < axes.nh.size(); ++h) {
            evaluator.evaluate(cell_values(*model, axes, axes.nh[h], axes.parameter[p]), false);
            const auto photons = evaluator.unit(0);
            std::transform(photons.begin(), photons.end(),
                           templates.begin() + static_cast<std::ptrdiff_t>((h * columns + p) * n),
                           [](double x) { return static_cast<float>(x); });
        }
    return templates;
}

/// The cells that no neighbour on the grid undercuts, lowest first, not far above the best, at most `most`.
std::vector<ModelCell> local_minima(const spectral::ModelDefinition& model, const Axes& axes,
                                    const GridOutcome& outcome) {
    constexpr std::size_t most = 4;
    constexpr double far_above = 25.0;
    const auto columns = static_cast<std::int64_t>(axes.parameter.size());
    const auto rows = static_cast<std::int64_t>(axes.nh.size());
    std::vector<std::int64_t> rank(static_cast<std::size_t>(rows * columns), rows * columns);
    for (std::size_t r = 0; r < outcome.best.size(); ++r)
        rank[outcome.best[r].index] = static_cast<std::int64_t>(r);
    const auto is_minimum = [&](std::int64_t index) {
        const std::int64_t row = index / columns, column = index % columns;
        for (std::int64_t i = std::max<std::int64_t>(row - 1, 0); i <= std::min(row + 1, rows - 1); ++i)
            for (std::int64_t j = std::max<std::int64_t>(column - 1, 0);
                 j <= std::min(column + 1, columns - 1); ++j)
                if (rank[i * columns + j] < rank[index]) return false;
        return true;
    };
    std::vector<ModelCell> minima;
    for (const GridCell& cell : outcome.best) {
        if (minima.size() == most || !(cell.stat < outcome.best.front().stat + far_above)) break;
        if (!is_minimum(cell.index)) continue;
        ModelCell& kept = minima.emplace_back();
        kept.values =
            cell_values(model, axes, axes.nh[cell.index / columns], axes.parameter[cell.index % columns]);
        for (std::size_t p = 0; p < kept.values.size(); ++p)
            if (model.parameters[p].is_norm) kept.values[p] = cell.norm;
        kept.stat = cell.stat;
    }
    return minima;
}

}  // namespace

struct ModelGrids::Implementation {
    struct Grid {
        std::size_t model;
        Axes axes;
        std::map<std::string, std::vector<float>> templates;  ///< by the hash of the energies
    };

    explicit Implementation(const spectral::FitOptions& options) : abundance(options.abundance) {
        for (spectral::ModelDefinition& model : spectral::define_models(options)) {
            if (auto axes = make_axes(model)) grids.push_back({models.size(), std::move(*axes), {}});
            models.push_back(std::make_shared<const spectral::ModelDefinition>(std::move(model)));
        }
    }

    const std::vector<float>& templates(Grid& grid, const ReducedSpectrum& s) {
        auto [entry, fresh] = grid.templates.try_emplace(s.energies_hash);
        if (fresh)
            entry->second = make_templates(models[grid.model], grid.axes, abundance,
                                           EnergyBins::from_bounds(s.energy_lo, s.energy_hi));
        return entry->second;
    }

    spectral::Abundance abundance;
    std::vector<std::shared_ptr<const spectral::ModelDefinition>> models;
    std::vector<Grid> grids;
};

ModelGrids::ModelGrids(const spectral::FitOptions& options)
    : implementation_(std::make_unique<Implementation>(options)) {}
ModelGrids::~ModelGrids() = default;

const std::vector<std::shared_ptr<const spectral::ModelDefinition>>& ModelGrids::models() const {
    return implementation_->models;
}

std::vector<std::vector<std::vector<ModelCell>>> ModelGrids::best_cells(
    GridLikelihood& backend, std::span<const PreparedSpectrum* const> spectra) {
    auto& grids = implementation_->grids;
    std::vector<ReducedSpectrum> reduced;
    std::vector<GridTask> tasks;
    reduced.reserve(spectra.size());
    for (const PreparedSpectrum* s : spectra) {
        const ReducedSpectrum& r = reduced.emplace_back(reduce(*s));
        for (auto& grid : grids) {
            const std::vector<float>& templates = implementation_->templates(grid, r);
            const spectral::ModelDefinition& model = *implementation_->models[grid.model];
            const auto norm = std::find_if(model.parameters.begin(), model.parameters.end(),
                                           [](const spectral::ModelParameter& p) { return p.is_norm; });
            GridTask task;
            task.n_energies = std::ssize(r.energy_lo);
            task.n_bins = std::ssize(r.counts);
            task.n_templates = std::ssize(templates) / task.n_energies;
            task.templates = templates;
            task.fold = r.fold;
            task.counts = r.counts;
            task.background_counts = r.background;
            task.exposure = s->source_exposure;
            task.background_exposure = s->background_exposure;
            task.norm_min = norm->lo;
            task.norm_max = norm->hi;
            task.max_cells = static_cast<int>(task.n_templates);  // all: local minima need their neighbours
            tasks.push_back(task);
        }
    }
    const std::vector<GridOutcome> outcomes = backend.evaluate(tasks);
    std::vector<std::vector<std::vector<ModelCell>>> cells(
        spectra.size(), std::vector<std::vector<ModelCell>>(implementation_->models.size()));
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        const auto& grid = grids[i % grids.size()];
        cells[i / grids.size()][grid.model] =
            local_minima(*implementation_->models[grid.model], grid.axes, outcomes[i]);
    }
    return cells;
}

}  // namespace xsift::engine
