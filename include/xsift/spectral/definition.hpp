#pragma once
/// @file
/// Model expressions as XSPEC writes them, and their parameters.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <xsift/spectral/options.hpp>
#include <xsift/spectral/table_model.hpp>

namespace xsift::spectral {

/// What a component computes. table: apec, atable{file}, mtable{file}.
enum class ComponentKind { tbabs, constant, powerlaw, cutoffpl, bbody, bremss, gaussian, table };

/// A parameter of a model.
struct ModelParameter {
    std::string component;  ///< as written, numbered where it occurs more than once: tbabs, apec2
    std::string name;       ///< XSPEC's: nH, PhoIndex, kT, norm, ...
    std::string unit;
    double value = 0.0;         ///< initial, or frozen at
    double lo = 0.0, hi = 0.0;  ///< hard limits
    bool logarithmic = false;   ///< spans decades: a fit walks its logarithm
    bool frozen = false;
    bool may_vary = true;  ///< false for redshifts: they fix the energies
    bool is_norm = false;
    int tied_to = -1;  ///< index of the parameter whose value it takes

    bool free() const { return !frozen && tied_to < 0; }
    std::string full_name() const { return component + "." + name; }
};

struct Component {
    ComponentKind kind = ComponentKind::powerlaw;
    std::string name;      ///< tbabs, apec2
    bool additive = true;  ///< has a norm, its last parameter
    int first_parameter = 0, n_parameters = 0;
    std::shared_ptr<const TableModel> table;
    int n_axes = 0;  ///< of the table: the parameters before redshift and norm
};

/// An additive component with the factors that apply to it.
struct Term {
    int additive = 0;
    std::vector<int> factors;
};

/// A parsed model: the sum of its terms.
struct ModelDefinition {
    std::string text;  ///< as given, without blanks
    std::vector<Component> components;
    std::vector<ModelParameter> parameters;
    std::vector<Term> terms;

    std::vector<double> initial_values() const;  ///< of all parameters
    /// Gives tied parameters the value of those they follow.
    void apply_ties(std::vector<double>& values) const;
    int n_free() const;
    /// Whether the tables of all components hold the energies lo to hi (keV), redshifts included.
    bool covers(double lo, double hi) const;
};

/// Parses an expression of + * ( ) over tbabs, constant, powerlaw, cutoffpl, bbody, bremss, gaussian, apec,
/// atable{file} and mtable{file}, and applies options.parameters. Sums of factors are distributed. Each
/// product must hold one additive component.
/// @throws Error (usage): UNKNOWN_MODEL for the expression, MODEL_PARAMETER for a setting that contradicts
/// itself.
ModelDefinition define_model(const std::string& text, const FitOptions& options);

/// define_model for each of options.models. @throws Error (usage, MODEL_PARAMETER) also when a setting meets
/// no model.
std::vector<ModelDefinition> define_models(const FitOptions& options);

/// Files named by atable{} and mtable{} in a model.
std::vector<std::string> table_files(const std::string& model);

}  // namespace xsift::spectral
