#include <array>
#include <utility>

#include <xsift/data/results.hpp>

namespace xsift {

std::string veto_names(std::uint32_t veto) {
    static constexpr std::array<std::pair<std::uint32_t, const char*>, 6> names{{
        {veto_frame_alias, "FRAME_ALIAS"},
        {veto_harmonic, "HARMONIC"},
        {veto_few_cycles, "FEW_CYCLES"},
        {veto_window, "WINDOW"},
        {veto_above_nyquist, "ABOVE_NYQUIST"},
        {veto_shared, "SHARED"},
    }};
    std::string text;
    for (const auto& [bit, name] : names) {
        if ((veto & bit) == 0) continue;
        if (!text.empty()) text += '+';
        text += name;
    }
    return text;
}

const PulsedFractionLimit* source_limit(const SourceResult& result) {
    const PulsedFractionLimit* chosen = nullptr;
    if (result.best_period >= 0 || (result.flags & source_period_withdrawn)) return chosen;
    const auto photons = [](const PulsedFractionLimit& l) { return l.n_photons > 0.0 ? l.n_photons : 0.0; };
    for (const PulsedFractionLimit& limit : result.limits)  // the first of an exposure is its whole range
        if (chosen == nullptr || photons(limit) > photons(*chosen)) chosen = &limit;
    return chosen;
}

}  // namespace xsift
