// The CUDA period search. Photons go to tensor cores (product.cu); what does not fit there, and light curves,
// by direct sums: every trial of a segment is a thread; peaks are found and sorted on the device, so
// that only the strongest come back. Segments alternate between streams: while one computes, the next is
// prepared and uploaded.

#include "composite.hpp"
#include "device_buffer.cuh"
#include "exact_body.cuh"
#include "product.hpp"
#include "search_engine.hpp"
#include "stream.cuh"
#include "sums.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include <cub/device/device_radix_sort.cuh>
#include <cub/device/device_reduce.cuh>
#include <cub/device/device_select.cuh>
#include <thrust/iterator/counting_iterator.h>
#include <thrust/iterator/transform_iterator.h>

#include <xsift/engine/device_plan.hpp>
#include <xsift/engine/drawn_search.hpp>
#include <xsift/engine/multi_term_kernel.hpp>
#include <xsift/engine/search_kernel.hpp>

namespace xsift::cuda {
namespace {

using engine::EventPass;
using engine::EventTask;
using engine::LightCurvePass;
using engine::LightCurveTask;
using engine::PeakList;
using timing::Statistic;

constexpr unsigned block_threads = 256;
constexpr int harmonics_per_pass = 4;
constexpr std::size_t slots = engine::direct_slots;

template <int N>
__global__ void event_kernel(const EventPass pass) {
    const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (i < pass.count) engine::event_trial<N>(pass, i);
}

__global__ void light_curve_kernel(const LightCurvePass pass) {
    const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (i < pass.count) engine::light_curve_trial(pass, i);
}

__global__ void multi_term_kernel(const engine::MultiTermPass pass) {
    const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (i < pass.count) engine::multi_term_trial(pass, i);
}

/// The highest trials of each band, by atomic maxima of packed trials: their outcome does not depend on the
/// order of the threads.
__global__ void band_kernel(const float* value, std::int64_t begin, std::int64_t end, std::int64_t first,
                            const std::int64_t* edges, int bands, unsigned long long* packed) {
    const std::int64_t run = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    const std::int64_t from = begin + run * engine::band_run,
                       to = from + engine::band_run < end ? from + engine::band_run : end;
    engine::offer_run_to_bands(value, from, to, first, edges, bands, [=](int band, std::uint64_t trial) {
        unsigned long long* const slots = packed + static_cast<std::int64_t>(band) * engine::band_depth;
        if (trial <= slots[engine::band_depth - 1]) return;
        engine::keep_in_band(slots, trial, [](unsigned long long* slot, std::uint64_t offered) {
            return static_cast<std::uint64_t>(atomicMax(slot, static_cast<unsigned long long>(offered)));
        });
    });
}

/// Keys for the sort: the values of the peaks, and below them zeros.
__global__ void key_kernel(const float* value, const std::int32_t* peak, const std::int32_t* n_peaks,
                           float* key, std::int32_t capacity) {
    const std::int32_t i = static_cast<std::int32_t>(blockIdx.x * blockDim.x + threadIdx.x);
    if (i < capacity) key[i] = i < *n_peaks ? value[peak[i]] : 0.0f;
}

/// Compact form of the strongest peaks, for the way back.
__global__ void gather_kernel(const float* key, const std::int32_t* peak, std::int32_t n, float* out_value,
                              std::int32_t* out_index) {
    const std::int32_t i = static_cast<std::int32_t>(blockIdx.x * blockDim.x + threadIdx.x);
    if (i >= n) return;
    out_value[i] = key[i];
    out_index[i] = key[i] > 0.0f ? peak[i] : 0;
}

/// The strongest peaks again in double: a block a peak, statistic by statistic.
/// @param value, index `kept` a statistic; values of 0: none
__global__ __launch_bounds__(exact_threads) void exact_peaks_kernel(const __grid_constant__ ProductTask task,
                                                                    std::int64_t begin, int kept,
                                                                    const float* value,
                                                                    const std::int32_t* index,
                                                                    ExactPeak* found) {
    __shared__ double shared[exact_threads];
    const int at = static_cast<int>(blockIdx.x), thread = static_cast<int>(threadIdx.x);
    if (!(value[at] > 0.0f)) return;
    const ExactPeak peak = exact_peak(shared, thread, task, at / kept, begin + index[at]);
    if (thread == 0) found[at] = peak;
}

/// The same for fits of several harmonics, of the trials of a segment.
__global__ __launch_bounds__(exact_threads) void exact_terms_kernel(
    const __grid_constant__ engine::MultiTermPass pass, int kept, const float* value,
    const std::int32_t* index, ExactPeak* found) {
    __shared__ double shared[exact_threads];
    const int at = static_cast<int>(blockIdx.x), thread = static_cast<int>(threadIdx.x);
    if (!(value[at] > 0.0f)) return;
    const ExactPeak peak = exact_terms(shared, thread, pass, at / kept, index[at]);
    if (thread == 0) found[at] = peak;
}

unsigned blocks_for(std::int64_t n) {
    return static_cast<unsigned>((n + block_threads - 1) / block_threads);
}

struct IsPeak {
    const float* value;
    std::int64_t count, halo, own_begin, own_end;
    __host__ __device__ bool operator()(std::int32_t i) const {
        return i >= own_begin && i < own_end && engine::is_peak(value, count, i, halo);
    }
};

struct ToDouble {
    __host__ __device__ double operator()(float v) const { return static_cast<double>(v); }
};

/// Trials [own_begin, own_end) of a grid with a halo on either side, as far as the grid goes.
struct Segment {
    std::size_t task;
    std::int64_t begin, end;          ///< trials computed
    std::int64_t own_begin, own_end;  ///< relative to begin: trials that may be peaks here
    std::int64_t halo;
};

std::vector<Segment> cut(std::size_t task, const timing::FrequencyGrid& grid, double min_separation,
                         std::int64_t segment_trials) {
    const std::int64_t halo = engine::peak_halo(grid, min_separation);
    std::vector<Segment> segments;
    for (std::int64_t own = 0; own < grid.count; own += segment_trials) {
        const std::int64_t own_end = std::min(own + segment_trials, grid.count);
        const std::int64_t begin = std::max<std::int64_t>(0, own - halo);
        segments.push_back(
            {task, begin, std::min(grid.count, own_end + halo), own - begin, own_end - begin, halo});
    }
    return segments;
}

/// Peaks and sum of the statistics of one segment.
struct Found {
    Found(int capacity, std::span<const std::int64_t> band_edges) : peaks(capacity), bands(band_edges) {}
    PeakList peaks;
    engine::BandMaxima bands;
    double sum = 0.0;
};

/// One stream with everything that a segment in flight needs.
class Slot {
  public:
    void start(const EventTask& task, const Segment& segment) {
        segment_ = segment;
        grid_ = task.grid;
        const engine::PreparedEvents events(task);
        upload(events.step, step_host_, step_);
        upload(task.weight, weight_host_, weight_);
        upload(task.gti_start, start_host_, gti_start_);
        upload(task.gti_stop, stop_host_, gti_stop_);
        prepare(static_cast<int>(task.statistics.size()), task.max_peaks, task.band_edges);
        state_.reserve(static_cast<std::size_t>(count()));

        EventPass pass;
        pass.step = step_.data();
        pass.weight = task.weight.empty() ? nullptr : weight_.data();
        pass.n_photons = static_cast<std::int64_t>(task.time.size());
        pass.first = task.grid.first + segment.begin;
        pass.count = count();
        pass.df = task.grid.df;
        pass.harmonic_fmax = task.harmonic_fmax;
        pass.sum_w = events.sum_w;
        pass.sum_w2 = events.sum_w2;
        pass.gti_start = gti_start_.data();
        pass.gti_stop = gti_stop_.data();
        pass.n_gti = static_cast<int>(task.gti_start.size());
        pass.window_fmax = events.window_fmax;
        pass.harmonics = events.harmonics;
        pass.state = state_.data();
        pass.n_statistics = n_statistics_;
        for (int s = 0; s < n_statistics_; ++s) {
            pass.statistic_harmonics[s] = task.statistics[static_cast<std::size_t>(s)].harmonics;
            pass.statistic_is_h[s] = task.statistics[static_cast<std::size_t>(s)].kind == Statistic::Kind::h;
        }
        pass.value = value_.data();
        for (pass.first_harmonic = 1; pass.first_harmonic <= pass.harmonics;) {
            const int left = pass.harmonics - pass.first_harmonic + 1;
            if (left == 1)
                event_kernel<1><<<blocks_for(count()), block_threads, 0, stream_.get()>>>(pass);
            else if (left == 2)
                event_kernel<2><<<blocks_for(count()), block_threads, 0, stream_.get()>>>(pass);
            else
                event_kernel<harmonics_per_pass>
                    <<<blocks_for(count()), block_threads, 0, stream_.get()>>>(pass);
            XSIFT_CUDA_CHECK(cudaGetLastError());
            pass.first_harmonic += left <= 2 ? left : harmonics_per_pass;
        }
        find_peaks();
        ProductTask exact = engine::product_task(task, events.sum_w, events.sum_w2, 1.0);
        exact.sum_w2 = events.sum_w2;
        exact.step = pass.step;
        exact.weight = pass.weight;
        exact.gti_start = pass.gti_start;
        exact.gti_stop = pass.gti_stop;
        recompute(exact);
    }

