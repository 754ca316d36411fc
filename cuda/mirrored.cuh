#pragma once
/// @file
/// Values that live on both sides.

#include "device_buffer.cuh"

#include <cstddef>
#include <utility>

namespace xsift::cuda {

/// Host values page-locked, and their copy on the device.
template <typename T>
struct Mirrored {
    PinnedBuffer<T> host;
    DeviceBuffer<T> device;

    void reserve(std::size_t n) {
        host.reserve(n);
        device.reserve(n);
    }
    void upload(const Stream& stream) { device.assign(std::as_const(host).span(), stream); }
    void download(const Stream& stream) { device.copy_to(host.span(), stream); }
};

}  // namespace xsift::cuda
