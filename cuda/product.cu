// The photon search on tensor cores: one launch serves many sources, a tile of frequencies of one of them a
// block at a time, the most expensive tiles first. Statistics, peaks and the highest of the bands are made
// where the sums are; no periodogram leaves a block.

#include "device_buffer.cuh"
#include "device_ops.cuh"
#include "draws.cuh"
#include "exact_body.cuh"
#include "mirrored.cuh"
#include "product.hpp"
#include "product_body.cuh"
#include "stream.cuh"
#include "transform.cuh"
#include "warpgroup_product.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <map>
#include <numeric>
#include <thread>
#include <tuple>

#include <xsift/engine/device_plan.hpp>
#include <xsift/engine/product_tile.hpp>
#include <xsift/engine/search_tasks.hpp>

namespace xsift::cuda {
namespace {

using engine::EventTask;
using engine::Tile;

/// Launches with other thresholds before a task is left to the other way.
constexpr int most_attempts = 10;
/// Tasks whose tiles take turns: a tile that comes late finds high trials in its band and offers few.
constexpr std::size_t tasks_in_turn = 64;

/// @param sums n_tiles x stride
__global__ __launch_bounds__(tile_threads, 2) void product_kernel(const ProductTask* tasks, const Tile* tiles,
                                                                  unsigned n_tiles, unsigned* next,
                                                                  double* sums, unsigned stride) {
    extern __shared__ __align__(16) unsigned char memory[];
    search_by_product<WarpProducts<DeviceOps>>(*reinterpret_cast<SharedTile*>(memory),
                                               static_cast<int>(threadIdx.x), tasks, tiles, n_tiles, next,
                                               sums, stride);
}

/// What the phases of a task's photons are made from.
struct PhaseSource {
    double df;
    timing::DriftTrial drift;
};

/// The phase of each photon a grid step, and where frequencies drift (offset not null) what is added to it;
/// `task_of` tells whose it is.
__global__ void step_kernel(const double* time, const PhaseSource* source, const std::int32_t* task_of,
                            timing::FixedPhase* step, timing::FixedPhase* offset, std::int64_t n) {
    const std::int64_t j = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (j >= n) return;
    const PhaseSource& of = source[task_of[j]];
    const timing::DriftedPhase phase = timing::drifted_phase(of.df, time[j], of.drift);
    step[j] = phase.step;
    if (offset != nullptr) offset[j] = phase.offset;
}

__global__ __launch_bounds__(exact_threads) void select_kernel(const ProductTask* tasks,
                                                               const StatisticSlot* slots, int most,
                                                               std::int64_t* trials) {
    __shared__ TilePeak peaks[engine::tile_peaks];
    select_peaks(peaks, static_cast<int>(threadIdx.x), blockIdx.x, tasks, slots, most, trials);
}

__global__ __launch_bounds__(exact_threads) void exact_kernel(const ProductTask* tasks,
                                                              const StatisticSlot* slots, int most,
                                                              const std::int64_t* trials, ExactPeak* found) {
    __shared__ double shared[exact_threads];
    recompute_peak(shared, static_cast<int>(threadIdx.x), blockIdx.x, tasks, slots, most, trials, found);
}

int device_property(cudaDeviceAttr attribute) {
    int device = 0, value = 0;
    XSIFT_CUDA_CHECK(cudaGetDevice(&device));
    XSIFT_CUDA_CHECK(cudaDeviceGetAttribute(&value, attribute, device));
    return value;
}

}  // namespace

struct ProductSearch::Implementation {
    /// Tasks of one launch: their numbers in the batch.
    using Group = std::vector<std::size_t>;