    void start(const LightCurveTask& task, const Segment& segment) {
        segment_ = segment;
        grid_ = task.grid;
        const engine::PreparedLightCurve curve(task);
        upload(curve.step, step_host_, step_);
        upload(curve.weight, weight_host_, weight_);
        upload(curve.weighted_value, value_host_, weighted_value_);
        prepare(static_cast<int>(task.terms.size()), task.max_peaks, task.band_edges);
        if (task.terms != std::vector<int>{1}) {
            engine::MultiTermPass pass;
            pass.step = step_.data();
            pass.weight = weight_.data();
            pass.weighted_value = weighted_value_.data();
            pass.n = static_cast<std::int64_t>(task.time.size());
            pass.first = task.grid.first + segment.begin;
            pass.count = count();
            pass.df = task.grid.df;
            pass.harmonic_fmax = task.harmonic_fmax;
            pass.terms = engine::max_harmonics(task);
            pass.n_statistics = n_statistics_;
            std::copy(task.terms.begin(), task.terms.end(), pass.statistic_terms);
            pass.value = value_.data();
            multi_term_kernel<<<blocks_for(count()), block_threads, 0, stream_.get()>>>(pass);
            XSIFT_CUDA_CHECK(cudaGetLastError());
            find_peaks();
            if (top() > 0)
                exact_terms_kernel<<<static_cast<unsigned>(top()), exact_threads, 0, stream_.get()>>>(
                    pass, kept_, top_value_.data(), top_index_.data(), exact_.data());
            XSIFT_CUDA_CHECK(cudaGetLastError());
            exact_.copy_to(exact_host_.span(), stream_);
            return;
        }
        light_curve_kernel<<<blocks_for(count()), block_threads, 0, stream_.get()>>>(
            {step_.data(), weight_.data(), weighted_value_.data(),
             static_cast<std::int64_t>(task.time.size()), task.grid.first + segment.begin, count(),
             value_.data()});
        XSIFT_CUDA_CHECK(cudaGetLastError());
        find_peaks();
        ProductTask exact;
        exact.step = step_.data();
        exact.weight = weight_.data();
        exact.weighted_value = weighted_value_.data();
        exact.n_photons = static_cast<std::int32_t>(task.time.size());
        exact.first = task.grid.first;
        recompute(exact);
    }

