#include "check.cuh"
#include "grid_engine.hpp"
#include "search_engine.hpp"
#include "warpgroup_product.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <cuda_runtime.h>

#include <xsift/core/error.hpp>
#include <xsift/core/numa.hpp>
#include <xsift/cuda/factory.hpp>
#include <xsift/engine/spread.hpp>

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

/// One device that was tried.
struct Device {
    int number = 0;
    std::string name;
    std::string problem;  ///< empty: usable
};

std::string problem_of(int number, std::string& name) {
    if (const auto status = cudaSetDevice(number); status != cudaSuccess) return reason_for(status);
    cudaDeviceProp properties{};
    if (const auto status = cudaGetDeviceProperties(&properties, number); status != cudaSuccess)
        return reason_for(status);
    name = properties.name;
    // The first call that needs a context: fails on a device that is busy in exclusive mode or broken.
    if (const auto status = cudaFree(nullptr); status != cudaSuccess) return name + ": " + reason_for(status);
    cudaFuncAttributes attributes{};
    if (cudaFuncGetAttributes(&attributes, probe) != cudaSuccess) {
        static_cast<void>(cudaGetLastError());
        return name + " has compute capability " + std::to_string(properties.major) + "." +
               std::to_string(properties.minor) +
               ", for which this build holds no code (XSIFT_CUDA_ARCHITECTURES)";
    }
    return {};
}

/// All visible devices, none when there are none; `problem` then says why. The first usable one is current
/// afterwards.
std::vector<Device> visible_devices(std::string& problem) {
    int count = 0;
    if (const auto status = cudaGetDeviceCount(&count); status != cudaSuccess) {
        problem = reason_for(status);
        return {};
    }
    std::vector<Device> devices;
    int first = -1;
    for (int i = 0; i < count; ++i) {
        Device& device = devices.emplace_back();
        device.number = i;
        device.problem = problem_of(i, device.name);
        if (first < 0 && device.problem.empty()) first = i;
    }
    if (first >= 0)
        static_cast<void>(cudaSetDevice(first));
    else
        problem = devices.empty() ? reason_for(cudaErrorNoDevice) : devices.front().problem;
    return devices;
}

engine::Engines engines_of(const Device& device, const DeviceOptions& options) {
    XSIFT_CUDA_CHECK(cudaSetDevice(device.number));
    std::size_t free = 0, total = 0;
    XSIFT_CUDA_CHECK(cudaMemGetInfo(&free, &total));
    const auto usable = static_cast<std::int64_t>(free / 5 * 4);
    const engine::DeviceBudget budget(options.memory > 0 ? std::min(options.memory, usable) : usable);
    return {"cuda", device.name, make_search_engine(budget, options.costs, options.warpgroups),
            make_grid_engine(budget)};
}

/// The memory node that a device is attached to. Its host threads keep to that, and so does page-locked
/// memory, which lies where it is touched first.
MemoryNode node_of(const Device& device) {
    char pci_id[32] = "";
    if (cudaDeviceGetPCIBusId(pci_id, sizeof pci_id, device.number) != cudaSuccess) {
        static_cast<void>(cudaGetLastError());
        return {};
    }
    MemoryNode node = node_of_device(pci_id);
    log_node_of(device.name + " (" + pci_id + ")", node);
    return node;
}

}  // namespace

Availability availability() {
    std::string problem, names;
    for (const Device& device : visible_devices(problem))
        if (device.problem.empty()) names += (names.empty() ? "" : ", ") + device.name;
    return names.empty() ? unusable(problem) : Availability{true, {}, names};
}

bool has_warpgroup_products() {
    return availability().usable && warpgroup_product_blocks() > 0;
}

engine::Engines make_engines(const DeviceOptions& options) {
    std::string problem;
    std::vector<engine::EngineShare> shares;
    for (const Device& device : visible_devices(problem)) {
        if (!device.problem.empty()) continue;
        const int number = device.number;
        const MemoryNode node = node_of(device);
        const KeepTo keep(node.processors);
        shares.push_back({engines_of(device, options), [number] { XSIFT_CUDA_CHECK(cudaSetDevice(number)); },
                          node.processors});
    }
    if (shares.empty())
        throw Error(ErrorKind::backend_unavailable, "NO_CUDA_DEVICE", "the cuda backend cannot be used",
                    unusable(problem).reason,
                    "Use --backend cpu or auto, or run on a machine with a device.");
    // Always through the shares: a batch may be searched from any thread, which then has to take the device.
    engine::Engines engines = engine::spread_over(std::move(shares));
    engines.description = "cuda (" + availability().device + ")";
    return engines;
}

}  // namespace xsift::cuda
