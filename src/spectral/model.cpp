#include "shape_lanes.hpp"

#include <algorithm>
#include <cmath>

#include <xsift/core/constants.hpp>
#include <xsift/spectral/model.hpp>

namespace xsift::spectral {

namespace {

Shape shape_of(ComponentKind kind) {
    if (kind == ComponentKind::bbody) return Shape::bbody;
    return kind == ComponentKind::bremss ? Shape::bremss : Shape::powerlaw;
}

}  // namespace

ShapePhotons::ShapePhotons(const EnergyBins& bins) : at_(bins.edge.size()), by_(bins.edge.size()) {}

void ShapePhotons::evaluate(Shape shape, double parameter, const EnergyBins& bins, std::span<double> photons,
                            std::span<double> derivative) {
    const ShapeLanes& lanes = best_shape_lanes();
    double* const by = derivative.empty() ? nullptr : by_.data();
    const std::size_t n_edges = bins.edge.size();
    if (shape == Shape::powerlaw) {
        lanes.powerlaw(parameter, bins.log_edge.data(), n_edges - 1, at_.data(), by);
        for (std::size_t i = 0; i < photons.size(); ++i) photons[i] = at_[bins.left[i]];
        for (std::size_t i = 0; i < derivative.size(); ++i) derivative[i] = by_[bins.left[i]];
        return;
    }
    lanes.density(shape, parameter, bins.edge.data(), n_edges, at_.data(), by);
    const auto trapezoids = [&](const std::vector<double>& at, std::span<double> out) {
        for (std::size_t i = 0; i < out.size(); ++i) {
            const std::int32_t k = bins.left[i];
            out[i] = (at[k] + at[k + 1]) * (0.5 * (bins.edge[k + 1] - bins.edge[k]));
        }
    };
    trapezoids(at_, photons);
    trapezoids(by_, derivative);
}

ModelFreedom::ModelFreedom(const ModelDefinition& model) : shape_of(model.parameters.size(), -1) {
    const auto root = [&](int p) {
        const int tied = model.parameters[static_cast<std::size_t>(p)].tied_to;
        return tied >= 0 ? tied : p;
    };
    for (std::size_t p = 0; p < model.parameters.size(); ++p)
        if (!model.parameters[p].is_norm && model.parameters[p].free()) {
            shape_of[p] = static_cast<int>(shape.size());
            shape.push_back(static_cast<int>(p));
        }
    for (std::size_t p = 0; p < model.parameters.size(); ++p)
        if (!model.parameters[p].is_norm)
            shape_of[p] = shape_of[static_cast<std::size_t>(root(static_cast<int>(p)))];
    for (std::size_t t = 0; t < model.terms.size(); ++t) {
        const Component& c = model.components[static_cast<std::size_t>(model.terms[t].additive)];
        const int norm = root(c.first_parameter + c.n_parameters - 1);
        auto group =
            std::find_if(groups.begin(), groups.end(), [&](const Group& g) { return g.norm == norm; });
        if (group == groups.end()) {
            groups.push_back({norm, model.parameters[static_cast<std::size_t>(norm)].free(), {}});
            group = groups.end() - 1;
        }
        group->terms.push_back(static_cast<int>(t));
    }
    std::stable_partition(groups.begin(), groups.end(), [](const Group& g) { return g.free; });
    depends_.assign(groups.size(), std::vector<bool>(shape.size(), false));
    const auto mark = [&](std::size_t g, int component) {
        const Component& c = model.components[static_cast<std::size_t>(component)];
        for (int p = c.first_parameter; p < c.first_parameter + c.n_parameters; ++p)
            if (shape_of[static_cast<std::size_t>(p)] >= 0)
                depends_[g][static_cast<std::size_t>(shape_of[static_cast<std::size_t>(p)])] = true;
    };
    for (std::size_t g = 0; g < groups.size(); ++g)
        for (const int t : groups[g].terms) {
            mark(g, model.terms[static_cast<std::size_t>(t)].additive);
            for (const int f : model.terms[static_cast<std::size_t>(t)].factors) mark(g, f);
        }
}

std::size_t ModelFreedom::n_free_norms() const {
    return static_cast<std::size_t>(
        std::count_if(groups.begin(), groups.end(), [](const Group& g) { return g.free; }));
}

ModelEvaluator::ModelEvaluator(std::shared_ptr<const ModelDefinition> model, Abundance abundance,
                               EnergyBins bins)
    : model_(std::move(model)),
      freedom_(*model_),
      bins_(std::move(bins)),
      abundance_(abundance),
      shape_photons_(bins_) {
    const std::size_t n = bins_.size();
    component_.resize(model_->components.size());
    for (std::size_t c = 0; c < component_.size(); ++c) {
        const Component& component = model_->components[c];
        ComponentState& state = component_[c];
        state.value.resize(n);
        state.current = &state.value;
        for (int p = 0; p < component.n_parameters; ++p) {
            const bool wanted =
                freedom_.shape_of[static_cast<std::size_t>(component.first_parameter + p)] >= 0;
            state.by.emplace_back(wanted ? n : 0);
        }
        if (component.kind == ComponentKind::tbabs && cross_section_.empty())
            cross_section_ = Absorption::of(abundance).cross_sections(bins_);
        if (component.table) {
            const int z = component.first_parameter + component.n_axes;
            state.table = std::make_unique<TableInterpolator>(
                component.table, bins_,
                component.table->redshift ? model_->parameters[static_cast<std::size_t>(z)].value : 0.0);
        }
    }
    for (std::size_t g = 0; g < freedom_.groups.size(); ++g) {
        unit_.emplace_back(n);
        by_.emplace_back();
        for (std::size_t s = 0; s < freedom_.shape.size(); ++s)
            by_[g].emplace_back(freedom_.depends(g, s) ? n : 0);
    }
}

void ModelEvaluator::remember(std::size_t n) {
    remembered_ = n;
    for (ComponentState& state : component_) {
        state.last.clear();  // its value may be one of those that are forgotten here
        state.known.clear();
        state.known.reserve(n);  // pointers into it stay
        state.next_known = 0;
    }
}

void ModelEvaluator::set_cross_section(std::vector<double> cross_section) {
    cross_section_ = std::move(cross_section);
    for (std::size_t c = 0; c < component_.size(); ++c)
        if (model_->components[c].kind == ComponentKind::tbabs) {
            component_[c].last.clear();
            component_[c].known.clear();
            component_[c].next_known = 0;
        }
}

void ModelEvaluator::evaluate_component(std::size_t index, std::span<const double> all, bool derivatives) {
    const Component& component = model_->components[index];
    ComponentState& state = component_[index];
    const auto values =
        all.subspan(static_cast<std::size_t>(component.first_parameter),
                    static_cast<std::size_t>(component.n_parameters - (component.additive ? 1 : 0)));
    const auto are = [&](const std::vector<double>& other) {
        return std::equal(values.begin(), values.end(), other.begin(), other.end());
    };
    if (are(state.last) && (state.with_derivatives || !derivatives)) return;
    state.last.assign(values.begin(), values.end());
    state.with_derivatives = derivatives;
    if (remembered_ == 0 || derivatives) {
        compute_component(index, values, derivatives);
        state.current = &state.value;
        return;
    }
    const auto known = std::find_if(state.known.begin(), state.known.end(),
                                    [&](const ComponentState::Known& k) { return are(k.parameters); });
    if (known != state.known.end()) {
        state.current = &known->value;
        return;
    }
    compute_component(index, values, derivatives);
    if (state.known.size() < remembered_) state.known.push_back({{}, std::vector<double>(bins_.size())});
    ComponentState::Known& next = state.known[state.next_known];
    next.parameters = state.last;
    next.value.swap(state.value);
    state.current = &next.value;
    state.next_known = (state.next_known + 1) % remembered_;
}

void ModelEvaluator::compute_component(std::size_t index, std::span<const double> values, bool derivatives) {
    const Component& component = model_->components[index];
    ComponentState& state = component_[index];
    const std::size_t n = bins_.size();
    const auto wanted = [&](std::size_t p) { return derivatives && !state.by[p].empty(); };
    switch (component.kind) {
        case ComponentKind::tbabs:
            best_shape_lanes().transmission(values[0], cross_section_.data(), n, state.value.data(),
                                            wanted(0) ? state.by[0].data() : nullptr);
            return;
        case ComponentKind::constant:
            std::fill(state.value.begin(), state.value.end(), values[0]);
            if (wanted(0)) std::fill(state.by[0].begin(), state.by[0].end(), 1.0);
            return;
        case ComponentKind::powerlaw:
        case ComponentKind::bbody:
        case ComponentKind::bremss:
            shape_photons_.evaluate(shape_of(component.kind), values[0], bins_, state.value,
                                    wanted(0) ? std::span(state.by[0]) : std::span<double>{});
            return;
        case ComponentKind::cutoffpl:
            for (std::size_t i = 0; i < n; ++i) {
                const CutoffPowerLaw photons = cutoffpl_photons(
                    bins_.log_edge[bins_.left[i]], bins_.log_edge[bins_.left[i] + 1], values[0], values[1]);
                state.value[i] = photons.value;
                if (wanted(0)) state.by[0][i] = photons.by_index;
                if (wanted(1)) state.by[1][i] = photons.by_cutoff;
            }
            return;
        case ComponentKind::gaussian:
            for (std::size_t i = 0; i < n; ++i) {
                const GaussianLine photons = gaussian_photons(bins_.lo(i), bins_.hi(i), values[0], values[1]);
                state.value[i] = photons.value;
                if (wanted(0)) state.by[0][i] = photons.by_energy;
                if (wanted(1)) state.by[1][i] = photons.by_sigma;
            }
            return;
        case ComponentKind::table: {
            std::vector<std::span<double>> by(static_cast<std::size_t>(component.n_axes));
            for (std::size_t p = 0; p < by.size(); ++p)
                if (wanted(p)) by[p] = state.by[p];
            state.table->evaluate(values.first(by.size()), state.value, by);
            return;
        }
    }
}

/// Adds a term to its group: the product of its components, and for each parameter the product with the
/// component that has it replaced by its derivative.
/// @param first whether nothing is there yet
void ModelEvaluator::add_term(std::size_t group, const Term& term, bool derivatives, bool first) {
    const std::size_t n = bins_.size();
    /// The product of all components, one of which may be replaced, goes to out.
    const auto add_product = [&](int left_out, const std::vector<double>* instead, std::vector<double>& out,
                                 bool replace) {
        const auto of = [&](int c) {
            return c == left_out ? instead->data() : component_[static_cast<std::size_t>(c)].current->data();
        };
        const double* const emission = of(term.additive);
        if (term.factors.size() == 1 && replace) {
            const double* const factor = of(term.factors.front());
            for (std::size_t i = 0; i < n; ++i) out[i] = emission[i] * factor[i];
            return;
        }
        product_.assign(emission, emission + n);
        for (const int f : term.factors) {
            const double* const factor = of(f);
            for (std::size_t i = 0; i < n; ++i) product_[i] *= factor[i];
        }
        for (std::size_t i = 0; i < n; ++i) out[i] = replace ? product_[i] : out[i] + product_[i];
    };
    add_product(-1, nullptr, unit_[group], first);
    if (!derivatives) return;
    std::vector<int> all{term.additive};
    all.insert(all.end(), term.factors.begin(), term.factors.end());
    for (const int c : all) {
        const Component& component = model_->components[static_cast<std::size_t>(c)];
        for (int p = 0; p < component.n_parameters; ++p) {
            const std::vector<double>& by =
                component_[static_cast<std::size_t>(c)].by[static_cast<std::size_t>(p)];
            if (by.empty()) continue;
            const int shape = freedom_.shape_of[static_cast<std::size_t>(component.first_parameter + p)];
            const auto s = static_cast<std::size_t>(shape);
            add_product(c, &by, by_[group][s], !written_[s]);
            written_[s] = true;
        }
    }
}

void ModelEvaluator::evaluate(std::span<const double> values, bool derivatives) {
    for (std::size_t c = 0; c < component_.size(); ++c) evaluate_component(c, values, derivatives);
    for (std::size_t g = 0; g < unit_.size(); ++g) {
        written_.assign(freedom_.shape.size(), false);
        bool first = true;
        for (const int t : freedom_.groups[g].terms) {
            add_term(g, model_->terms[static_cast<std::size_t>(t)], derivatives, first);
            first = false;
        }
    }
}

int ModelEvaluator::parameter_of(int component) const {
    const Component& of = model_->components[static_cast<std::size_t>(component)];
    int found = -1;
    for (int p = of.first_parameter; p < of.first_parameter + of.n_parameters; ++p) {
        const int shape = freedom_.shape_of[static_cast<std::size_t>(p)];
        if (shape < 0 || shape == found) continue;
        if (found != -1) return -2;
        found = shape;
    }
    return found;
}

bool ModelEvaluator::separable() const {
    if (freedom_.groups.size() != 1 || freedom_.groups.front().terms.size() != 1) return false;
    const Term& term = model_->terms[static_cast<std::size_t>(freedom_.groups.front().terms.front())];
    return parameter_of(term.additive) != -2 && std::all_of(term.factors.begin(), term.factors.end(),
                                                            [&](int f) { return parameter_of(f) != -2; });
}

void ModelEvaluator::factor(std::size_t shape_index, std::span<double> out) const {
    std::fill(out.begin(), out.end(), 1.0);
    const auto multiply = [&](int component) {
        const int shape = parameter_of(component);
        if (std::max(shape, 0) != static_cast<int>(shape_index)) return;
        const std::vector<double>& by = *component_[static_cast<std::size_t>(component)].current;
        for (std::size_t i = 0; i < out.size(); ++i) out[i] *= by[i];
    };
    const Term& term = model_->terms[static_cast<std::size_t>(freedom_.groups.front().terms.front())];
    multiply(term.additive);
    for (const int f : term.factors) multiply(f);
}

std::vector<double> ModelEvaluator::photons(std::span<const double> values) {
    evaluate(values, false);
    std::vector<double> out(bins_.size(), 0.0);
    for (std::size_t g = 0; g < unit_.size(); ++g)
        for (std::size_t i = 0; i < out.size(); ++i)
            out[i] += values[static_cast<std::size_t>(freedom_.groups[g].norm)] * unit_[g][i];
    return out;
}

FluxBand::FluxBand(std::shared_ptr<const ModelDefinition> model, Abundance abundance, double lo, double hi)
    : model_(std::move(model), abundance, Absorption::of(abundance).resolving_bins(lo, hi, 500)) {
    for (std::size_t i = 0; i < model_.size(); ++i)
        energy_.push_back(0.5 * constants::erg_per_kev * (model_.bins().lo(i) + model_.bins().hi(i)));
    bare_energy_ = energy_;
}

std::vector<double> FluxBand::without_absorption(std::span<const double> values) const {
    std::vector<double> bare(values.begin(), values.end());
    for (const Component& c : model_.definition().components)
        if (c.kind == ComponentKind::tbabs) bare[static_cast<std::size_t>(c.first_parameter)] = 0.0;
    return bare;
}

BandFlux FluxBand::sum(std::span<const double> values, const std::vector<double>& energy, bool derivatives) {
    model_.evaluate(values, derivatives);
    const auto sum_of = [&](std::span<const double> photons) {
        double flux = 0.0;
        for (std::size_t i = 0; i < photons.size(); ++i) flux += energy[i] * photons[i];
        return flux;
    };
    BandFlux flux;
    const ModelFreedom& freedom = model_.freedom();
    for (std::size_t g = 0; g < freedom.groups.size(); ++g) {
        flux.unit.push_back(sum_of(model_.unit(g)));
        flux.by_shape.emplace_back();
        if (!derivatives) continue;
        for (std::size_t s = 0; s < freedom.shape.size(); ++s)
            flux.by_shape[g].push_back(sum_of(model_.by_shape(g, s)));
    }
    return flux;
}

BandFlux FluxBand::absorbed(std::span<const double> values, bool derivatives) {
    return sum(values, energy_, derivatives);
}

BandFlux FluxBand::unabsorbed(std::span<const double> values, bool derivatives) {
    return sum(without_absorption(values), bare_energy_, derivatives);
}

void FluxBand::factor(std::span<const double> values, bool absorbed, std::size_t shape_index,
                      std::span<double> out) {
    model_.evaluate(absorbed ? std::vector<double>(values.begin(), values.end()) : without_absorption(values),
                    false);
    model_.factor(shape_index, out);
    if (shape_index > 0) return;
    const std::vector<double>& energy = absorbed ? energy_ : bare_energy_;
    for (std::size_t i = 0; i < out.size(); ++i) out[i] *= energy[i];
}

FluxBand FluxBand::merged(std::span<const double> values) {
    constexpr double widest = 1.04;
    const EnergyBins& fine = model_.bins();
    std::vector<double> lo, hi;
    std::vector<double> width;
    std::vector<std::int32_t> of;
    for (std::size_t i = 0; i < fine.size(); ++i) {
        if (lo.empty() || fine.hi(i) > widest * lo.back()) {
            lo.push_back(fine.lo(i));
            hi.push_back(0.0);
        }
        width.push_back(fine.hi(i) - fine.lo(i));
        of.push_back(static_cast<std::int32_t>(lo.size()) - 1);
        hi.back() = fine.hi(i);
    }
    ModelEvaluator model = model_.on(EnergyBins::from_bounds(lo, hi));
    const auto mean = [&](std::span<const double> quantity, std::span<const double> photons) {
        return merged_means(quantity, photons, width, of);
    };
    // what of the energy flux a photon of the merged model stands for
    const auto energies = [&](std::span<const double> energy, std::span<const double> at,
                              std::span<const double> photons) {
        std::vector<double> out = mean(energy, photons), total(lo.size(), 0.0);
        const std::vector<double> merged_photons = model.photons(at);
        for (std::size_t i = 0; i < fine.size(); ++i) total[static_cast<std::size_t>(of[i])] += photons[i];
        for (std::size_t e = 0; e < out.size(); ++e)
            if (merged_photons[e] > 0.0) out[e] *= total[e] / merged_photons[e];
        return out;
    };
    const std::vector<double> photons = model_.photons(values), bare = without_absorption(values),
                              bare_photons = model_.photons(bare);
    if (!model_.cross_section().empty()) model.set_cross_section(mean(model_.cross_section(), photons));
    std::vector<double> energy = energies(energy_, values, photons),
                        bare_energy = energies(bare_energy_, bare, bare_photons);
    return {std::move(model), std::move(energy), std::move(bare_energy)};
}

}  // namespace xsift::spectral