    /// Waits for the segment in flight, if there is one, and adds what it found.
    void finish(std::vector<std::vector<Found>>& found) {
        if (n_statistics_ == 0) return;
        stream_.synchronize();
        for (int s = 0; s < n_statistics_; ++s) {
            Found& out = found[segment_.task][static_cast<std::size_t>(s)];
            out.sum += sum_host_[static_cast<std::size_t>(s)];
            const int places = bands_ * engine::band_depth;
            for (int slot = 0; slot < places; ++slot) {
                const std::uint64_t packed =
                    band_host_[static_cast<std::size_t>(s) * static_cast<std::size_t>(places) +
                               static_cast<std::size_t>(slot)];
                if (packed > 0)
                    out.bands.add(slot / engine::band_depth, segment_.begin + engine::index_of_packed(packed),
                                  static_cast<double>(engine::value_of_packed(packed)));
            }
            for (std::int32_t i = 0; i < kept_; ++i) {
                const std::size_t at = static_cast<std::size_t>(s) * kept_ + i;
                if (!(top_value_host_[at] > 0.0f)) continue;
                const std::int64_t trial = segment_.begin + top_index_host_[at];
                out.peaks.add(
                    {trial, grid_.frequency(trial), exact_host_[at].value, exact_host_[at].harmonics});
            }
        }
        n_statistics_ = 0;
    }

