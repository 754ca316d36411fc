#include <algorithm>
#include <cmath>
#include <map>
#include <memory>

#include <xsift/core/hash.hpp>
#include <xsift/engine/model_grids.hpp>
#include <xsift/spectral/model.hpp>

namespace xsift::engine {

namespace {

using spectral::EnergyBins;
using spectral::PreparedSpectrum;
using spectral::Shape;

/// Axes of a model's grid; templates are ordered nH-major.
struct Axes {
    std::vector<double> nh, parameter;
};

std::vector<double> logarithmic(double lo, double hi, int n) {
    std::vector<double> out;
    for (int i = 0; i < n; ++i) out.push_back(lo * std::pow(hi / lo, i / (n - 1.0)));
    return out;
}

Axes make_axes(Shape shape) {
    Axes axes;
    axes.nh = logarithmic(0.01, spectral::nh_limits.hi, 15);
    axes.nh.insert(axes.nh.begin(), 0.0);
    const spectral::Limits limits = spectral::parameter_limits(shape);
    if (shape != Shape::powerlaw) {
        axes.parameter = logarithmic(limits.lo, limits.hi, 25);
        return axes;
    }
    constexpr int n = 27;  // steps of 0.5
    for (int i = 0; i < n; ++i) axes.parameter.push_back(limits.lo + (limits.hi - limits.lo) * i / (n - 1.0));
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

std::vector<float> make_templates(Shape shape, const Axes& axes, spectral::Abundance abundance,
                                  const EnergyBins& bins) {
    const std::vector<double> cross_section = spectral::Absorption::of(abundance).cross_sections(bins);
    const std::size_t n = bins.size();
    std::vector<double> photons(axes.parameter.size() * n);
    for (std::size_t p = 0; p < axes.parameter.size(); ++p)
        spectral::shape_photons(shape, axes.parameter[p], bins, std::span(photons).subspan(p * n, n));
    std::vector<float> templates;
    templates.reserve(axes.nh.size() * photons.size());
    std::vector<double> transmission(n);
    for (double nh : axes.nh) {
        for (std::size_t i = 0; i < n; ++i) transmission[i] = std::exp(-nh * cross_section[i]);
        for (std::size_t j = 0; j < photons.size(); ++j)
            templates.push_back(static_cast<float>(photons[j] * transmission[j % n]));
    }
    return templates;
}

/// The cells that no neighbour on the grid undercuts, lowest first, not far above the best, at most `most`.
std::vector<ModelCell> local_minima(const Axes& axes, const GridOutcome& outcome) {
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
        if (is_minimum(cell.index))
            minima.push_back(
                {axes.nh[cell.index / columns], axes.parameter[cell.index % columns], cell.norm, cell.stat});
    }
    return minima;
}

}  // namespace

struct ModelGrids::Implementation {
    struct Model {
        Shape shape;
        Axes axes;
        std::map<std::string, std::vector<float>> templates;  ///< by the hash of the energies
    };

    explicit Implementation(const spectral::FitOptions& options) : abundance(options.abundance) {
        for (const std::string& name : options.models) {
            const Shape shape = spectral::parse_model(name);
            models.push_back({shape, make_axes(shape), {}});
        }
    }

    const std::vector<float>& templates(Model& model, const ReducedSpectrum& s) {
        auto [entry, fresh] = model.templates.try_emplace(s.energies_hash);
        if (fresh)
            entry->second = make_templates(model.shape, model.axes, abundance,
                                           EnergyBins::from_bounds(s.energy_lo, s.energy_hi));
        return entry->second;
    }

    spectral::Abundance abundance;
    std::vector<Model> models;
};

ModelGrids::ModelGrids(const spectral::FitOptions& options)
    : implementation_(std::make_unique<Implementation>(options)) {}
ModelGrids::~ModelGrids() = default;

std::vector<std::vector<std::vector<ModelCell>>> ModelGrids::best_cells(
    GridLikelihood& backend, std::span<const PreparedSpectrum* const> spectra) {
    auto& models = implementation_->models;
    std::vector<ReducedSpectrum> reduced;
    std::vector<GridTask> tasks;
    reduced.reserve(spectra.size());
    for (const PreparedSpectrum* s : spectra) {
        const ReducedSpectrum& r = reduced.emplace_back(reduce(*s));
        for (auto& model : models) {
            const std::vector<float>& templates = implementation_->templates(model, r);
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
            task.norm_min = spectral::norm_limits.lo;
            task.norm_max = spectral::norm_limits.hi;
            task.max_cells = static_cast<int>(task.n_templates);  // all: local minima need their neighbours
            tasks.push_back(task);
        }
    }
    const std::vector<GridOutcome> outcomes = backend.evaluate(tasks);
    std::vector<std::vector<std::vector<ModelCell>>> cells(spectra.size());
    for (std::size_t i = 0; i < outcomes.size(); ++i)
        cells[i / models.size()].push_back(local_minima(models[i % models.size()].axes, outcomes[i]));
    return cells;
}

}  // namespace xsift::engine
