#include <algorithm>
#include <cmath>
#include <limits>

#include <xsift/core/error.hpp>
#include <xsift/engine/search_tasks.hpp>
#include <xsift/timing/aliases.hpp>
#include <xsift/timing/window.hpp>

namespace xsift::engine {
namespace {

/// Engines keep more peaks than are looked at: screened values may order those nearly as high wrongly.
constexpr int spare_peaks = 8;

/// Photons of a long list whose phases are prepared by one thread at once.
constexpr std::size_t prepared_together = 65536;

int peaks_to_keep(const timing::SearchOptions& options) {
    return timing::screened_peaks(options) + spare_peaks;
}

}  // namespace

double peak_separation(double span) {
    constexpr double in_resolutions = 1.5;  // the main lobe and the first side lobe
    return in_resolutions / span;
}

EventTask make_task(const EventList& events, const timing::FrequencyGrid& grid,
                    const timing::SearchOptions& options) {
    EventTask task;
    task.time = events.time;
    task.weight = events.weight;
    task.grid = grid;
    task.statistics = timing::event_statistics(options);
    task.max_peaks = peaks_to_keep(options);
    task.min_separation = peak_separation(timing::time_span(events));
    task.harmonic_fmax = timing::confirmable_frequency(events.exposure);
    task.gti_start = events.gti.start;
    task.gti_stop = events.gti.stop;
    task.band_edges = timing::band_edges(grid, task.harmonic_fmax, options);
    return task;
}

DrawTask make_task(const EventList& events, const timing::ConstantSource& source,
                   const timing::FrequencyGrid& grid, const timing::SearchOptions& options,
                   std::uint64_t seed) {
    DrawTask task;
    task.search = make_task(events, grid, options);
    task.rate = source.rate();
    task.seed = seed;
    task.count = options.draws;
    task.extent = timing::search_extent(events, grid);
    task.span = timing::time_span(events);
    task.max_maxima = options.max_candidates;
    task.log10_fap = options.log10_fap;
    task.min_cycles = options.min_cycles;
    return task;
}

LightCurveTask make_task(const timing::UsableBins& bins, double bin_width, const timing::FrequencyGrid& grid,
                         const timing::SearchOptions& options) {
    LightCurveTask task;
    task.time = bins.time;
    task.value = bins.value;
    task.weight = bins.weight;
    task.grid = grid;
    task.max_peaks = peaks_to_keep(options);
    if (bins.size() > 1) task.min_separation = peak_separation(bins.time.back() - bins.time.front());
    task.terms = options.gls_terms;
    if (bin_width > 0.0) task.harmonic_fmax = timing::nyquist_frequency(bin_width);
    task.band_edges = timing::band_edges(grid, task.harmonic_fmax, options);
    return task;
}

std::int64_t peak_halo(const timing::FrequencyGrid& grid, double min_separation) {
    const double points = min_separation / grid.df;
    return std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil(points - 1e-9)) - 1);
}

std::vector<timing::FixedPhase> phase_steps(std::span<const double> time, double df) {
    std::vector<timing::FixedPhase> step(time.size());
    for (std::size_t j = 0; j < time.size(); ++j) step[j] = timing::fixed_phase(df, time[j]);
    return step;
}

int max_harmonics(const EventTask& task) {
    int most = 0;
    for (const auto& statistic : task.statistics) most = std::max(most, statistic.harmonics);
    return most;
}

int max_harmonics(const LightCurveTask& task) {
    return task.terms.empty() ? 0 : *std::max_element(task.terms.begin(), task.terms.end());
}

std::vector<timing::Statistic> statistics_of(const LightCurveTask& task) {
    if (max_harmonics(task) > timing::most_terms)
        throw Error(ErrorKind::internal, "SEARCH_TASK", "a light-curve search asks for too many harmonics");
    std::vector<timing::Statistic> statistics;
    for (const int n : task.terms) statistics.push_back({timing::Statistic::Kind::gls, n});
    return statistics;
}

double window_fmax(const EventTask& task, double sum_w, double sum_w2) {
    double exposure = 0.0;
    for (std::size_t i = 0; i < task.gti_start.size(); ++i) exposure += task.gti_stop[i] - task.gti_start[i];
    if (!(exposure > 0.0) || !(sum_w2 > 0.0)) return 0.0;
    return timing::window_limit(sum_w * sum_w / sum_w2, static_cast<int>(task.gti_start.size()), exposure);
}

