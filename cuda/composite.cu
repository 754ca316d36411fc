// Composite searches on the device: every trial of a member at one trial of the drift is a thread, members
// one after the other into the same values; only peaks come back.

#include "composite.hpp"
#include "device_buffer.cuh"
#include "stream.cuh"

#include <algorithm>

#include <cub/device/device_select.cuh>
#include <thrust/iterator/counting_iterator.h>

#include <xsift/engine/composite_kernel.hpp>
#include <xsift/engine/search_tasks.hpp>

namespace xsift::cuda {
namespace {

using engine::CompositeMember;
using engine::CompositePass;
using engine::CompositeTask;
using Kind = timing::Statistic::Kind;

constexpr unsigned block_threads = 256;
constexpr std::int64_t segment_trials = std::int64_t{1} << 22;

__global__ void composite_kernel(const CompositePass pass) {
    const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (i < pass.count) engine::composite_trial(pass, i);
}

__global__ void fold_kernel(const CompositePass pass) {
    const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (i < pass.count) engine::fold_trial(pass, i);
}

__global__ void gather_values_kernel(const float* value, const std::int32_t* peak, std::int32_t n,
                                     float* out) {
    const std::int32_t i = static_cast<std::int32_t>(blockIdx.x * blockDim.x + threadIdx.x);
    if (i < n) out[i] = value[peak[i]];
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

class Searcher {
  public:
    /// Adds the peaks of one trial of the drift to `found`, a list a statistic.
    void run(const CompositeTask& task, std::int64_t drift,
             std::vector<std::vector<engine::CompositePeak>>& found) {
        const std::int64_t halo = engine::peak_halo(task.grid, task.min_separation);
        std::vector<engine::PeakList> peaks(task.statistics.size(), engine::PeakList(task.max_peaks));
        for (std::int64_t own = 0; own < task.grid.count; own += segment_trials) {
            const std::int64_t own_end = std::min(own + segment_trials, task.grid.count);
            const std::int64_t begin = std::max<std::int64_t>(0, own - halo),
                               end = std::min(task.grid.count, own_end + halo);
            value_.reserve(task.statistics.size() * static_cast<std::size_t>(end - begin));
            value_.zero(stream_);
            for (const CompositeMember& member : task.members)
                add_member(task, member, drift, begin, end - begin);
            for (std::size_t s = 0; s < task.statistics.size(); ++s)
                collect(task, s,
                        {value_.data() + static_cast<std::int64_t>(s) * (end - begin), end - begin, halo,
                         own - begin, own_end - begin},
                        begin, peaks[s]);
        }
        for (std::size_t s = 0; s < peaks.size(); ++s)
            for (const timing::Peak& peak : peaks[s].sorted()) found[s].push_back({peak, drift});
    }

  private:
    void add_member(const CompositeTask& task, const CompositeMember& member, std::int64_t drift,
                    std::int64_t begin, std::int64_t count) {
        const engine::DriftedMember drifted(member, task, drift);
        const engine::MemberSums sums(member);
        step_.assign(drifted.step, stream_);
        offset_.assign(drifted.offset, stream_);
        weight_.assign(member.weight, stream_);
        gti_start_.assign(member.gti_start, stream_);
        gti_stop_.assign(member.gti_stop, stream_);
        gti_rate_.assign(member.gti_rate, stream_);
        CompositePass pass;
        pass.step = step_.data();
        pass.offset = drifted.offset.empty() ? nullptr : offset_.data();
        pass.weight = member.weight.empty() ? nullptr : weight_.data();
        pass.n_photons = static_cast<std::int64_t>(member.time.size());
        pass.first = task.grid.first + begin;
        pass.count = count;
        pass.df = task.grid.df;
        pass.harmonic_fmax = member.harmonic_fmax;
        pass.drift = task.drift;
        pass.drift_trial = drift;
        pass.sum_w = sums.w;
        pass.sum_w2 = sums.w2;
        pass.window_fmax = sums.window_fmax;
        pass.gti_start = gti_start_.data();
        pass.gti_stop = gti_stop_.data();
        pass.gti_rate = member.gti_rate.empty() ? nullptr : gti_rate_.data();
        pass.n_gti = static_cast<int>(member.gti_start.size());
        pass.harmonics = engine::max_harmonics(task);
        pass.n_statistics = static_cast<int>(task.statistics.size());
        bool folds = false;
        for (int s = 0; s < pass.n_statistics; ++s) {
            pass.statistic_size[s] = task.statistics[static_cast<std::size_t>(s)].harmonics;
            pass.statistic_folds[s] = task.statistics[static_cast<std::size_t>(s)].kind == Kind::ef;
            folds = folds || pass.statistic_folds[s];
        }
        pass.value = value_.data();
        if (pass.harmonics > 0) {
            composite_kernel<<<blocks_for(count), block_threads, 0, stream_.get()>>>(pass);
            XSIFT_CUDA_CHECK(cudaGetLastError());
        }
        if (folds) {
            fold_kernel<<<blocks_for(count), block_threads, 0, stream_.get()>>>(pass);
            XSIFT_CUDA_CHECK(cudaGetLastError());
        }
        stream_.synchronize();  // the next member's arrays take the place of these
    }

    void collect(const CompositeTask& task, std::size_t s, const IsPeak& is_peak, std::int64_t begin,
                 engine::PeakList& peaks) {
        // Two peaks are more than a halo apart.
        peak_.reserve(static_cast<std::size_t>(is_peak.count / (is_peak.halo + 1) + 1));
        n_peaks_.reserve(1);
        const auto all = thrust::counting_iterator<std::int32_t>(0);
        std::size_t bytes = 0;
        XSIFT_CUDA_CHECK(cub::DeviceSelect::If(nullptr, bytes, all, peak_.data(), n_peaks_.data(),
                                               is_peak.count, is_peak, stream_.get()));
        temporary_.reserve(bytes);
        XSIFT_CUDA_CHECK(cub::DeviceSelect::If(temporary_.data(), bytes, all, peak_.data(), n_peaks_.data(),
                                               is_peak.count, is_peak, stream_.get()));
        std::int32_t n = 0;
        n_peaks_.copy_to(std::span(&n, 1), stream_);
        stream_.synchronize();
        if (n == 0) return;
        peak_value_.reserve(static_cast<std::size_t>(n));
        gather_values_kernel<<<blocks_for(n), block_threads, 0, stream_.get()>>>(is_peak.value, peak_.data(),
                                                                                 n, peak_value_.data());
        XSIFT_CUDA_CHECK(cudaGetLastError());
        std::vector<std::int32_t> index(static_cast<std::size_t>(n));
        std::vector<float> value(index.size());
        peak_.copy_to(std::span(index), stream_);
        peak_value_.copy_to(std::span(value), stream_);
        stream_.synchronize();
        for (std::size_t i = 0; i < index.size(); ++i) {
            const std::int64_t trial = begin + index[i];
            peaks.add({trial, task.grid.frequency(trial), static_cast<double>(value[i]),
                       task.statistics[s].harmonics});
        }
    }

    DeviceBuffer<timing::FixedPhase> step_, offset_;
    DeviceBuffer<float> weight_, value_, peak_value_;
    DeviceBuffer<double> gti_start_, gti_stop_, gti_rate_;
    DeviceBuffer<std::int32_t> peak_, n_peaks_;
    DeviceBuffer<std::byte> temporary_;
    Stream stream_;  // last: destroyed first, so that its work is over before memory goes
};

}  // namespace

std::vector<engine::CompositeOutcome> search_composites(std::span<const CompositeTask> tasks) {
    std::vector<engine::CompositeOutcome> outcomes;
    Searcher searcher;
    for (const CompositeTask& task : tasks) {
        engine::check_task(task);
        std::vector<std::vector<engine::CompositePeak>> found(task.statistics.size());
        for (std::int64_t d = 0; d < task.drift.count(); ++d) searcher.run(task, d, found);
        auto& peaks = outcomes.emplace_back().peaks;
        for (auto& list : found) peaks.push_back(engine::merge_drift_peaks(std::move(list), task));
    }
    return outcomes;
}

}  // namespace xsift::cuda
