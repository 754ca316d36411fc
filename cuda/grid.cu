// The grid likelihood: a tiled matrix product, one warp a template for the statistic, the best cells chosen
// on the device.
#include "device_buffer.cuh"
#include "grid_engine.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include <thrust/execution_policy.h>
#include <thrust/sort.h>

#include <xsift/engine/fold_tile.hpp>
#include <xsift/engine/grid_task.hpp>

namespace xsift::cuda {

namespace {

using engine::CellData;
using engine::fold_tile_side;
using engine::FoldShape;
using engine::GridCell;
using engine::GridTask;
using engine::PairSum;

constexpr int warp_size = 32, warps_per_block = 4;

__global__ void fold_kernel(FoldShape shape, const float* templates, const float* fold, float* rate) {
    __shared__ engine::FoldTiles tiles;
    const int row = static_cast<int>(threadIdx.y), column = static_cast<int>(threadIdx.x);
    float sum = 0.0F;
    for (std::int64_t step = 0; step < engine::fold_tile_count(shape.n_energies); ++step) {
        engine::load_fold_tiles(tiles, shape, templates, fold, blockIdx.y, blockIdx.x, step, row, column);
        __syncthreads();
        sum = engine::fold_tile_product(tiles, row, column, sum);
        __syncthreads();
    }
    const std::int64_t t = static_cast<std::int64_t>(blockIdx.y) * fold_tile_side + row;
    const std::int64_t k = static_cast<std::int64_t>(blockIdx.x) * fold_tile_side + column;
    if (t < shape.n_templates && k < shape.n_bins) rate[t * shape.n_bins + k] = sum;
}

/// Sums over the bins by the lanes of a warp; every lane gets the same total, so all take the same branches.
struct WarpSum {
    std::int64_t n;
    int lane;
    template <typename Term>
    __device__ PairSum operator()(const Term& term) const {
        PairSum sum;
        for (std::int64_t k = lane; k < n; k += warp_size) {
            const PairSum value = term(k);
            sum.a += value.a;
            sum.b += value.b;
        }
        for (int distance = warp_size / 2; distance > 0; distance /= 2) {
            sum.a += __shfl_xor_sync(0xffffffffU, sum.a, distance);
            sum.b += __shfl_xor_sync(0xffffffffU, sum.b, distance);
        }
        return sum;
    }
};

__global__ void cell_kernel(std::int64_t n_templates, CellData data, const float* rate, GridCell* cells) {
    const std::int64_t index =
        static_cast<std::int64_t>(blockIdx.x) * warps_per_block + threadIdx.x / warp_size;
    if (index >= n_templates) return;  // whole warps leave
    const int lane = static_cast<int>(threadIdx.x % warp_size);
    const GridCell cell =
        engine::fit_cell(index, data, rate + index * data.n_bins, WarpSum{data.n_bins, lane});
    if (lane == 0) cells[index] = cell;
}

struct BetterCell {
    __host__ __device__ bool operator()(const GridCell& a, const GridCell& b) const {
        return engine::better_cell(a, b);
    }
};

/// Copies host values into page-locked memory and on to the device.
template <typename T>
void upload(std::span<const T> host, PinnedBuffer<T>& pinned, DeviceBuffer<T>& device, const Stream& stream) {
    pinned.reserve(host.size());
    std::copy(host.begin(), host.end(), pinned.data());
    device.assign(pinned.span(), stream);
}

/// Buffers of one task in flight. Two of them alternate, so that copies overlap with kernels.
class Slot {
  public:
    void start(const GridTask& task) {
        upload_templates(task);
        upload(task.fold, pinned_fold_, fold_, stream_);
        upload(task.counts, pinned_counts_, counts_, stream_);
        upload(task.background_counts, pinned_background_, background_, stream_);
        rate_.reserve(static_cast<std::size_t>(task.n_templates * task.n_bins));
        cells_.reserve(static_cast<std::size_t>(task.n_templates));

        const FoldShape shape{task.n_templates, task.n_energies, task.n_bins};
        const dim3 blocks(static_cast<unsigned>(engine::fold_tile_count(task.n_bins)),
                          static_cast<unsigned>(engine::fold_tile_count(task.n_templates)));
        fold_kernel<<<blocks, dim3(fold_tile_side, fold_tile_side), 0, stream_.get()>>>(
            shape, templates_.data(), fold_.data(), rate_.data());
        XSIFT_CUDA_CHECK(cudaGetLastError());

        CellData data = engine::cell_data(task);
        data.counts = counts_.data();
        data.background = background_.data();
        const auto cell_blocks =
            static_cast<unsigned>((task.n_templates + warps_per_block - 1) / warps_per_block);
        cell_kernel<<<cell_blocks, warps_per_block * warp_size, 0, stream_.get()>>>(
            task.n_templates, data, rate_.data(), cells_.data());
        XSIFT_CUDA_CHECK(cudaGetLastError());
        thrust::sort(thrust::cuda::par_nosync.on(stream_.get()), cells_.data(),
                     cells_.data() + task.n_templates, BetterCell{});
        best_.reserve(static_cast<std::size_t>(std::min<std::int64_t>(task.n_templates, task.max_cells)));
        cells_.copy_to(best_.span(), stream_);
    }

    engine::GridOutcome finish() {
        stream_.synchronize();
        return {std::vector<GridCell>(best_.data(), best_.data() + best_.size())};
    }

  private:
    /// Many tasks of a batch share templates: they are copied when they are other ones than last time in this
    /// batch.
    void upload_templates(const GridTask& task) {
        if (task.templates.data() == last_templates_ && task.templates.size() == templates_.size()) return;
        upload(task.templates, pinned_templates_, templates_, stream_);
        last_templates_ = task.templates.data();
    }

  public:
    /// Before a batch: host addresses may have been used again for other values.
    void forget_templates() { last_templates_ = nullptr; }

  private:
    PinnedBuffer<float> pinned_templates_, pinned_fold_;
    PinnedBuffer<double> pinned_counts_, pinned_background_;
    PinnedBuffer<GridCell> best_;
    DeviceBuffer<float> templates_, fold_, rate_;
    DeviceBuffer<double> counts_, background_;
    DeviceBuffer<GridCell> cells_;
    const float* last_templates_ = nullptr;
    Stream stream_;  // last: destroyed first, after waiting for work on the buffers
};

class CudaGrid final : public engine::GridLikelihood {
  public:
    std::string name() const override { return "cuda"; }

    std::vector<engine::GridOutcome> evaluate(std::span<const GridTask> tasks) override {
        for (const GridTask& task : tasks) engine::check_task(task);
        for (Slot& slot : slots_) slot.forget_templates();
        std::vector<engine::GridOutcome> outcomes(tasks.size());
        for (std::size_t i = 0; i < tasks.size() + slots_.size(); ++i) {
            Slot& slot = slots_[i % slots_.size()];
            if (i >= slots_.size() && i - slots_.size() < tasks.size())
                outcomes[i - slots_.size()] = slot.finish();
            if (i < tasks.size()) slot.start(tasks[i]);
        }
        return outcomes;
    }

  private:
    std::array<Slot, 2> slots_;
};

}  // namespace

std::unique_ptr<engine::GridLikelihood> make_grid_engine() {
    return std::make_unique<CudaGrid>();
}

}  // namespace xsift::cuda