    std::span<const EventTask> tasks;
    Extras extras;
    std::vector<std::optional<engine::SearchOutcome>>* outcomes = nullptr;
    Stream stream;
    Draws draws;
    Mirrored<double> time, gti_start, gti_stop, sums;
    Mirrored<PhaseSource> phase_source;
    Mirrored<float> weight, weighted_value;
    Mirrored<std::int32_t> task_of;
    Mirrored<std::int64_t> edges;
    Mirrored<ProductTask> described;
    Mirrored<Tile> tiles;
    Mirrored<StatisticSlot> slots;
    Mirrored<std::uint32_t> n_peaks;
    Mirrored<unsigned long long> band_trials;
    Mirrored<ExactPeak> exact;  ///< slots x most_wanted
    PinnedBuffer<TilePeak> overflow;
    DeviceBuffer<TilePeak> peaks;
    DeviceBuffer<std::int64_t> chosen;  ///< slots x most_wanted
    DeviceBuffer<timing::FixedPhase> step, offset;
    DeviceBuffer<unsigned> next;  ///< tile to be taken: of the product, of the transform
    TransformSearch transform;
    engine::DeviceCosts costs;
    unsigned blocks = 0, warpgroup_blocks = 0;  ///< of a launch; 0: products by warps
    unsigned stride = 1;
    int most_wanted = 0;
    std::map<std::tuple<timing::Statistic::Kind, int, std::int64_t, std::size_t>, float> first_thresholds;
    std::vector<std::size_t> statistics_before;  ///< of each task of the group, statistics of those before it

    /// @param warpgroups as those of ProductSearch
    bool prepare_device(bool warpgroups) {
        if (blocks > 0) return true;
        if (device_property(cudaDevAttrComputeCapabilityMajor) < 8) return false;
        constexpr int bytes = static_cast<int>(sizeof(SharedTile));
        if (device_property(cudaDevAttrMaxSharedMemoryPerBlockOptin) < bytes) return false;
        XSIFT_CUDA_CHECK(
            cudaFuncSetAttribute(product_kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes));
        int per_processor = 0;
        XSIFT_CUDA_CHECK(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&per_processor, product_kernel,
                                                                       tile_threads, bytes));
        blocks = static_cast<unsigned>(std::max(1, per_processor) *
                                       device_property(cudaDevAttrMultiProcessorCount));
        if (warpgroups) warpgroup_blocks = warpgroup_product_blocks();
        return true;
    }

    void run(const Group& group) {
        std::vector<std::vector<float>> thresholds;
        for (const std::size_t t : group) {
            auto& of_task = thresholds.emplace_back();
            for (const timing::Statistic& s : tasks[t].statistics)
                of_task.push_back(first_threshold(s, tasks[t].grid.count, tasks[t].time.size()));
        }
        upload(group);
        std::vector<std::size_t> open(group.size());  // of the group
        std::iota(open.begin(), open.end(), std::size_t{0});
        for (int attempt = 0; attempt < most_attempts && !open.empty(); ++attempt) {
            launch(open, thresholds);
            std::vector<std::size_t> again, done;
            for (const std::size_t i : open) (adjust(group, i, thresholds[i]) ? again : done).push_back(i);
            report(group, done);
            if (!extras.draws.empty()) maximise(group, done);
            open = std::move(again);
        }
    }

    /// engine::noise_threshold, remembered: many tasks have the same statistics and grid.
    float first_threshold(const timing::Statistic& statistic, std::int64_t trials, std::size_t n) {
        if (statistic.kind != timing::Statistic::Kind::gls) n = 0;  // of no influence
        const auto [at, is_new] =
            first_thresholds.try_emplace({statistic.kind, statistic.harmonics, trials, n}, 0.0f);
        if (is_new) at->second = engine::noise_threshold(statistic, trials, n);
        return at->second;
    }
    bool curves() const { return !extras.weighted_values.empty(); }

    void maximise(const Group& group, const std::vector<std::size_t>& done) {
        draws.maximise(
            done, described.device.data(), stream,
            [&](std::size_t i) -> engine::SearchOutcome& { return *(*outcomes)[group[i]]; },
            [&](std::size_t i) -> auto& { return (*extras.drawn)[group[i]]; });
        for (const std::size_t i : done) (*outcomes)[group[i]].reset();
    }

