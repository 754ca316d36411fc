#pragma once
/// @file
/// The arithmetic of a device that the bodies of tiles take as Ops.

#include <cstdint>

#include <cuda_fp16.h>

#include <xsift/engine/search_kernel.hpp>

namespace xsift::cuda {

struct DeviceOps {
    __device__ static engine::SinglePhasor turn(std::uint32_t phase) {
        engine::SinglePhasor p;
        __sincosf(static_cast<float>(static_cast<std::int32_t>(phase)) * 1.4629180792671596e-9f, &p.sine,
                  &p.cosine);
        return p;
    }
    __device__ static std::uint32_t pack(float low, float high) {
        const __half2 both = __floats2half2_rn(low, high);
        return *reinterpret_cast<const std::uint32_t*>(&both);
    }
    __device__ static float exponential(float x) { return __expf(x); }
    __device__ static float root(float x) {
        float y;
        asm("sqrt.approx.f32 %0, %1;" : "=f"(y) : "f"(x));
        return y;
    }
    __device__ static std::int32_t rounded(float x) { return __float2int_rn(x); }
    __device__ static void add(std::int32_t* cell, std::int32_t value) { atomicAdd(cell, value); }
    /// Makes what was stored in fast memory visible to the matrix instruction, beside a barrier.
    __device__ static void publish() {}
    __device__ static void multiply_add(float (&d)[4], const std::uint32_t (&a)[4],
                                        const std::uint32_t (&b)[2]) {
        asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
            "{%0,%1,%2,%3};"
            : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
            : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
    }
};

}  // namespace xsift::cuda
