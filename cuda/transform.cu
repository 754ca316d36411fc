// Long photon lists: the sums of a tile of frequencies by a non-uniform FFT that stays in a block's fast
// memory, then statistics, peaks and bands as of the matrix product.

#include "device_ops.cuh"
#include "transform.cuh"
#include "transform_body.cuh"

#include <algorithm>
#include <vector>

#include <xsift/engine/transform_tile.hpp>

namespace xsift::cuda {
namespace {

/// Cells of photons, in dynamic memory, for find_load.
__global__ __launch_bounds__(transform_threads) void load_kernel(const ProductTask* tasks, int harmonics,
                                                                 float* scale) {
    extern __shared__ __align__(16) unsigned char memory[];
    __shared__ std::int32_t most;
    find_load(reinterpret_cast<std::int32_t*>(memory), most, static_cast<int>(threadIdx.x), blockIdx.x, tasks,
              harmonics, scale);
}

__global__ __launch_bounds__(transform_threads,
                             1) void transform_kernel(const ProductTask* tasks, int harmonics,
                                                      const float* scales, const float* correction,
                                                      const Tile* tiles, unsigned n_tiles, unsigned* next,
                                                      double* sums, unsigned stride) {
    extern __shared__ __align__(16) unsigned char memory[];
    search_by_transform<DeviceOps>(*reinterpret_cast<SharedTransform*>(memory), static_cast<int>(threadIdx.x),
                                   tasks, harmonics, scales, correction, tiles, n_tiles, next, sums, stride);
}

/// @param waiting tile_width a block
__global__ __launch_bounds__(transform_threads,
                             1) void curve_kernel(const ProductTask* tasks, const float* scales,
                                                  const float* correction, engine::CurveSums* waiting,
                                                  const Tile* tiles, unsigned n_tiles, unsigned* next,
                                                  double* sums, unsigned stride) {
    extern __shared__ __align__(16) unsigned char memory[];
    search_curves<DeviceOps>(
        *reinterpret_cast<SharedTransform*>(memory), static_cast<int>(threadIdx.x), tasks, scales, correction,
        waiting + std::size_t{blockIdx.x} * engine::tile_width, tiles, n_tiles, next, sums, stride);
}

constexpr int load_bytes = transform_size * static_cast<int>(sizeof(std::int32_t));

}  // namespace

bool TransformSearch::available() {
    if (asked_) return blocks_ > 0;
    asked_ = true;
    int device = 0, processors = 0, fast_memory = 0;
    XSIFT_CUDA_CHECK(cudaGetDevice(&device));
    XSIFT_CUDA_CHECK(cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, device));
    XSIFT_CUDA_CHECK(cudaDeviceGetAttribute(&fast_memory, cudaDevAttrMaxSharedMemoryPerBlockOptin, device));
    if (fast_memory < static_cast<int>(sizeof(SharedTransform))) return false;
    for (const void* kernel :
         {reinterpret_cast<const void*>(transform_kernel), reinterpret_cast<const void*>(curve_kernel)})
        XSIFT_CUDA_CHECK(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                              static_cast<int>(sizeof(SharedTransform))));
    XSIFT_CUDA_CHECK(
        cudaFuncSetAttribute(load_kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, load_bytes));
    blocks_ = static_cast<unsigned>(processors);
    return true;
}

void TransformSearch::prepare(const ProductTask* tasks, std::size_t n_tasks, int harmonics,
                              const Stream& stream) {
    if (correction_.size() == 0) {
        const std::vector<float> correction = engine::transform_correction();
        correction_.assign(correction, stream);
        stream.synchronize();  // pageable memory that goes away
    }
    scale_.reserve(n_tasks * static_cast<std::size_t>(harmonics));
    load_kernel<<<static_cast<unsigned>(scale_.size()), transform_threads, load_bytes, stream.get()>>>(
        tasks, harmonics, scale_.data());
    XSIFT_CUDA_CHECK(cudaGetLastError());
}

void TransformSearch::start(const ProductTask* tasks, std::size_t n_tasks, int harmonics, const Tile* tiles,
                            unsigned n_tiles, unsigned* next, double* sums, unsigned stride,
                            const Stream& stream) {
    prepare(tasks, n_tasks, harmonics, stream);
    transform_kernel<<<std::min(blocks_, n_tiles), transform_threads, sizeof(SharedTransform),
                       stream.get()>>>(tasks, harmonics, scale_.data(), correction_.data(), tiles, n_tiles,
                                       next, sums, stride);
    XSIFT_CUDA_CHECK(cudaGetLastError());
}

void TransformSearch::start_curves(const ProductTask* tasks, std::size_t n_tasks, const Tile* tiles,
                                   unsigned n_tiles, unsigned* next, double* sums, unsigned stride,
                                   const Stream& stream) {
    prepare(tasks, n_tasks, 2, stream);
    const unsigned blocks = std::min(blocks_, n_tiles);
    waiting_.reserve(std::size_t{blocks_} * engine::tile_width);
    curve_kernel<<<blocks, transform_threads, sizeof(SharedTransform), stream.get()>>>(
        tasks, scale_.data(), correction_.data(), waiting_.data(), tiles, n_tiles, next, sums, stride);
    XSIFT_CUDA_CHECK(cudaGetLastError());
}

}  // namespace xsift::cuda
