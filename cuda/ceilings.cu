// What the device can do at most: matrix instructions on factors that stay in registers, and a copy.

#include "device_buffer.cuh"
#include "stream.cuh"

#include <algorithm>
#include <chrono>
#include <vector>

#include <xsift/cuda/factory.hpp>

namespace xsift::cuda {
namespace {

constexpr int chains = 8, rounds = 4096, threads = 256;

/// Independent chains of matrix instructions; what they give is written, so that they are not left out.
__global__ void multiply_kernel(const std::uint32_t* factors, float* out) {
    const unsigned thread = blockIdx.x * blockDim.x + threadIdx.x;
    std::uint32_t a[4], b[2];
    for (int i = 0; i < 4; ++i) a[i] = factors[(thread + i) % 1024];
    for (int i = 0; i < 2; ++i) b[i] = factors[(thread + 7 * i) % 1024];
    float d[chains][4] = {};
    for (int round = 0; round < rounds; ++round)
#pragma unroll
        for (int c = 0; c < chains; ++c)
            asm volatile(
                "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
                "{%0,%1,%2,%3};"
                : "+f"(d[c][0]), "+f"(d[c][1]), "+f"(d[c][2]), "+f"(d[c][3])
                : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
    float sum = 0.0f;
    for (int c = 0; c < chains; ++c) sum += d[c][0] + d[c][1] + d[c][2] + d[c][3];
    out[thread] = sum;
}

/// Seconds of the fastest of several runs of what `work` puts on the stream.
template <typename Work>
double fastest(const Stream& stream, const Work& work) {
    using Clock = std::chrono::steady_clock;
    double best = 1e300;
    for (int i = 0; i < 6; ++i) {
        stream.synchronize();
        const auto start = Clock::now();
        work();
        stream.synchronize();
        best = std::min(best, std::chrono::duration<double>(Clock::now() - start).count());
    }
    return best;
}

}  // namespace

engine::Ceilings ceilings() {
    engine::Ceilings out;
    if (!availability().usable) return out;
    int device = 0, processors = 0, major = 0;
    XSIFT_CUDA_CHECK(cudaGetDevice(&device));
    XSIFT_CUDA_CHECK(cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, device));
    XSIFT_CUDA_CHECK(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device));
    const Stream stream;
    if (major >= 8) {
        const unsigned blocks = static_cast<unsigned>(8 * processors);
        // Pairs of half-precision numbers near 0.01 that differ: zeros would run cooler and faster.
        std::vector<std::uint32_t> factors(1024);
        for (std::uint32_t i = 0; i < factors.size(); ++i)
            factors[i] = 0x20002000u + (i * 2654435761u & 0x03ff03ffu);
        DeviceBuffer<std::uint32_t> on_device(factors, stream);
        DeviceBuffer<float> sums(static_cast<std::size_t>(blocks) * threads);
        const double seconds = fastest(stream, [&] {
            multiply_kernel<<<blocks, threads, 0, stream.get()>>>(on_device.data(), sums.data());
            XSIFT_CUDA_CHECK(cudaGetLastError());
        });
        out.flop_per_s = 2.0 * 16 * 8 * 16 * chains * rounds * (blocks * threads / 32) / seconds;
    }
    constexpr std::size_t bytes = std::size_t{1} << 30;
    const DeviceBuffer<char> from(bytes);
    DeviceBuffer<char> to(bytes);
    const double seconds = fastest(stream, [&] {
        XSIFT_CUDA_CHECK(
            cudaMemcpyAsync(to.data(), from.data(), bytes, cudaMemcpyDeviceToDevice, stream.get()));
    });
    out.bytes_per_s = 2.0 * static_cast<double>(bytes) / seconds;
    return out;
}

}  // namespace xsift::cuda
