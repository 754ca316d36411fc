#pragma once
/// @file
/// The spectral part of a batch: preparation, grids, fits of single spectra and of sets, selection.

#include "timeline.hpp"

#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

#include <xsift/core/parallel.hpp>
#include <xsift/data/results.hpp>
#include <xsift/engine/model_grids.hpp>
#include <xsift/spectral/options.hpp>

namespace xsift::pipeline {

/// Fits the models to the spectra of each source: one by one, and those that options.joint puts into a set at
/// once. Sets fits, best_fit and the quarantine rows of the results.
/// @param number of the batch, for the timeline
/// @param step_seconds of processor time that the fit of a model may take; 0: no limit
/// @param engine_turn is held while the grids and their backend are used
void fit_batch(std::int64_t number, std::span<const SourceData> batch, const spectral::FitOptions& options,
               double step_seconds, engine::ModelGrids& grids, engine::GridLikelihood& backend,
               std::mutex& engine_turn, const ThreadPool& pool, Timeline& timeline,
               std::vector<SourceResult>& results);

}  // namespace xsift::pipeline
