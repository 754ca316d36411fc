// Trigonometric sums in double, those of many lists a launch: long lists are cut into parts, whose sums the
// host adds in their order.

#include "mirrored.cuh"
#include "stream.cuh"
#include "sums.hpp"
#include "sums_body.cuh"

#include <algorithm>
#include <limits>

#include <xsift/engine/device_plan.hpp>

namespace xsift::cuda {
namespace {

__global__ __launch_bounds__(sum_threads) void sums_kernel(const PartOnDevice* parts, const SumTile* tiles) {
    __shared__ SharedPhotons shared;
    sum_tile(shared, static_cast<int>(threadIdx.x), parts, tiles[blockIdx.x]);
}

}  // namespace

struct PhotonSummer::Implementation {
    std::span<const engine::SumTask> tasks;
    Mirrored<double> time;
    Mirrored<float> weight;
    Mirrored<std::uint64_t> index;
    Mirrored<timing::Complex> sum;
    Mirrored<PartOnDevice> parts;
    Mirrored<SumTile> tiles;
    Stream stream;  // last: destroyed first, so that its work is over before memory goes

    void run(const std::vector<engine::SumPart>& group, std::vector<std::vector<timing::Complex>>& sums) {
        reserve(group);
        describe(group);
        time.upload(stream);
        weight.upload(stream);
        index.upload(stream);
        parts.upload(stream);
        tiles.upload(stream);
        sums_kernel<<<static_cast<unsigned>(tiles.host.size()), sum_threads, 0, stream.get()>>>(
            parts.device.data(), tiles.device.data());
        XSIFT_CUDA_CHECK(cudaGetLastError());
        sum.download(stream);
        stream.synchronize();
        const timing::Complex* next = sum.host.data();
        for (const engine::SumPart& part : group)
            for (timing::Complex& to : sums[part.task]) to = to + *next++;
    }

  private:
    static std::size_t tiles_of(std::size_t indices) { return (indices + sum_threads - 1) / sum_threads; }

    void reserve(const std::vector<engine::SumPart>& group) {
        std::size_t photons = 0, weights = 0, indices = 0, sums = 0, n_tiles = 0;
        for (std::size_t p = 0; p < group.size(); ++p) {
            const engine::SumTask& task = tasks[group[p].task];
            const auto n = static_cast<std::size_t>(group[p].end - group[p].begin);
            photons += n;
            weights += task.photons.weight.empty() ? 0 : n;
            if (p == 0 || group[p].task != group[p - 1].task) indices += task.indices.size();
            sums += task.indices.size();
            n_tiles += tiles_of(task.indices.size());
        }
        time.reserve(photons);
        weight.reserve(weights);
        index.reserve(indices);
        sum.reserve(sums);
        parts.reserve(group.size());
        tiles.reserve(n_tiles);
    }

    /// Photons, indices and tiles of a group, one after the other; those of the longest parts first would
    /// save nothing: parts are of about equal length, or short.
    void describe(const std::vector<engine::SumPart>& group) {
        std::size_t photons = 0, weights = 0, indices = 0, own_indices = 0, sums = 0, tile = 0;
        for (std::size_t p = 0; p < group.size(); ++p) {
            const engine::SumPart& part = group[p];
            const engine::SumTask& task = tasks[part.task];
            const auto begin = static_cast<std::size_t>(part.begin),
                       n = static_cast<std::size_t>(part.end - part.begin);
            if (p == 0 || part.task != group[p - 1].task) {
                own_indices = indices;
                std::copy(task.indices.begin(), task.indices.end(), index.host.data() + indices);
                indices += task.indices.size();
            }
            for (std::size_t j = 0; j < n; ++j)
                time.host[photons + j] = task.photons.time[begin + j] - task.photons.origin;
            const bool weighted = !task.photons.weight.empty();
            if (weighted)
                std::copy_n(task.photons.weight.begin() + part.begin, n, weight.host.data() + weights);
            parts.host[p] = {time.device.data() + photons,
                             weighted ? weight.device.data() + weights : nullptr,
                             index.device.data() + own_indices,
                             sum.device.data() + sums,
                             task.df,
                             static_cast<std::int32_t>(n),
                             static_cast<std::int32_t>(task.indices.size())};
            photons += n;
            weights += weighted ? n : 0;
            sums += task.indices.size();
            for (std::size_t first = 0; first < task.indices.size(); first += sum_threads)
                tiles.host[tile++] = {static_cast<std::int32_t>(p), static_cast<std::int32_t>(first)};
        }
    }
};

PhotonSummer::PhotonSummer(std::int64_t bytes) : bytes_(bytes) {}
PhotonSummer::~PhotonSummer() = default;

std::vector<std::vector<timing::Complex>> PhotonSummer::run(std::span<const engine::SumTask> tasks) {
    std::vector<std::vector<timing::Complex>> sums;
    for (const engine::SumTask& task : tasks) sums.emplace_back(task.indices.size());
    const auto groups = engine::sum_groups(tasks, bytes_);
    if (groups.empty()) return sums;
    if (!implementation_) implementation_ = std::make_unique<Implementation>();
    implementation_->tasks = tasks;
    for (const auto& group : groups) implementation_->run(group, sums);
    return sums;
}

}  // namespace xsift::cuda
