#pragma once
#include <memory>

#include <xsift/core/parallel.hpp>
#include <xsift/engine/period_search.hpp>

namespace xsift::engine {

/// The period search on a thread pool, which must outlive it: blocked non-uniform FFT in single precision.
std::unique_ptr<PeriodSearch> make_cpu_search(const ThreadPool& pool);

}  // namespace xsift::engine
