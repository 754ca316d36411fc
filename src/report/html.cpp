#include "style.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <xsift/report/writers.hpp>

namespace xsift::report {

namespace {

/// Bytes of the UTF-8 letter that begins at i; 0 when it is none.
std::size_t letter_at(const std::string& text, std::size_t i) {
    const auto byte = [&](std::size_t k) {
        return static_cast<unsigned>(static_cast<unsigned char>(text[k]));
    };
    const unsigned first = byte(i);
    const std::size_t n = first < 0x80                    ? 1
                          : first >= 0xC2 && first < 0xE0 ? 2
                          : (first & 0xF0u) == 0xE0       ? 3
                          : first >= 0xF0 && first < 0xF5 ? 4
                                                          : 0;
    if (n == 0 || i + n > text.size()) return 0;
    for (std::size_t k = i + 1; k < i + n; ++k)
        if ((byte(k) & 0xC0u) != 0x80u) return 0;
    if (n < 3) return n;
    // Overlong forms, surrogates, and what lies beyond the last letter are no letters.
    const unsigned second = byte(i + 1);
    if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second >= 0xA0) ||
        (first == 0xF0 && second < 0x90) || (first == 0xF4 && second >= 0x90))
        return 0;
    return n;
}

std::string label_of(const Column& column) {
    return column.unit.empty() ? column.label : column.label + ", " + column.unit;
}

bool is_empty(const Cell& cell) {
    return cell.kind == Cell::Kind::text ? cell.text.empty() : std::isnan(cell.value);
}

/// Cells that say nothing are left out where a row is a card.
const char* css(const Cell& cell, const Column& column) {
    return is_empty(cell) ? " class=\"none\"" : column.wide ? " class=\"wide\"" : "";
}

/// A table without columns that say nothing; what all rows agree on stands in its title.
std::string table_html(const Table& table) {
    if (table.rows.empty()) return {};
    std::string title = table.title;
    std::vector<std::size_t> columns;
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
        const auto each = [&](const auto& condition) {
            return std::all_of(table.rows.begin(), table.rows.end(),
                               [&](const Row& row) { return condition(row.cells[i]); });
        };
        if (each(is_empty)) continue;
        const Cell& first = table.rows.front().cells[i];
        if (table.columns[i].hoist && each([&](const Cell& c) { return pretty(c) == pretty(first); }))
            title += fmt::format("{}{}", title.empty() ? "" : ", ", pretty(first));
        else
            columns.push_back(i);
    }
    std::string out = "<div class=\"scroll\"><table class=\"cards\">";
    if (!title.empty()) out += fmt::format("<caption>{}</caption>", escaped(title));
    out += "<thead><tr>";
    for (const std::size_t i : columns)
        out += fmt::format("<th>{}</th>", escaped(label_of(table.columns[i])));
    out += "</tr></thead>\n<tbody>";
    for (const Row& row : table.rows) {
        out += row.chosen ? "<tr class=\"chosen\">" : "<tr>";
        for (const std::size_t i : columns)
            out += fmt::format("<td{} data-label=\"{}\">{}</td>", css(row.cells[i], table.columns[i]),
                               escaped(label_of(table.columns[i])), escaped(pretty(row.cells[i])));
        out += "</tr>\n";
    }
    return out + "</tbody></table></div>\n";
}

std::string section_html(const Section& section) {
    std::string out =
        fmt::format("<section id=\"{}\">\n<h2>{}</h2>\n", escaped(section.key), escaped(section.title));
    for (const std::string& text : section.paragraphs) out += fmt::format("<p>{}</p>\n", escaped(text));
    std::string figures;
    for (const Figure& figure : section.figures) {
        const std::string drawn = svg(figure, false);
        if (drawn.empty()) continue;
        figures += fmt::format("<figure><h3>{}</h3>\n{}<figcaption>{}</figcaption></figure>\n",
                               escaped(figure.title), drawn, escaped(figure.caption));
    }
    if (!figures.empty()) out += "<div class=\"figures\">\n" + figures + "</div>\n";
    for (const Table& table : section.tables) out += table_html(table);
    for (const std::string& why : section.missing)
        out += fmt::format("<p class=\"missing\">{}</p>\n", escaped(why));
    return out + "</section>\n";
}

/// The policy forbids the browser all that a page does not need: text from files never becomes a program.
std::string head(const std::string& title, bool with_script) {
    return fmt::format(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
        "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
        "'unsafe-inline'{}\">"
        "<title>{}</title>\n<style>{}{}{}</style></head><body>\n",
        with_script ? "; script-src 'unsafe-inline'" : "", escaped(title), palette(":root"), page_style,
        plot_style);
}

