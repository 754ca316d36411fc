#pragma once
/// @file
/// The seam for machines without a CUDA compiler or device. Public header of the cuda room: plain C++.

#include <string>

#include <xsift/engine/ceilings.hpp>
#include <xsift/engine/factory.hpp>

namespace xsift::cuda {

/// Whether the CUDA engines can be used here, and if not, why (one clear sentence).
struct Availability {
    bool usable = false;
    std::string reason;  ///< empty when usable
    std::string device;  ///< name of the device when usable
};
Availability availability();

/// What the current device can do at most (half-precision products with sums in single precision); zeros
/// without a device, no products without tensor cores.
engine::Ceilings ceilings();

/// The CUDA engines on the current device.
/// @throws Error (backend_unavailable) with Availability::reason when there is none.
engine::Engines make_engines();

}  // namespace xsift::cuda
