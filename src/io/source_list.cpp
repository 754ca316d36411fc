#include "fits_handle.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <fstream>
#include <iterator>
#include <set>
#include <span>

#include <fmt/format.h>

#include <xsift/core/error.hpp>
#include <xsift/io/source_list.hpp>

namespace xsift::io {
namespace {

using Names = std::span<const std::string_view>;
constexpr auto id_names =
    std::to_array<std::string_view>({"id", "srcid", "source_id", "src_id", "srcnum", "src_num", "detid"});
constexpr auto name_names =
    std::to_array<std::string_view>({"name", "source_name", "iauname", "src_name", "designation"});
constexpr auto ra_names =
    std::to_array<std::string_view>({"ra", "raj2000", "ra_icrs", "ra_deg", "_raj2000", "sc_ra"});
constexpr auto dec_names = std::to_array<std::string_view>(
    {"dec", "dej2000", "de_icrs", "dec_deg", "decj2000", "_dej2000", "sc_dec"});
constexpr auto error_names = std::to_array<std::string_view>(
    {"pos_err", "poserr", "position_error", "radec_err", "sc_poserr", "err_pos"});

using Column = TableColumn;

template <typename T>
bool parse(std::string_view text, T& value) {
    if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    return failure == std::errc{} && end == text.data() + text.size();
}

std::string trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return std::string(text.substr(first, text.find_last_not_of(" \t") - first + 1));
}

/// Finds the type that all fields of a CSV column have. Integers with an empty field become reals: there is
/// no null integer in a column of numbers.
void give_type(Column& column) {
    bool integers = true, reals = true, any = false;
    for (const std::string& field : column.text) {
        std::int64_t whole = 0;
        double real = 0.0;
        integers = integers && parse(field, whole);
        if (field.empty()) continue;
        any = true;
        reals = reals && parse(field, real);
    }
    if (!any || !reals) return;
    column.type = integers ? ExtraColumn::Type::integer : ExtraColumn::Type::real;
    for (const std::string& field : column.text) {
        std::int64_t whole = 0;
        double real = not_measured;
        if (integers) parse(field, whole), column.integer.push_back(whole);
        if (!integers && !field.empty()) parse(field, real);
        if (!integers) column.real.push_back(real);
    }
}

std::vector<Column> csv_columns(const std::string& path) {
    const CsvTable table = read_csv(path);
    std::vector<Column> columns(table.header.size());
    for (std::size_t c = 0; c < columns.size(); ++c) {
        columns[c].name = table.header[c];
        for (const auto& row : table.rows) columns[c].text.push_back(row[c]);
        // Identifiers and names stay as they are written: 0760940101 is no number.
        const auto is = [&](std::string_view name) { return same_word(name, columns[c].name); };
        if (std::none_of(id_names.begin(), id_names.end(), is) &&
            std::none_of(name_names.begin(), name_names.end(), is))
            give_type(columns[c]);
    }
    return columns;
}

std::vector<Column> fits_columns(const std::string& path) {
    FitsHandle fits(path);
    const HduInfo* hdu = fits.find_table([](const HduInfo&) { return true; });
    if (hdu == nullptr)
        throw Error(ErrorKind::usage, "BAD_SOURCE_LIST", path + ": holds no table", {},
                    "Give a table of sources.");
    fits.select(*hdu);
    std::vector<Column> columns;
    for (int c = 1; c <= fits.columns(); ++c) {
        Column column;
        column.name = fits.column_name(c);
        column.unit = fits.column_unit(c);
        const auto [type, repeat] = fits.column_type(c);
        if (type == TSTRING || type == TLOGICAL) {
            column.text = fits.texts(c);
        } else if (type < 0 || repeat != 1 || type == TCOMPLEX || type == TDBLCOMPLEX || type == TBIT) {
            continue;  // arrays have no place in a row of the catalogue
        } else if (type == TDOUBLE || type == TFLOAT || !fits.own_text(fmt::format("TNULL{}", c)).empty()) {
            column.type = ExtraColumn::Type::real;
            column.real = fits.numbers(c);
        } else {
            column.type = ExtraColumn::Type::integer;
            column.integer = fits.integers(c);
        }
        columns.push_back(std::move(column));
    }
    return columns;
}

/// Takes the first column that has one of some names out of the list of further columns.
const Column* take(const std::vector<Column>& columns, std::set<const Column*>& further, Names names) {
    for (std::string_view name : names)
        for (const Column& column : columns)
            if (same_word(column.name, name)) {
                further.erase(&column);
                return &column;
            }
    return nullptr;
}

ExtraValue extra_value(const Column& column, std::size_t row) {
    ExtraValue value;
    value.null = column.null(row);
    if (column.type == ExtraColumn::Type::text) value.text = column.text[row];
    if (column.type == ExtraColumn::Type::real) value.real = column.real[row];
    if (column.type == ExtraColumn::Type::integer) value.integer = column.integer[row];
    return value;
}

}  // namespace

std::size_t TableColumn::rows() const {
    return std::max({text.size(), real.size(), integer.size()});
}

bool TableColumn::null(std::size_t row) const {
    return type == ExtraColumn::Type::text ? text[row].empty()
                                           : type == ExtraColumn::Type::real && std::isnan(real[row]);
}

