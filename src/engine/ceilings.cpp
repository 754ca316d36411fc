#include <algorithm>
#include <chrono>
#include <cstring>
#include <vector>

#include <xsift/engine/ceilings.hpp>

extern "C" void sgemm_(const char*, const char*, const int*, const int*, const int*, const float*,
                       const float*, const int*, const float*, const int*, const float*, float*, const int*);

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
    constexpr int n = 384;
    constexpr std::size_t bytes = std::size_t{64} << 20;
    const auto threads = static_cast<std::size_t>(pool.size());
    std::vector<std::vector<float>> a(threads, std::vector<float>(n * n, 0.5f)), b = a, c = a;
    std::vector<std::vector<char>> from(threads, std::vector<char>(bytes, 'x')), to = from;
    Ceilings ceilings;
    constexpr int products = 8;
    ceilings.flop_per_s = highest_rate(pool, products * 2.0 * n * n * n, [&](std::size_t t) {
        const float one = 1.0f, zero = 0.0f;
        for (int i = 0; i < products; ++i)
            sgemm_("N", "N", &n, &n, &n, &one, a[t].data(), &n, b[t].data(), &n, &zero, c[t].data(), &n);
    });
    ceilings.bytes_per_s = highest_rate(pool, 2.0 * static_cast<double>(bytes), [&](std::size_t t) {
        std::memcpy(to[t].data(), from[t].data(), bytes);
    });
    return ceilings;
}

}  // namespace xsift::engine
