#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

#include <fmt/format.h>

#include <xsift/core/error.hpp>
#include <xsift/engine/grid_task.hpp>

namespace xsift::engine {

namespace {

/// @param n_templates, templates what a task asks for and what it holds; @param well what else has to be so
void check(const GridSpectrum& s, std::int64_t n_templates, std::span<const float> templates, bool well) {
    const bool sizes = n_templates > 0 && s.n_energies > 0 && s.n_bins > 0 &&
                       std::ssize(templates) == n_templates * s.n_energies &&
                       std::ssize(s.fold) == s.n_energies * s.n_bins && std::ssize(s.counts) == s.n_bins &&
                       (s.background_counts.empty() || std::ssize(s.background_counts) == s.n_bins);
    const bool exposures = s.exposure > 0.0 && (s.background_counts.empty() || s.background_exposure > 0.0);
    const bool norms = s.norm_min > 0.0 && s.norm_max > s.norm_min;
    if (!well || !sizes || !exposures || !norms)
        throw Error(ErrorKind::internal, "GRID_TASK", "a grid-likelihood task cannot be evaluated",
                    fmt::format("{} templates, {} energies, {} bins, exposure {} s contradict its arrays",
                                n_templates, s.n_energies, s.n_bins, s.exposure));
}

}  // namespace

void check_task(const GridTask& t) {
    check(t, t.n_templates, t.templates, t.columns == 0 || (t.columns > 0 && t.n_templates % t.columns == 0));
}

void check_task(const PairTask& t) {
    check(t, shape_of(t).n_templates(), t.templates,
          t.n_places > 0 && t.n_first > 0 && t.n_second > 0 && (!t.alike || t.n_first == t.n_second) &&
              t.max_pairs <= PairShape::most_kept);
}

PairShape shape_of(const PairTask& t) {
    return {t.n_places, t.n_first, t.n_second, t.alike};
}

CellCounts::CellCounts(const GridSpectrum& s) {
    const auto size = static_cast<std::size_t>(padded(s.n_bins));
    const auto sum = [](std::span<const double> values) {
        return std::accumulate(values.begin(), values.end(), 0.0);
    };
    const auto single = [size](std::span<const double> values) {
        std::vector<float> out(size, 0.0f);
        std::transform(values.begin(), values.end(), out.begin(),
                       [](double v) { return static_cast<float>(v); });
        return out;
    };
    counts = single(s.counts);
    background = single(s.background_counts);
    plain.n_bins = s.n_bins;
    plain.exposure = s.exposure;
    plain.norm_min = s.norm_min;
    plain.norm_max = s.norm_max;
    plain.total = plain.net = sum(s.counts);
    if (s.background_counts.empty()) return;
    const double ratio = s.background_exposure / s.exposure;
    plain.ratio = static_cast<float>(ratio);
    plain.net -= sum(s.background_counts) / ratio;
}

CellData CellCounts::data() const {
    CellData out = plain;
    out.counts = counts.data();
    out.background = background.data();
    return out;
}

GridOutcome best_cells(const GridTask& task, const std::vector<GridCell>& cells) {
    GridOutcome out;
    const auto n = std::ssize(cells);
    for (const GridCell& cell : cells)
        if (is_minimum(cells.data(), n, task.columns, cell.index)) out.best.push_back(cell);
    const auto kept = std::min<std::ptrdiff_t>(std::ssize(out.best), std::max(task.max_cells, 0));
    std::partial_sort(out.best.begin(), out.best.begin() + kept, out.best.end(), better_cell);
    out.best.resize(static_cast<std::size_t>(kept));
    if (!out.best.empty()) {
        const double most = out.best.front().stat + task.within;
        std::erase_if(out.best, [most](const GridCell& cell) { return cell.stat > most; });
    }
    return out;
}

void sort_pairs(std::vector<PairCell>& pairs) {
    const auto key = [](const PairCell& p) {
        return std::tuple(p.stat, p.index.place, p.index.first, p.index.second);
    };
    std::sort(pairs.begin(), pairs.end(),
              [&](const PairCell& a, const PairCell& b) { return key(a) < key(b); });
}

std::vector<GridCell> reference_cells(const GridTask& t) {
    const bool wstat = !t.background_counts.empty();
    std::vector<GridCell> cells;
    std::vector<double> rate(static_cast<std::size_t>(t.n_bins));
    for (std::int64_t i = 0; i < t.n_templates; ++i) {
        for (std::int64_t k = 0; k < t.n_bins; ++k) {
            rate[k] = 0.0;
            for (std::int64_t e = 0; e < t.n_energies; ++e)
                rate[k] += static_cast<double>(t.templates[i * t.n_energies + e]) *
                           static_cast<double>(t.fold[e * t.n_bins + k]);
        }
        const auto statistic = [&](double log_norm) {
            double sum = 0.0;
            for (std::int64_t k = 0; k < t.n_bins; ++k)
                sum += spectral::bin_statistic(t.counts[k], wstat ? t.background_counts[k] : 0.0, t.exposure,
                                               wstat ? t.background_exposure : 0.0,
                                               std::exp(log_norm) * rate[k]);
            return sum;
        };
        double lo = std::log(t.norm_min), hi = std::log(t.norm_max);
        while (hi - lo > 1e-9) {  // the statistic has one minimum in the norm
            const double a = lo + (hi - lo) / 3.0, b = hi - (hi - lo) / 3.0;
            (statistic(a) <= statistic(b) ? hi : lo) = statistic(a) <= statistic(b) ? b : a;
        }
        cells.push_back({i, std::exp(lo), statistic(lo)});
    }
    return cells;
}

}  // namespace xsift::engine
