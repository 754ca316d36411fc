#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <xsift/core/parallel.hpp>

namespace xsift {

int available_threads() {
    return tbb::this_task_arena::max_concurrency();
}

struct ThreadPool::Implementation {
    explicit Implementation(int threads) : arena(threads > 0 ? threads : tbb::task_arena::automatic) {}
    mutable tbb::task_arena arena;
};

ThreadPool::ThreadPool(int threads) : implementation_(std::make_unique<Implementation>(threads)) {}
ThreadPool::~ThreadPool() = default;

int ThreadPool::size() const {
    return implementation_->arena.max_concurrency();
}

void ThreadPool::for_each(std::size_t n, const std::function<void(std::size_t)>& body) const {
    // Isolated: a thread that waits for the last bodies of an inner loop does not begin another body of the
    // outer one, so that at most as many outer bodies are under way as there are threads.
    implementation_->arena.execute([&] {
        tbb::this_task_arena::isolate([&] {
            tbb::parallel_for(
                tbb::blocked_range<std::size_t>(0, n, 1),
                [&](const tbb::blocked_range<std::size_t>& range) {
                    for (std::size_t i = range.begin(); i != range.end(); ++i) body(i);
                },
                tbb::simple_partitioner());
        });
    });
}

}  // namespace xsift