const TableColumn* find_column(const std::vector<TableColumn>& columns, std::string_view name) {
    const auto found = std::find_if(columns.begin(), columns.end(),
                                    [&](const TableColumn& one) { return same_word(one.name, name); });
    return found == columns.end() ? nullptr : &*found;
}

std::string TableColumn::as_text(std::size_t row) const {
    if (type == ExtraColumn::Type::integer) return std::to_string(integer[row]);
    if (type == ExtraColumn::Type::real) return std::isnan(real[row]) ? "" : fmt::format("{}", real[row]);
    return text[row];
}

double TableColumn::as_number(std::size_t row) const {
    if (type == ExtraColumn::Type::integer) return static_cast<double>(integer[row]);
    return type == ExtraColumn::Type::real ? real[row] : not_measured;
}

std::vector<TableColumn> read_table(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    std::string start(6, '\0');
    in.read(start.data(), static_cast<std::streamsize>(start.size()));
    return start.starts_with("SIMPLE") || start.starts_with("\x1f\x8b") ? fits_columns(path)
                                                                        : csv_columns(path);
}

int CsvTable::column(std::string_view name) const {
    for (std::size_t i = 0; i < header.size(); ++i)
        if (same_word(header[i], name)) return static_cast<int>(i);
    return -1;
}

CsvTable read_csv(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) throw Error(ErrorKind::usage, "BAD_CSV", path + ": cannot be read", {}, "Check the name.");
    const std::string content{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    CsvTable table;
    std::vector<std::string> row;
    std::string field;
    bool quoted = false, was_quoted = false;
    std::size_t line = 1;
    const auto end_field = [&] {
        row.push_back(was_quoted ? field : trimmed(field));
        field.clear();
        was_quoted = false;
    };
    const auto end_row = [&] {
        const bool blank = row.empty() && !was_quoted && trimmed(field).empty();
        const bool comment = row.empty() && field.starts_with('#');
        if (!blank && !comment) {
            end_field();
            if (table.header.empty()) {
                table.header = row;
            } else if (row.size() == table.header.size()) {
                table.rows.push_back(row);
            } else {
                throw Error(ErrorKind::usage, "BAD_CSV", fmt::format("{}: line {}", path, line),
                            fmt::format("{} fields instead of {}", row.size(), table.header.size()),
                            "Correct the line.");
            }
        }
        row.clear();
        field.clear();
    };
    const std::size_t begin = content.starts_with("\xef\xbb\xbf") ? 3 : 0;  // byte order mark
    for (std::size_t i = begin; i < content.size(); ++i) {
        const char c = content[i];
        const bool comment = row.empty() && !quoted && field.starts_with('#');
        if (c == '\n') ++line;
        if (quoted && c == '"' && i + 1 < content.size() && content[i + 1] == '"') {
            field += content[++i];
        } else if (c == '"' && !comment && (quoted || trimmed(field).empty())) {
            quoted = !quoted;
            if (quoted) field.clear();
            was_quoted = true;
        } else if (quoted || comment) {
            if (comment && c == '\n')
                end_row();
            else
                field += c;
        } else if (c == ',') {
            end_field();
        } else if (c == '\n') {
            end_row();
        } else if (c != '\r' && !(was_quoted && (c == ' ' || c == '\t'))) {
            field += c;
        }
    }
    if (quoted) throw Error(ErrorKind::usage, "BAD_CSV", path + ": a quote is not closed", {}, "Close it.");
    end_row();
    return table;
}

SourceList read_source_list(const std::string& path) {
    const std::vector<Column> columns = read_table(path);

    std::set<const Column*> further;
    for (const Column& column : columns) further.insert(&column);
    const Column* id = take(columns, further, id_names);
    const Column* name = take(columns, further, name_names);
    const Column* ra = take(columns, further, ra_names);
    const Column* dec = take(columns, further, dec_names);
    const Column* error = take(columns, further, error_names);
    const auto fail = [&](const std::string& what) {
        throw Error(ErrorKind::usage, "BAD_SOURCE_LIST", path + ": " + what, {}, "Correct the source list.");
    };
    if (id == nullptr) fail("no column 'id'");

    SourceList list;
    for (const Column& column : columns)
        if (further.count(&column) != 0)
            list.extra_columns.push_back({column.name, column.unit, column.type});
    const std::size_t rows = id->rows();
    std::set<std::string> seen;
    for (std::size_t row = 0; row < rows; ++row) {
        Source source;
        source.id = id->as_text(row);
        if (source.id.empty()) fail(fmt::format("row {} has no id", row + 1));
        if (!seen.insert(source.id).second) fail(fmt::format("id '{}' is there twice", source.id));
        if (name != nullptr) source.name = name->as_text(row);
        if (ra != nullptr) source.ra = ra->as_number(row);
        if (dec != nullptr) source.dec = dec->as_number(row);
        if (error != nullptr) source.position_error = error->as_number(row);
        if (source.ra < 0.0 || source.ra > 360.0 || std::abs(source.dec) > 90.0)
            fail(fmt::format("the position of '{}' is none: {} {}", source.id, source.ra, source.dec));
        for (const Column& column : columns)
            if (further.count(&column) != 0) source.extra.push_back(extra_value(column, row));
        list.sources.push_back(std::move(source));
    }
    return list;
}

}  // namespace xsift::io
