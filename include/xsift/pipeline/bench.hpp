#pragma once
/// @file
/// Benchmarks: how fast this build is on this machine. Figures are for comparing within one run.

#include <string>
#include <vector>

#include <xsift/engine/ceilings.hpp>

namespace xsift::pipeline {

struct BenchOptions {
    std::vector<std::string> backends{"cpu"};  ///< cpu, cuda
    int threads = 0;                           ///< of the CPU backend; 0: all
    int repeats = 5;                           ///< the fastest counts
    double scale = 1.0;                        ///< of the number of sources; for quick looks
};

/// One workload on one backend.
struct BenchResult {
    std::string workload;  ///< see bench()
    std::string backend;   ///< as Engines::description
    double seconds = 0.0;  ///< fastest repeat
    double rate = 0.0;     ///< what the unit says, a second
    std::string unit;      ///< pairs/s (photon or point x trial; template x bin), B/s, sources/s
    /// Operations of the plain matrix product of the workload (4 a photon and trial, 12 a point and trial, 2
    /// a template, energy and bin) over the ceiling measured in the same run; 0 where it says nothing.
    double of_ceiling = 0.0;
};

struct BenchReport {
    std::vector<BenchResult> results;
    std::vector<std::pair<std::string, engine::Ceilings>> ceilings;  ///< by backend
};

/// On every backend, the CPU with one thread and with all:
/// search_z2_1_N: Z2_1 of lists of N = 20, 50, 100, 300, 1000, 30000 photons on 816,000 frequencies;
/// search_z2_1_short: 300 photons on 5,000; search_all: Z2_1, Z2_2, Z2_4 and H with 20 harmonics of 300
/// photons on 816,000; gls: light curves of 1,000 points on 100,000; grid: 2,000 templates of 300 energies
/// against spectra of 128 bins. On one thread: refine: lists of 300 photons from peaks to rows. With all:
/// read: events of an uncompressed survey, warm; run: a simulated survey to its catalogue.
BenchReport bench(const BenchOptions& options);

/// The report with machine, version and device as JSON.
std::string bench_json(const BenchOptions& options, const BenchReport& report);

}  // namespace xsift::pipeline