    /// Photons, intervals and bands of a group, one after the other.
    void upload(const Group& group) {
        std::size_t photons = 0, intervals = 0, n_edges = 0, statistics = 0, n_bands = 0;
        statistics_before.clear();
        most_wanted = 0;
        for (const std::size_t t : group) {
            statistics_before.push_back(statistics);
            photons += tasks[t].time.size();
            intervals += tasks[t].gti_start.size();
            n_edges += tasks[t].band_edges.size();
            statistics += tasks[t].statistics.size();
            n_bands += bands_of(tasks[t]) * tasks[t].statistics.size() * engine::band_depth;
            most_wanted = std::max(most_wanted, tasks[t].max_peaks);
        }
        time.reserve(photons);
        weight.reserve(photons);
        weighted_value.reserve(curves() ? photons : 0);
        task_of.reserve(photons);
        step.reserve(photons);
        offset.reserve(extras.drifts.empty() ? 0 : photons);
        phase_source.reserve(group.size());
        gti_start.reserve(intervals);
        gti_stop.reserve(intervals);
        edges.reserve(n_edges);
        described.reserve(group.size());
        peaks.reserve(statistics * engine::tile_peaks);
        n_peaks.reserve(statistics);
        slots.reserve(statistics);
        chosen.reserve(statistics * static_cast<std::size_t>(most_wanted));
        exact.reserve(statistics * static_cast<std::size_t>(most_wanted));
        band_trials.reserve(n_bands);
        photons = intervals = n_edges = n_bands = 0;
        for (std::size_t i = 0; i < group.size(); ++i) {
            const EventTask& task = tasks[group[i]];
            ProductTask& p = described.host[i];
            double sum_w = static_cast<double>(task.time.size()), sum_w2 = sum_w, largest = 1.0;
            if (!task.weight.empty()) {
                sum_w = sum_w2 = largest = 0.0;
                for (const float w : task.weight) {
                    sum_w += static_cast<double>(w);
                    sum_w2 += static_cast<double>(w) * static_cast<double>(w);
                    largest = std::max(largest, std::fabs(static_cast<double>(w)));
                }
            }
            const double n = static_cast<double>(task.time.size()),
                         rms = curves() ? 1.0 : std::sqrt(sum_w2 / n);
            if (extras.draws.empty())
                std::copy(task.time.begin(), task.time.end(), time.host.data() + photons);
            std::fill_n(task_of.host.data() + photons, task.time.size(), static_cast<std::int32_t>(i));
            for (std::size_t j = 0; j < task.weight.size(); ++j)
                weight.host[photons + j] = static_cast<float>(static_cast<double>(task.weight[j]) / rms);
            std::copy(task.gti_start.begin(), task.gti_start.end(), gti_start.host.data() + intervals);
            std::copy(task.gti_stop.begin(), task.gti_stop.end(), gti_stop.host.data() + intervals);
            std::copy(task.band_edges.begin(), task.band_edges.end(), edges.host.data() + n_edges);
            const timing::DriftTrial drift =
                extras.drifts.empty() ? timing::DriftTrial{} : extras.drifts[group[i]];
            phase_source.host[i] = {task.grid.df, drift};
            p = engine::product_task(task, sum_w, sum_w2, rms);
            if (curves()) p.harmonics = 2;
            p.step = step.data() + photons;
            p.offset = extras.drifts.empty() ? nullptr : offset.data() + photons;
            p.drift = drift;
            p.weight = task.weight.empty() ? nullptr : weight.device.data() + photons;
            p.largest_weight = static_cast<float>(largest / rms);
            if (curves()) {
                const std::span<const float> values = extras.weighted_values[group[i]];
                std::copy(values.begin(), values.end(), weighted_value.host.data() + photons);
                p.weighted_value = weighted_value.device.data() + photons;
                p.largest_weighted_value = 0.0f;
                for (const float value : values)
                    p.largest_weighted_value = std::max(p.largest_weighted_value, std::fabs(value));
                if (!(p.largest_weighted_value > 0.0f)) p.largest_weighted_value = 1.0f;
            }
            p.gti_start = gti_start.device.data() + intervals;
            p.gti_stop = gti_stop.device.data() + intervals;
            for (std::size_t s = 0; s < task.statistics.size(); ++s)
                slots.host[statistics_before[i] + s] = {
                    static_cast<std::int32_t>(i), static_cast<std::int32_t>(s), std::max(task.max_peaks, 0)};
            p.edges = edges.device.data() + n_edges;
            p.band_trials = band_trials.device.data() + n_bands;
            p.peaks = peaks.data() + statistics_before[i] * engine::tile_peaks;
            p.n_peaks = n_peaks.device.data() + statistics_before[i];
            photons += task.time.size();
            intervals += task.gti_start.size();
            n_edges += task.band_edges.size();
            n_bands += bands_of(task) * task.statistics.size() * engine::band_depth;
        }
        for (auto* buffer : {&gti_start, &gti_stop}) buffer->upload(stream);
        if (extras.draws.empty()) time.upload(stream);
        phase_source.upload(stream);
        weight.upload(stream);
        weighted_value.upload(stream);
        task_of.upload(stream);
        edges.upload(stream);
        slots.upload(stream);
        if (!extras.draws.empty()) {
            std::vector<DrawOf> of_group;
            for (const std::size_t t : group) of_group.push_back(extras.draws[t]);
            draws.start(std::move(of_group), time.device.data(), weight.device.data(), stream);
        }
        constexpr unsigned threads = 256;
        const auto n = static_cast<std::int64_t>(photons);
        step_kernel<<<static_cast<unsigned>((n + threads - 1) / threads), threads, 0, stream.get()>>>(
            time.device.data(), phase_source.device.data(), task_of.device.data(), step.data(),
            extras.drifts.empty() ? nullptr : offset.data(), n);
        XSIFT_CUDA_CHECK(cudaGetLastError());
    }

