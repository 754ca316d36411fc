#pragma once
/// @file
/// The seam for machines without a CUDA compiler or device. Public header of the cuda room: plain C++.

#include <string>

#include <xsift/engine/factory.hpp>

namespace xsift::cuda {

/// Whether the CUDA engines can be used here, and if not, why (one clear sentence).
struct Availability {
    bool usable = false;
    std::string reason;       ///< empty when usable
    std::string device;       ///< name of the device when usable
};
Availability availability();

/// The CUDA engines on the current device.
/// @throws Error (backend_unavailable) with Availability::reason when there is none.
engine::Engines make_engines();

}  // namespace xsift::cuda
