#pragma once
/// @file
/// Turns CUDA runtime errors into xsift::Error.

#include <string>

#include <cuda_runtime.h>

#include <xsift/core/error.hpp>

namespace xsift::cuda {

/// @throws Error (internal, "DEVICE_OUT_OF_MEMORY" or "CUDA_ERROR") naming the call and its place when status
/// is an error. Clears the runtime's sticky state where that is possible.
inline void check(cudaError_t status, const char* call, const char* file, int line) {
    if (status == cudaSuccess) return;
    static_cast<void>(cudaGetLastError());
    const std::string what = std::string(call) + " failed at " + file + ":" + std::to_string(line);
    if (status == cudaErrorMemoryAllocation) {
        throw Error(ErrorKind::internal, "DEVICE_OUT_OF_MEMORY", what, cudaGetErrorString(status),
                    "Use a smaller --batch-memory, or leave the GPU to this process alone.");
    }
    throw Error(ErrorKind::internal, "CUDA_ERROR", what,
                std::string(cudaGetErrorName(status)) + ": " + cudaGetErrorString(status),
                "Run again with --backend cpu; compute-sanitizer finds the kernel at fault.");
}

}  // namespace xsift::cuda

/// Checks a call of the CUDA runtime. After a launch: XSIFT_CUDA_CHECK(cudaGetLastError()).
#define XSIFT_CUDA_CHECK(call) ::xsift::cuda::check((call), #call, __FILE__, __LINE__)
