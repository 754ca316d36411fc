#pragma once
/// @file
/// What a processor can do at most, as measured: the ceilings that benchmarks are compared with.

#include <xsift/core/parallel.hpp>

namespace xsift::engine {

/// Highest rates of multiplications and additions in the precision of the search's factors, and of a copy.
struct Ceilings {
    double flop_per_s = 0.0;   ///< two a multiplication and addition
    double bytes_per_s = 0.0;  ///< read and written
};

/// Of the CPU with all threads of a pool: single precision in vector registers, copies of 64 MB.
Ceilings cpu_ceilings(const ThreadPool& pool);

}  // namespace xsift::engine