  private:
    std::int64_t count() const { return segment_.end - segment_.begin; }
    /// Places for the strongest peaks of all statistics.
    int top() const { return n_statistics_ * kept_; }

    /// The strongest peaks in double.
    void recompute(const ProductTask& task) {
        if (top() > 0)
            exact_peaks_kernel<<<static_cast<unsigned>(top()), exact_threads, 0, stream_.get()>>>(
                task, segment_.begin, kept_, top_value_.data(), top_index_.data(), exact_.data());
        XSIFT_CUDA_CHECK(cudaGetLastError());
        exact_.copy_to(exact_host_.span(), stream_);
    }

    /// Through page-locked memory, so that the copy overlaps with the other stream's kernels.
    template <typename T, typename Container>
    void upload(const Container& values, PinnedBuffer<T>& host, DeviceBuffer<T>& device) {
        host.reserve(std::size(values));
        std::copy(std::begin(values), std::end(values), host.data());
        device.assign(std::as_const(host).span(), stream_);
    }

    void prepare(int n_statistics, int max_peaks, std::span<const std::int64_t> band_edges) {
        n_statistics_ = n_statistics;
        const auto n = static_cast<std::size_t>(n_statistics), trials = static_cast<std::size_t>(count());
        // Two peaks are more than a halo apart.
        capacity_ = static_cast<std::int32_t>(count() / (segment_.halo + 1) + 1);
        kept_ = std::min(std::max(max_peaks, 0), capacity_);
        value_.reserve(n * trials);
        for (auto* buffer : {&peak_, &peak_sorted_}) buffer->reserve(static_cast<std::size_t>(capacity_));
        for (auto* buffer : {&key_, &key_sorted_}) buffer->reserve(static_cast<std::size_t>(capacity_));
        n_peaks_.reserve(1);
        sum_.reserve(n);
        sum_host_.reserve(n);
        const auto places = static_cast<std::size_t>(top());
        top_value_.reserve(places);
        top_index_.reserve(places);
        exact_.reserve(places);
        exact_.zero(stream_);  // where there is no peak nothing is written
        top_value_host_.reserve(places);
        top_index_host_.reserve(places);
        exact_host_.reserve(places);
        bands_ = band_edges.size() < 2 ? 0 : static_cast<int>(band_edges.size()) - 1;
        upload(band_edges, edge_host_, edge_);
        const std::size_t maxima = n * static_cast<std::size_t>(bands_) * engine::band_depth;
        band_.reserve(maxima);
        band_host_.reserve(maxima);
    }

    /// Runs a CUB primitive, which asks for its temporary memory first.
    template <typename Call>
    void with_temporary(Call call) {
        std::size_t bytes = 0;
        XSIFT_CUDA_CHECK(call(nullptr, bytes));
        if (bytes > temporary_.size()) temporary_.reserve(bytes);
        XSIFT_CUDA_CHECK(call(temporary_.data(), bytes));
    }

    void find_peaks() {
        if (bands_ > 0) find_band_maxima();
        for (int s = 0; s < n_statistics_; ++s) find_peaks_of(s);
        sum_.copy_to(sum_host_.span(), stream_);
        top_value_.copy_to(top_value_host_.span(), stream_);
        top_index_.copy_to(top_index_host_.span(), stream_);
    }

    void find_band_maxima() {
        band_.zero(stream_);
        const std::int64_t owned = segment_.own_end - segment_.own_begin;
        for (int s = 0; s < n_statistics_; ++s)
            band_kernel<<<blocks_for((owned + engine::band_run - 1) / engine::band_run), block_threads, 0,
                          stream_.get()>>>(value_.data() + s * count(), segment_.own_begin, segment_.own_end,
                                           segment_.begin, edge_.data(), bands_,
                                           band_.data() + s * bands_ * engine::band_depth);
        XSIFT_CUDA_CHECK(cudaGetLastError());
        band_.copy_to(band_host_.span(), stream_);
    }

