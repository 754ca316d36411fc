#include <cmath>
#include <initializer_list>

#include <xsift/spectral/pairs.hpp>

namespace xsift::spectral {

namespace {

constexpr std::size_t most_places = 32;

/// The given values inside the limits, or the parameter's own where none is.
std::vector<double> inside(const ModelParameter& p, std::initializer_list<double> values) {
    std::vector<double> kept;
    for (const double v : values)
        if (v >= p.lo && v <= p.hi) kept.push_back(v);
    if (kept.empty()) kept.push_back(p.value);
    return kept;
}

std::vector<double> values_of(const ModelParameter& p) {
    if (p.name == "nH") return inside(p, {0.0, 0.05, 0.2, 0.8, 4.0});
    if (p.name == "PhoIndex") return inside(p, {-0.5, 0.7, 1.4, 2.0, 2.8, 4.0, 6.0});
    if (p.name == "kT") return inside(p, {0.06, 0.12, 0.22, 0.4, 0.8, 1.6, 4.0, 12.0});
    if (p.name == "LineE" || p.name == "Sigma" || p.name == "HighECut" || p.name == "factor")
        return {p.value};
    if (p.logarithmic) return {p.lo * std::pow(p.hi / p.lo, 0.25), p.lo * std::pow(p.hi / p.lo, 0.75)};
    return {p.lo + 0.25 * (p.hi - p.lo), p.lo + 0.75 * (p.hi - p.lo)};
}

}  // namespace

std::optional<Pairing> pairing_of(const ModelDefinition& model, const ModelFreedom& freedom) {
    if (freedom.groups.size() != 2 || !freedom.groups[1].free) return std::nullopt;
    Pairing out;
    for (std::size_t s = 0; s < freedom.shape.size(); ++s) {
        const bool first = freedom.depends(0, s), second = freedom.depends(1, s);
        if (first && second)
            out.shared.push_back(static_cast<int>(s));
        else if (first || second)
            if (int& own = out.own[first ? 0 : 1]; own < 0) own = static_cast<int>(s);
    }
    if (out.own[0] < 0 || out.own[1] < 0) return std::nullopt;
    const auto component = [&](std::size_t g) -> const Component& {
        const int term = freedom.groups[g].terms.front();
        return model
            .components[static_cast<std::size_t>(model.terms[static_cast<std::size_t>(term)].additive)];
    };
    out.alike = component(0).kind == component(1).kind && component(0).table == component(1).table;
    return out;
}

PairValues pair_values(const ModelDefinition& model, const ModelFreedom& freedom, const Pairing& pairing) {
    const auto parameter = [&](int shape) {
        return static_cast<std::size_t>(freedom.shape[static_cast<std::size_t>(shape)]);
    };
    PairValues out;
    out.places = {model.initial_values()};
    for (const int shape : pairing.shared) {
        const std::vector<double> at = values_of(model.parameters[parameter(shape)]);
        if (out.places.size() * at.size() > most_places) continue;
        std::vector<std::vector<double>> more;
        for (const std::vector<double>& place : out.places)
            for (const double value : at) {
                more.push_back(place);
                more.back()[parameter(shape)] = value;
            }
        out.places = std::move(more);
    }
    for (int g = 0; g < 2; ++g) out.own[g] = values_of(model.parameters[parameter(pairing.own[g])]);
    return out;
}

}  // namespace xsift::spectral