PreparedEvents::PreparedEvents(const EventTask& task, const ThreadPool* pool)
    : step(task.time.size()), harmonics(max_harmonics(task)) {
    const std::size_t n = step.size(), parts = pool ? (n + prepared_together - 1) / prepared_together : 1;
    const auto part = [&](std::size_t i) {
        for (std::size_t j = i * n / parts; j < (i + 1) * n / parts; ++j)
            step[j] = timing::fixed_phase(task.grid.df, task.time[j]);
    };
    if (parts > 1)
        pool->for_each(parts, part);
    else if (parts == 1)
        part(0);
    sum_w = sum_w2 = static_cast<double>(task.time.size());
    if (!task.weight.empty()) {
        sum_w = sum_w2 = 0.0;
        for (const float w : task.weight) {
            sum_w += static_cast<double>(w);
            sum_w2 += static_cast<double>(w) * static_cast<double>(w);
        }
    }
    window_fmax = engine::window_fmax(task, sum_w, sum_w2);
}

PreparedLightCurve::PreparedLightCurve(const LightCurveTask& task)
    : step(phase_steps(task.time, task.grid.df)), weight(task.time.size()), weighted_value(task.time.size()) {
    double sum_w = 0.0, sum_wy = 0.0, sum_wyy = 0.0;
    for (std::size_t j = 0; j < task.time.size(); ++j) {
        sum_w += task.weight[j];
        sum_wy += task.weight[j] * task.value[j];
    }
    const double mean = sum_wy / sum_w;
    for (std::size_t j = 0; j < task.time.size(); ++j)
        sum_wyy += task.weight[j] * (task.value[j] - mean) * (task.value[j] - mean);
    const double deviation = std::sqrt(sum_wyy / sum_w);
    for (std::size_t j = 0; j < task.time.size(); ++j) {
        const double w = task.weight[j] / sum_w;
        weight[j] = static_cast<float>(w);
        weighted_value[j] =
            deviation > 0.0 ? static_cast<float>(w * (task.value[j] - mean) / deviation) : 0.0f;
    }
}

bool stronger(const timing::Peak& a, const timing::Peak& b) {
    return a.value != b.value ? a.value > b.value : a.index < b.index;
}

double PeakList::threshold() const {
    if (capacity_ == 0) return std::numeric_limits<double>::infinity();
    return heap_.size() < capacity_ ? floor_ : std::max(floor_, heap_.front().value);
}

void PeakList::add(const timing::Peak& peak) {
    if (capacity_ == 0 || !(peak.value > floor_)) return;
    if (heap_.size() == capacity_) {
        if (!stronger(peak, heap_.front())) return;
        std::pop_heap(heap_.begin(), heap_.end(), stronger);
        heap_.pop_back();
    }
    heap_.push_back(peak);
    std::push_heap(heap_.begin(), heap_.end(), stronger);
}

void PeakList::add(const PeakList& other) {
    for (const auto& peak : other.heap_) add(peak);
}

std::vector<timing::Peak> PeakList::sorted() const {
    std::vector<timing::Peak> peaks = heap_;
    std::sort(peaks.begin(), peaks.end(), stronger);
    return peaks;
}

void BandMaxima::add(int band, std::int64_t trial, double value) {
    timing::Peak offered;
    offered.index = trial;
    offered.value = value;
    const auto first = maxima_.begin() + static_cast<std::ptrdiff_t>(band) * band_depth;
    for (auto m = first; value > 0.0 && m != first + band_depth; ++m)
        if (stronger(offered, *m)) std::swap(offered, *m);
}

void BandMaxima::add(const BandMaxima& other) {
    for (std::size_t i = 0; i < maxima_.size(); ++i)
        add(static_cast<int>(i) / band_depth, other.maxima_[i].index, other.maxima_[i].value);
}

BandMaxima BandMaxima::above() const {
    BandMaxima out(edges_);
    for (int band = 0; band < bands_; ++band) out.floor_.push_back(threshold(band));
    return out;
}

std::vector<std::vector<timing::Peak>> BandMaxima::peaks(const timing::FrequencyGrid& grid,
                                                         int harmonics) const {
    std::vector<std::vector<timing::Peak>> out(static_cast<std::size_t>(bands_));
    for (std::size_t i = 0; i < maxima_.size(); ++i)
        if (maxima_[i].value > 0.0)
            out[i / band_depth].push_back(
                {maxima_[i].index, grid.frequency(maxima_[i].index), maxima_[i].value, harmonics});
    return out;
}

}  // namespace xsift::engine
