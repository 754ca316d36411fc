/// @file
/// Simulates spectra with known truth and fits them as a run does; scripts/validate-spectra judges the rows.
///
/// The source, its response and the shape of its background are those of a real EPIC-pn spectrum of
/// tests/data; counts of source and background are drawn anew. One line of CSV a simulation and fitted model.
#include "found_by_engine.hpp"
#include "model_fit.hpp"
#include "spectrum_simulator.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <memory>

#include <fmt/format.h>

#include <xsift/core/random.hpp>
#include <xsift/engine/factory.hpp>
#include <xsift/engine/model_grids.hpp>
#include <xsift/refine/spectra.hpp>

namespace {

using namespace xsift;
using test::Simulator;
using test::Truth;

/// --key value pairs.
class Arguments {
  public:
    Arguments(int argc, char** argv) {
        for (int i = 1; i + 1 < argc; i += 2) values_[argv[i]] = argv[i + 1];
    }
    std::string text(const std::string& key, const std::string& fallback) const {
        const auto found = values_.find("--" + key);
        return found == values_.end() ? fallback : found->second;
    }
    double number(const std::string& key, double fallback) const {
        const std::string value = text(key, "");
        return value.empty() ? fallback : std::stod(value);
    }
    std::vector<std::string> list(const std::string& key, const std::string& fallback) const {
        std::vector<std::string> out;
        std::string rest = text(key, fallback);
        for (std::size_t at = 0; at <= rest.size();) {
            const std::size_t end = std::min(rest.find(',', at), rest.size());
            out.push_back(rest.substr(at, end - at));
            at = end + 1;
        }
        return out;
    }

  private:
    std::map<std::string, std::string> values_;
};

/// The first and the second kT or photon index.
const Estimate& shape_of(const SpectralFit& fit) {
    return std::isnan(fit.kt.value) ? fit.gamma : fit.kt;
}
const Estimate& second_shape_of(const SpectralFit& fit) {
    return !std::isnan(fit.kt.value) && !std::isnan(fit.gamma.value) ? fit.gamma : fit.kt2;
}

/// A parameter of the model with its true value.
struct Known {
    std::size_t index = 0;
    double value = 0.0;
};

/// nH, shape, norm, second shape, second norm; the roles of two components of one kind are those of the fit.
std::vector<Known> known(const SpectralFit& fit, const Truth& truth, const Simulator& simulator) {
    double shapes[2] = {truth.parameter, truth.second}, norms[2] = {simulator.norm(0), simulator.norm(1)};
    if (truth.model == "tbabs*(apec+apec)" && fit.kt.value > fit.kt2.value) {
        std::swap(shapes[0], shapes[1]);
        std::swap(norms[0], norms[1]);
    }
    std::vector<Known> out;
    int n_shapes = 0, n_norms = 0;
    for (std::size_t k = 0; k < fit.parameters.size(); ++k) {
        const std::string& name = fit.parameters[k].name;
        if (name == "nH") out.push_back({k, truth.nh});
        if (name == "kT" || name == "PhoIndex") out.push_back({k, shapes[n_shapes++]});
        if (name == "norm") out.push_back({k, norms[n_norms++]});
    }
    return out;
}

/// How far above the fit's the statistic is with one parameter frozen at its true value, minimised over all
/// else from the truth and from the best fit: what no interval that ends at a rise can do better than.
/// Negative where these descents find a lower minimum than the fit has.
double rise_at_truth(const refine::FitInput& input, const SpectralFit& fit, const std::vector<Known>& truths,
                     std::size_t which, spectral::FitOptions options) {
    const FittedParameter& of = fit.parameters[truths[which].index];
    options.parameters.push_back(
        fmt::format("{}.{} = {:.17g} frozen", of.component, of.name, truths[which].value));
    const auto model = test::model(fit.model, options);
    std::vector<double> best, true_values;
    for (const FittedParameter& p : fit.parameters) best.push_back(p.estimate.value);
    true_values = best;
    for (const Known& k : truths) true_values[k.index] = k.value;
    best[truths[which].index] = truths[which].value;
    const std::vector<refine::StartingPoint> starts{true_values, best};
    refine::ModelFit frozen(std::span(&input, 1), model, starts, options);
    frozen.estimate();
    return frozen.fit().stat - fit.stat;
}

/// BOOT_MEDIAN of the shape parameter, as a run makes it; NaN without bootstrap_simulations.
double median_of_bootstrap(const refine::FitInput& input, const SpectralFit& fit,
                           const spectral::FitOptions& options, std::uint64_t seed,
                           engine::GridLikelihood& engine) {
    if (options.bootstrap_simulations == 0) return not_measured;
    const refine::Simulations simulations(std::span(&input, 1), test::model(fit.model, options), fit, options,
                                          seed, true);
    const auto simulated =
        simulations.summarise(simulations.fits(test::found_by_engine(simulations, engine)));
    const auto is_shape = [](const FittedParameter& p) { return p.name == "kT" || p.name == "PhoIndex"; };
    const auto shape = std::find_if(fit.parameters.begin(), fit.parameters.end(), is_shape);
    return simulated.parameters.at(static_cast<std::size_t>(shape - fit.parameters.begin())).median;
}

}  // namespace

