#pragma once
/// @file
/// What a page holds, without any mark-up: texts, tables, figures. Writers turn it into HTML, JSON or SVG, so
/// that all three say the same.

#include <string>
#include <vector>

#include <xsift/data/estimate.hpp>
#include <xsift/data/source.hpp>

namespace xsift::report {

/// A cell of a table: text, or a number with what belongs to it. A number that was not measured is NaN.
struct Cell {
    enum class Kind { text, number, error, interval };
    Kind kind = Kind::text;
    std::string text;
    double value = not_measured, error = not_measured;  ///< error: 1 sigma
    double lo = not_measured, hi = not_measured;        ///< ends of an interval
    int digits = 4;                                     ///< significant ones shown
};
Cell text_cell(std::string text);
Cell number_cell(double value, int digits = 4);
/// value +- error, to two digits of the error.
Cell error_cell(double value, double error);
Cell interval_cell(const Estimate& estimate, int digits = 3);

/// A number as people write it: 1.23 × 10⁻¹³; – when not measured.
std::string pretty(double value, int digits = 4);
/// 10⁻¹².
std::string power_of_ten(int exponent);
/// A cell as people write it.
std::string pretty(const Cell& cell);

struct Column {
    std::string key, label, unit = {};  ///< key: for machines
    bool wide = false;                  ///< a text that may take several lines
    bool hoist = false;                 ///< said once, in the title, where all rows agree
};
struct Row {
    std::vector<Cell> cells;
    bool chosen = false;  ///< the one that is offered
};
struct Table {
    std::string key, title;
    std::vector<Column> columns;
    std::vector<Row> rows;
};

/// Data of a plot in one colour.
struct Series {
    enum class Kind {
        points,   ///< with errors, if they are given
        limits,   ///< upper limits: arrows that point down
        line,     ///< through all points; NaN interrupts it
        bars,     ///< rectangles from x_lo to x_hi and y_lo to y_hi
        circles,  ///< around x, y with radius x_hi - x in units of x
    };
    Kind kind = Kind::points;
    std::string label;  ///< for the legend; may be empty
    int tone = 0;       ///< colour, 0 to 5
    std::vector<double> x, y;
    std::vector<double> x_lo, x_hi, y_lo, y_hi;  ///< ends of errors or bars; empty: none
    std::vector<std::string> names;              ///< written at the points; empty: none
    bool dashed = false, faint = false;
};

/// A line across a panel at one value.
struct Rule {
    bool vertical = false;
    double at = 0.0;
    std::string label;
    int tone = 1;
    bool dashed = true;
};

struct Axis {
    std::string label;  ///< with the unit
    bool logarithmic = false;
    bool reversed = false;
    bool from_zero = false;
    double lo = not_measured, hi = not_measured;  ///< NaN: from the data
    std::vector<std::string> categories;          ///< names of 0, 1, 2, ...: no ticks but these
};

/// One of the plots that a figure has above each other.
struct Panel {
    Axis y;
    std::vector<Series> series;
    std::vector<Rule> rules;
    double height = 200.0;  ///< of the frame, in px of a figure 460 px wide
};

struct Figure {
    std::string key, title, caption;
    Axis x;  ///< of all panels
    std::vector<Panel> panels;
    bool square = false;  ///< x and y in the same scale
};

struct Section {
    std::string key, title;
    std::vector<std::string> paragraphs;
    std::vector<Figure> figures;
    std::vector<Table> tables;
    std::vector<std::string> missing;  ///< what is not here, and why
};

/// A short statement: Period, 1396.5 s.
struct Fact {
    std::string key, label;
    Cell cell;
    std::string unit;
};

struct Page {
    std::string id, title, subtitle;
    std::vector<std::string> verdict;   ///< two sentences
    std::vector<std::string> warnings;  ///< what can be said against them
    std::vector<Fact> facts;
    std::vector<Section> sections;
    std::string configuration;  ///< TOML
};

}  // namespace xsift::report