    void find_peaks_of(int s) {
        const float* value = value_.data() + s * count();
        const auto all = thrust::counting_iterator<std::int32_t>(0);
        const IsPeak is_peak{value, count(), segment_.halo, segment_.own_begin, segment_.own_end};
        with_temporary([&](void* memory, std::size_t& bytes) {
            return cub::DeviceReduce::Sum(
                memory, bytes, thrust::make_transform_iterator(value + segment_.own_begin, ToDouble{}),
                sum_.data() + s, segment_.own_end - segment_.own_begin, stream_.get());
        });
        with_temporary([&](void* memory, std::size_t& bytes) {
            return cub::DeviceSelect::If(memory, bytes, all, peak_.data(), n_peaks_.data(), count(), is_peak,
                                         stream_.get());
        });
        key_kernel<<<blocks_for(capacity_), block_threads, 0, stream_.get()>>>(
            value, peak_.data(), n_peaks_.data(), key_.data(), capacity_);
        XSIFT_CUDA_CHECK(cudaGetLastError());
        with_temporary([&](void* memory, std::size_t& bytes) {  // stable: of equals, the lower index first
            return cub::DeviceRadixSort::SortPairsDescending(memory, bytes, key_.data(), key_sorted_.data(),
                                                             peak_.data(), peak_sorted_.data(), capacity_, 0,
                                                             32, stream_.get());
        });
        if (kept_ == 0) return;
        const std::int64_t at = static_cast<std::int64_t>(s) * kept_;
        gather_kernel<<<blocks_for(kept_), block_threads, 0, stream_.get()>>>(
            key_sorted_.data(), peak_sorted_.data(), kept_, top_value_.data() + at, top_index_.data() + at);
        XSIFT_CUDA_CHECK(cudaGetLastError());
    }

    Segment segment_{};
    timing::FrequencyGrid grid_;
    int n_statistics_ = 0;  ///< 0: nothing in flight
    std::int32_t capacity_ = 0, kept_ = 0;
    int bands_ = 0;

    PinnedBuffer<timing::FixedPhase> step_host_;
    PinnedBuffer<float> weight_host_, value_host_, top_value_host_;
    PinnedBuffer<double> start_host_, stop_host_, sum_host_;
    PinnedBuffer<std::int32_t> top_index_host_;
    PinnedBuffer<ExactPeak> exact_host_;
    PinnedBuffer<std::int64_t> edge_host_;
    PinnedBuffer<unsigned long long> band_host_;

    DeviceBuffer<timing::FixedPhase> step_;
    DeviceBuffer<float> weight_, weighted_value_, value_, key_, key_sorted_, top_value_;
    DeviceBuffer<double> gti_start_, gti_stop_, sum_;
    DeviceBuffer<timing::HTest<float>> state_;
    DeviceBuffer<std::int32_t> peak_, peak_sorted_, n_peaks_, top_index_;
    DeviceBuffer<ExactPeak> exact_;
    DeviceBuffer<std::int64_t> edge_;
    DeviceBuffer<unsigned long long> band_;
    DeviceBuffer<std::byte> temporary_;