    static std::size_t bands_of(const EventTask& task) {
        return task.band_edges.size() < 2 ? 0 : task.band_edges.size() - 1;
    }

    /// Tiles of tasks that take turns, after those that are there already.
    void add_tiles(std::span<const std::size_t> of_tasks, std::size_t& tile) {
        for (std::size_t from = 0; from < of_tasks.size(); from += tasks_in_turn) {
            const auto turn = of_tasks.subspan(from, std::min(tasks_in_turn, of_tasks.size() - from));
            bool any = true;
            for (std::int64_t number = 0; std::exchange(any, false); ++number)
                for (const std::size_t i : turn) {
                    const ProductTask& p = described.host[i];
                    const std::int64_t begin = number * engine::tile_own(p);
                    if (begin >= p.count) continue;
                    tiles.host[tile++] = {static_cast<std::int32_t>(i), engine::plain_harmonics(p, begin),
                                          begin};
                    any = true;
                }
        }
    }

    /// Searches the tasks of the group that are still open.
    void launch(const std::vector<std::size_t>& open, const std::vector<std::vector<float>>& thresholds) {
        // Tiles of a task cost about the same: their order is that of the tasks.
        std::vector<std::size_t> order = open;
        std::size_t n_tiles = 0;
        int harmonics = 1;
        stride = 1;
        for (const std::size_t i : open) {
            ProductTask& p = described.host[i];
            std::copy(thresholds[i].begin(), thresholds[i].end(), p.threshold);
            n_tiles += static_cast<std::size_t>((p.count + engine::tile_own(p) - 1) / engine::tile_own(p));
            stride = std::max(stride, static_cast<unsigned>(p.n_statistics));
            harmonics = std::max(harmonics, p.harmonics);
        }
        std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
            return engine::tile_cost(described.host[a], 0) > engine::tile_cost(described.host[b], 0);
        });
        const auto product = std::stable_partition(order.begin(), order.end(), [&](std::size_t i) {
            return curves() || (transform.available() && costs.prefer_transform(described.host[i].n_photons));
        });
        tiles.reserve(n_tiles);
        std::size_t tile = 0;
        add_tiles({order.begin(), product}, tile);
        const auto by_transform = static_cast<unsigned>(tile);
        add_tiles({product, order.end()}, tile);
        const unsigned by_product = static_cast<unsigned>(tile) - by_transform;
        sums.reserve(n_tiles * stride);
        next.reserve(2);
        tiles.upload(stream);
        described.upload(stream);
        next.zero(stream);
        sums.device.zero(stream);
        exact.device.zero(stream);
        n_peaks.device.zero(stream);
        band_trials.device.zero(stream);
        if (by_transform > 0 && curves())
            transform.start_curves(described.device.data(), described.host.size(), tiles.device.data(),
                                   by_transform, next.data() + 1, sums.device.data(), stride, stream);
        else if (by_transform > 0)
            transform.start(described.device.data(), described.host.size(), harmonics, tiles.device.data(),
                            by_transform, next.data() + 1, sums.device.data(), stride, stream);
        if (by_product > 0 && warpgroup_blocks > 0)
            start_warpgroup_product(warpgroup_blocks, described.device.data(),
                                    tiles.device.data() + by_transform, by_product, next.data(),
                                    sums.device.data() + std::size_t{by_transform} * stride, stride, stream);
        else if (by_product > 0)
            product_kernel<<<std::min(blocks, by_product), tile_threads, sizeof(SharedTile), stream.get()>>>(
                described.device.data(), tiles.device.data() + by_transform, by_product, next.data(),
                sums.device.data() + std::size_t{by_transform} * stride, stride);
        XSIFT_CUDA_CHECK(cudaGetLastError());
        if (most_wanted > 0) {
            const auto n_slots = static_cast<unsigned>(slots.host.size());
            select_kernel<<<n_slots, exact_threads, 0, stream.get()>>>(
                described.device.data(), slots.device.data(), most_wanted, chosen.data());
            XSIFT_CUDA_CHECK(cudaGetLastError());
            exact_kernel<<<n_slots* static_cast<unsigned>(most_wanted), exact_threads, 0, stream.get()>>>(
                described.device.data(), slots.device.data(), most_wanted, chosen.data(),
                exact.device.data());
            XSIFT_CUDA_CHECK(cudaGetLastError());
            exact.download(stream);
        }
        n_peaks.download(stream);
        band_trials.download(stream);
        sums.download(stream);
        stream.synchronize();
    }

    /// Whether the thresholds of a task must be others: too many peaks were above one, or too few.
    bool adjust(const Group& group, std::size_t i, std::vector<float>& thresholds) {
        const EventTask& task = tasks[group[i]];
        bool again = false;
        for (std::size_t s = 0; s < thresholds.size(); ++s) {
            const std::size_t at = statistics_before[i] + s;
            const std::uint32_t n = n_peaks.host[at];
            if (n > engine::tile_peaks) {
                // Those kept are a sample of all: aim at a quarter of the room.
                overflow.reserve(engine::tile_peaks);
                XSIFT_CUDA_CHECK(cudaMemcpyAsync(overflow.data(), peaks.data() + at * engine::tile_peaks,
                                                 engine::tile_peaks * sizeof(TilePeak),
                                                 cudaMemcpyDeviceToHost, stream.get()));
                stream.synchronize();
                std::vector<float> kept;
                for (const TilePeak& peak : overflow.span()) kept.push_back(peak.value);
                std::sort(kept.begin(), kept.end(), std::greater<>());
                const std::size_t rank = engine::tile_peaks / 4 * std::size_t{engine::tile_peaks} / n;
                thresholds[s] = std::max(std::nextafter(thresholds[s], 1e30f), kept[rank]);
                again = true;
            } else if (n < static_cast<std::uint32_t>(std::max(task.max_peaks, 0)) && thresholds[s] > 0.0f) {
                thresholds[s] = thresholds[s] > (curves() ? 0.01f : 1.0f) ? 0.6f * thresholds[s] : 0.0f;
                again = true;
            }
        }
        return again;
    }

    /// What belongs to the outcomes of finished tasks.
    void report(const Group& group, const std::vector<std::size_t>& done) {
        if (done.empty()) return;
        std::vector<std::vector<double>> sum(group.size());
        for (const std::size_t i : done) sum[i].assign(tasks[group[i]].statistics.size(), 0.0);
        for (std::size_t tile = 0; tile < tiles.host.size(); ++tile) {
            auto& of_task = sum[static_cast<std::size_t>(tiles.host[tile].task)];
            for (std::size_t s = 0; s < of_task.size(); ++s) of_task[s] += sums.host[tile * stride + s];
        }
        for (const std::size_t i : done) {
            const EventTask& task = tasks[group[i]];
            engine::SearchOutcome outcome;
            for (std::size_t s = 0; s < task.statistics.size(); ++s) {
                const std::size_t slot = statistics_before[i] + s;
                const auto n = std::min<std::size_t>(n_peaks.host[slot],
                                                     static_cast<std::size_t>(slots.host[slot].max_peaks));
                std::vector<timing::Peak> found;
                for (const ExactPeak& peak :
                     exact.host.span().subspan(slot * static_cast<std::size_t>(most_wanted), n))
                    found.push_back(
                        {peak.trial, task.grid.frequency(peak.trial), peak.value, peak.harmonics});
                std::sort(found.begin(), found.end(), engine::stronger);
                outcome.statistics.push_back({task.statistics[s], std::move(found),
                                              sum[i][s] / static_cast<double>(task.grid.count),
                                              task.grid.count, bands(task, i, s)});
            }
            (*outcomes)[group[i]] = std::move(outcome);
        }
    }

    std::vector<std::vector<timing::Peak>> bands(const EventTask& task, std::size_t i, std::size_t s) const {
        engine::BandMaxima maxima(task.band_edges);
        const std::size_t n = bands_of(task) * engine::band_depth,
                          before = static_cast<std::size_t>(described.host[i].band_trials -
                                                            band_trials.device.data()) +
                                   s * n;
        for (std::size_t slot = 0; slot < n; ++slot) {
            const std::uint64_t packed = band_trials.host[before + slot];
            if (packed > 0)
                maxima.add(static_cast<int>(slot) / engine::band_depth, engine::index_of_packed(packed),
                           static_cast<double>(engine::value_of_packed(packed)));
        }
        return maxima.peaks(task.grid, task.statistics[s].harmonics);
    }
};

