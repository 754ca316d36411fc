#pragma once
/// @file
/// Batches on their way: several are computed at once, so that one fills the cores that another leaves idle
/// at the end of a loop; the next is read meanwhile, and finished ones are written in order.

#include "timeline.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include <xsift/data/results.hpp>
#include <xsift/data/source.hpp>

namespace xsift::pipeline {

/// The stages of a stream. An exception of any of them ends it.
struct StreamStages {
    /// The next batch; empty at the end. Called by one thread at a time.
    std::function<std::vector<SourceData>()> read;
    /// The results of batch number k. Called by several threads at once.
    std::function<std::vector<SourceResult>(std::int64_t k, const std::vector<SourceData>&)> compute;
    /// Called by one thread at a time, in the order of the batches.
    std::function<void(std::int64_t k, const std::vector<SourceResult>&)> write;
};

/// Batches that are in memory at most, with their input or their results: one being read, `lanes` computed,
/// one that waits for its turn, one being written.
constexpr std::int64_t batches_in_flight(int lanes) {
    return lanes + 3;
}

/// Runs the stages until there is no batch left, or `stop` is set: then batches under way are finished and
/// written, and no other is begun. Rethrows the first exception, after batches before it were written.
/// @param lanes batches computed at once
/// @param timeline is told when a lane waits for its next batch (stage "wait")
void stream_batches(const StreamStages& stages, int lanes, const std::atomic<bool>& stop, Timeline& timeline);

/// Computes a batch whole; when memory is exhausted (std::bad_alloc, or an Error "DEVICE_OUT_OF_MEMORY"), its
/// two halves one after the other, and so on down to single sources. Rethrows what happens to a single one.
/// @param compute for any part of a batch; what it gives of a source must not depend on its neighbours
std::vector<SourceResult> compute_in_parts(
    std::span<const SourceData> batch,
    const std::function<std::vector<SourceResult>(std::span<const SourceData>)>& compute);

}  // namespace xsift::pipeline
