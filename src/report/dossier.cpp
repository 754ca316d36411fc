#include "sections.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace xsift::report {

namespace {

const Counterpart* certain_counterpart(const Characterisation& character) {
    const Counterpart* best = nullptr;
    for (const Counterpart& one : character.counterparts)
        if (one.match_flag == 1 && (best == nullptr || one.p_any * one.p_i > best->p_any * best->p_i))
            best = &one;
    return best != nullptr && (character.flags & character_no_counterpart) == 0 ? best : nullptr;
}

/// "tbabs*powerlaw with Γ = 1.7 [1.5, 1.9]".
std::string model_words(const SpectralFit& fit) {
    std::string text = fit.model;
    const auto add = [&](const char* name, const Estimate& e, const char* unit) {
        if (!std::isfinite(e.value)) return;
        text += fmt::format("{} {} = {}{}", text == fit.model ? " with" : ",", name, pretty(interval_cell(e)),
                            unit);
    };
    add("kT", fit.kt, " keV");
    add("kT₂", fit.kt2, " keV");
    add("Γ", fit.gamma, "");
    return text;
}

std::string timing_words(const SourceResult& result) {
    std::string text;
    if (const PeriodCandidate* c = offered_period(result)) {
        text = fmt::format("varies with a period of {} s (chance in all trials: {})",
                           pretty(error_cell(c->period, c->period_error)), chance(result.log10_fap));
    } else if (result.n_exposures > 0) {
        text = "shows no significant period";
        if (const PulsedFractionLimit* limit = source_limit(result))
            text += fmt::format(" (a sinusoid has a pulsed fraction below {} up to {} Hz)",
                                pretty(limit->pf_ul, 2), pretty(limit->frequency_hi, 3));
    } else {
        return "has no events or light curves to search";
    }
    // Blocks and flares of a periodic source may be its pulses: nothing to add to the period.
    if (offered_period(result) == nullptr && result.st_log10_p < -3.0) {
        text += "; its rate is not constant within the exposures";
        if (!result.flares.empty())
            text += fmt::format(" ({} flare{})", result.flares.size(), result.flares.size() == 1 ? "" : "s");
    }
    return text;
}

std::string spectrum_words(const SourceResult& result) {
    const SpectralFit* const fit = offered_fit(result);
    if (fit == nullptr)
        return result.n_spectra == 0 ? "has no spectrum that could be fitted"
               : result.fits.empty() ? "has a spectrum that was not fitted"
                                     : "has a spectrum that constrains no model";
    const std::string flux = fmt::format("a flux of {} erg cm⁻² s⁻¹", pretty(interval_cell(fit->flux)));
    if (fit->gof_sigma > poor_fit_sigma)
        return fmt::format("has {} and a spectrum that none of the models describes (least badly {})", flux,
                           fit->model);
    return fmt::format("has {} and a spectrum described by {}", flux, model_words(*fit));
}

/// What it is, or where it lies; empty when nothing is known.
std::string identity_words(const SourceResult& result) {
    const Characterisation& character = result.character;
    std::string text;
    if (!character.class_name.empty()) {
        const bool open = character.class_probability < 0.5;
        text = fmt::format("{} {} (probability {})",
                           character.class_probability >= 0.8 ? "is most probably"
                           : open                             ? "may be"
                                                              : "is probably",
                           class_words(character.class_name), pretty(character.class_probability, 2));
        const auto next =
            std::max_element(character.classes.begin(), character.classes.end(),
                             [&](const ClassProbability& a, const ClassProbability& b) {
                                 const auto rank = [&](const ClassProbability& one) {
                                     return one.name == character.class_name ? -1.0 : one.probability;
                                 };
                                 return rank(a) < rank(b);
                             });
        if (open && next != character.classes.end() && next->name != character.class_name)
            text += fmt::format(" or {} ({})", class_words(next->name), pretty(next->probability, 2));
    }
    if (const Counterpart* one = certain_counterpart(character))
        text += fmt::format("{} {} {} at {}″ (probability {})",
                            text.empty() ? "has the counterpart" : ", counterpart", one->catalogue, one->id,
                            pretty(one->separation, 2), pretty(one->p_any * one->p_i, 2));
    if (std::isfinite(character.distance.value))
        text += fmt::format("{} {} pc away", text.empty() ? "is" : ",", pretty(character.distance.value, 3));
    if (std::isfinite(character.luminosity.value))
        text += fmt::format(", of luminosity {} erg/s", pretty(character.luminosity.value, 3));
    return text;
}

std::vector<std::string> verdict_of(const SourceResult& result, const std::string& name) {
    const std::string identity = identity_words(result), timing = timing_words(result),
                      spectrum = spectrum_words(result);
    if (result.status == "no_data") {
        const bool refused = (result.flags & source_inputs_quarantined) != 0;
        const char* const why = refused
                                    ? "None of its inputs could be used; the reasons are under Not used."
                                    : "The survey holds neither events nor light curves nor spectra of it.";
        return {identity.empty() ? fmt::format("Nothing but its position is known of {}.", name)
                                 : fmt::format("{} {}.", name, identity),
                why};
    }
    if (identity.empty()) return {fmt::format("{} {}.", name, timing), fmt::format("It {}.", spectrum)};
    return {fmt::format("{} {}.", name, identity), fmt::format("It {}; it {}.", timing, spectrum)};
}

std::vector<std::string> warnings_of(const SourceResult& result) {
    std::vector<std::string> all;
    const auto add = [&](bool condition, std::string text) {
        if (condition) all.push_back(std::move(text));
    };
    const auto join = [&](const char* what, const std::string& words) {
        if (!words.empty()) all.push_back(fmt::format("{}: {}.", what, words));
    };
    const Characterisation& character = result.character;
    add(std::isfinite(result.source.ra) && !std::isfinite(result.source.position_error),
        "The position has no error and cannot be matched with catalogues. Without a source list position and "
        "name are those of a file's header: of an event list, those of the field's target.");
    if (const PeriodCandidate* c = offered_period(result)) {
        add(result.flags & source_vetoed_stronger,
            "A stronger candidate than the period offered was vetoed: see the table of candidates.");
        join("Of the period", candidate_words(c->flags));
    }
    if (const SpectralFit* f = offered_fit(result)) {
        add(f->gof_sigma > poor_fit_sigma,
            fmt::format("The preferred model is a poor fit: its statistic {} is {} σ above the {} expected "
                        "of a right "
                        "model. None of its parameters can be trusted.",
                        pretty(f->stat, 5), pretty(f->gof_sigma, 2), pretty(f->gof_expected, 5)));
        join("Of the preferred model", fit_words(f->flags));
    }
    join(
        "Of the identification",
        words_of(character.flags,
                 {{character_ambiguous, "another candidate of the same catalogue is half as probable"},
                  {character_distance_from_prior, "the parallax is below 5 σ, the distance leans on a prior"},
                  {character_unlike_training, "unlike all labelled sources, the class means little"},
                  {character_few_properties, "the class rests on fewer than three properties"}}));
    add(!character.alert.empty(),
        fmt::format("Long-term alert: {} (ratio {}).", character.alert, pretty(character.history_ratio, 3)));
    add(!result.quarantine.empty(),
        fmt::format("{} of its inputs or steps ended without a result: see Not used.",
                    result.quarantine.size()));
    return all;
}

std::vector<Fact> facts_of(const SourceResult& result) {
    std::vector<Fact> facts;
    const auto add = [&](const char* key, const char* label, Cell cell, const char* unit = "") {
        if (cell.kind == Cell::Kind::text ? !cell.text.empty() : std::isfinite(cell.value))
            facts.push_back({key, label, std::move(cell), unit});
    };
    const Characterisation& character = result.character;
    add("class", "Class", text_cell(character.class_name));
    add("p_class", "Its probability", number_cell(character.class_probability, 2));
    if (const PeriodCandidate* c = offered_period(result)) {
        add("period", "Period", error_cell(c->period, c->period_error), "s");
        add("log10_fap", "log₁₀ false-alarm probability", number_cell(result.log10_fap, 4));
        add("pulsed_fraction", "Pulsed fraction", interval_cell({c->pulsed_fraction, c->pf_lo, c->pf_hi}));
    }
    if (const SpectralFit* f = offered_fit(result)) {
        add("model", "Preferred model", text_cell(f->model));
        add("flux", "Flux", interval_cell(f->flux), "erg cm⁻² s⁻¹");
        add("nh", "Fitted nH", interval_cell(f->nh), "10²² cm⁻²");
    }
    add("nh_galactic", "Galactic nH", number_cell(character.nh_galactic, 3), "10²² cm⁻²");
    add("distance", "Distance", interval_cell(character.distance), "pc");
    add("luminosity", "Luminosity", interval_cell(character.luminosity), "erg/s");
    add("log_fx_fopt", "log₁₀ Fx/Fopt", number_cell(character.log_fx_fopt, 3));
    add("log_fx_fv", "log₁₀ Fx/Fv (Maccacaro)", number_cell(character.log_fx_fv, 3));
    add("gaia_g", "Gaia G", number_cell(character.gaia_g, 5), "mag");
    add("st_log10_p", "log₁₀ p of a constant rate", number_cell(result.st_log10_p, 3));
    add("history_ratio", "Long-term ratio", number_cell(character.history_ratio, 3));
    return facts;
}

}  // namespace

