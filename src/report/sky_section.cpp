#include "sections.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <xsift/characterise/sky.hpp>
#include <xsift/core/constants.hpp>

namespace xsift::report {

namespace {

/// Candidates in the chart and the table: the most probable of each catalogue first.
constexpr std::size_t most_candidates = 30;
/// Radii of circles that hold 90 % and 99.7 % of a normal distribution in two dimensions, in its sigma.
constexpr double radius_90 = 2.146, radius_997 = 3.409;

bool has_step(const DossierContext& context, const char* step) {
    return std::find(context.steps.begin(), context.steps.end(), step) != context.steps.end();
}

std::string sexagesimal(double value, int decimals, bool hours) {
    const double scale = std::pow(10.0, decimals),
                 all = std::round(std::fabs(hours ? value / 15.0 : value) * 3600.0 * scale);
    const double seconds = all / scale;
    const auto whole = static_cast<long>(seconds / 3600.0), minutes = static_cast<long>(seconds / 60.0) % 60;
    return fmt::format("{}{:02} {:02} {:0{}.{}f}",
                       hours         ? ""
                       : value < 0.0 ? "−"
                                     : "+",
                       whole, minutes, seconds - 60.0 * std::floor(seconds / 60.0), decimals + 3, decimals);
}

/// Of the model offered, whose interval is neither below nor above.
std::string column_words(const SpectralFit& fit) {
    const bool ended = std::isfinite(fit.nh.lo) && std::isfinite(fit.nh.hi);
    if (ended && !(fit.flags & fit_nh_unconstrained)) return "; the fitted column agrees with it";
    if (ended && fit.nh.lo <= 0.0) return fmt::format("; the fit allows at most {}", pretty(fit.nh.hi, 2));
    return "; the fit does not constrain the column";
}

Table position_table(const DossierMaterial& material, const DossierContext& context) {
    const Source& source = material.result.source;
    const Characterisation& character = material.result.character;
    Table table{"position", "", {{"what", "What"}, {"value", "Value", "", true}}, {}};
    const auto add = [&](const char* what, std::string value) {
        table.rows.push_back({{text_cell(what), text_cell(std::move(value))}, false});
    };
    if (std::isfinite(source.ra) && std::isfinite(source.dec)) {
        add("RA, Dec (ICRS)", fmt::format("{} {} = {:.6f}°, {:.6f}°", sexagesimal(source.ra, 2, true),
                                          sexagesimal(source.dec, 1, false), source.ra, source.dec));
        const characterise::Direction g = characterise::galactic(source.ra, source.dec);
        add("Galactic l, b", fmt::format("{:.4f}°, {:.4f}°", g.longitude, g.latitude));
    }
    if (std::isfinite(source.position_error))
        add("Position error", fmt::format("{}″ (1 σ a coordinate)", pretty(source.position_error, 3)));
    if (std::isfinite(character.nh_galactic)) {
        std::string text =
            fmt::format("nH {} × 10²² cm⁻² ({})", pretty(character.nh_galactic, 3), character.nh_origin);
        if (character.flags & character_nh_below_galactic)
            text +=
                "; the fitted column lies below it: the source is in front of some of it, or has soft "
                "emission "
                "that the model lacks";
        else if (character.flags & character_nh_above_galactic)
            text +=
                "; the fitted column lies above it: absorption at the source, or gas that the map does not "
                "resolve or count";
        else if (const SpectralFit* fit = offered_fit(material.result))
            text += column_words(*fit);
        add("Galactic column", text);
    }
    for (std::size_t i = 0; i < source.extra.size() && i < context.extra_columns.size(); ++i) {
        const ExtraValue& value = source.extra[i];
        const ExtraColumn& column = context.extra_columns[i];
        if (value.null) continue;
        const std::string shown = column.type == ExtraColumn::Type::text ? value.text
                                  : column.type == ExtraColumn::Type::integer
                                      ? fmt::format("{}", value.integer)
                                      : pretty(value.real, 7);
        table.rows.push_back(
            {{text_cell(column.name), text_cell(column.unit.empty() ? shown : shown + " " + column.unit)},
             false});
    }
    return table;
}

struct Listed {
    const Counterpart* found = nullptr;
    std::string mark;
};

std::vector<Listed> listed(const Characterisation& character) {
    std::vector<Listed> all;
    for (const Counterpart& one : character.counterparts) all.push_back({&one, ""});
    std::stable_sort(all.begin(), all.end(), [](const Listed& a, const Listed& b) {
        return a.found->p_any * a.found->p_i > b.found->p_any * b.found->p_i;
    });
    if (all.size() > most_candidates) all.resize(most_candidates);
    for (std::size_t i = 0; i < all.size(); ++i) all[i].mark = std::to_string(i + 1);
    return all;
}

Table counterparts_table(const std::vector<Listed>& candidates) {
    Table table{"counterparts",
                "Candidate counterparts",
                {{"mark", "In the chart"},
                 {"catalogue", "Catalogue"},
                 {"id", "Identifier", "", true},
                 {"separation", "Separation", "″"},
                 {"p_any", "p any"},
                 {"p_i", "p this"}},
                {}};
    std::vector<std::size_t> bands;
    for (std::size_t b = 0; b < magnitude_bands.size(); ++b)
        if (std::any_of(candidates.begin(), candidates.end(),
                        [&](const Listed& c) { return std::isfinite(c.found->magnitude[b]); })) {
            bands.push_back(b);
            table.columns.push_back({std::string(magnitude_bands[b]) + "mag", magnitude_bands[b], "mag"});
        }
    const bool parallax = std::any_of(candidates.begin(), candidates.end(),
                                      [](const Listed& c) { return std::isfinite(c.found->parallax); });
    const bool motion = std::any_of(candidates.begin(), candidates.end(),
                                    [](const Listed& c) { return std::isfinite(c.found->pm_ra); });
    if (parallax) table.columns.push_back({"parallax", "Parallax", "mas"});
    if (motion) {
        table.columns.push_back({"pm_ra", "µα cos δ", "mas/yr"});
        table.columns.push_back({"pm_dec", "µδ", "mas/yr"});
    }
    for (const Listed& c : candidates) {
        const Counterpart& one = *c.found;
        Row row{{text_cell(c.mark), text_cell(one.catalogue), text_cell(one.id),
                 number_cell(one.separation, 3), number_cell(one.p_any, 3), number_cell(one.p_i, 3)},
                one.match_flag == 1};
        for (const std::size_t b : bands) row.cells.push_back(number_cell(one.magnitude[b], 5));
        if (parallax) row.cells.push_back(error_cell(one.parallax, one.parallax_error));
        if (motion) {
            row.cells.push_back(number_cell(one.pm_ra));
            row.cells.push_back(number_cell(one.pm_dec));
        }
        table.rows.push_back(std::move(row));
    }
    return table;
}

/// Offsets of the candidates with their errors; nothing when no candidate has a position.
Figure chart(const Source& source, const std::vector<Listed>& candidates) {
    constexpr double most_tones = 4;
    Figure figure{"finding-chart", "Finding chart", "", {}, {}, true};
    figure.x.label = "Δα cos δ, ″ (east to the left)";
    figure.x.reversed = true;
    Panel panel;
    panel.height = 300.0;
    panel.y.label = "Δδ, ″";
    std::vector<Series> catalogues;
    for (const Listed& c : candidates) {
        const Counterpart& one = *c.found;
        if (!std::isfinite(one.ra) || !std::isfinite(one.dec)) continue;
        auto at = std::find_if(catalogues.begin(), catalogues.end(),
                               [&](const Series& s) { return s.label == one.catalogue; });
        if (at == catalogues.end()) {
            Series s;
            s.label = one.catalogue;
            s.tone = static_cast<int>(std::fmod(static_cast<double>(catalogues.size()), most_tones)) + 1;
            at = catalogues.insert(catalogues.end(), std::move(s));
        }
        double east = one.ra - source.ra;
        east -= 360.0 * std::round(east / 360.0);
        east *= std::cos(source.dec * constants::degree) * constants::arcsec_per_degree;
        at->x.push_back(east);
        at->y.push_back((one.dec - source.dec) * constants::arcsec_per_degree);
        at->x_hi.push_back(east + (one.position_error > 0.0 ? radius_90 * one.position_error : 0.0));
        at->names.push_back(c.mark);
    }
    if (catalogues.empty()) return {};
    if (source.position_error > 0.0) {
        Series rings;
        rings.kind = Series::Kind::circles;
        rings.tone = 0;
        rings.label = "X-ray, 90 %";
        rings.x = {0.0};
        rings.y = {0.0};
        rings.x_hi = {radius_90 * source.position_error};
        Series wide = rings;
        wide.label = "99.7 %";
        wide.dashed = true;
        wide.x_hi = {radius_997 * source.position_error};
        panel.series = {std::move(rings), std::move(wide)};
    }
    for (Series& s : catalogues) {
        Series circles = s;
        circles.kind = Series::Kind::circles;
        circles.label.clear();
        circles.names.clear();
        s.x_hi.clear();
        panel.series.push_back(std::move(circles));
        panel.series.push_back(std::move(s));
    }
    figure.panels = {std::move(panel)};
    figure.caption =
        "Positions at the epoch they were matched at. Circles of candidates hold 90 % of their error along "
        "its larger "
        "axis; where they are smaller than the dots they cannot be seen. Numbers are those of the table.";
    return figure;
}

}  // namespace

Section sky_section(const DossierMaterial& material, const DossierContext& context) {
    const SourceResult& result = material.result;
    const Characterisation& character = result.character;
    Section section{"sky", "Position and counterparts", {}, {}, {}, {}};
    section.tables.push_back(position_table(material, context));
    if (!std::isfinite(result.source.ra) || !std::isfinite(result.source.dec)) {
        section.missing.emplace_back(
            "No position: the inputs give none. A source list with positions at ingest adds it; column "
            "density and "
            "counterparts need it.");
        return section;
    }
    if (!std::isfinite(character.nh_galactic))
        section.missing.emplace_back(has_step(context, "column")
                                         ? "No Galactic column: the map or list has no value here."
                                         : "No Galactic column: the step was switched off.");
    const std::vector<Listed> candidates = listed(character);
    if (candidates.empty()) {
        section.missing.emplace_back(context.matched
                                         ? "No counterpart: no object of the catalogues lies within the "
                                           "search radius, or the position has no error."
                                         : "No counterparts, no chart: the run named no catalogue to match "
                                           "with (counterparts in the configuration).");
        return section;
    }
    Figure map = chart(result.source, candidates);
    if (map.panels.empty())
        section.missing.emplace_back("No chart: the catalogue holds no positions of the candidates.");
    else
        section.figures.push_back(std::move(map));
    section.tables.push_back(counterparts_table(candidates));
    if (character.counterparts.size() > candidates.size())
        section.missing.push_back(fmt::format("{} less probable candidates are not listed.",
                                              character.counterparts.size() - candidates.size()));
    section.paragraphs.emplace_back(
        "p any: probability that the catalogue holds the counterpart at all; p this: that it is this object, "
        "if it does.");
    return section;
}

}  // namespace xsift::report
