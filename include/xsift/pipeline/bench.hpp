#pragma once
/// @file
/// Benchmarks: how fast this build is on this machine. Figures are for comparing within one run.

#include <string>
#include <vector>

namespace xsift::pipeline {

struct BenchOptions {
    std::vector<std::string> backends{"cpu"};  ///< cpu, cuda
    int threads = 0;                           ///< of the CPU backend; 0: all
    int repeats = 5;                           ///< the fastest counts
    double scale = 1.0;                        ///< of the number of sources; for quick looks
};

/// One workload on one backend.
struct BenchResult {
    std::string workload;  ///< search_z2_1, search_all, read
    std::string backend;   ///< as Engines::description; "one thread" for read
    double seconds = 0.0;  ///< fastest repeat
    double rate = 0.0;     ///< photon x trial frequency pairs a second; bytes a second for read
    std::string unit;      ///< of the rate: pairs/s, B/s
};

/// search_z2_1: Z2_1 of lists of 300 photons on 816,000 frequencies; search_all: Z2_1, Z2_2, Z2_4 and H with
/// 20 harmonics on the same; read: events of an uncompressed survey, warm.
std::vector<BenchResult> bench(const BenchOptions& options);

/// The results with machine, version and device as JSON.
std::string bench_json(const BenchOptions& options, const std::vector<BenchResult>& results);

}  // namespace xsift::pipeline