Page dossier(const DossierMaterial& material, const DossierContext& context) {
    const SourceResult& result = material.result;
    const Source& source = result.source;
    const auto count = [](std::int32_t n, const char* what) {
        return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
    };
    Page page;
    page.id = source.id;
    page.title = source.name.empty() ? source.id : source.name;
    page.subtitle = source.name.empty() || source.name == source.id ? "" : source.id + " · ";
    if (std::isfinite(source.ra))
        page.subtitle += fmt::format("RA {:.5f}° Dec {:.5f}° · ", source.ra, source.dec);
    const char* const states[][2] = {
        {"ok", "all inputs used"}, {"partial", "some inputs not used"}, {"no_data", "no usable input"}};
    std::string state = result.status;
    for (const auto& [code, words] : states)
        if (result.status == code) state = words;
    page.subtitle += fmt::format(
        "{}, {} · {}", count(result.n_exposures, "exposure"),
        result.n_spectra == 1 ? "1 spectrum" : fmt::format("{} spectra", result.n_spectra), state);
    page.verdict = verdict_of(result, page.title);
    page.warnings = warnings_of(result);
    page.facts = facts_of(result);
    page.sections = {timing_section(material, context), spectral_section(material, context),
                     sky_section(material, context), origin_section(material, context)};
    // What it is comes first, where there is something to say.
    Section nature = nature_section(material, context);
    page.sections.insert(page.sections.begin() + (nature.figures.empty() ? 3 : 0), std::move(nature));
    page.configuration = context.configuration;
    return page;
}

