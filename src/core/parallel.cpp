#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <xsift/core/parallel.hpp>

namespace xsift {

namespace {

thread_local void* current_work = nullptr;
thread_local bool observed = false;  // a body that the observer sees runs on this thread

/// Runs a body as the observer wants to see it.
void show(PoolObserver& observer, void* work, const std::function<void()>& body) {
    const WorkScope scope(work);
    if (observed) return body();
    observed = true;
    const auto unset = [](bool* flag) { *flag = false; };
    const std::unique_ptr<bool, decltype(unset)> end(&observed, unset);
    observer.around(work, body);
}

}  // namespace

WorkScope::WorkScope(void* work) : previous_(current_work) {
    current_work = work;
}
WorkScope::~WorkScope() {
    current_work = previous_;
}

int available_threads() {
    return tbb::this_task_arena::max_concurrency();
}

struct ThreadPool::Implementation {
    Implementation(int threads, PoolObserver* seen_by)
        : arena(threads > 0 ? threads : tbb::task_arena::automatic), observer(seen_by) {
        // Here and not at the first loop: where that fails for want of memory, oneTBB lets a second thread
        // wait for ever.
        arena.initialize();
    }
    mutable tbb::task_arena arena;
    PoolObserver* observer;
};

ThreadPool::ThreadPool(int threads, PoolObserver* observer)
    : implementation_(std::make_unique<Implementation>(threads, observer)) {}
ThreadPool::~ThreadPool() = default;

int ThreadPool::size() const {
    return implementation_->arena.max_concurrency();
}

void ThreadPool::for_each(std::size_t n, const std::function<void(std::size_t)>& body) const {
    PoolObserver* const observer = implementation_->observer;
    void* const work = current_work;
    // Isolated: a thread that waits for the last bodies of an inner loop does not begin another body of the
    // outer one, so that at most as many outer bodies are under way as there are threads.
    implementation_->arena.execute([&] {
        tbb::this_task_arena::isolate([&] {
            tbb::parallel_for(
                tbb::blocked_range<std::size_t>(0, n, 1),
                [&](const tbb::blocked_range<std::size_t>& range) {
                    for (std::size_t i = range.begin(); i != range.end(); ++i) {
                        if (observer == nullptr)
                            body(i);
                        else
                            show(*observer, work, [&] { body(i); });
                    }
                },
                tbb::simple_partitioner());
        });
    });
}

}  // namespace xsift
