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

// Minima of a grid that fits start from.
constexpr int most_minima = 4;
constexpr double far_above = 25.0;  // of the lowest

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

/// A spectrum reduced for the grid: neighbouring energies merged to at most energy_step of relative width
/// (screening precision), and all bins without source counts merged into one, which changes no statistic:
/// their terms are linear.
struct ReducedSpectrum {
    std::vector<double> energy_lo, energy_hi, counts, background;
    std::vector<float> fold;
    std::vector<std::int32_t> energy_of;  ///< of each energy of the spectrum
    std::string energies_hash;           ///< of the spectrum's own
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
        out.energy_of.push_back(static_cast<std::int32_t>(out.energy_lo.size()) - 1);
        if (i + 1 < s.n_energies() && s.energy_lo[i + 1] == s.energy_hi[i] &&
            s.energy_hi[i + 1] <= out.energy_lo.back() * (1.0 + energy_step))
            continue;
        out.energy_hi.push_back(s.energy_hi[i]);
        for (double& value : row) {
            out.fold.push_back(static_cast<float>(value / width));
            value = 0.0;
        }
        width = 0.0;
    }
    ContentHash hash;
    hash.update(std::span<const double>(s.energy_lo));
    hash.update(std::span<const double>(s.energy_hi));
    out.energies_hash = hash.digest();
    return out;
}