    Stream stream_;  // last: destroyed first, so that its work is over before memory goes
};

std::vector<Statistic> statistics_of(const EventTask& task) {
    if (task.statistics.size() > static_cast<std::size_t>(engine::max_statistics))
        throw Error(ErrorKind::usage, "TOO_MANY_STATISTICS",
                    "the cuda backend cannot search this many statistics",
                    std::to_string(task.statistics.size()) + " were asked for, " +
                        std::to_string(engine::max_statistics) + " are the most",
                    "Ask for fewer Z2 harmonics, or use --backend cpu.");
    return task.statistics;
}

class CudaSearch final : public engine::PeriodSearch {
  public:
    CudaSearch(const engine::DeviceBudget& budget, const engine::DeviceCosts& costs, bool warpgroups)
        : budget_(budget), products_(budget.product_group, costs, warpgroups), sums_(budget.sums) {}
    std::string name() const override { return "cuda"; }
    std::vector<engine::SearchOutcome> search(std::span<const EventTask> tasks) override {
        return by_tiles_or<engine::SearchOutcome>(tasks, [&](auto others) { return run(others); });
    }
    std::vector<engine::SearchOutcome> search(std::span<const LightCurveTask> tasks) override {
        return by_tiles_or<engine::SearchOutcome>(tasks, [&](auto others) { return run(others); });
    }
    std::vector<engine::CompositeOutcome> search(std::span<const engine::CompositeTask> tasks) override {
        for (const engine::CompositeTask& task : tasks) engine::check_task(task);
        return by_tiles_or<engine::CompositeOutcome>(
            tasks, [](std::span<const engine::CompositeTask> others) { return search_composites(others); });
    }
    std::vector<std::vector<engine::DrawOutcome>> search(std::span<const engine::DrawTask> tasks) override {
        return by_tiles_or<std::vector<engine::DrawOutcome>>(
            tasks, [&](std::span<const engine::DrawTask> others) {
                std::vector<std::vector<engine::DrawOutcome>> outcomes;
                for (const engine::DrawTask& task : others)
                    outcomes.push_back(engine::search_draws_of_host(
                        task, [&](std::span<const EventTask> drawn) { return search(drawn); }, nullptr));
                return outcomes;
            });
    }
    std::vector<std::vector<timing::Complex>> sums(std::span<const engine::SumTask> tasks) override {
        return sums_.run(tasks);
    }

  private:
    /// @param other (tasks) searches what tiles do not
    template <typename Outcome, typename Task, typename Other>
    std::vector<Outcome> by_tiles_or(std::span<const Task> tasks, const Other& other) {
        auto by_tiles = products_.search(tasks);
        std::vector<Task> others;
        for (std::size_t t = 0; t < tasks.size(); ++t)
            if (!by_tiles[t]) others.push_back(tasks[t]);
        std::vector<Outcome> outcomes = other(std::span<const Task>(others)), all;
        auto next = outcomes.begin();
        for (auto& outcome : by_tiles) all.push_back(std::move(outcome ? *outcome : *next++));
        return all;
    }

    template <typename Task>
    std::vector<engine::SearchOutcome> run(std::span<const Task> tasks) {
        std::vector<std::vector<Found>> found;
        std::vector<Segment> segments;
        for (std::size_t t = 0; t < tasks.size(); ++t) {
            found.emplace_back(statistics_of(tasks[t]).size(),
                               Found(tasks[t].max_peaks, tasks[t].band_edges));
            if (found.back().empty() || tasks[t].time.empty()) continue;
            const std::int64_t trials = engine::segment_trials(budget_.segment, found.back().size());
            for (const Segment& s : cut(t, tasks[t].grid, tasks[t].min_separation, trials))
                segments.push_back(s);
        }
        for (std::size_t i = 0; i < segments.size(); ++i) {
            Slot& slot = slots_[i % slots];
            slot.finish(found);
            slot.start(tasks[segments[i].task], segments[i]);
        }
        for (std::size_t i = 0; i < slots; ++i) slots_[(segments.size() + i) % slots].finish(found);

        std::vector<engine::SearchOutcome> outcomes(tasks.size());
        for (std::size_t t = 0; t < tasks.size(); ++t) {
            const auto statistics = statistics_of(tasks[t]);
            const std::int64_t count = std::max<std::int64_t>(tasks[t].grid.count, 0);
            for (std::size_t s = 0; s < statistics.size(); ++s)
                outcomes[t].statistics.push_back(
                    {statistics[s], found[t][s].peaks.sorted(),
                     count ? found[t][s].sum / static_cast<double>(count) : 0.0, count,
                     found[t][s].bands.peaks(tasks[t].grid, statistics[s].harmonics)});
        }
        return outcomes;
    }

    engine::DeviceBudget budget_;
    ProductSearch products_;
    PhotonSummer sums_;
    std::array<Slot, slots> slots_;
};

}  // namespace

std::unique_ptr<engine::PeriodSearch> make_search_engine(const engine::DeviceBudget& budget,
                                                         const engine::DeviceCosts& costs, bool warpgroups) {
    return std::make_unique<CudaSearch>(budget, costs, warpgroups);
}

}  // namespace xsift::cuda
