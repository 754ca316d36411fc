#include <cmath>
#include <initializer_list>
#include <utility>

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

/// More of them, for pairs, which cost little.
std::vector<double> values_for_pairs(const ModelParameter& p) {
    if (p.name == "nH")
        return inside(p, {0.0, 0.05, 0.12, 0.25, 0.45, 0.8, 1.3, 2.1, 3.5, 6.0, 10.0, 20.0, 40.0});
    if (p.name == "PhoIndex")
        return inside(p, {-2.5, -1.5, -0.5, 0.5, 1.0, 1.5, 2.0, 2.5, 3.2, 4.0, 5.5, 7.5, 9.5});
    if (p.name == "kT")
        return inside(p, {0.015, 0.022, 0.032, 0.045, 0.06, 0.09, 0.13, 0.18, 0.26, 0.4, 0.6, 0.85, 1.2, 1.8,
                          3.0, 6.0, 15.0, 50.0});
    return coarse_values(p);
}

std::size_t parameter_of(const ModelFreedom& freedom, int shape) {
    return static_cast<std::size_t>(freedom.shape[static_cast<std::size_t>(shape)]);
}

}  // namespace

std::vector<double> coarse_values(const ModelParameter& p) {
    if (p.name == "nH") return inside(p, {0.03, 0.5, 5.0});
    if (p.name == "PhoIndex") return inside(p, {0.5, 2.0, 5.0});
    if (p.name == "kT") return inside(p, {0.08, 0.3, 1.0, 4.0, 20.0});
    if (p.name == "LineE" || p.name == "Sigma" || p.name == "HighECut" || p.name == "factor")
        return {p.value};
    if (p.logarithmic) return {p.lo * std::pow(p.hi / p.lo, 0.25), p.lo * std::pow(p.hi / p.lo, 0.75)};
    return {p.lo + 0.25 * (p.hi - p.lo), p.lo + 0.75 * (p.hi - p.lo)};
}

std::vector<std::vector<double>> combinations(const ModelDefinition& model, const ModelFreedom& freedom,
                                              const std::vector<int>& shapes,
                                              std::vector<double> (*values)(const ModelParameter&),
                                              std::size_t most) {
    std::vector<std::vector<double>> out{model.initial_values()};
    for (const int shape : shapes) {
        const std::size_t index = parameter_of(freedom, shape);
        const std::vector<double> at = values(model.parameters[index]);
        if (out.size() * at.size() > most) continue;
        std::vector<std::vector<double>> more;
        for (const std::vector<double>& before : out)
            for (const double value : at) {
                more.push_back(before);
                more.back()[index] = value;
            }
        out = std::move(more);
    }
    return out;
}

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
    PairValues out;
    out.places = combinations(model, freedom, pairing.shared, values_for_pairs, most_places);
    for (int g = 0; g < 2; ++g)
        out.own[g] = values_for_pairs(model.parameters[parameter_of(freedom, pairing.own[g])]);
    return out;
}

std::vector<std::int64_t> best_pairs(const PairShape& shape, const std::vector<PairEntry>& entries,
                                     int most) {
    std::vector<std::int64_t> kept;
    for (const bool minima : {true, false})
        while (std::ssize(kept) < most) {
            const std::int64_t next = best_distinct_pair(shape, entries.data(), kept.data(),
                                                         static_cast<int>(kept.size()), minima, 0, 1);
            if (next < 0) break;
            kept.push_back(next);
        }
    return kept;
}

}  // namespace xsift::spectral
