#pragma once
/// @file
/// Models on energy bins: photons a bin, derivatives, fluxes.

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <xsift/spectral/absorption.hpp>
#include <xsift/spectral/definition.hpp>
#include <xsift/spectral/energy_bins.hpp>
#include <xsift/spectral/models.hpp>
#include <xsift/spectral/options.hpp>
#include <xsift/spectral/table_model.hpp>

namespace xsift::spectral {

/// Unabsorbed photons (photon/cm2/s) of a shape in each bin at norm 1. Not for concurrent use: it holds
/// scratch space.
class ShapePhotons {
  public:
    /// @param bins any of as many edges as those of evaluate()
    explicit ShapePhotons(const EnergyBins& bins);
    /// @param derivative by the parameter; may be empty
    void evaluate(Shape shape, double parameter, const EnergyBins& bins, std::span<double> photons,
                  std::span<double> derivative);

  private:
    std::vector<double> at_, by_;  ///< at the edges, or between each two of them
};

/// What of a model varies in a fit. The norms enter linearly and are kept apart from the other parameters,
/// the shape parameters.
struct ModelFreedom {
    /// Components whose terms share a norm.
    struct Group {
        int norm = 0;  ///< index of the norm's parameter
        bool free = true;
        std::vector<int> terms;
    };
    std::vector<int> shape;  ///< indices of the free shape parameters
    /// For each parameter the place in shape that it follows, or -1.
    std::vector<int> shape_of;
    std::vector<Group> groups;  ///< free norms first

    explicit ModelFreedom(const ModelDefinition& model);
    std::size_t n_free_norms() const;
    /// Whether a group's photons depend on a shape parameter.
    bool depends(std::size_t group, std::size_t shape_index) const { return depends_[group][shape_index]; }

  private:
    std::vector<std::vector<bool>> depends_;
};

/// A model on fixed energy bins. Not for concurrent use: it holds scratch space.
class ModelEvaluator {
  public:
    ModelEvaluator(std::shared_ptr<const ModelDefinition> model, Abundance abundance, EnergyBins bins);

    /// The same model on other bins.
    ModelEvaluator on(EnergyBins bins) const { return {model_, abundance_, std::move(bins)}; }

    std::size_t size() const { return bins_.size(); }
    const EnergyBins& bins() const { return bins_; }
    const ModelDefinition& definition() const { return *model_; }
    const ModelFreedom& freedom() const { return freedom_; }

    /// Cross-section of tbabs in each bin, 1e-22 cm2 per H; empty for a model without.
    std::span<const double> cross_section() const { return cross_section_; }
    /// Replaces them, where the bins are wider than the edges of the absorption bear.
    void set_cross_section(std::vector<double> cross_section);
    /// Keeps each component at its last n values (evaluated without derivatives): for lattices of parameters,
    /// whose points share the values of a row or column.
    void remember(std::size_t n);

    /// Evaluates at the values of all parameters (the norms are not read).
    void evaluate(std::span<const double> values, bool derivatives);
    /// photon/cm2/s in each bin of a group at norm 1.
    std::span<const double> unit(std::size_t group) const { return unit_[group]; }
    /// Its derivative by a shape parameter; empty where it does not depend on it.
    std::span<const double> by_shape(std::size_t group, std::size_t shape_index) const {
        return by_[group][shape_index];
    }
    /// Whether the photons at norm 1 are a product of one factor for each shape parameter: one term, whose
    /// components depend on one shape parameter each or on none.
    bool separable() const;
    /// After evaluate(), of a separable() model: the product of the components that depend on a shape
    /// parameter; to the first (also when there is none) belong those that depend on none.
    void factor(std::size_t shape_index, std::span<double> out) const;
    /// photon/cm2/s in each bin, norms included.
    std::vector<double> photons(std::span<const double> values);

  private:
    void evaluate_component(std::size_t index, std::span<const double> values, bool derivatives);
    void compute_component(std::size_t index, std::span<const double> values, bool derivatives);
    /// The shape parameter that a component depends on; -1 for none, -2 for several.
    int parameter_of(int component) const;
    void add_term(std::size_t group, const Term& term, bool derivatives, bool first);

    std::shared_ptr<const ModelDefinition> model_;
    ModelFreedom freedom_;
    EnergyBins bins_;
    Abundance abundance_;
    std::vector<double> cross_section_;
    struct ComponentState {
        std::vector<double> value;
        const std::vector<double>* current =
            nullptr;                          ///< value, or the one of a known value of the parameters
        std::vector<std::vector<double>> by;  ///< a parameter; empty where not free
        std::vector<double> last;             ///< parameters of the last evaluation
        bool with_derivatives = false;
        struct Known {
            std::vector<double> parameters, value;
        };
        std::vector<Known> known;  ///< the last remembered_ of them, a ring
        std::size_t next_known = 0;
        std::unique_ptr<TableInterpolator> table;
    };
    std::vector<ComponentState> component_;
    std::vector<std::vector<double>> unit_;
    std::vector<std::vector<std::vector<double>>> by_;
    ShapePhotons shape_photons_;
    std::vector<double> product_;
    std::vector<bool> written_;  ///< derivatives by a shape parameter, of the group at hand
    std::size_t remembered_ = 0;
};

/// Energy flux of each group at norm 1 in a band, erg/cm2/s, and its derivatives.
struct BandFlux {
    std::vector<double> unit;                   ///< a group
    std::vector<std::vector<double>> by_shape;  ///< group, shape parameter
};

/// Fluxes in a band on its own fine energy bins (500 a decade and more at edges, the band's limits met
/// exactly), whatever the range of the response.
class FluxBand {
  public:
    FluxBand(std::shared_ptr<const ModelDefinition> model, Abundance abundance, double lo, double hi);
    BandFlux absorbed(std::span<const double> values, bool derivatives);
    /// With the columns of all tbabs at 0; other factors stay.
    BandFlux unabsorbed(std::span<const double> values, bool derivatives);

    /// See ModelEvaluator::remember.
    void remember(std::size_t n) { model_.remember(n); }

    std::size_t size() const { return energy_.size(); }
    /// See ModelEvaluator::factor: the sum of the products of all factors is the energy flux at norm 1.
    void factor(std::span<const double> values, bool absorbed, std::size_t shape_index,
                std::span<double> out);

    /// The band on bins merged to 4%, whose energies and cross-sections are means over the photons of the
    /// model at given values (norms included): there both agree exactly, around it to second order. It costs
    /// a tenth.
    FluxBand merged(std::span<const double> values);

  private:
    FluxBand(ModelEvaluator model, std::vector<double> energy, std::vector<double> bare_energy)
        : model_(std::move(model)), energy_(std::move(energy)), bare_energy_(std::move(bare_energy)) {}
    std::vector<double> without_absorption(std::span<const double> values) const;
    BandFlux sum(std::span<const double> values, const std::vector<double>& energy, bool derivatives);

    ModelEvaluator model_;
    std::vector<double> energy_;       ///< erg, mean of each bin
    std::vector<double> bare_energy_;  ///< the same for the model without absorption
};

}  // namespace xsift::spectral
