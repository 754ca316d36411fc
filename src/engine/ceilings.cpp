#include "nufft.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <vector>

#include <xsift/engine/ceilings.hpp>

namespace xsift::engine {
namespace {

/// The highest rate of several runs of `work` on all threads at once.
template <typename Work>
double highest_rate(const ThreadPool& pool, double work_of_a_thread, const Work& work) {
    using Clock = std::chrono::steady_clock;
    const auto threads = static_cast<std::size_t>(pool.size());
    double best = 0.0;
    for (int repeat = 0; repeat < 5; ++repeat) {
        const auto start = Clock::now();
        pool.for_each(threads, work);
        const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
        best = std::max(best, work_of_a_thread * static_cast<double>(threads) / seconds);
    }
    return best;
}

}  // namespace

Ceilings cpu_ceilings(const ThreadPool& pool) {
    constexpr std::size_t bytes = std::size_t{64} << 20;
    const auto threads = static_cast<std::size_t>(pool.size());
    std::vector<std::vector<char>> from(threads, std::vector<char>(bytes, 'x')), to = from;
    Ceilings ceilings;
    constexpr std::int64_t steps = 1'000'000;
    const NufftKernel& kernel = nufft_best();
    std::vector<std::array<float, peak_floats>> sums(threads);
    ceilings.flop_per_s = highest_rate(pool, kernel.peak_flop * static_cast<double>(steps),
                                       [&](std::size_t t) { kernel.peak(steps, sums[t].data()); });
    ceilings.bytes_per_s = highest_rate(pool, 2.0 * static_cast<double>(bytes), [&](std::size_t t) {
        std::memcpy(to[t].data(), from[t].data(), bytes);
    });
    return ceilings;
}

}  // namespace xsift::engine
