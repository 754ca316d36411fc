#pragma once
/// @file
/// Tables of sources (FITS or CSV).

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <xsift/data/source.hpp>

namespace xsift::io {

struct SourceList {
    std::vector<Source> sources;  ///< as in the file; extra is parallel to extra_columns
    std::vector<ExtraColumn>
        extra_columns;  ///< every column that is none of id, name, ra, dec, position error
};

/// Reads a source list. Columns are found by name, whatever the case: id (ID, SRCID, SOURCE_ID, ...), name,
/// ra, dec (deg), pos_err (arcsec). Only the id must be there. Empty fields of a CSV file and NaN are null.
/// @throws Error (usage, "BAD_SOURCE_LIST") for a list without ids, with an id twice, or with a position that
/// is none.
SourceList read_source_list(const std::string& path);

/// A column of a table, its values as text or as numbers.
struct TableColumn {
    std::string name, unit;
    ExtraColumn::Type type = ExtraColumn::Type::text;
    std::vector<std::string> text;
    std::vector<double> real;  ///< NaN: null
    std::vector<std::int64_t> integer;

    std::size_t rows() const;
    bool null(std::size_t row) const;
    std::string as_text(std::size_t row) const;
    /// NaN for a null and for a text.
    double as_number(std::size_t row) const;
};
/// All columns of single values of the first table of a FITS file, or of a CSV file.
std::vector<TableColumn> read_table(const std::string& path);
/// The column of some name, whatever the case of its ASCII letters, or nullptr.
const TableColumn* find_column(const std::vector<TableColumn>& columns, std::string_view name);

/// A CSV table: fields may be quoted ("" is a quote), lines that start with # and empty lines are skipped.
struct CsvTable {
    std::vector<std::string> header;
    std::vector<std::vector<std::string>> rows;  ///< each as long as the header
    /// The column of some name, whatever the case, or -1.
    int column(std::string_view name) const;
};
/// @throws Error (usage, "BAD_CSV") when a row has another number of fields, or a quote is not closed.
CsvTable read_csv(const std::string& path);

}  // namespace xsift::io
