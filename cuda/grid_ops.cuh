#pragma once
/// @file
/// The arithmetic of a device that grids take as Ops.

#include "device_ops.cuh"

#include <cstdint>

#include <xsift/engine/bin_terms.hpp>

namespace xsift::cuda {

struct GridOps : engine::ScalarBinOps {
    __device__ static float root(float x) { return DeviceOps::root(x); }
    __device__ static float quotient(float a, float b) { return __fdividef(a, b); }
    __device__ static std::uint32_t to_tf32(float x) {
        std::uint32_t y;
        asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(y) : "f"(x));
        return y;
    }
    __device__ static void multiply_add(float (&d)[4], const std::uint32_t (&a)[4],
                                        const std::uint32_t (&b)[2]) {
        asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
            "{%0,%1,%2,%3};"
            : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
            : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
    }
};

}  // namespace xsift::cuda
