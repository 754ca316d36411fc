#pragma once
/// @file
/// How long the period search of given photons or light curves takes: for comparing with other programs on
/// the same data and the same trial frequencies.

#include <cstdint>
#include <string>
#include <vector>

#include <xsift/core/parallel.hpp>
#include <xsift/timing/search.hpp>

namespace xsift::pipeline {

/// What is searched, and how often. Every file gets a grid of its own when df is 0.
struct SearchBenchOptions {
    /// Event lists (FITS), or files `*.f64`: photon times as bare little-endian doubles, s, sorted.
    std::vector<std::string> photons;
    /// Light curves (FITS), or files `*.f64`: all times, then all values, then all errors.
    std::vector<std::string> curves;
    double df = 0.0;  ///< Hz between trials; 0: a quarter of one over the span of the data
    /// Hz; trials are the multiples of df from the nearest to fmin (at least df) to the nearest to fmax.
    double fmin = 0.0, fmax = 6.8;
    std::vector<timing::Statistic> statistics{{timing::Statistic::Kind::z2, 1}};  ///< of photons
    std::string backend = "cpu";                                                  ///< cpu, cuda
    int threads = 1;                                                              ///< 0: all
    int repeats = 5;  ///< searches of the whole batch, after one that warms up
};

/// The best trial of one statistic of one file, as screened.
struct BestTrial {
    std::string file;
    timing::Statistic statistic;
    double frequency = 0.0;  ///< Hz; NaN when no trial has a positive value
    double value = 0.0;
};

struct SearchBenchResult {
    std::string backend;              ///< as Engines::description
    std::vector<double> seconds;      ///< of each repeat: the whole batch, data in memory to the peaks
    std::vector<double> cpu_seconds;  ///< of all threads
    std::int64_t sources = 0;
    double pairs = 0.0;  ///< photons (or points) x trials of the batch
    std::vector<BestTrial> best;
};

/// @throws Error (usage, input) for files that cannot be read.
SearchBenchResult bench_search(const SearchBenchOptions& options);
/// The result with machine and version as JSON.
std::string search_bench_json(const SearchBenchOptions& options, const SearchBenchResult& result);

}  // namespace xsift::pipeline
