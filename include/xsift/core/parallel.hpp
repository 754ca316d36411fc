#pragma once
/// @file
/// The CPU thread pool. Everything parallel goes through here; results never depend on the number of threads.

#include <cstddef>
#include <functional>
#include <memory>

namespace xsift {

/// Number of hardware threads this process may use (respects CPU affinity and cgroups as TBB sees them).
int available_threads();

/// A pool of a fixed number of threads (the calling thread counts as one).
class ThreadPool {
  public:
    /// @param threads number of threads; 0 means available_threads().
    explicit ThreadPool(int threads = 0);
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
