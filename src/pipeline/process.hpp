#pragma once
/// @file
/// The computation of one batch: search, polish, variability, grids, fits.

#include "timeline.hpp"

#include <cstdint>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <vector>

#include <xsift/core/parallel.hpp>
#include <xsift/data/results.hpp>
#include <xsift/engine/factory.hpp>
#include <xsift/engine/model_grids.hpp>
#include <xsift/pipeline/configuration.hpp>

namespace xsift::pipeline {

/// Turns the data of a batch of sources into results. The result of a source does not depend on its batch.
/// Several batches may be processed at once, from several threads: the engines are called by one at a time.
class BatchProcessor {
  public:
    /// @param quarantined ids of sources of which an input was quarantined at ingest
    BatchProcessor(const RunConfiguration& configuration, engine::Engines& engines, const ThreadPool& pool,
                   Timeline& timeline, std::set<std::string> quarantined);

    /// @param number of the batch, for the timeline
    std::vector<SourceResult> process(std::int64_t number, std::span<const SourceData> batch);

  private:
    using Batch = std::span<const SourceData>;
    void search(std::int64_t number, Batch batch, std::vector<SourceResult>& results);
    void assess(std::int64_t number, Batch batch, std::vector<SourceResult>& results);
    void fit(std::int64_t number, Batch batch, std::vector<SourceResult>& results);
    void conclude(const SourceData& data, SourceResult& result) const;

    const RunConfiguration& configuration_;
    engine::Engines& engines_;
    const ThreadPool& pool_;
    Timeline& timeline_;
    std::set<std::string> quarantined_;
    engine::ModelGrids grids_;
    std::mutex search_engine_, grid_engine_;  ///< held by the batch that uses it
};

}  // namespace xsift::pipeline
