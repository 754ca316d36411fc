#pragma once
/// @file
/// Arrays of many tasks that travel to the device together, and how many blocks take the tasks' items.

#include "device_buffer.cuh"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include <xsift/engine/grid_task.hpp>

namespace xsift::cuda {

/// Arrays that share one allocation of device memory, each at a multiple of 16 bytes. First they are all
/// added, then their addresses are known.
class Layout {
  public:
    template <typename T>
    std::size_t add(std::int64_t n) {
        constexpr std::size_t alignment = 16;
        const std::size_t at = (size_ + alignment - 1) / alignment * alignment;
        size_ = at + static_cast<std::size_t>(n) * sizeof(T);
        return at;
    }
    std::size_t size() const { return size_; }

  private:
    std::size_t size_ = 0;
};

/// Host arrays that go to the device in one copy.
class Package {
  public:
    void clear() {
        layout_ = {};
        pieces_.clear();
    }
    /// @return where it will be. The values must stay until send().
    template <typename T>
    std::size_t add(std::span<const T> values) {
        const std::size_t at = layout_.add<T>(std::ssize(values));
        pieces_.push_back({values.data(), values.size_bytes(), at});
        return at;
    }
    /// After the last add(), and before at().
    void reserve() { device_.reserve(layout_.size()); }
    template <typename T>
    T* at(std::size_t place) {
        return reinterpret_cast<T*>(device_.data() + place);
    }
    void send(const Stream& stream) {
        pinned_.reserve(layout_.size());
        for (const Piece& piece : pieces_)
            if (piece.bytes > 0) std::memcpy(pinned_.data() + piece.at, piece.from, piece.bytes);
        device_.assign(pinned_.span(), stream);
    }

  private:
    struct Piece {
        const void* from;
        std::size_t bytes, at;
    };
    Layout layout_;
    std::vector<Piece> pieces_;
    PinnedBuffer<std::byte> pinned_;
    DeviceBuffer<std::byte> device_;
};

/// Tasks group by group, each as many as take at most so many bytes (one at least).
/// @param device run(tasks, outcomes); @param bytes_of a task
template <typename Outcome, typename Task, typename Device, typename BytesOf>
std::vector<Outcome> run_in_groups(Device& device, std::span<const Task> tasks, std::int64_t most_bytes,
                                   const BytesOf& bytes_of) {
    for (const Task& task : tasks) engine::check_task(task);
    std::vector<Outcome> outcomes(tasks.size());
    for (std::size_t first = 0, n = 0; first < tasks.size(); first += n) {
        n = 1;
        for (std::int64_t bytes = bytes_of(tasks[first]);
             first + n < tasks.size() && (bytes += bytes_of(tasks[first + n])) <= most_bytes;)
            ++n;
        device.run(tasks.subspan(first, n), std::span(outcomes).subspan(first, n));
    }
    return outcomes;
}

/// Blocks of a kernel that take items until none is left: as many as run at once, or as there is room for.
/// @param most_room, room_of_block bytes
template <typename Kernel>
unsigned blocks_for(Kernel* kernel, int threads, std::size_t n_items, std::int64_t most_room,
                    std::size_t room_of_block) {
    int device = 0, processors = 0, resident = 0;
    XSIFT_CUDA_CHECK(cudaGetDevice(&device));
    XSIFT_CUDA_CHECK(cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, device));
    XSIFT_CUDA_CHECK(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&resident, kernel, threads, 0));
    const std::size_t by_room = std::max<std::size_t>(1, static_cast<std::size_t>(most_room) / room_of_block);
    return static_cast<unsigned>(
        std::min({n_items, by_room, static_cast<std::size_t>(processors * resident)}));
}

}  // namespace xsift::cuda
