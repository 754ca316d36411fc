// The photon search on tensor cores by groups of four warps. Compiled for compute capability 9.0 alone
// (sm_90a), whose instruction it uses.
#include "check.cuh"
#include "device_ops.cuh"
#include "warpgroup_body.cuh"
#include "warpgroup_product.hpp"

#include <algorithm>

namespace xsift::cuda {
namespace {

// Four numbers of a thread that an instruction changes.
#define XSIFT_FOUR(x) "+f"((x)[0]), "+f"((x)[1]), "+f"((x)[2]), "+f"((x)[3])

struct WarpgroupOps : DeviceOps {
    __device__ static void publish() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }
    /// Nobody moves what reads or writes the sums over this.
    __device__ static void hold(TileSums& sums) {
#pragma unroll
        for (int column = 0; column < tile_columns; ++column) {
            ProductFragment& p = sums.column[column];
            asm volatile(""
                         : XSIFT_FOUR(p.cc), XSIFT_FOUR(p.cs), XSIFT_FOUR(p.sc), XSIFT_FOUR(p.ss)::"memory");
        }
    }
    __device__ static void begin(TileSums& sums) {
        hold(sums);
        asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
    }
    __device__ static void multiply_add(TileSums& sums, const engine::CentreFragment& a,
                                        const engine::OffsetCores& offsets) {
        const std::uint64_t cores =
            engine::matrix_descriptor(static_cast<std::uint32_t>(__cvta_generic_to_shared(&offsets)));
        multiply_half<&ProductFragment::cc, &ProductFragment::cs>(sums.column, a.cosine, cores);
        multiply_half<&ProductFragment::sc, &ProductFragment::ss>(sums.column, a.sine, cores);
    }
    __device__ static void end() {
        asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
    }
    __device__ static void wait_for_all_but_one() {
        asm volatile("wgmma.wait_group.sync.aligned 1;" ::: "memory");
    }
    __device__ static void finish(TileSums& sums) {
        asm volatile("wgmma.wait_group.sync.aligned 0;" ::: "memory");
        hold(sums);
    }

  private:
    /// Products of the cosines or the sines of the centres: those with the cosines of the offsets are the
    /// first 64 columns, those with the sines the others.
    template <float (ProductFragment::*cosine)[4], float (ProductFragment::*sine)[4]>
    __device__ static void multiply_half(ProductFragment (&to)[tile_columns],
                                         const std::uint32_t (&centres)[4], std::uint64_t cores) {
        asm volatile(
            "wgmma.mma_async.sync.aligned.m64n128k16.f32.f16.f16 {"
            "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18, %19, %20, "
            "%21, "
            "%22, %23, %24, %25, %26, %27, %28, %29, %30, %31, %32, %33, %34, %35, %36, %37, %38, %39, %40, "
            "%41, "
            "%42, %43, %44, %45, %46, %47, %48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, "
            "%61, "
            "%62, %63"
            "}, {%64, %65, %66, %67}, %68, 1, 1, 1, 0;"
            : XSIFT_FOUR(to[0].*cosine), XSIFT_FOUR(to[1].*cosine), XSIFT_FOUR(to[2].*cosine),
              XSIFT_FOUR(to[3].*cosine), XSIFT_FOUR(to[4].*cosine), XSIFT_FOUR(to[5].*cosine),
              XSIFT_FOUR(to[6].*cosine), XSIFT_FOUR(to[7].*cosine), XSIFT_FOUR(to[0].*sine),
              XSIFT_FOUR(to[1].*sine), XSIFT_FOUR(to[2].*sine), XSIFT_FOUR(to[3].*sine),
              XSIFT_FOUR(to[4].*sine), XSIFT_FOUR(to[5].*sine), XSIFT_FOUR(to[6].*sine),
              XSIFT_FOUR(to[7].*sine)
            : "r"(centres[0]), "r"(centres[1]), "r"(centres[2]), "r"(centres[3]), "l"(cores));
    }
};

#undef XSIFT_FOUR

/// @param sums n_tiles x stride
__global__ __launch_bounds__(tile_threads, 2) void warpgroup_product_kernel(const ProductTask* tasks,
                                                                            const engine::Tile* tiles,
                                                                            unsigned n_tiles, unsigned* next,
                                                                            double* sums, unsigned stride) {
    extern __shared__ __align__(128) unsigned char memory[];
    search_by_product<WarpgroupProducts<WarpgroupOps>>(*reinterpret_cast<SharedTile*>(memory),
                                                       static_cast<int>(threadIdx.x), tasks, tiles, n_tiles,
                                                       next, sums, stride);
}

}  // namespace

unsigned warpgroup_product_blocks() {
    constexpr int bytes = static_cast<int>(sizeof(SharedTile));
    if (cudaFuncSetAttribute(warpgroup_product_kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes) !=
        cudaSuccess) {
        static_cast<void>(cudaGetLastError());
        return 0;
    }
    int device = 0, processors = 0, resident = 0;
    XSIFT_CUDA_CHECK(cudaGetDevice(&device));
    XSIFT_CUDA_CHECK(cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, device));
    XSIFT_CUDA_CHECK(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&resident, warpgroup_product_kernel,
                                                                   tile_threads, bytes));
    return static_cast<unsigned>(std::max(1, resident) * processors);
}

void start_warpgroup_product(unsigned blocks, const engine::ProductTask* tasks, const engine::Tile* tiles,
                             unsigned n_tiles, unsigned* next, double* sums, unsigned stride,
                             const Stream& stream) {
    warpgroup_product_kernel<<<std::min(blocks, n_tiles), tile_threads, sizeof(SharedTile), stream.get()>>>(
        tasks, tiles, n_tiles, next, sums, stride);
    XSIFT_CUDA_CHECK(cudaGetLastError());
}

}  // namespace xsift::cuda
