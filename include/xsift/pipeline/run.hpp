#pragma once
/// @file
/// A run: survey store to shard catalogue, batch by batch.

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <xsift/pipeline/configuration.hpp>

namespace xsift::pipeline {

/// How a run is carried out. Nothing here changes the catalogue's rows.
struct RunOptions {
    std::string survey, output;
    RunConfiguration configuration;
    std::string backend = "auto";           ///< auto, cpu, cuda
    int threads = 0;                        ///< 0: all
    std::int64_t batch_memory = 512 << 20;  ///< bytes of input data in flight, all stages together
    std::int64_t device_memory =
        0;  ///< bytes that may be used of each device; 0: four fifths of what is free
    std::int64_t shard = 1, shards = 1;  ///< K of N, as ShardPlan cuts the survey
    std::int64_t part = 1, parts = 1;    ///< K of N of that shard: a straggler split again
    std::vector<std::string> sources;    ///< ids; empty: all
    bool resume = false;
    std::string search_costs;  ///< file of `bench --calibrate`; empty: the costs that are built in
    std::string trace;         ///< file for a timeline of the run in Chrome's trace event format; empty: none
};

/// What a stage of a run took, all its batches together. Stages of several batches overlap.
struct StageTime {
    double wall = 0.0;       ///< s from begin to end
    double processor = 0.0;  ///< s of all threads that worked for it
};

/// What happened; also written beside the catalogue.fits as catalogue.run.json.
struct RunSummary {
    std::string backend;  ///< as Engines::description
    std::int64_t sources = 0, resumed = 0, candidates = 0, periods = 0, fits = 0;
    std::map<std::string, std::int64_t> quarantined;  ///< rows by code, those of ingest included
    /// match, read, search, polish, variability, grid, fit, characterise, journal, catalogue, and wait: a
    /// lane of the computation waits for its next batch.
    std::map<std::string, StageTime> stages;
    double seconds = 0.0;            ///< wall-clock time of the run
    double processor_seconds = 0.0;  ///< of the process meanwhile
    int threads = 0, lanes = 0;      ///< threads of the pool; batches computed at once
    double utilisation() const { return seconds > 0.0 ? processor_seconds / seconds / threads : 0.0; }
    /// Share of the time of all lanes in which they waited for input.
    double waiting() const;
    double predicted_seconds = 0.0;  ///< on one core, as ShardPlan predicts
    std::int64_t peak_memory = 0;    ///< bytes, of the process
    bool interrupted = false;        ///< stopped on request: resume with --resume
};

/// Progress: sources done, sources in all.
using RunProgress = std::function<void(std::int64_t, std::int64_t)>;

/// Runs a shard and writes its catalogue. Asks `stop` between batches; when it is set, the journal is kept
/// and the summary says so.
RunSummary run(const RunOptions& options, const std::atomic<bool>& stop, const RunProgress& progress = {});

}  // namespace xsift::pipeline
