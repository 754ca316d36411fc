#include <fmt/format.h>

#include <xsift/core/error.hpp>
#include <xsift/engine/grid_task.hpp>

namespace xsift::engine {

void check_task(const GridTask& t) {
    const bool sizes = t.n_templates > 0 && t.n_energies > 0 && t.n_bins > 0 &&
                       std::ssize(t.templates) == t.n_templates * t.n_energies &&
                       std::ssize(t.fold) == t.n_energies * t.n_bins && std::ssize(t.counts) == t.n_bins &&
                       (t.background_counts.empty() || std::ssize(t.background_counts) == t.n_bins);
    const bool exposures = t.exposure > 0.0 && (t.background_counts.empty() || t.background_exposure > 0.0);
    const bool norms = t.norm_min > 0.0 && t.norm_max > t.norm_min;
    if (!sizes || !exposures || !norms)
        throw Error(ErrorKind::internal, "GRID_TASK", "a grid-likelihood task cannot be evaluated",
                    fmt::format("{} templates, {} energies, {} bins, exposure {} s contradict its arrays",
                                t.n_templates, t.n_energies, t.n_bins, t.exposure));
}

CellData cell_data(const GridTask& t) {
    return {t.counts.data(), t.background_counts.data(),
            t.exposure,      t.background_counts.empty() ? 0.0 : t.background_exposure,
            t.norm_min,      t.norm_max,
            t.n_bins};
}

std::vector<GridCell> reference_cells(const GridTask& t) {
    const CellData data = cell_data(t);
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
                sum += spectral::bin_statistic(
                    data.counts[k], data.background_exposure > 0.0 ? data.background[k] : 0.0,
                    data.source_exposure, data.background_exposure, std::exp(log_norm) * rate[k]);
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
