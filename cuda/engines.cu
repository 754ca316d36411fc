#include "grid_engine.hpp"
#include "search_engine.hpp"

#include <cuda_runtime.h>

#include <xsift/core/error.hpp>
#include <xsift/cuda/factory.hpp>

namespace xsift::cuda {

namespace {

/// Does nothing; whether the device can run it tells whether this build holds code for the device.
__global__ void probe() {}

Availability unusable(const std::string& why) {
    return {false, "no usable CUDA device: " + why, {}};
}

std::string without_driver() {
    int runtime = 0;
    static_cast<void>(cudaRuntimeGetVersion(&runtime));
    return "the NVIDIA driver is missing or older than CUDA " + std::to_string(runtime / 1000) + "." +
           std::to_string(runtime % 1000 / 10) + " asks for";
}

/// Why the runtime cannot give a device, for any error it may answer with.
std::string reason_for(cudaError_t status) {
    static_cast<void>(cudaGetLastError());
    if (status == cudaErrorInsufficientDriver) return without_driver();
    if (status == cudaErrorNoDevice)
        return "none is visible to this process (see nvidia-smi and CUDA_VISIBLE_DEVICES)";
    return std::string(cudaGetErrorString(status)) + " (" + cudaGetErrorName(status) + ")";
}

}  // namespace

Availability availability() {
    int count = 0, device = 0;
    if (const auto status = cudaGetDeviceCount(&count); status != cudaSuccess)
        return unusable(reason_for(status));
    if (count == 0) return unusable(reason_for(cudaErrorNoDevice));
    cudaDeviceProp properties{};
    if (const auto status = cudaGetDevice(&device); status != cudaSuccess)
        return unusable(reason_for(status));
    if (const auto status = cudaGetDeviceProperties(&properties, device); status != cudaSuccess)
        return unusable(reason_for(status));
    // The first call that needs a context: fails on a device that is busy in exclusive mode or broken.
    if (const auto status = cudaFree(nullptr); status != cudaSuccess)
        return unusable(std::string(properties.name) + ": " + reason_for(status));
    cudaFuncAttributes attributes{};
    if (cudaFuncGetAttributes(&attributes, probe) != cudaSuccess) {
        static_cast<void>(cudaGetLastError());
        return unusable(std::string(properties.name) + " has compute capability " +
                        std::to_string(properties.major) + "." + std::to_string(properties.minor) +
                        ", for which this build holds no code (XSIFT_CUDA_ARCHITECTURES)");
    }
    return {true, {}, properties.name};
}

engine::Engines make_engines() {
    const Availability here = availability();
    if (!here.usable) {
        throw Error(ErrorKind::backend_unavailable, "NO_CUDA_DEVICE", "the cuda backend cannot be used",
                    here.reason, "Use --backend cpu or auto, or run on a machine with a device.");
    }
    return {"cuda", "cuda (" + here.device + ")", make_search_engine(), make_grid_engine()};
}

}  // namespace xsift::cuda