int main(int argc, char** argv) {
    const Arguments arguments(argc, argv);
    Truth truth{arguments.text("model", "tbabs*powerlaw"),
                arguments.number("nh", 0.04),
                arguments.number("parameter", 2.0),
                arguments.number("second", 0.0),
                arguments.number("share", 0.5),
                arguments.number("counts", 100.0),
                arguments.number("background", 20.0),
                arguments.number("ratio", 19.0),
                arguments.text("known-background", "false") == "true"};
    spectral::FitOptions options;
    options.models = arguments.list("fit", truth.model);
    const auto simulations = static_cast<int>(arguments.number("n", 100));
    const auto seed = static_cast<std::uint64_t>(arguments.number("seed", 1));
    options.nh_prior = arguments.text("nh-prior", "log") == "flat" ? spectral::NhPrior::flat
                                                                   : spectral::NhPrior::logarithmic;
    options.refine = spectral::parse_refine(arguments.text("refine", "auto"));
    options.bootstrap_simulations = static_cast<int>(arguments.number("bootstrap", 0));
    options.errors = spectral::parse_errors(arguments.text("errors", "profile"));
    options.unbiased = arguments.text("unbiased", "true") == "true";
    options.posterior = arguments.text("posterior", "true") == "true";
    Simulator simulator(truth, options, arguments.text("base", "0007"));
    // of the fitted models, not of the simulated one
    if (const std::string setting = arguments.text("set", ""); !setting.empty())
        options.parameters = {setting};
    const std::string at_truth = arguments.text("at-truth", "false");  // or true, or shape: that alone
    const auto rises_wanted = [&](std::size_t which) {
        return at_truth == "true" || (at_truth == "shape" && which == 1);
    };
    const ThreadPool pool(1);
    const auto backend = engine::make_cpu_engines(pool).grid;
    engine::ModelGrids grids(options);
    fmt::print(
        "index,binning,model,bins,stat,dof,nh,nh_lo,nh_hi,parameter,lo,hi,norm,norm_lo,norm_hi,flux,"
        "flux_lo,flux_hi,selected,flags,true_norm,gof_expected,gof_sigma,choice,post_mean,post_median,"
        "post_lo,post_hi,log_evidence,second,second_lo,second_hi,norm2,norm2_lo,norm2_hi,true_model,true_nh,"
        "true_parameter,true_second,true_norm2,true_counts,model_probability,gof_probability,nh_flags,"
        "parameter_flags,norm_flags,second_flags,norm2_flags,nh_rise,parameter_rise,norm_rise,second_rise,"
        "norm2_rise,boot_median,unbiased\n");
    for (int i = 0; i < simulations; ++i) {
        const Spectrum& spectrum = simulator.draw(seed, static_cast<std::uint64_t>(i));
        for (const std::string& binning : arguments.list("binning", "default")) {
            options.binning = spectral::parse_binning(binning);
            const auto prepared = spectral::prepare(spectrum, options);
            const spectral::PreparedSpectrum* one = &prepared;
            const auto cells = grids.best_cells(*backend, std::span(&one, 1)).at(0);
            std::vector<refine::ModelTask> models;
            for (std::size_t m = 0; m < options.models.size(); ++m) {
                models.push_back({grids.models()[m], {}});
                for (const auto& cell : cells[m]) models[m].starts.push_back(cell.values);
            }
            const refine::FitData data(prepared);
            const refine::FitInput input{&prepared, &data};
            std::vector<SpectralFit> fits = refine::fit_models(std::span(&input, 1), models, options,
                                                               [](std::size_t, const auto& step) { step(); });
            refine::select_model(fits);
            for (const SpectralFit& f : fits) {
                const Estimate& e = shape_of(f);
                const Posterior& post = f.parameters[1].posterior;
                fmt::print("{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},", i,
                           binning, f.model, f.n_bins, f.stat, f.dof, f.nh.value, f.nh.lo, f.nh.hi, e.value,
                           e.lo, e.hi, f.norm.value, f.norm.lo, f.norm.hi, f.flux.value, f.flux.lo, f.flux.hi,
                           f.selected ? 1 : 0, f.flags, simulator.norm(0), f.gof_expected, f.gof_sigma,
                           f.choice);
                fmt::print("{},{},{},{},{},", post.mean, post.median, post.lo90, post.hi90, f.log_evidence);
                const Estimate& second = second_shape_of(f);
                fmt::print("{},{},{},{},{},{},{},{},{},{},{},{},{},{}", second.value, second.lo, second.hi,
                           f.norm2.value, f.norm2.lo, f.norm2.hi, truth.model, truth.nh, truth.parameter,
                           truth.second, simulator.norm(1), truth.counts, f.model_probability,
                           f.gof_probability);
                const std::vector<Known> truths = known(f, truth, simulator);
                for (std::size_t k = 0; k < 5; ++k)
                    fmt::print(",{}", k < truths.size() ? f.parameters[truths[k].index].flags : 0);
                for (std::size_t k = 0; k < 5; ++k)
                    fmt::print(",{}", rises_wanted(k) && f.model == truth.model && k < truths.size()
                                          ? rise_at_truth(input, f, truths, k, options)
                                          : not_measured);
                fmt::print(",{},{}\n",
                           median_of_bootstrap(input, f, options, static_cast<std::uint64_t>(i), *backend),
                           f.parameters[1].unbiased);
            }
        }
    }
}