/// Sorts by the number or text in data-sort of each cell; without scripts the table stays as it is.
constexpr const char* sorter = R"(<script>
for(const th of document.querySelectorAll('th')){th.tabIndex=0;th.setAttribute('role','button');const go=()=>{
const table=th.closest('table'),body=table.tBodies[0],i=th.cellIndex,down=th.getAttribute('aria-sort')==='ascending';
for(const other of table.tHead.rows[0].cells)other.removeAttribute('aria-sort');
th.setAttribute('aria-sort',down?'descending':'ascending');
const key=row=>row.cells[i].dataset.sort,rows=[...body.rows];
rows.sort((a,b)=>{const x=key(a),y=key(b);if(x===''||y==='')return (x==='')-(y==='');
const n=Number(x)-Number(y),c=Number.isNaN(n)?x.localeCompare(y):n;return down?-c:c});
body.append(...rows)};th.onclick=go;th.onkeydown=e=>{if(e.key==='Enter')go()}}
</script>
)";

}  // namespace

std::string escaped(const std::string& text) {
    std::string out;
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t n = letter_at(text, i);
        if (n == 0) {
            out += "\xEF\xBF\xBD";
            ++i;
            continue;
        }
        const char c = text[i];
        if (c == '&')
            out += "&amp;";
        else if (c == '<')
            out += "&lt;";
        else if (c == '>')
            out += "&gt;";
        else if (c == '"')
            out += "&quot;";
        else if (c == '\'')
            out += "&#39;";
        else if (n == 1 && (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) && c != '\n' && c != '\t')
            out += ' ';
        else
            out.append(text, i, n);
        i += n;
    }
    return out;
}

std::string html(const Page& page) {
    std::string out = head(page.title, false);
    out += fmt::format("<header><h1>{}</h1>\n<p class=\"sub\">{}</p>\n", escaped(page.title),
                       escaped(page.subtitle));
    out += "<p class=\"verdict\">";
    for (std::size_t i = 0; i < page.verdict.size(); ++i)
        out += (i == 0 ? "" : " ") + escaped(page.verdict[i]);
    out += "</p>\n";
    if (!page.warnings.empty()) {
        out += "<div class=\"warn\" role=\"note\"><ul>";
        for (const std::string& warning : page.warnings) out += fmt::format("<li>{}</li>", escaped(warning));
        out += "</ul></div>\n";
    }
    out += "<dl class=\"facts\">";
    for (const Fact& fact : page.facts)
        out += fmt::format("<div><dt>{}</dt><dd>{}{}{}</dd></div>", escaped(fact.label),
                           escaped(pretty(fact.cell)), fact.unit.empty() ? "" : " ", escaped(fact.unit));
    out += "</dl>\n<nav>";
    for (const Section& section : page.sections)
        out += fmt::format("<a href=\"#{}\">{}</a> ", escaped(section.key), escaped(section.title));
    out += "</nav></header>\n<main>\n";
    for (const Section& section : page.sections) out += section_html(section);
    if (!page.configuration.empty())
        out += fmt::format("<details><summary>Configuration of the run</summary><pre>{}</pre></details>\n",
                           escaped(page.configuration));
    return out + "</main></body></html>\n";
}

std::string index_html(const std::string& title, const std::string& subtitle,
                       const std::vector<Column>& columns, const std::vector<IndexRow>& rows) {
    std::string out = head(title, true);
    out += fmt::format(
        "<h1>{}</h1>\n<p class=\"sub\">{}</p>\n<div class=\"scroll\"><table class=\"cards\"><thead><tr>",
        escaped(title), escaped(subtitle));
    std::vector<std::size_t> told;  // columns that say something
    for (std::size_t i = 0; i < columns.size(); ++i)
        if (rows.empty() || !std::all_of(rows.begin(), rows.end(),
                                         [&](const IndexRow& row) { return is_empty(row.cells[i]); }))
            told.push_back(i);
    for (const std::size_t i : told) out += fmt::format("<th>{}</th>", escaped(label_of(columns[i])));
    out += "</tr></thead>\n<tbody>";
    for (const IndexRow& row : rows) {
        out += "<tr>";
        for (const std::size_t i : told) {
            const Cell& cell = row.cells[i];
            const std::string key = cell.kind == Cell::Kind::text ? cell.text
                                    : std::isfinite(cell.value)   ? fmt::format("{}", cell.value)
                                                                  : std::string();
            const std::string shown = escaped(pretty(cell));
            out +=
                fmt::format("<td{} data-label=\"{}\" data-sort=\"{}\">{}</td>", css(cell, columns[i]),
                            escaped(label_of(columns[i])), escaped(key),
                            i == 0 ? fmt::format("<a href=\"{}\">{}</a>", escaped(row.file), shown) : shown);
        }
        out += "</tr>\n";
    }
    return out + "</tbody></table></div>\n" + sorter + "</body></html>\n";
}

}  // namespace xsift::report
