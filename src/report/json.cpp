#include <cmath>

#include <nlohmann/json.hpp>

#include <xsift/core/version.hpp>
#include <xsift/report/writers.hpp>

namespace xsift::report {

namespace {

using Json = nlohmann::ordered_json;

/// JSON has neither NaN nor infinity.
Json number(double value) {
    return std::isfinite(value) ? Json(value) : Json(nullptr);
}

Json numbers(const std::vector<double>& values) {
    Json out = Json::array();
    for (const double value : values) out.push_back(number(value));
    return out;
}

Json cell_json(const Cell& cell) {
    switch (cell.kind) {
        case Cell::Kind::text:
            return cell.text;
        case Cell::Kind::number:
            return number(cell.value);
        case Cell::Kind::error:
            return {{"value", number(cell.value)}, {"error", number(cell.error)}};
        case Cell::Kind::interval:
            return {{"value", number(cell.value)}, {"lo", number(cell.lo)}, {"hi", number(cell.hi)}};
    }
    return nullptr;
}

Json table_json(const Table& table) {
    Json columns = Json::array(), rows = Json::array();
    for (const Column& column : table.columns)
        columns.push_back({{"key", column.key}, {"label", column.label}, {"unit", column.unit}});
    for (const Row& row : table.rows) {
        Json one = Json::object();
        for (std::size_t i = 0; i < row.cells.size() && i < table.columns.size(); ++i)
            one[table.columns[i].key] = cell_json(row.cells[i]);
        one["chosen"] = row.chosen;
        rows.push_back(std::move(one));
    }
    return {{"key", table.key}, {"title", table.title}, {"columns", columns}, {"rows", rows}};
}

Json axis_json(const Axis& axis) {
    Json out = {{"label", axis.label}, {"logarithmic", axis.logarithmic}};
    if (!axis.categories.empty()) out["categories"] = axis.categories;
    return out;
}

Json series_json(const Series& series) {
    static constexpr const char* kinds[] = {"points", "limits", "line", "bars", "circles"};
    Json out = {{"kind", kinds[static_cast<int>(series.kind)]}, {"label", series.label}};
    const auto add = [&](const char* key, const std::vector<double>& values) {
        if (!values.empty()) out[key] = numbers(values);
    };
    add("x", series.x);
    add("y", series.y);
    add("x_lo", series.x_lo);
    add("x_hi", series.x_hi);
    add("y_lo", series.y_lo);
    add("y_hi", series.y_hi);
    if (!series.names.empty()) out["names"] = series.names;
    return out;
}

Json figure_json(const Figure& figure) {
    Json panels = Json::array();
    for (const Panel& panel : figure.panels) {
        Json series = Json::array(), rules = Json::array();
        for (const Series& one : panel.series) series.push_back(series_json(one));
        for (const Rule& rule : panel.rules)
            rules.push_back(
                {{"axis", rule.vertical ? "x" : "y"}, {"at", number(rule.at)}, {"label", rule.label}});
        panels.push_back({{"y", axis_json(panel.y)}, {"series", series}, {"rules", rules}});
    }
    return {{"key", figure.key},
            {"title", figure.title},
            {"caption", figure.caption},
            {"x", axis_json(figure.x)},
            {"panels", panels}};
}

}  // namespace

std::string json(const Page& page) {
    Json facts = Json::array(), sections = Json::array();
    for (const Fact& fact : page.facts)
        facts.push_back(
            {{"key", fact.key}, {"label", fact.label}, {"value", cell_json(fact.cell)}, {"unit", fact.unit}});
    for (const Section& section : page.sections) {
        Json tables = Json::array(), figures = Json::array();
        for (const Table& table : section.tables) tables.push_back(table_json(table));
        for (const Figure& figure : section.figures) figures.push_back(figure_json(figure));
        sections.push_back({{"key", section.key},
                            {"title", section.title},
                            {"paragraphs", section.paragraphs},
                            {"tables", tables},
                            {"figures", figures},
                            {"missing", section.missing}});
    }
    const Json out = {{"format", "xsift-dossier"},
                      {"version", 1},
                      {"xsift", version},
                      {"id", page.id},
                      {"title", page.title},
                      {"subtitle", page.subtitle},
                      {"verdict", page.verdict},
                      {"warnings", page.warnings},
                      {"facts", facts},
                      {"sections", sections},
                      {"configuration", page.configuration}};
    // Names from files may hold anything: what is not UTF-8 is replaced.
    return out.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace xsift::report
