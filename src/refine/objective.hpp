#pragma once
/// @file
/// The statistic of one or several spectra under a model, as a function of the fit's coordinates.

#include "linear.hpp"
#include "statistic_terms.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include <xsift/data/results.hpp>
#include <xsift/refine/fit_data.hpp>
#include <xsift/spectral/model.hpp>
#include <xsift/spectral/profile.hpp>

namespace xsift::refine {

/// The fit's coordinates: free shape parameters (some as logarithms), factors of the second and further
/// spectra (ln), free norms (ln). Limits are in coordinates.
struct Coordinates {
    int n = 0, n_shape = 0, n_factors = 0, n_norms = 0;
    std::vector<int> parameter;  ///< of the model; -1 for a factor
    std::vector<bool> logarithmic;
    Vector lo{}, hi{};
    /// Where the model has a kink in a coordinate, ascending, between its limits: the tabulated values of a
    /// table model, between which it is linear.
    std::vector<std::vector<double>> kinks;

    bool kinked() const {
        return std::any_of(kinks.begin(), kinks.end(), [](const auto& k) { return !k.empty(); });
    }
    int first_factor() const { return n_shape; }
    int first_norm() const { return n_shape + n_factors; }
    bool is_norm(int i) const { return i >= first_norm(); }
    double value(const Vector& x, int i) const;
    double coordinate(int i, double value) const;
    /// d value / d coordinate.
    double scale(const Vector& x, int i) const { return logarithmic[i] ? value(x, i) : 1.0; }
    Vector clipped(Vector x) const;
    bool at_lo(const Vector& x, int i) const { return x[i] <= lo[i]; }
    bool at_hi(const Vector& x, int i) const { return x[i] >= hi[i]; }
};

/// The axis of a table that a parameter of a model moves along; null for other parameters.
const TableAxis* table_axis(const spectral::ModelDefinition& model, int parameter);

/// Values of all parameters of a model at a point of its fit.
std::vector<double> values_at(const spectral::ModelDefinition& model, const Coordinates& coordinates,
                              const Vector& x);

/// The same, then the factors of the second and further spectra: as in SpectralFit::parameters.
std::vector<double> fitted_values_at(const spectral::ModelDefinition& model, const Coordinates& coordinates,
                                     const Vector& x);

/// A point of the fit with what was folded there.
struct Point {
    Vector x{};
    double stat = std::numeric_limits<double>::infinity();
    /// Rows of n_bins: count/s of each group at norm 1, then its derivatives by the shape parameters it
    /// depends on.
    std::vector<double> rates;
};

/// Slope and curvature of the statistic at a point, the latter without the second derivatives of the model:
/// as the counts have it, and as expected for the fitted rates (better behaved far from the minimum and for
/// empty bins).
struct Expansion {
    Vector slope{};
    Matrix observed{}, expected{};
};

class Objective {
  public:
    /// @param spectra at least one; factors between instruments are free from the second on
    Objective(std::span<const FitData* const> spectra, std::shared_ptr<const spectral::ModelDefinition> model,
              spectral::Abundance abundance);

    /// Changes from W-stat and C-stat to a chi2. Bins are taken as they are: none may be empty.
    void set_statistic(spectral::FitStatistic statistic) { terms_.set_statistic(statistic); }

    const Coordinates& coordinates() const { return coordinates_; }
    /// Replaces the limits of a coordinate.
    void set_limits(int i, double lo, double hi) {
        coordinates_.lo[i] = lo;
        coordinates_.hi[i] = hi;
    }
    const spectral::ModelDefinition& model() const { return *model_; }
    const spectral::ModelFreedom& freedom() const { return evaluators_.front().freedom(); }

    Point make_point() const;
    /// Coordinates from the values of all parameters, within the limits.
    Vector start(std::span<const double> values) const;
    /// Coordinates of a fit of the same model to as many spectra, within the limits.
    Vector start(const SpectralFit& fit) const;
    /// Values of all parameters.
    std::vector<double> values(const Vector& x) const { return values_at(*model_, coordinates_, x); }
    /// The same, then the factors of the second and further spectra: as in SpectralFit::parameters.
    std::vector<double> fitted_values(const Vector& x) const {
        return fitted_values_at(*model_, coordinates_, x);
    }

