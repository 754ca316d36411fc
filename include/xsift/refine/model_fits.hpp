#pragma once
/// @file
/// The fits of several models to the same spectra, in steps between which an engine can integrate the
/// posteriors of many sources at once.

#include <memory>
#include <span>
#include <vector>

#include <xsift/refine/spectra.hpp>
#include <xsift/spectral/posterior_task.hpp>

namespace xsift::refine {

/// What fit_models() does.
class ModelFits {
  public:
    /// Finds the minima. The spectra, and the options, must outlive this.
    ModelFits(std::span<const FitInput> spectra, std::span<const ModelTask> models,
              const spectral::FitOptions& options, StepGuard guard);
    ~ModelFits();
    ModelFits(ModelFits&&) noexcept;
    ModelFits& operator=(ModelFits&&) noexcept;

    /// The posteriors that finish() is going to ask for, as far as engines take them; they point at arrays of
    /// this.
    std::vector<spectral::PosteriorTask> posterior_tasks();
    /// @param found what an engine made of posterior_tasks(), all of them
    void take(std::span<const spectral::PosteriorOutcome> found);
    /// Intervals and posteriors; what no engine has integrated is integrated here.
    /// @return a fit a model; one without a name for those left out
    std::vector<SpectralFit> finish();

  private:
    class State;
    std::unique_ptr<State> state_;
};

}  // namespace xsift::refine