std::vector<Column> index_columns() {
    return {{"name", "Source"},
            {"ra", "RA", "deg"},
            {"dec", "Dec", "deg"},
            {"status", "Status"},
            {"period", "Period", "s"},
            {"log10_fap", "log₁₀ FAP"},
            {"st_log10_p", "log₁₀ p constant"},
            {"model", "Model"},
            {"flux", "Flux", "erg cm⁻² s⁻¹"},
            {"gof_sigma", "Misfit", "σ"},
            {"log_fx_fopt", "log₁₀ Fx/Fopt"},
            {"alert", "Alert"},
            {"class", "Class"},
            {"p_class", "p"}};
}

std::vector<Cell> index_cells(const SourceResult& result) {
    const PeriodCandidate* const period = offered_period(result);
    const SpectralFit* const fit = offered_fit(result);
    const Characterisation& character = result.character;
    const auto of = [](const auto* row, auto member) { return row == nullptr ? not_measured : row->*member; };
    return {text_cell(result.source.name.empty() ? result.source.id : result.source.name),
            number_cell(result.source.ra, 7),
            number_cell(result.source.dec, 7),
            text_cell(result.status),
            number_cell(of(period, &PeriodCandidate::period), 8),
            number_cell(result.log10_fap, 4),
            number_cell(result.st_log10_p, 3),
            text_cell(fit == nullptr ? "" : fit->model),
            number_cell(fit == nullptr ? not_measured : fit->flux.value, 3),
            number_cell(of(fit, &SpectralFit::gof_sigma), 2),
            number_cell(character.log_fx_fopt, 3),
            text_cell(character.alert),
            text_cell(character.class_name),
            number_cell(character.class_probability, 2)};
}

}  // namespace xsift::report
