#pragma once
/// @file
/// The CPU thread pool. Everything parallel goes through here; results never depend on the number of threads.

#include <cstddef>
#include <functional>
#include <memory>

namespace xsift {

/// Number of hardware threads this process may use (respects CPU affinity and cgroups as TBB sees them).
int available_threads();

/// What the calling thread works for, until the scope ends. Loops of a pool pass it on to their bodies, on
/// whatever thread these run.
class WorkScope {
  public:
    explicit WorkScope(void* work);
    ~WorkScope();
    WorkScope(const WorkScope&) = delete;
    WorkScope& operator=(const WorkScope&) = delete;

  private:
    void* previous_;
};

/// Sees the bodies of a pool's loops.
class PoolObserver {
  public:
    virtual ~PoolObserver() = default;
    /// Has to call body(), on the same thread. Bodies of loops inside other bodies are shown where they run
    /// on another thread. @param work of the WorkScope in which the loop was begun
    virtual void around(void* work, const std::function<void()>& body) = 0;
};

/// A pool of a fixed number of threads (the calling thread counts as one). Loops of several callers at once
/// share its threads.
class ThreadPool {
  public:
    /// @param threads number of threads; 0 means available_threads().
    /// @param observer must outlive the pool
    explicit ThreadPool(int threads = 0, PoolObserver* observer = nullptr);
    ~ThreadPool();
    ThreadPool(const ThreadPool&) = delete;
    ThreadPool& operator=(const ThreadPool&) = delete;

    int size() const;
    /// Calls body(i) for each i in [0, n), in any order, on all threads; rethrows the first exception.
    /// A body may call for_each itself.
    void for_each(std::size_t n, const std::function<void(std::size_t)>& body) const;

  private:
    struct Implementation;
    std::unique_ptr<Implementation> implementation_;
};

}  // namespace xsift
