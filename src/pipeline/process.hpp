#pragma once
/// @file
/// The computation of one batch: search, polish, variability, grids, fits.

#include "stopwatch.hpp"

#include <set>
#include <string>
#include <vector>

#include <xsift/core/parallel.hpp>
#include <xsift/data/results.hpp>
#include <xsift/engine/factory.hpp>
#include <xsift/engine/model_grids.hpp>
#include <xsift/pipeline/configuration.hpp>

namespace xsift::pipeline {

/// Turns the data of a batch of sources into results. The result of a source does not depend on its batch.
class BatchProcessor {
  public:
    /// @param quarantined ids of sources of which an input was quarantined at ingest
    BatchProcessor(const RunConfiguration& configuration, engine::Engines& engines, const ThreadPool& pool,
                   StageTimes& times, std::set<std::string> quarantined);

    std::vector<SourceResult> process(const std::vector<SourceData>& batch);

  private:
    void search(const std::vector<SourceData>& batch, std::vector<SourceResult>& results);
    void assess(const std::vector<SourceData>& batch, std::vector<SourceResult>& results);
    void fit(const std::vector<SourceData>& batch, std::vector<SourceResult>& results);
    void conclude(const SourceData& data, SourceResult& result) const;

    const RunConfiguration& configuration_;
    engine::Engines& engines_;
    const ThreadPool& pool_;
    StageTimes& times_;
    std::set<std::string> quarantined_;
    engine::ModelGrids grids_;
};

}  // namespace xsift::pipeline
