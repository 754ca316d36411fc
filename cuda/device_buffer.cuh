#pragma once
/// @file
/// RAII owners of device and page-locked host memory. Owners are here; kernels take the raw pointers as
/// views.

#include "check.cuh"
#include "stream.cuh"

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <span>
#include <type_traits>
#include <utility>

#include <cuda_runtime.h>

namespace xsift::cuda {

/// Whether memory that nobody has written yet is filled with bytes that make no number, so that a test sees
/// who reads it: XSIFT_POISON_DEVICE_MEMORY=1.
inline bool poisons_memory() {
    static const bool poisons = [] {
        const char* value = std::getenv("XSIFT_POISON_DEVICE_MEMORY");
        return value != nullptr && value[0] == '1';
    }();
    return poisons;
}
inline constexpr int poison = 0xff;  ///< a byte: of floating-point numbers that are none, of integers -1

/// Owns n elements of device memory. Contents are uninitialised. Copies are asynchronous on the stream given:
/// host memory must stay as it is until the stream is synchronised, and overlaps with work only when
/// page-locked.
template <typename T>
class DeviceBuffer {
    static_assert(std::is_trivially_copyable_v<T>);

  public:
    DeviceBuffer() = default;
    explicit DeviceBuffer(std::size_t n) { reserve(n); }
    /// Allocates and starts the copy of the host values.
    DeviceBuffer(std::span<const T> host, const Stream& stream) { assign(host, stream); }
    ~DeviceBuffer() { release(); }
    DeviceBuffer(DeviceBuffer&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)),
          size_(std::exchange(other.size_, 0)),
          capacity_(std::exchange(other.capacity_, 0)) {}
    DeviceBuffer& operator=(DeviceBuffer&& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        std::swap(capacity_, other.capacity_);
        return *this;
    }
    DeviceBuffer(const DeviceBuffer&) = delete;
    DeviceBuffer& operator=(const DeviceBuffer&) = delete;

    T* data() { return data_; }
    const T* data() const { return data_; }
    std::size_t size() const { return size_; }
    std::size_t bytes() const { return size_ * sizeof(T); }

    /// Makes room for n elements and drops the contents. Memory only grows, so a buffer kept from batch to
    /// batch stops allocating. Growing waits for the device: nothing can still be using the old memory.
    void reserve(std::size_t n) {
        if (n > capacity_) {
            release();
            XSIFT_CUDA_CHECK(cudaMalloc(reinterpret_cast<void**>(&data_), n * sizeof(T)));
            capacity_ = n;
        }
        size_ = n;
        if (n > 0 && poisons_memory()) {
            XSIFT_CUDA_CHECK(cudaMemset(data_, poison, bytes()));
            XSIFT_CUDA_CHECK(cudaDeviceSynchronize());  // streams do not wait for the default one
        }
    }
    /// Takes the size and (asynchronously) the values of the host memory.
    void assign(std::span<const T> host, const Stream& stream) {
        reserve(host.size());
        if (host.empty()) return;
        XSIFT_CUDA_CHECK(
            cudaMemcpyAsync(data_, host.data(), host.size_bytes(), cudaMemcpyHostToDevice, stream.get()));
    }
    /// Starts the copy of the first host.size() elements to the host.
    void copy_to(std::span<T> host, const Stream& stream) const {
        if (host.empty()) return;
        XSIFT_CUDA_CHECK(
            cudaMemcpyAsync(host.data(), data_, host.size_bytes(), cudaMemcpyDeviceToHost, stream.get()));
    }
    /// Sets all bytes to zero, asynchronously.
    void zero(const Stream& stream) {
        if (size_ > 0) XSIFT_CUDA_CHECK(cudaMemsetAsync(data_, 0, bytes(), stream.get()));
    }

  private:
    void release() noexcept {
        if (data_ != nullptr) static_cast<void>(cudaFree(data_));
        data_ = nullptr;
        size_ = capacity_ = 0;
    }

    T* data_ = nullptr;
    std::size_t size_ = 0, capacity_ = 0;
};

/// Owns n elements of page-locked host memory, which copies to and from the device can overlap with work.
template <typename T>
class PinnedBuffer {
    static_assert(std::is_trivially_copyable_v<T>);

  public:
    PinnedBuffer() = default;
    explicit PinnedBuffer(std::size_t n) { reserve(n); }
    ~PinnedBuffer() { release(); }
    PinnedBuffer(PinnedBuffer&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)),
          size_(std::exchange(other.size_, 0)),
          capacity_(std::exchange(other.capacity_, 0)) {}
    PinnedBuffer& operator=(PinnedBuffer&& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        std::swap(capacity_, other.capacity_);
        return *this;
    }
    PinnedBuffer(const PinnedBuffer&) = delete;
    PinnedBuffer& operator=(const PinnedBuffer&) = delete;

    T* data() { return data_; }
    const T* data() const { return data_; }
    std::size_t size() const { return size_; }
    std::span<T> span() { return {data_, size_}; }
    std::span<const T> span() const { return {data_, size_}; }
    T& operator[](std::size_t i) { return data_[i]; }
    const T& operator[](std::size_t i) const { return data_[i]; }

    /// Makes room for n elements and drops the contents. Only grows. No copy may be under way.
    void reserve(std::size_t n) {
        if (n > capacity_) {
            release();
            XSIFT_CUDA_CHECK(cudaMallocHost(reinterpret_cast<void**>(&data_), n * sizeof(T)));
            capacity_ = n;
        }
        size_ = n;
        if (n > 0 && poisons_memory()) std::memset(static_cast<void*>(data_), poison, n * sizeof(T));
    }

  private:
    void release() noexcept {
        if (data_ != nullptr) static_cast<void>(cudaFreeHost(data_));
        data_ = nullptr;
        size_ = capacity_ = 0;
    }

    T* data_ = nullptr;
    std::size_t size_ = 0, capacity_ = 0;
};

}  // namespace xsift::cuda
