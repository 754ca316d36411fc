#pragma once
/// @file
/// The spectral part of a batch: preparation, grids, fits of single spectra and of sets, selection.

#include "stopwatch.hpp"

#include <vector>

#include <xsift/core/parallel.hpp>
#include <xsift/data/results.hpp>
#include <xsift/engine/model_grids.hpp>
#include <xsift/spectral/options.hpp>

namespace xsift::pipeline {

/// Fits the models to the spectra of each source: one by one, and those that options.joint puts into a set at
/// once. Sets fits, best_fit and the quarantine rows of the results.
void fit_batch(const std::vector<SourceData>& batch, const spectral::FitOptions& options,
               engine::ModelGrids& grids, engine::GridLikelihood& backend, const ThreadPool& pool,
               StageTimes& times, std::vector<SourceResult>& results);

}  // namespace xsift::pipeline