ProductSearch::ProductSearch(std::int64_t group_bytes, const engine::DeviceCosts& costs, bool warpgroups)
    : group_bytes_(group_bytes), costs_(costs), warpgroups_(warpgroups) {}
ProductSearch::~ProductSearch() = default;

bool ProductSearch::has_transform() {
    if (workers_.empty()) workers_.push_back(std::make_unique<Implementation>());
    return workers_.front()->transform.available();
}

std::vector<std::optional<engine::SearchOutcome>> ProductSearch::search(
    std::span<const engine::EventTask> tasks, const Extras& extras) {
    std::vector<std::optional<engine::SearchOutcome>> outcomes(tasks.size());
    const std::vector<Implementation::Group> groups = engine::product_groups(tasks, group_bytes_);
    // Each with a stream: while the device computes for one, the others prepare and report.
    const auto n = std::min<std::size_t>(groups.size(), engine::product_workers);
    while (workers_.size() < n) workers_.push_back(std::make_unique<Implementation>());
    for (std::size_t w = 0; w < n; ++w)
        if (!workers_[w]->prepare_device(warpgroups_)) return outcomes;

    // Each task's outcome has a place of its own, so that it does not matter who takes which group.
    std::atomic<std::size_t> next{0};
    std::vector<std::exception_ptr> failures(n);
    int device = 0;
    if (n > 0) XSIFT_CUDA_CHECK(cudaGetDevice(&device));
    const auto work = [&](std::size_t w) {
        try {
            XSIFT_CUDA_CHECK(cudaSetDevice(device));
            workers_[w]->tasks = tasks;
            workers_[w]->extras = extras;
            workers_[w]->outcomes = &outcomes;
            workers_[w]->costs = costs_;
            for (std::size_t g = next++; g < groups.size(); g = next++) workers_[w]->run(groups[g]);
        } catch (...) {
            failures[w] = std::current_exception();
            next = groups.size();
        }
    };
    std::vector<std::thread> threads;
    for (std::size_t w = 1; w < n; ++w) threads.emplace_back(work, w);
    if (n > 0) work(0);
    for (std::thread& thread : threads) thread.join();
    for (const std::exception_ptr& failure : failures)
        if (failure) std::rethrow_exception(failure);
    return outcomes;
}

}  // namespace xsift::cuda
