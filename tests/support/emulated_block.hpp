#pragma once
/// @file
/// A block of a CUDA kernel as threads of the host: what device code of the .cuh files takes from the
/// language. Slow, but it runs the barriers, the atomics and the shared memory as a device would, and a
/// thread sanitizer sees what two threads do to the same place.
///
/// Include before any .cuh file. One block at a time.

#include <algorithm>
#include <atomic>
#include <barrier>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#define __device__
#define __host__

namespace xsift::test {

/// The barriers and exchanges of the block that runs.
struct EmulatedBlock {
    explicit EmulatedBlock(int threads) : all(threads), exchanged(static_cast<std::size_t>(threads)) {
        for (int w = 0; w < threads / 32; ++w) warps.push_back(std::make_unique<std::barrier<>>(32));
    }
    std::barrier<> all;
    std::vector<std::unique_ptr<std::barrier<>>> warps;
    std::vector<double> exchanged;
    std::atomic<int> count{0};
};
inline EmulatedBlock* emulated_block = nullptr;
inline thread_local int emulated_thread = 0;

/// Runs body(thread) for all threads of a block at once. @param threads a multiple of 32
inline void run_block(int threads, const std::function<void(int)>& body) {
    EmulatedBlock block(threads);
    emulated_block = &block;
    std::vector<std::jthread> running;
    for (int i = 0; i < threads; ++i)
        running.emplace_back([&body, i] {
            emulated_thread = i;
            body(i);
        });
    running.clear();
    emulated_block = nullptr;
}

/// The barrier of the caller's warp.
inline std::barrier<>& emulated_warp() {
    return *emulated_block->warps[static_cast<std::size_t>(emulated_thread / 32)];
}

/// A matrix instruction of the caller's warp: its first thread multiplies for all.
/// @param multiply (d[32][4], a[32][4], b[32][2]): fragments of all threads
template <typename Multiply>
void multiply_in_warp(float (&d)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2],
                      const Multiply& multiply) {
    constexpr int most_warps = 32;
    static float sums[most_warps][32][4];
    static std::uint32_t left[most_warps][32][4], right[most_warps][32][2];
    const int warp = emulated_thread / 32, lane = emulated_thread % 32;
    std::copy_n(d, 4, sums[warp][lane]);
    std::copy_n(a, 4, left[warp][lane]);
    std::copy_n(b, 2, right[warp][lane]);
    emulated_warp().arrive_and_wait();
    if (lane == 0) multiply(sums[warp], left[warp], right[warp]);
    emulated_warp().arrive_and_wait();
    std::copy_n(sums[warp][lane], 4, d);
    emulated_warp().arrive_and_wait();
}

}  // namespace xsift::test

inline void __syncthreads() {
    xsift::test::emulated_block->all.arrive_and_wait();
}

inline int __syncthreads_count(bool predicate) {
    auto& block = *xsift::test::emulated_block;
    if (predicate) ++block.count;
    block.all.arrive_and_wait();
    const int count = block.count.load();
    block.all.arrive_and_wait();
    if (xsift::test::emulated_thread == 0) block.count = 0;
    block.all.arrive_and_wait();
    return count;
}

inline double __shfl_xor_sync(unsigned, double value, int distance) {
    auto& places = xsift::test::emulated_block->exchanged;
    const auto own = static_cast<std::size_t>(xsift::test::emulated_thread);
    places[own] = value;
    xsift::test::emulated_warp().arrive_and_wait();
    const double other = places[own ^ static_cast<std::size_t>(distance)];
    xsift::test::emulated_warp().arrive_and_wait();
    return other;
}

template <typename T>
T __ldcg(const T* from) {
    return std::atomic_ref<T>(*const_cast<T*>(from)).load();
}

template <typename T>
T atomicAdd(T* to, T value) {
    return std::atomic_ref<T>(*to).fetch_add(value);
}

template <typename T>
T atomicMax(T* to, T value) {
    std::atomic_ref<T> place(*to);
    T before = place.load();
    while (before < value && !place.compare_exchange_weak(before, value)) {
    }
    return before;
}
