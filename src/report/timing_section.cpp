#include "sections.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace xsift::report {

namespace {

/// Light curves that are drawn; the others are in the table.
constexpr std::size_t most_light_curves = 4;

std::string words_of_variability(std::uint32_t flags) {
    return words_of(flags, {{variability_background_included, "background included"},
                            {variability_no_gti, "no good time intervals"},
                            {variability_few_counts, "few counts"},
                            {variability_unit_guessed, "errors do not follow counts"}});
}

std::string words_of_limit(std::uint32_t flags) {
    return words_of(flags, {{limit_unconstraining, "any sinusoid is possible"},
                            {limit_of_all, "of all counts, background included"},
                            {limit_vetoed, "the maximum is a vetoed candidate"},
                            {limit_frame_time_unknown, "not corrected for the frame time"},
                            {limit_dead_time, "corrected for dead time"}});
}

Table candidates_table(const SourceResult& result) {
    Table table{"periods",
                "Period candidates",
                {{"rank", "Rank"},
                 {"exposure", "Exposure", "", true, true},
                 {"method", "Statistic"},
                 {"period", "Period", "s"},
                 {"frequency", "Frequency", "Hz"},
                 {"statistic", "Value"},
                 {"log10_fap", "log₁₀ of the false-alarm probability"},
                 {"pulsed_fraction", "Pulsed fraction"},
                 {"verdict", "Verdict", "", true},
                 {"notes", "Notes", "", true, true}},
                {}};
    for (std::size_t i = 0; i < result.candidates.size(); ++i) {
        const PeriodCandidate& c = result.candidates[i];
        const bool offered = static_cast<int>(i) == result.best_period;
        std::string verdict = offered ? "offered" : veto_words(c.veto);
        if (!offered && !verdict.empty()) verdict = "vetoed: " + verdict;
        table.rows.push_back(
            {{number_cell(c.rank), text_cell(c.exposure), text_cell(statistic_name(c.method, c.n_harmonics)),
              error_cell(c.period, c.period_error), error_cell(c.frequency, c.frequency_error),
              number_cell(c.statistic, 6), number_cell(c.log10_fap, 4),
              interval_cell({c.pulsed_fraction, c.pf_lo, c.pf_hi}), text_cell(verdict),
              text_cell(candidate_words(c.flags))},
             offered});
    }
    return table;
}

Table limits_table(const SourceResult& result) {
    Table table{"limits",
                "Upper limits on the pulsed fraction of a sinusoid",
                {{"exposure", "Exposure", "", true, true},
                 {"method", "Statistic"},
                 {"frequency_lo", "From", "Hz"},
                 {"frequency_hi", "To", "Hz"},
                 {"pf_ul", "Upper limit"},
                 {"notes", "Notes", "", true, true}},
                {}};
    for (const PulsedFractionLimit& l : result.limits)
        table.rows.push_back({{text_cell(l.exposure), text_cell(statistic_name(l.method, l.n_harmonics)),
                               number_cell(l.frequency_lo), number_cell(l.frequency_hi),
                               number_cell(l.pf_ul, 3), text_cell(words_of_limit(l.flags))},
                              false});
    return table;
}

Table variability_table(const SourceResult& result) {
    Table table{"variability",
                "Is the rate constant?",
                {{"exposure", "Exposure", "", true, true},
                 {"instrument", "Instrument", "", false, true},
                 {"counts", "Counts"},
                 {"good_time", "Good time", "s"},
                 {"rate", "Rate", "count/s"},
                 {"log10_p_ks", "log₁₀ p, Kolmogorov-Smirnov"},
                 {"log10_p_chi2", "log₁₀ p, χ²"},
                 {"fvar", "Fractional variability"},
                 {"blocks", "Blocks"},
                 {"flares", "Flares"},
                 {"notes", "Notes", "", true, true}},
                {}};
    for (const Variability& v : result.variability)
        table.rows.push_back(
            {{text_cell(v.exposure), text_cell(v.instrument), number_cell(v.counts, 6),
              number_cell(v.good_time, 6), number_cell(v.rate), number_cell(v.log10_p_ks, 3),
              number_cell(v.log10_p_chi2, 3), error_cell(v.fvar, v.fvar_error), number_cell(v.n_blocks),
              number_cell(v.n_flares), text_cell(words_of_variability(v.flags))},
             false});
    return table;
}

}  // namespace

Section timing_section(const DossierMaterial& material, const DossierContext& context) {
    const SourceResult& result = material.result;
    Section section{"timing", "Variability and periods", {}, {}, {}, {}};
    const auto missing = [&](std::string why) { section.missing.push_back(std::move(why)); };

    std::vector<std::pair<double, Figure>> curves;
    const PeriodCandidate* const offered = offered_period(result);
    const auto weight = [&](const Exposure& of, std::size_t n) {
        return static_cast<double>(n) + (offered != nullptr && offered->exposure == of.file ? 1e15 : 0.0);
    };
    std::size_t undrawn = 0;
    const auto add = [&](const auto& exposure) {
        Figure figure = light_curve_figure(exposure, context);
        if (figure.panels.empty())
            ++undrawn;
        else
            curves.emplace_back(weight(exposure.exposure, exposure.size()), std::move(figure));
    };
    for (const EventList& events : material.data.events) add(events);
    for (const LightCurve& curve : material.data.light_curves) add(curve);
    std::stable_sort(curves.begin(), curves.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
    const std::size_t n_curves = curves.size();
    if (n_curves > most_light_curves) curves.resize(most_light_curves);
    for (auto& [ignored, figure] : curves) {
        figure.key = fmt::format("light-curve-{}", section.figures.size() + 1);
        section.figures.push_back(std::move(figure));
    }
    if (n_curves > most_light_curves)
        missing(fmt::format("Light curves of {} further exposures with fewer counts are not drawn.",
                            n_curves - most_light_curves));
    if (result.n_exposures == 0)
        missing("No light curve, no period: the survey has neither events nor light curves of this source.");
    if (undrawn > 0)
        missing(fmt::format("{} exposure{} without events or good time: nothing to draw.", undrawn,
                            undrawn == 1 ? " is" : "s are"));

    for (const Periodogram& periodogram : material.periodograms) {
        Figure figure = periodogram_figure(periodogram, result);
        figure.key = fmt::format("periodogram-{}", &periodogram - material.periodograms.data() + 1);
        section.figures.push_back(std::move(figure));
    }
    const std::size_t searched = material.data.events.size() + material.data.light_curves.size();
    if (material.periodograms.empty() && searched > 0)
        missing(
            "No periodogram: the search of periods was switched off, or no exposure could be searched (see "
            "Not used).");
    else if (material.periodograms.size() < searched)
        missing(fmt::format("Periodograms of {} further exposures are not drawn.",
                            searched - material.periodograms.size()));

    if (offered != nullptr) {
        Figure figure = profile_figure(material, *offered);
        if (figure.panels.empty())
            missing("No folded profile: the exposure of the period is not in the survey.");
        else
            section.figures.push_back(std::move(figure));
    } else if (!material.periodograms.empty()) {
        missing("No folded profile: no period is significant.");
    }
    section.tables = {candidates_table(result), limits_table(result), variability_table(result)};
    if (result.variability.empty() && searched > 0)
        missing("No test of a constant rate: it was switched off, or no exposure allowed it.");
    return section;
}

}  // namespace xsift::report
