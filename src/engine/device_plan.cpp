#include <algorithm>
#include <cmath>

#include <xsift/engine/device_plan.hpp>
#include <xsift/engine/product_tile.hpp>
#include <xsift/engine/search_tasks.hpp>
#include <xsift/timing/lomb_scargle.hpp>
#include <xsift/timing/significance.hpp>

namespace xsift::engine {

namespace {

/// Peaks expected above the first threshold in white noise.
constexpr double expected_peaks = 150.0;

constexpr std::size_t most_tasks = 256;
constexpr std::int64_t most_photons = std::int64_t{1} << 23;

/// More of them at once would not make the grid likelihood faster.
constexpr std::int64_t most_grid_group = 48 << 20, most_grid_room = 64 << 20;

/// Photons of a part of a long list, and the most parts of a list: their sums go to the host.
constexpr std::int64_t part_photons = 2048, most_parts = 256;

std::int64_t length(std::span<const double> values) {
    return static_cast<std::int64_t>(values.size());
}

}  // namespace

DeviceBudget::DeviceBudget(std::int64_t bytes)
    : product_group(bytes / 2 / product_workers),
      segment(bytes / 4 / direct_slots),
      sums(bytes / 8),
      grid_group(std::min(most_grid_group, bytes / 80)),
      grid_room(std::min(most_grid_room, bytes / 80)) {}

float noise_threshold(const timing::Statistic& statistic, std::int64_t trials, std::size_t n) {
    const double log10_p = std::log10(expected_peaks / (0.5 * static_cast<double>(trials)));
    if (log10_p >= 0.0) return 0.0f;
    const auto survival = [&](double value) {
        switch (statistic.kind) {
            case timing::Statistic::Kind::h:
                return timing::log10_h_survival(value);
            case timing::Statistic::Kind::gls:
                return timing::log10_lomb_scargle_single(value, static_cast<double>(n));
            default:
                return timing::log10_chi2_survival(value, statistic.harmonics);
        }
    };
    double low = 0.0, high = statistic.kind == timing::Statistic::Kind::gls ? 1.0 : 500.0;
    for (int i = 0; i < 40; ++i) {
        const double middle = 0.5 * (low + high);
        (survival(middle) > log10_p ? low : high) = middle;
    }
    return static_cast<float>(low);
}

ProductTask product_task(const EventTask& task, double sum_w, double sum_w2, double unit) {
    ProductTask p;
    p.n_photons = static_cast<std::int32_t>(task.time.size());
    p.halo = static_cast<std::int32_t>(peak_halo(task.grid, task.min_separation));
    p.first = task.grid.first;
    p.count = task.grid.count;
    p.df = task.grid.df;
    p.harmonic_fmax = task.harmonic_fmax;
    p.sum_w = sum_w / unit;
    p.sum_w2 = static_cast<double>(task.time.size());
    p.n_gti = static_cast<int>(task.gti_start.size());
    p.window_fmax = window_fmax(task, sum_w, sum_w2);
    p.harmonics = max_harmonics(task);
    p.n_statistics = static_cast<int>(task.statistics.size());
    for (std::size_t s = 0; s < task.statistics.size(); ++s) {
        p.statistic_harmonics[s] = task.statistics[s].harmonics;
        p.statistic_is_h[s] = task.statistics[s].kind == timing::Statistic::Kind::h;
    }
    p.bands = task.band_edges.size() < 2 ? 0 : static_cast<int>(task.band_edges.size()) - 1;
    return p;
}

bool product_holds(const EventTask& task) {
    return !task.time.empty() && !task.statistics.empty() &&
           task.statistics.size() <= static_cast<std::size_t>(max_statistics) &&
           length(task.time) < (std::int64_t{1} << 31) && task.grid.count > 0 &&
           task.grid.count < (std::int64_t{1} << 32) &&
           peak_halo(task.grid, task.min_separation) <= tile_width / 8;
}

std::int64_t product_bytes(const EventTask& task) {
    const auto statistics = static_cast<std::int64_t>(task.statistics.size());
    const std::int64_t own = tile_width - 2 * peak_halo(task.grid, task.min_separation),
                       tiles = (task.grid.count + own - 1) / own,
                       bands = std::max<std::int64_t>(std::ssize(task.band_edges) - 1, 0);
    // Time, number of the task, phase step, its offset where frequencies drift, weight, and of light curves
    // weight times value.
    const std::int64_t photons = length(task.time) * (8 + 4 + 8 + 8 + 4 + 4);
    // Peaks kept, their number, and those wanted: trial, value, harmonics.
    const std::int64_t peaks =
        statistics * (std::int64_t{tile_peaks} * static_cast<std::int64_t>(sizeof(TilePeak)) + 16 +
                      std::int64_t{std::max(task.max_peaks, 0)} * 32);
    // Of a simulated source: its good time and rate, and the maxima asked for.
    const std::int64_t draw = 16 * length(task.gti_start) + 1024;
    return photons + peaks + draw + statistics * bands * band_depth * 8 + std::ssize(task.band_edges) * 8 +
           tiles * (static_cast<std::int64_t>(sizeof(Tile)) + statistics * 8) + 16 * length(task.gti_start) +
           static_cast<std::int64_t>(sizeof(ProductTask)) + 8;
}

std::vector<std::vector<std::size_t>> product_groups(std::span<const EventTask> tasks, std::int64_t bytes) {
    std::vector<std::vector<std::size_t>> groups;
    std::int64_t photons = 0, used = 0;
    for (std::size_t t = 0; t < tasks.size(); ++t) {
        if (!product_holds(tasks[t])) continue;
        const std::int64_t need = product_bytes(tasks[t]), n = length(tasks[t].time);
        if (need > bytes) continue;
        if (groups.empty() || groups.back().size() >= most_tasks || photons + n > most_photons ||
            used + need > bytes) {
            groups.emplace_back();
            photons = used = 0;
        }
        groups.back().push_back(t);
        photons += n;
        used += need;
    }
    return groups;
}

std::vector<std::vector<SumPart>> sum_groups(std::span<const SumTask> tasks, std::int64_t bytes) {
    std::vector<std::vector<SumPart>> groups;
    std::int64_t used = 0;
    for (std::size_t t = 0; t < tasks.size(); ++t) {
        const std::int64_t n = length(tasks[t].photons.time), indices = std::ssize(tasks[t].indices),
                           size = std::max(part_photons, (n + most_parts - 1) / most_parts);
        for (std::int64_t begin = 0; begin < n && indices > 0; begin += size) {
            const SumPart part{t, begin, std::min(n, begin + size)};
            // Time and weight of a photon; an index and a sum, and the share of a block's ticket.
            const std::int64_t need = (part.end - begin) * 12 + indices * 25 + 64;
            if (groups.empty() || used + need > bytes) {
                groups.emplace_back();
                used = 0;
            }
            groups.back().push_back(part);
            used += need;
        }
    }
    return groups;
}

std::int64_t segment_trials(std::int64_t bytes, std::size_t statistics) {
    // A value a statistic; the state of the harmonics; peaks, their keys and the sort's copy.
    const std::int64_t a_trial = static_cast<std::int64_t>(statistics) * 4 + 12 + 16;
    std::int64_t trials = std::int64_t{1} << 22;
    while (trials > (std::int64_t{1} << 16) && trials * a_trial > bytes) trials /= 2;
    return trials;
}

}  // namespace xsift::engine