/// A model on the merged energies of a spectrum. Cross-sections are means over each: the edges of the
/// absorption are narrower.
spectral::ModelEvaluator merged_evaluator(const std::shared_ptr<const spectral::ModelDefinition>& model,
                                          spectral::Abundance abundance, const PreparedSpectrum& s,
                                          const ReducedSpectrum& reduced) {
    spectral::ModelEvaluator out(model, abundance,
                                 EnergyBins::from_bounds(reduced.energy_lo, reduced.energy_hi));
    if (out.cross_section().empty()) return out;
    const spectral::ModelEvaluator whole = out.on(EnergyBins::from_bounds(s.energy_lo, s.energy_hi));
    std::vector<double> width;
    for (std::size_t i = 0; i < whole.size(); ++i) width.push_back(s.energy_hi[i] - s.energy_lo[i]);
    out.set_cross_section(spectral::merged_means(whole.cross_section(), {}, width, reduced.energy_of));
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

/// One row of templates.
void put_template(std::span<const double> photons, std::vector<float>& templates, std::size_t row) {
    std::transform(photons.begin(), photons.end(),
                   templates.begin() + static_cast<std::ptrdiff_t>(row * photons.size()),
                   [](double x) { return static_cast<float>(x); });
}

std::vector<float> make_templates(const spectral::ModelDefinition& model, const Axes& axes,
                                  spectral::ModelEvaluator& evaluator) {
    const std::size_t n = evaluator.size(), columns = axes.parameter.size();
    std::vector<float> templates(axes.nh.size() * columns * n);
    for (std::size_t p = 0; p < columns; ++p)  // the column density varies fastest: the emission is kept
        for (std::size_t h = 0; h < axes.nh.size(); ++h) {
            evaluator.evaluate(cell_values(model, axes, axes.nh[h], axes.parameter[p]), false);
            put_template(evaluator.unit(0), templates, h * columns + p);
        }
    return templates;
}

/// Where a model of two norms is tried.
struct Pairs {
    spectral::Pairing pairing;
    spectral::PairValues at;
    int parameter[2] = {-1, -1}, norm[2] = {-1, -1};  ///< of each component, among the model's
};

std::optional<Pairs> make_pairs(const spectral::ModelDefinition& model) {
    const spectral::ModelFreedom freedom(model);
    auto pairing = spectral::pairing_of(model, freedom);
    if (!pairing) return std::nullopt;
    Pairs out{*pairing, spectral::pair_values(model, freedom, *pairing)};
    for (std::size_t g = 0; g < 2; ++g) {
        out.parameter[g] = freedom.shape[static_cast<std::size_t>(pairing->own[g])];
        out.norm[g] = freedom.groups[g].norm;
    }
    return out;
}

/// Values of all parameters but norms.
std::vector<double> pair_parameters(const spectral::ModelDefinition& model, const Pairs& pairs,
                                    std::size_t place, std::size_t first, std::size_t second) {
    std::vector<double> values = pairs.at.places[place];
    const std::size_t own[2] = {first, second};
    for (std::size_t g = 0; g < 2; ++g) {
        const std::vector<double>& at = pairs.at.own[g];
        values[static_cast<std::size_t>(pairs.parameter[g])] = at[std::min(own[g], at.size() - 1)];
    }
    model.apply_ties(values);
    return values;
}

std::vector<float> make_pair_templates(const spectral::ModelDefinition& model, const Pairs& pairs,
                                       spectral::ModelEvaluator& evaluator) {
    const std::size_t n_first = pairs.at.own[0].size(), n_second = pairs.at.own[1].size(),
                      n_places = pairs.at.places.size();
    std::vector<float> templates(n_places * (n_first + n_second) * evaluator.size());
    for (std::size_t v = 0; v < std::max(n_first, n_second); ++v)
        for (std::size_t p = 0; p < n_places; ++p) {
            evaluator.evaluate(pair_parameters(model, pairs, p, v, v), false);
            const std::size_t row = p * (n_first + n_second);
            if (v < n_first) put_template(evaluator.unit(0), templates, row + v);
            if (v < n_second) put_template(evaluator.unit(1), templates, row + n_first + v);
        }
    return templates;
}

/// A pair with the values of the model's parameters. A norm of 0 is no place to start from.
ModelCell model_cell(const spectral::ModelDefinition& model, const Pairs& pairs, const PairCell& cell) {
    constexpr double least = 1e-3;  // of the other
    const auto at = [](std::int64_t i) { return static_cast<std::size_t>(i); };
    ModelCell out;
    out.values =
        pair_parameters(model, pairs, at(cell.index.place), at(cell.index.first), at(cell.index.second));
    for (std::size_t g = 0; g < 2; ++g)
        out.values[static_cast<std::size_t>(pairs.norm[g])] =
            std::max(cell.norm[g], least * std::max(cell.norm[0], cell.norm[1]));
    out.stat = cell.stat;
    return out;
}

/// A cell with the values of the model's parameters.
ModelCell model_cell(const spectral::ModelDefinition& model, const Axes& axes, const GridCell& cell) {
    const auto columns = static_cast<std::int64_t>(axes.parameter.size());
    ModelCell out;
    out.values =
        cell_values(model, axes, axes.nh[cell.index / columns], axes.parameter[cell.index % columns]);
    for (std::size_t p = 0; p < out.values.size(); ++p)
        if (model.parameters[p].is_norm) out.values[p] = cell.norm;
    out.stat = cell.stat;
    return out;
}

void fill_spectrum(GridSpectrum& task, const PreparedSpectrum& s, const ReducedSpectrum& r,
                   const spectral::ModelDefinition& model) {
    const auto norm = std::find_if(model.parameters.begin(), model.parameters.end(),
                                   [](const spectral::ModelParameter& p) { return p.is_norm; });
    task.n_energies = std::ssize(r.energy_lo);
    task.n_bins = std::ssize(r.counts);
    task.fold = r.fold;
    task.counts = r.counts;
    task.background_counts = r.background;
    task.exposure = s.source_exposure;
    task.background_exposure = s.background_exposure;
    task.norm_min = norm->lo;
    task.norm_max = norm->hi;
}

}  // namespace

struct ModelGrids::Implementation {
    using TemplatesByEnergies = std::map<std::string, std::vector<float>>;  ///< by the hash of the energies
    struct Grid {
        std::size_t model;
        Axes axes;
        TemplatesByEnergies templates;
    };
    struct PairGrid {
        std::size_t model;
        Pairs pairs;
        TemplatesByEnergies templates;
    };

    explicit Implementation(const spectral::FitOptions& options) : abundance(options.abundance) {
        for (spectral::ModelDefinition& model : spectral::define_models(options)) {
            if (auto axes = make_axes(model))
                grids.push_back({models.size(), std::move(*axes), {}});
            else if (auto pairs = make_pairs(model))
                pair_grids.push_back({models.size(), std::move(*pairs), {}});
            models.push_back(std::make_shared<const spectral::ModelDefinition>(std::move(model)));
        }
    }