    std::size_t n_bins() const { return n_bins_; }
    /// photon/cm2/s in each energy of a spectrum, norms included, its factor left out.
    std::vector<double> photons(const Vector& x, std::size_t spectrum) {
        return evaluators_[spectrum].photons(values(x));
    }
    spectral::ModelEvaluator& evaluator(std::size_t spectrum) { return evaluators_[spectrum]; }
    const FitData& spectrum(std::size_t i) const { return *spectra_[i]; }
    /// W-stat or C-stat.
    bool is_poisson() const { return !terms_.is_chi2(); }
    /// Replaces the spectra by others with the same bins, counts and energies.
    void set_spectra(std::span<const FitData* const> spectra) {
        spectra_.assign(spectra.begin(), spectra.end());
    }
    /// Rows of n_bins: count/s of each group at norm 1, nothing else.
    void fold_groups(const Vector& x, std::vector<double>& rates);
    struct SingleNorm {
        double norm = 0.0, stat = 0.0;
    };
    /// The norm of rates at norm 1 (n_bins) alone that minimises the statistic, within the limits of the
    /// first norm, and the statistic there; factors of further spectra as in x.
    SingleNorm single_norm(const Vector& x, std::span<const double> unit) const;
    struct NormFit {
        double stat = 0.0, log_norm = 0.0;
        double curvature = 0.0;  ///< of the statistic in ln norm, as the counts have it
    };
    /// The same for a model of one norm, to some 1e-3 in the statistic. A norm that is near to begin with
    /// costs one or two looks at the bins.
    NormFit fit_norm(std::span<const double> unit, double log_norm) const;
    /// Rows of the bins of a spectrum: count/s at norm 1 at several places, its factor left out, for a model
    /// of one norm.
    void fold_places(std::span<const Vector> places, std::size_t spectrum, std::vector<double>& rates);
    /// The statistic as a parabola in the rate of each bin around given rates (n_bins): slope, and expected
    /// curvature.
    void expand_rates(const Vector& x, std::span<const double> rates, std::vector<double>& slope,
                      std::vector<double>& curvature) const;
    /// Folds the model at x with the free norms that minimise the statistic, found from x's own. Norms in
    /// `held` stay.
    void evaluate(const Vector& x, Point& p, const Mask& held = {});
    /// The same without derivatives by the shape parameters: for expand_linear() only.
    void evaluate_linear(const Vector& x, Point& p);
    /// The statistic at x, the norms as they are there. @param p scratch
    double statistic_at(const Vector& x, Point& p);
    Expansion expand(const Point& p) const { return expand(p, 0); }
    /// Factors and norms only; what concerns shape parameters is 0.
    Expansion expand_linear(const Point& p) const { return expand(p, coordinates_.first_factor()); }
    /// Lets the evaluators keep components that a lattice of n values a shape parameter will ask for again.
    void remember(std::size_t n) {
        for (spectral::ModelEvaluator& e : evaluators_) e.remember(n);
    }
    /// What the second derivatives of the model add to the change of the slope from one point to the next.
    Vector bending(const Point& from, const Point& to) const;
    /// Coordinates that a downhill step can move: not those at a limit with the slope pointing outward.
    Mask movable(const Vector& x, const Vector& slope) const;

  private:
    struct Row {
        std::size_t group;
        int shape;  ///< -1: the group itself
    };
    /// count/s of each bin.
    const std::vector<double>& rates(const Point& p) const;
    /// Rows of n_bins: the derivatives of rates() by each coordinate from `first` on (0 before).
    void rate_derivatives(const Point& p, int first, std::vector<double>& by) const;
    std::span<const double> row(const std::vector<double>& rows, std::size_t i) const {
        return std::span(rows).subspan(i * n_bins_, n_bins_);
    }
    Expansion expand(const Point& p, int first) const;
    /// @param tolerance relative, of a single norm
    void profile(Point& p, const Mask& held, double tolerance) const;
    Vector norms(const Vector& x) const;
    Vector scales(const Vector& x) const;
    double factor(const Vector& x, std::size_t spectrum) const;
    void fold_rows(const Vector& x, std::size_t n_rows, bool derivatives, std::vector<double>& rates);
    void profile_norms(Point& p, const Mask& held) const;
    /// Puts norm times unit into rates_.
    void scaled(std::span<const double> unit, double norm) const;
    double profiled_norm(const Vector& x, std::span<const double> unit, double tolerance) const;
    void profile_one_norm(Point& p, double tolerance) const;
    double statistic(const Point& p) const { return terms_.value(rates(p)); }

    std::vector<const FitData*> spectra_;
    std::shared_ptr<const spectral::ModelDefinition> model_;
    std::vector<spectral::ModelEvaluator> evaluators_;  ///< a spectrum
    Coordinates coordinates_;
    std::vector<Row> rows_;
    std::vector<std::size_t> first_bin_;  ///< of each spectrum, and the end
    std::size_t n_bins_ = 0;
    StatisticTerms terms_;
    std::vector<double> frozen_norm_;  ///< of the groups whose norm is frozen
    std::vector<double> photons_;
    // scratch
    mutable std::vector<double> rates_, by_, more_by_;
    mutable StatisticTerms::Slopes slopes_;
};

}  // namespace xsift::refine
