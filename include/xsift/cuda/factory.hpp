#pragma once
/// @file
/// The seam for machines without a CUDA compiler or device. Public header of the cuda room: plain C++.

#include <cstdint>
#include <string>

#include <xsift/engine/ceilings.hpp>
#include <xsift/engine/device_plan.hpp>
#include <xsift/engine/factory.hpp>

namespace xsift::cuda {

/// Whether the CUDA engines can be used here, and if not, why (one clear sentence, of the first device).
struct Availability {
    bool usable = false;
    std::string reason;  ///< empty when usable
    std::string device;  ///< names of the usable devices
};
Availability availability();

/// What the current device can do at most (half-precision products with sums in single precision); zeros
/// without a device, no products without tensor cores.
engine::Ceilings ceilings();

/// Whether the current device has the matrix instruction of groups of four warps.
bool has_warpgroup_products();

/// How devices are used.
struct DeviceOptions {
    std::int64_t memory = 0;    ///< bytes that may be used of each; 0: four fifths of what is free on it now
    engine::DeviceCosts costs;  ///< decide how photons are searched, not what is found
    /// Products by the matrix instruction of groups of four warps where the device has it (compute capability
    /// 9.0), not by that of warps. Not measured yet, so for benchmarks and tests alone.
    bool warpgroups = false;
};

/// The CUDA engines on all visible devices that can be used (CUDA_VISIBLE_DEVICES says which are visible),
/// which then share each batch.
/// @throws Error (backend_unavailable) with Availability::reason when there is none.
engine::Engines make_engines(const DeviceOptions& options = {});

}  // namespace xsift::cuda
