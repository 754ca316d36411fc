#pragma once
/// @file
/// Simulations of a fit: the spectra drawn, the fits of them on a lattice by an engine or one by one.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <xsift/refine/spectra.hpp>
#include <xsift/spectral/rate_lattice.hpp>
#include <xsift/spectral/simulation_task.hpp>

namespace xsift::refine {

/// The fit of one drawn spectrum.
struct DrawnFit {
    double stat = 0.0;
    std::vector<double> values;  ///< as SpectralFit::parameters
    bool refitted = false;       ///< behind the whole response, not on the lattice
};

struct ShapeLattice;

/// What simulate_fits() does, in steps between which an engine can fit the spectra of many sources at once.
/// Draws are the same with and without: the n-th depends on seed and n only.
class Simulations {
  public:
    /// @param spectra and what they point to must outlive this; @param on_lattice false: all are to be
    /// refitted
    Simulations(std::span<const FitInput> spectra, std::shared_ptr<const spectral::ModelDefinition> model,
                const SpectralFit& fit, const spectral::FitOptions& options, std::uint64_t seed,
                bool on_lattice);
    ~Simulations();
    Simulations(Simulations&&) noexcept;
    Simulations& operator=(Simulations&&) noexcept;

    /// What an engine can fit: up to three spectra together by W-stat or C-stat whose backgrounds scale alike
    /// in all bins, and models of one norm and up to two shape parameters, one of them tabulated at most,
    /// that can be interpolated to some 0.02 in the statistic.
    std::optional<spectral::SimulationTask> task() const;
    /// The spectra of a draw.
    std::vector<spectral::PreparedSpectrum> drawn(int draw) const;
    /// All fits. What the lattice does not hold (minima at its edge that no limit makes, descents that did
    /// not end) is refitted; all are when that is more than 15%.
    /// @param found what an engine made of task(); empty: all are refitted
    std::vector<DrawnFit> fits(std::span<const spectral::LatticeMinimum> found) const;
    SimulatedFits summarise(const std::vector<DrawnFit>& fits) const;

  private:
    DrawnFit refit(int draw) const;
    int n_draws() const;

    std::vector<FitInput> spectra_;
    std::shared_ptr<const spectral::ModelDefinition> model_;
    const SpectralFit* fit_;
    const spectral::FitOptions* options_;
    std::uint64_t seed_;
    /// Expected in the source region and in the background's (0 without one), a bin of one spectrum after the
    /// other.
    std::vector<double> counts_, background_;
    std::unique_ptr<const ShapeLattice> lattice_;
};

}  // namespace xsift::refine
