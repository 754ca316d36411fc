#include "sections.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include <xsift/characterise/class_model.hpp>

namespace xsift::report {

namespace {

bool has_step(const DossierContext& context, const char* step) {
    return std::find(context.steps.begin(), context.steps.end(), step) != context.steps.end();
}

Figure class_figure(const std::vector<ClassProbability>& classes) {
    Figure figure{"classes", "Class probabilities", "", {}, {}, false};
    figure.x.label = "Probability";
    figure.x.lo = 0.0;
    figure.x.hi = 1.0;
    Panel panel;
    panel.y.reversed = true;
    panel.height = 24.0 * static_cast<double>(classes.size()) + 10.0;
    Series bars;
    bars.kind = Series::Kind::bars;
    for (const ClassProbability& one : classes) {
        const auto at = static_cast<double>(panel.y.categories.size());
        panel.y.categories.push_back(one.name);
        bars.x.push_back(one.probability);
        bars.y.push_back(at);
        bars.x_lo.push_back(0.0);
        bars.x_hi.push_back(one.probability);
        bars.y_lo.push_back(at - 0.32);
        bars.y_hi.push_back(at + 0.32);
        bars.names.push_back(pretty(one.probability, 2));
    }
    panel.series = {std::move(bars)};
    figure.panels = {std::move(panel)};
    figure.caption =
        "Calibrated on labelled sources: of a hundred with probability 0.7 some seventy are right, if their "
        "mix is "
        "alike. Other classes than these are not considered.";
    return figure;
}

/// Why this class and not its rival, in words.
std::string reasons_of(const ClassProbability& one) {
    std::string text = fmt::format("Why {} rather than {}: ", class_words(one.name), class_words(one.rival));
    text += one.reasons_for.empty() ? "nothing speaks for it"
                                    : "for it speak " + characterise::reasons_in_words(one.reasons_for);
    if (!one.reasons_against.empty())
        text += "; against it " + characterise::reasons_in_words(one.reasons_against);
    return text + ".";
}

/// log10 of the X-ray to optical flux ratio of labelled Chandra sources (0.5-7 keV, Gaia G with the zero
/// point 1.013e-5 erg/cm2/s): 5, 50 and 95 % of each class.
struct ClassRegion {
    const char* name;
    double lo, middle, hi;
};
constexpr std::array<ClassRegion, 7> regions{{{"LM-STAR", -5.47, -4.05, -2.27},
                                              {"HM-STAR", -5.92, -4.34, -2.91},
                                              {"YSO", -3.38, -2.41, -1.14},
                                              {"HMXB", -3.73, -1.93, 0.67},
                                              {"CV", -2.55, -0.49, 0.58},
                                              {"LMXB", -2.37, -0.31, 0.92},
                                              {"AGN", -1.55, -0.57, 0.45}}};
/// Zero point that they were made with.
constexpr double regions_zero = 1.013e-5;

Figure ratio_figure(const Characterisation& character, const Estimate& flux) {
    Figure figure{"flux-ratio", "X-ray to optical flux ratio", "", {}, {}, false};
    figure.x.label = "log₁₀ Fx/Fopt";
    Panel panel;
    panel.y.reversed = true;
    panel.height = 24.0 * regions.size() + 10.0;
    Series bars, middles;
    bars.kind = Series::Kind::bars;
    bars.tone = 0;
    bars.faint = true;
    bars.label = "90 % of labelled sources";
    middles.tone = 0;
    middles.label = "their median";
    for (const ClassRegion& region : regions) {
        const auto at = static_cast<double>(panel.y.categories.size());
        panel.y.categories.emplace_back(region.name);
        bars.x.push_back(not_measured);
        bars.y.push_back(not_measured);
        bars.x_lo.push_back(region.lo);
        bars.x_hi.push_back(region.hi);
        bars.y_lo.push_back(at - 0.32);
        bars.y_hi.push_back(at + 0.32);
        middles.x.push_back(region.middle);
        middles.y.push_back(at);
    }
    // The regions in the zero point of this catalogue.
    const double shift = std::log10(regions_zero / character.optical_zero);
    if (std::isfinite(shift))
        for (auto* values : {&bars.x_lo, &bars.x_hi, &middles.x})
            for (double& v : *values) v += shift;
    panel.series = {std::move(bars), std::move(middles)};
    // The rule alone does not widen the axis.
    Series here;
    here.kind = Series::Kind::points;
    here.tone = 1;
    here.x = {character.log_fx_fopt};
    here.y = {-0.45};
    panel.series.push_back(std::move(here));
    panel.rules.push_back({true, character.log_fx_fopt, "this source", 1, false});
    figure.panels = {std::move(panel)};
    figure.caption = fmt::format(
        "This source: {}{}. Regions: Chandra sources with known classes, 0.5–7 keV; a flux of 0.2–12 keV is "
        "higher by "
        "0.1 to 0.3. No extinction correction. Isolated neutron stars have no optical counterpart and no "
        "region.",
        pretty(character.log_fx_fopt, 3),
        flux.lo > 0.0 ? fmt::format(" [{}, {}] from the error of the flux",
                                    pretty(character.log_fx_fopt + std::log10(flux.lo / flux.value), 3),
                                    pretty(character.log_fx_fopt + std::log10(flux.hi / flux.value), 3))
                      : "");
    return figure;
}

/// Earlier fluxes and limits with that of this catalogue.
Figure history_figure(const DossierMaterial& material, const Estimate& flux, const DossierContext& context) {
    Figure figure{"history", "Flux history", "", {}, {}, false};
    Panel panel;
    panel.y.label = "Flux, erg cm⁻² s⁻¹";
    panel.y.logarithmic = true;
    const bool dated = std::all_of(material.history.begin(), material.history.end(),
                                   [](const EarlierObservation& o) { return std::isfinite(o.mjd); });
    figure.x.label = dated ? "MJD, d" : "Order in the table of earlier fluxes";
    Series detections, limits;
    detections.label = "earlier detections";
    limits.kind = Series::Kind::limits;
    limits.label = "earlier upper limits";
    limits.tone = 4;
    for (std::size_t i = 0; i < material.history.size(); ++i) {
        const EarlierObservation& o = material.history[i];
        const double x = dated ? o.mjd : static_cast<double>(i + 1);
        const bool limit = !std::isfinite(o.lo);
        Series& to = limit ? limits : detections;
        to.x.push_back(x);
        to.names.push_back(o.mission);
        if (limit) {
            to.y.push_back(o.hi);
            continue;
        }
        to.y.push_back(std::isfinite(o.flux) ? o.flux : 0.5 * (o.lo + o.hi));
        to.y_lo.push_back(o.lo);
        to.y_hi.push_back(o.hi);
    }
    if (!detections.x.empty()) panel.series.push_back(std::move(detections));
    if (!limits.x.empty()) panel.series.push_back(std::move(limits));
    if (flux.value > 0.0) {
        // When the spectrum was taken is not kept: events or light curves of the same source say it.
        double mjd = not_measured;
        const auto look = [&](const Exposure& e) {
            const double start = e.mjd_reference + e.time_zero / 86400.0;
            if (std::isfinite(start) && !std::isfinite(mjd)) mjd = start;
        };
        for (const EventList& events : material.data.events) look(events.exposure);
        for (const LightCurve& curve : material.data.light_curves) look(curve.exposure);
        const double to_sigma = 1.0 / std::sqrt(context.spectra.confidence_delta);
        Series now;
        now.tone = 1;
        now.label = "this catalogue";
        now.x = {dated ? mjd : static_cast<double>(material.history.size() + 1)};
        now.y = {flux.value};
        now.y_lo = {flux.value - (flux.value - flux.lo) * to_sigma};
        now.y_hi = {flux.value + (flux.hi - flux.value) * to_sigma};
        if (std::isfinite(now.x[0]))
            panel.series.push_back(std::move(now));
        else
            panel.rules.push_back({false, flux.value, "this catalogue (date not known)", 1, false});
    }
    // The ends of all errors, which a logarithmic axis does not take in by itself.
    double lowest = std::numeric_limits<double>::infinity(), highest = 0.0;
    for (const Series& s : panel.series)
        for (const auto* values : {&s.y, &s.y_lo, &s.y_hi})
            for (const double v : *values) {
                if (v > 0.0) lowest = std::min(lowest, v);
                if (std::isfinite(v)) highest = std::max(highest, v);
            }
    if (flux.value > 0.0) {
        lowest = std::min(lowest, flux.value);
        highest = std::max(highest, flux.value);
    }
    if (highest > 0.0) {
        constexpr double room = 1.5;
        panel.y.lo = lowest / room;
        panel.y.hi = highest * room;
    }
    figure.panels = {std::move(panel)};
    figure.caption =
        "1 σ; fluxes as compared, in the band of this catalogue. " +
        (material.result.character.alert.empty() ? std::string("No alert.")
                                                 : "Alert: " + material.result.character.alert + ".");
    return figure;
}

}  // namespace

Section nature_section(const DossierMaterial& material, const DossierContext& context) {
    const SourceResult& result = material.result;
    const Characterisation& character = result.character;
    Section section{"nature", "What is it?", {}, {}, {}, {}};
    const auto missing = [&](std::string why) { section.missing.push_back(std::move(why)); };
    const SpectralFit* const fit = offered_fit(result);
    const Estimate flux = fit != nullptr ? fit->flux : Estimate{};

    std::vector<ClassProbability> classes = character.classes;
    std::stable_sort(
        classes.begin(), classes.end(),
        [](const ClassProbability& a, const ClassProbability& b) { return a.probability > b.probability; });
    if (classes.empty())
        missing(has_step(context, "class")
                    ? "No class: nothing that classes differ in is known of this source."
                    : "No class: the run did not classify.");
    else {
        section.paragraphs.push_back(reasons_of(classes.front()));
        section.figures.push_back(class_figure(classes));
    }

    if (std::isfinite(character.log_fx_fopt))
        section.figures.push_back(ratio_figure(character, flux));
    else
        missing(!has_step(context, "distance") ? "No X-ray to optical flux ratio: the run knew no optical "
                                                 "magnitudes (counterparts, or a column of the source list)."
                : character.flags & character_no_flux
                    ? "No X-ray to optical flux ratio: no X-ray flux."
                    : "No X-ray to optical flux ratio: no counterpart with a G magnitude is certain enough.");

    if (material.history.empty())
        missing("No flux history: " + (material.history_missing.empty() ? std::string("none is known.")
                                                                        : material.history_missing));
    else
        section.figures.push_back(history_figure(material, flux, context));

    if (!classes.empty()) {
        Table table{"classes",
                    "Classes and what speaks for and against them (natural log-odds against the rival)",
                    {{"class", "Class"},
                     {"probability", "Probability"},
                     {"rival", "Rival"},
                     {"log_odds", "Log-odds"},
                     {"reasons_for", "For", "", true},
                     {"reasons_against", "Against", "", true}},
                    {}};
        for (const ClassProbability& one : classes)
            table.rows.push_back(
                {{text_cell(one.name), number_cell(one.probability, 3), text_cell(one.rival),
                  number_cell(one.log_odds, 3), text_cell(one.reasons_for), text_cell(one.reasons_against)},
                 one.name == character.class_name});
        section.tables.push_back(std::move(table));
    }
    return section;
}

Section origin_section(const DossierMaterial& material, const DossierContext& context) {
    const SourceResult& result = material.result;
    Section section{"origin", "Inputs and provenance", {}, {}, {}, {}};
    Table inputs{"inputs",
                 "Inputs of this source",
                 {{"file", "File", "", true},
                  {"kind", "Kind"},
                  {"mission", "Mission"},
                  {"instrument", "Instrument"},
                  {"obs_id", "Observation"},
                  {"mode", "Mode"},
                  {"notes", "Notes", "", true}},
                 {}};
    std::vector<std::string> files;
    const auto add = [&](const Exposure& e, const char* kind, std::string notes) {
        files.push_back(e.file);
        inputs.rows.push_back(
            {{text_cell(e.file), text_cell(kind), text_cell(e.mission), text_cell(e.instrument),
              text_cell(e.obs_id), text_cell(e.mode), text_cell(std::move(notes))},
             false});
    };
    const auto notes_of = [](const Exposure& e) {
        return words_of(e.flags, {{exposure_not_barycentred, "not barycentred"},
                                  {exposure_no_gti, "no good time intervals"},
                                  {exposure_frame_time_from_table, "frame time from the table of modes"},
                                  {exposure_frame_time_unknown, "frame time unknown"},
                                  {exposure_events_outside_gti, "events outside good time dropped"},
                                  {exposure_repaired, "repaired on request"},
                                  {exposure_gti_shared, "good time shared between detectors"},
                                  {exposure_barycentred_here, "barycentred at ingest"},
                                  {exposure_geocentre, "as seen from the Earth's centre"}});
    };
    for (const EventList& e : material.data.events) add(e.exposure, "events", notes_of(e.exposure));
    for (const LightCurve& c : material.data.light_curves)
        add(c.exposure, "light curve", notes_of(c.exposure));
    for (const Spectrum& s : material.data.spectra) {
        std::string notes = s.response ? "response " + s.response->name : "";
        if (s.flags & spectrum_response_substituted) notes += " instead of " + s.response_wanted;
        if (!s.arf_file.empty()) notes += "; area " + s.arf_file;
        notes += s.background_file.empty() ? "; no background" : "; background " + s.background_file;
        add(s.exposure, "spectrum", std::move(notes));
        for (const std::string& used : {s.arf_file, s.background_file}) files.push_back(used);
        if (s.response) files.push_back(s.response->name);
    }
    section.tables.push_back(std::move(inputs));

    Table quarantine{
        "quarantine",
        "Not used",
        {{"input", "Input", "", true}, {"stage", "Stage"}, {"code", "Code"}, {"message", "Why", "", true}},
        {}};
    for (const QuarantineRow& q : result.quarantine)
        quarantine.rows.push_back(
            {{text_cell(q.input), text_cell(q.stage), text_cell(q.code), text_cell(q.message)}, false});
    if (quarantine.rows.empty()) section.missing.emplace_back("All inputs of this source were used.");
    section.tables.push_back(std::move(quarantine));

    Table provenance{"provenance", "Provenance", {{"key", "Key"}, {"value", "Value", "", true}}, {}};
    for (const auto& [key, value] : context.provenance) {
        // Of thousands of inputs those of this source.
        const bool input = key.starts_with("input ");
        if (input && std::find(files.begin(), files.end(), key.substr(6)) == files.end()) continue;
        provenance.rows.push_back({{text_cell(key), text_cell(value)}, false});
    }
    section.tables.push_back(std::move(provenance));
    return section;
}

}  // namespace xsift::report
