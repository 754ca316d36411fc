#include "sections.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>

#include <fmt/format.h>

namespace xsift::report {

namespace {

/// Spectra of a source that are drawn.
constexpr std::size_t most_spectra = 4;

std::string choice_words(const SpectralFit& fit, const SpectralFit* best) {
    for (const auto& [code, words] :
         {std::pair{"SELECTED", "preferred: the best of those that are constrained"},
          std::pair{"HIGHER_BIC", "another model has a lower BIC"},
          std::pair{"LOWER_EVIDENCE", "another model has a higher evidence"},
          std::pair{"NO_EVIDENCE", "its evidence is not known"},
          std::pair{"OTHER_SPECTRUM", "another spectrum has more bins"},
          std::pair{"NO_DOF", "no degrees of freedom"}, std::pair{"NOT_CONVERGED", "did not converge"},
          std::pair{"PARAMETER_UNCONSTRAINED", "a parameter is unconstrained"},
          std::pair{"NORM_UNCONSTRAINED", "a norm is unconstrained"},
          std::pair{"NO_AICC", "too few bins for AICc"}})
        if (fit.choice == code) return words;
    if (fit.choice == "HIGHER_AICC" && best != nullptr)
        return fmt::format("AICc higher by {}", pretty(fit.aicc - best->aicc, 3));
    return fit.choice == "HIGHER_AICC" ? "another model has a lower AICc" : fit.choice;
}

bool any(const std::vector<const SpectralFit*>& fits, const Estimate SpectralFit::*member) {
    return std::any_of(fits.begin(), fits.end(), [&](const SpectralFit* f) {
        const Estimate& e = f->*member;
        return std::isfinite(e.value) && (member != &SpectralFit::abundance || std::isfinite(e.lo));
    });
}

/// "10²² cm⁻²" of "10**22 cm**-2".
std::string unit_words(std::string unit) {
    for (std::size_t at = unit.find("**"); at != std::string::npos; at = unit.find("**", at)) {
        std::size_t end = at + 2;
        if (end < unit.size() && unit[end] == '-') ++end;
        while (end < unit.size() && std::isdigit(static_cast<unsigned char>(unit[end]))) ++end;
        const std::string digits = unit.substr(at + 2, end - at - 2);
        if (digits.empty() || digits == "-" || digits.size() > 4) return unit;
        const std::string raised = power_of_ten(std::stoi(digits)).substr(2);
        unit.replace(at, end - at, raised);
        at += raised.size();
    }
    return unit;
}

/// All models of one spectrum. A frozen abundance is no result.
Table fits_table(const std::string& spectrum, const std::vector<const SpectralFit*>& fits,
                 const SourceResult& result) {
    Table table{"fits",
                "Models fitted to " + spectrum,
                {{"model", "Model"},
                 {"statistic", "Statistic", "", false, true},
                 {"stat", "Value"},
                 {"dof", "Degrees of freedom"},
                 {"gof_sigma", "Above expectation", "σ"},
                 {"aicc", "AICc"}},
                {}};
    const std::pair<Column, double SpectralFit::*> tests[] = {
        {{"null_prob", "Null-hypothesis probability"}, &SpectralFit::null_prob},
        {{"gof_probability", "Probability of a worse fit"}, &SpectralFit::gof_probability},
        {{"gof_pvalue", "p of simulations"}, &SpectralFit::gof_pvalue},
        {{"model_probability", "Model probability"}, &SpectralFit::model_probability}};
    for (const auto& [column, member] : tests) table.columns.push_back(column);
    struct Part {
        Column column;
        Estimate SpectralFit::*member;
    };
    std::vector<Part> parts;
    for (const Part& part :
         {Part{{"nh", "nH", "10²² cm⁻²"}, &SpectralFit::nh}, Part{{"kt", "kT", "keV"}, &SpectralFit::kt},
          Part{{"kt2", "second kT", "keV"}, &SpectralFit::kt2}, Part{{"gamma", "Γ"}, &SpectralFit::gamma},
          Part{{"abundance", "Abundance"}, &SpectralFit::abundance},
          Part{{"flux", "Flux", "erg cm⁻² s⁻¹"}, &SpectralFit::flux}})
        if (any(fits, part.member)) {
            parts.push_back(part);
            table.columns.push_back(part.column);
        }
    table.columns.push_back({"flux_unabsorbed", "Unabsorbed", "erg cm⁻² s⁻¹"});
    table.columns.push_back({"choice", "Choice", "", true});
    table.columns.push_back({"flags", "Notes", "", true});
    const SpectralFit* const best = offered_fit(result);
    for (const SpectralFit* f : fits) {
        Row row{{text_cell(f->model), text_cell(f->statistic), number_cell(f->stat, 5),
                 number_cell(f->dof, 6), number_cell(f->gof_sigma, 2), number_cell(f->aicc, 5)},
                f == best};
        for (const auto& [column, member] : tests) row.cells.push_back(number_cell(f->*member, 3));
        for (const Part& part : parts) row.cells.push_back(interval_cell(f->*part.member));
        row.cells.push_back(interval_cell(f->flux_unabsorbed));
        row.cells.push_back(text_cell(choice_words(*f, best)));
        row.cells.push_back(text_cell(fit_words(f->flags)));
        table.rows.push_back(std::move(row));
    }
    return table;
}

Table parameters_table(const SpectralFit& fit) {
    Table table{"parameters",
                "Parameters of the preferred model, " + fit.model,
                {{"component", "Component"},
                 {"parameter", "Parameter"},
                 {"value", "Value"},
                 {"unit", "Unit"},
                 {"error", "1 σ, covariance"},
                 {"unbiased", "Median-unbiased"},
                 {"notes", "Notes", "", true}},
                {}};
    for (const FittedParameter& p : fit.parameters)
        table.rows.push_back(
            {{text_cell(p.component), text_cell(p.name), interval_cell(p.estimate),
              text_cell(unit_words(p.unit)), number_cell(p.error, 2), number_cell(p.unbiased, 4),
              text_cell(words_of(p.flags, {{parameter_frozen, "frozen"},
                                           {parameter_tied, "tied"},
                                           {parameter_at_bound, "at its limit"},
                                           {parameter_unconstrained, "unconstrained"},
                                           {parameter_no_lower_end, "an upper limit"},
                                           {parameter_no_upper_end, "a lower limit"},
                                           {parameter_degenerate, "follows another parameter"},
                                           {parameter_not_profiled, "interval of the covariance"},
                                           {parameter_several_minima, "spans several minima"},
                                           {parameter_credible, "credible interval"}}))},
             false});
    return table;
}

}  // namespace

Section spectral_section(const DossierMaterial& material, const DossierContext& context) {
    const SourceResult& result = material.result;
    Section section{"spectrum", "Spectrum", {}, {}, {}, {}};
    const auto missing = [&](std::string why) { section.missing.push_back(std::move(why)); };
    if (material.data.spectra.empty()) {
        missing(
            "No spectrum: the survey holds none of this source with a response. Those that were found "
            "without one are "
            "under Not used.");
        return section;
    }
    const SpectralFit* const best = offered_fit(result);
    std::vector<const Spectrum*> spectra;
    for (const Spectrum& spectrum : material.data.spectra) spectra.push_back(&spectrum);
    const auto used = [&](const Spectrum* s) {
        return best != nullptr &&
               ('+' + best->spectrum + '+').find('+' + s->exposure.file + '+') != std::string::npos;
    };
    std::stable_sort(spectra.begin(), spectra.end(), [&](const Spectrum* a, const Spectrum* b) {
        return used(a) != used(b) ? used(a) : a->total_counts() > b->total_counts();
    });
    for (const Spectrum* spectrum : spectra) {
        if (section.figures.size() == most_spectra) {
            missing(fmt::format("{} further spectra are not drawn.", spectra.size() - most_spectra));
            break;
        }
        Figure figure = spectrum_figure(*spectrum, result, context);
        if (figure.panels.empty()) {
            missing(figure.caption);
            continue;
        }
        figure.key = fmt::format("spectrum-{}", section.figures.size() + 1);
        section.figures.push_back(std::move(figure));
    }
    for (const StatisticMap& map : material.maps)
        section.figures.push_back(contour_figure(map, result.character.nh_galactic));
    if (material.maps.empty())
        missing("No contours: " + (material.maps_missing.empty() ? std::string("they were not computed.")
                                                                 : material.maps_missing));

    std::vector<std::string> groups;
    for (const SpectralFit& fit : result.fits)
        if (std::find(groups.begin(), groups.end(), fit.spectrum) == groups.end())
            groups.push_back(fit.spectrum);
    if (best != nullptr)
        std::stable_sort(groups.begin(), groups.end(), [&](const std::string& a, const std::string& b) {
            return (a == best->spectrum) > (b == best->spectrum);
        });
    for (const std::string& group : groups) {
        std::vector<const SpectralFit*> fits;
        for (const SpectralFit& fit : result.fits)
            if (fit.spectrum == group) fits.push_back(&fit);
        section.tables.push_back(fits_table(group, fits, result));
        if (groups.size() > 1) section.tables.back().key += fmt::format("-{}", section.tables.size());
    }
    if (best != nullptr && !best->parameters.empty()) section.tables.push_back(parameters_table(*best));
    if (result.fits.empty())
        missing("No fit: it was switched off, or no spectrum could be fitted (see Not used).");
    if (!result.fits.empty()) {
        const bool credible = std::any_of(result.fits.begin(), result.fits.end(), [](const SpectralFit& fit) {
            return (fit.flags & fit_credible) != 0;
        });
        section.paragraphs.push_back(fmt::format(
            "Fluxes in {}–{} keV; brackets: intervals where the statistic rises by {} ({}){}.",
            pretty(context.spectra.flux_lo), pretty(context.spectra.flux_hi),
            pretty(context.spectra.confidence_delta),
            std::fabs(context.spectra.confidence_delta - 2.706) < 0.01 ? "90 %" : "one parameter of interest",
            credible
                ? ", or credible intervals of the same probability from the posterior where a fit says so"
                : ""));
        section.paragraphs.push_back(
            "By default a model is preferred for its AICc among those whose parameters are constrained; how "
            "good a fit "
            "is plays no "
            "part in the choice, so look at the column Above expectation: beyond 3 σ no model fitted here is "
            "right.");
        if (best != nullptr && std::any_of(best->parameters.begin(), best->parameters.end(),
                                           [](const auto& p) { return !std::isnan(p.unbiased); }))
            section.paragraphs.push_back(
                "Median-unbiased: half of all repetitions of the observation would put this estimate above "
                "the truth, half below it; the best fit of few counts lies to one side.");
    }
    return section;
}

}  // namespace xsift::report
