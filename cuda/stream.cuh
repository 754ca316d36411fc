#pragma once
/// @file
/// RAII owners of CUDA streams and events.

#include "check.cuh"

#include <utility>

#include <cuda_runtime.h>

namespace xsift::cuda {

/// Owns a stream that does not synchronise with the default stream. Kernels, copies and allocations of one
/// stream run in order; the destructor waits for them.
class Stream {
  public:
    Stream() { XSIFT_CUDA_CHECK(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking)); }
    ~Stream() {
        if (stream_ == nullptr) return;
        static_cast<void>(cudaStreamSynchronize(stream_));
        static_cast<void>(cudaStreamDestroy(stream_));
    }
    Stream(Stream&& other) noexcept : stream_(std::exchange(other.stream_, nullptr)) {}
    Stream& operator=(Stream&& other) noexcept {
        std::swap(stream_, other.stream_);
        return *this;
    }
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    cudaStream_t get() const { return stream_; }
    /// Blocks until everything put on the stream is done; throws what went wrong in a kernel.
    void synchronize() const { XSIFT_CUDA_CHECK(cudaStreamSynchronize(stream_)); }

  private:
    cudaStream_t stream_ = nullptr;
};

/// Owns an event: a point in a stream that the host or another stream can wait for.
class Event {
  public:
    Event() { XSIFT_CUDA_CHECK(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming)); }
    ~Event() {
        if (event_ != nullptr) static_cast<void>(cudaEventDestroy(event_));
    }
    Event(Event&& other) noexcept : event_(std::exchange(other.event_, nullptr)) {}
    Event& operator=(Event&& other) noexcept {
        std::swap(event_, other.event_);
        return *this;
    }
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;

    void record(const Stream& stream) { XSIFT_CUDA_CHECK(cudaEventRecord(event_, stream.get())); }
    /// Blocks the host until the recorded point is reached.
    void synchronize() const { XSIFT_CUDA_CHECK(cudaEventSynchronize(event_)); }
    /// Makes what follows on the stream wait for the recorded point.
    void make_wait(const Stream& stream) const {
        XSIFT_CUDA_CHECK(cudaStreamWaitEvent(stream.get(), event_, 0));
    }

  private:
    cudaEvent_t event_ = nullptr;
};

}  // namespace xsift::cuda