    /// Templates of a model on the energies of a spectrum, made when they are first asked for.
    template <typename OneGrid, typename Make>
    const std::vector<float>& templates(OneGrid& grid, const PreparedSpectrum& s,
                                        const ReducedSpectrum& reduced, const Make& make) {
        auto [entry, fresh] = grid.templates.try_emplace(reduced.energies_hash);
        if (fresh) entry->second = make(merged_evaluator(models[grid.model], abundance, s, reduced));
        return entry->second;
    }

    std::vector<GridTask> grid_tasks(std::span<const PreparedSpectrum* const> spectra,
                                     std::span<const ReducedSpectrum> reduced) {
        std::vector<GridTask> tasks;
        for (std::size_t i = 0; i < spectra.size(); ++i)
            for (Grid& grid : grids) {
                GridTask& task = tasks.emplace_back();
                fill_spectrum(task, *spectra[i], reduced[i], *models[grid.model]);
                task.templates =
                    templates(grid, *spectra[i], reduced[i], [&](spectral::ModelEvaluator evaluator) {
                        return make_templates(*models[grid.model], grid.axes, evaluator);
                    });
                task.n_templates = std::ssize(task.templates) / task.n_energies;
                task.columns = std::ssize(grid.axes.parameter);
                task.max_cells = most_minima;
                task.within = far_above;
            }
        return tasks;
    }

    std::vector<PairTask> pair_tasks(std::span<const PreparedSpectrum* const> spectra,
                                     std::span<const ReducedSpectrum> reduced) {
        std::vector<PairTask> tasks;
        for (std::size_t i = 0; i < spectra.size(); ++i)
            for (PairGrid& grid : pair_grids) {
                PairTask& task = tasks.emplace_back();
                fill_spectrum(task, *spectra[i], reduced[i], *models[grid.model]);
                task.templates =
                    templates(grid, *spectra[i], reduced[i], [&](spectral::ModelEvaluator evaluator) {
                        return make_pair_templates(*models[grid.model], grid.pairs, evaluator);
                    });
                task.n_places = std::ssize(grid.pairs.at.places);
                task.n_first = std::ssize(grid.pairs.at.own[0]);
                task.n_second = std::ssize(grid.pairs.at.own[1]);
                task.alike = grid.pairs.pairing.alike;
                for (std::size_t g = 0; g < 2; ++g)
                    task.norms_most[g] =
                        models[grid.model]->parameters[static_cast<std::size_t>(grid.pairs.norm[g])].hi;
            }
        return tasks;
    }

    spectral::Abundance abundance;
    std::vector<std::shared_ptr<const spectral::ModelDefinition>> models;
    std::vector<Grid> grids;
    std::vector<PairGrid> pair_grids;
};

ModelGrids::ModelGrids(const spectral::FitOptions& options)
    : implementation_(std::make_unique<Implementation>(options)) {}
ModelGrids::~ModelGrids() = default;

const std::vector<std::shared_ptr<const spectral::ModelDefinition>>& ModelGrids::models() const {
    return implementation_->models;
}

std::vector<std::vector<std::vector<ModelCell>>> ModelGrids::best_cells(
    GridLikelihood& backend, std::span<const PreparedSpectrum* const> spectra) {
    Implementation& own = *implementation_;
    std::vector<ReducedSpectrum> reduced;
    for (const PreparedSpectrum* s : spectra) reduced.push_back(reduce(*s));
    std::vector<std::vector<std::vector<ModelCell>>> cells(
        spectra.size(), std::vector<std::vector<ModelCell>>(own.models.size()));
    if (!own.grids.empty()) {
        const auto outcomes = backend.evaluate(own.grid_tasks(spectra, reduced));
        for (std::size_t i = 0; i < outcomes.size(); ++i) {
            const auto& grid = own.grids[i % own.grids.size()];
            for (const GridCell& cell : outcomes[i].best)
                cells[i / own.grids.size()][grid.model].push_back(
                    model_cell(*own.models[grid.model], grid.axes, cell));
        }
    }
    if (!own.pair_grids.empty()) {
        const auto outcomes = backend.evaluate(own.pair_tasks(spectra, reduced));
        for (std::size_t i = 0; i < outcomes.size(); ++i) {
            const auto& grid = own.pair_grids[i % own.pair_grids.size()];
            for (const PairCell& cell : outcomes[i].best)
                cells[i / own.pair_grids.size()][grid.model].push_back(
                    model_cell(*own.models[grid.model], grid.pairs, cell));
        }
    }
    return cells;
}

}  // namespace xsift::engine
