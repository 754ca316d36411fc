#pragma once
/// @file
/// The catalogue as a FITS file: one checked wrapper around cfitsio, rows as bytes, checksums without a date.

#include "catalogue_columns.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <fitsio.h>

namespace xsift::io::catalogue {

/// What the primary header says.
struct Identity {
    std::string survey_checksum, configuration_checksum;
    std::int64_t survey_sources = 0, first_source = 0, n_sources = 0;
    bool selection = false;
};

/// An open cfitsio handle.
struct FitsCloser {
    void operator()(fitsfile* fits) const noexcept;
};
using FitsHandle = std::unique_ptr<fitsfile, FitsCloser>;

/// A FITS file being written. Every failure is an Error that tells a full disk from other causes.
class OutputFile {
  public:
    /// @param path the file written; @param target the name that errors tell.
    OutputFile(const std::string& path, std::string target);

    void write_identity(const Identity& identity);
    void close();

  private:
    friend class TableWriter;
    /// @throws Error when a cfitsio call failed.
    void check(int status) const;
    void reserve_checksums();
    void write_checksums();

    std::string path_, target_;
    FitsHandle fits_;
};

/// Appends a table to the file. The number of rows is known beforehand.
class TableWriter {
  public:
    TableWriter(OutputFile& file, const Layout& layout, std::int64_t rows);
    /// Room for the next row; the caller fills all of it before the next call.
    char* next_row();
    /// @throws Error (internal, "RESULTS_CHANGED") when the rows were not as many as announced.
    void finish();

  private:
    void write_header(const Layout& layout);
    void flush();

    OutputFile& file_;
    std::string name_;
    std::int64_t row_bytes_, rows_, chunk_rows_, written_ = 0, pending_ = 0;
    std::vector<char> chunk_;
};

/// A catalogue opened for reading. @throws Error (corrupt_file) when it is no catalogue or not of this
/// layout.
class InputFile {
  public:
    explicit InputFile(const std::string& path);

    const std::string& path() const { return path_; }
    const Identity& identity() const { return identity_; }

    /// Moves to a table and returns how it is stored.
    Layout open_table(const std::string& name);
    std::int64_t rows() const { return rows_; }
    /// Byte of the file at which the rows of the open table begin.
    std::int64_t data_offset();
    /// Rows [first, first + count) of the open table.
    const char* read_rows(std::int64_t first, std::int64_t count);

    /// What is wrong with the HDUs and their checksums, empty when nothing is.
    std::vector<std::string> hdu_findings();
    [[noreturn]] void corrupt(const std::string& why) const;

  private:
    void check(int status, const std::string& action) const;
    /// @throws Error (corrupt_file) for what cfitsio does not survive.
    void check_headers(std::ifstream& in);
    void read_identity();
    std::string text_key(const std::string& key, bool required);
    std::int64_t integer_key(const std::string& key);
    /// Values of root1 to rootN, empty where there is none. One pass over the header, where single look-ups
    /// are one each.
    std::vector<std::string> text_keys(const std::string& root, std::int64_t n);

    std::string path_;
    FitsHandle fits_;
    Identity identity_;
    std::int64_t rows_ = 0, row_bytes_ = 0;
    std::vector<char> buffer_;
};

/// Rows of SOURCES, PERIODS, PF_LIMITS, PROFILES, SPECTRAL_FITS, PARAMETERS, FLUXES, VARIABILITY, FLARES,
/// COUNTERPARTS, CLASSES, QUARANTINE.
using RowCounts = std::array<std::int64_t, 12>;

template <typename Visit>
void for_each_result_table(Tables& tables, Visit&& visit) {
    visit(tables.sources, 0);
    visit(tables.periods, 1);
    visit(tables.limits, 2);
    visit(tables.profiles, 3);
    visit(tables.fits, 4);
    visit(tables.parameters, 5);
    visit(tables.fluxes, 6);
    visit(tables.variability, 7);
    visit(tables.flares, 8);
    visit(tables.counterparts, 9);
    visit(tables.classes, 10);
    visit(tables.quarantine, 11);
}

/// The tables that say where a catalogue comes from; the same for every shard.
void write_origin(OutputFile& file, Tables& tables, const CatalogueInfo& info);

/// Rows that make a chunk of a few MB.
std::int64_t rows_per_chunk(std::int64_t row_bytes);

/// A catalogue and its tables, with the widths of this file and its extra columns; checks that all columns
/// are there.
struct OpenCatalogue {
    explicit OpenCatalogue(const std::string& path);

    InputFile file;
    Steps steps;
    std::vector<ExtraColumn> extra_columns;
    Tables tables;

    /// Calls visit(row) for each row of a table in [first, first + count), in chunks; stops when visit
    /// returns false.
    template <typename Row, typename Visit>
    void for_each_row(const Table<Row>& table, Visit&& visit, std::int64_t first = 0,
                      std::int64_t count = -1) {
        const Layout layout = file.open_table(table.name);
        const std::int64_t end = count < 0 ? file.rows() : std::min(file.rows(), first + count);
        const std::int64_t row_bytes = layout.row_bytes(), chunk = rows_per_chunk(row_bytes);
        for (; first < end; first += chunk) {
            const std::int64_t n = std::min(chunk, end - first);
            const char* bytes = file.read_rows(first, n);
            for (std::int64_t i = 0; i < n; ++i)
                if (!visit(table.decode_row(bytes + i * row_bytes))) return;
        }
    }
};

/// The identity, extra columns, provenance and configuration; of the quarantine only the rows without a
/// source.
CatalogueInfo read_info(OpenCatalogue& catalogue);

}  // namespace xsift::io::catalogue
