#pragma once
/// @file
/// Pages as HTML, JSON and SVG.

#include <string>
#include <utility>
#include <vector>

#include <xsift/report/page.hpp>

namespace xsift::report {

/// Escapes text for HTML and SVG: also control characters and what is not UTF-8.
std::string escaped(const std::string& text);

/// A figure as an <svg> element; "" when it has nothing finite to show.
/// @param standalone with the colours in it, for a file of its own; otherwise they come from the page
std::string svg(const Figure& figure, bool standalone);

/// One self-contained page: inline SVG, no scripts, no network; follows the light or dark theme; printable.
std::string html(const Page& page);

/// The same content for machines.
std::string json(const Page& page);

/// Figures that have something to show as complete SVG files: key and content.
std::vector<std::pair<std::string, std::string>> svg_files(const Page& page);

/// A source of an index: where its page lies and what its row says (in the order of the columns).
struct IndexRow {
    std::string file;
    std::vector<Cell> cells;
};
/// The page that leads to the dossiers: a table that a script in it sorts; without scripts it stays as it is.
std::string index_html(const std::string& title, const std::string& subtitle,
                       const std::vector<Column>& columns, const std::vector<IndexRow>& rows);

}  // namespace xsift::report
