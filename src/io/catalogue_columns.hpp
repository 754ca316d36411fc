#pragma once
/// @file
/// The columns of the catalogue: one table that the writer, the merge, the reader, verify and the
/// documentation share.
///
/// A new column is one line in catalogue_columns.cpp (and its value in the row it belongs to).

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include <xsift/data/results.hpp>
#include <xsift/io/catalogue.hpp>

namespace xsift::io::catalogue {

// Rows of the tables: what is stored, flat, so that every column is bound to one member for writing and
// reading.

struct SourceRow : SourceResult {
    double period = not_measured, period_error = not_measured;
    double st_pvalue = not_measured;
    double pf_ul = not_measured, pf_ul_fmax = not_measured;
    std::string best_model;
    Estimate flux;
};
struct PeriodRow : PeriodCandidate {
    std::string source_id, veto_text;
};
struct LimitRow : PulsedFractionLimit {
    std::string source_id;
};
struct ProfileRow : PhaseProfile {
    std::string source_id;
};
struct FitRow : SpectralFit {
    std::string source_id;
};
struct VariabilityRow : Variability {
    std::string source_id;
};
struct FlareRow : Flare {
    std::string source_id;
};
struct CounterpartRow : Counterpart {
    std::string source_id;
};
struct ClassRow : ClassProbability {
    std::string source_id;
};
struct ParameterRow : FittedParameter {
    std::string source_id, spectrum, model;
};
struct FluxRow : FluxEstimate {
    std::string source_id, spectrum, model;
};
struct KeyValueRow {
    std::string key, value;
};
struct LineRow {
    std::string line;
};

SourceRow source_row(const SourceResult& result);
/// What a row says of the period and its probability, anew after a review.
void set_period(const SourceResult& result, SourceRow& row);
PeriodRow period_row(const SourceResult& result, const PeriodCandidate& candidate);
LimitRow limit_row(const SourceResult& result, const PulsedFractionLimit& limit);
ProfileRow profile_row(const SourceResult& result, const PhaseProfile& profile);
FitRow fit_row(const SourceResult& result, const SpectralFit& fit);
ParameterRow parameter_row(const SourceResult& result, const SpectralFit& fit,
                           const FittedParameter& parameter);
FluxRow flux_row(const SourceResult& result, const SpectralFit& fit, const FluxEstimate& flux);

/// Undo source_row and period_row; best_period and best_fit are found again once candidates and fits are
/// there.
PeriodCandidate candidate_of(const PeriodRow& row);
void find_best(const SourceRow& row, SourceResult& result);

/// Where a cell's value lives in its row.
using Cell =
    std::variant<double*, std::int32_t*, std::uint32_t*, std::string*, bool*, ExtraValue*, ProfileBins*>;

/// How a column is stored. Types are those of FITS: A text, D double, J 32-bit and K 64-bit integer, L
/// logical.
struct ColumnFormat {
    std::string name;
    char type = 'D';
    std::int64_t width = 1;  ///< characters of text, grows with the data; elements of an array; 1 otherwise
    std::string unit, ucd, display, comment;

    std::int64_t bytes() const;
};

/// A table as stored, without what its rows mean.
struct Layout {
    std::string name;
    std::vector<ColumnFormat> columns;

    std::int64_t row_bytes() const;
};

template <typename Row>
struct Column : ColumnFormat {
    std::function<Cell(Row&)> cell;
    std::string
        step;  ///< of the characterisation: the column is there when the step was taken; empty: always
};

/// Bytes of text that a cell needs; 1 for numbers.
std::int64_t needed_width(Cell cell);
/// Writes a cell as FITS stores it, ColumnFormat::bytes() of them. NaN and infinity become null.
void encode(const ColumnFormat& column, Cell cell, char* bytes);
void decode(const ColumnFormat& column, const char* bytes, Cell cell);

template <typename Row>
struct Table {
    std::string name;
    std::vector<Column<Row>> columns;

    void widen(Row& row) {
        for (auto& column : columns)
            if (column.type == 'A') column.width = std::max(column.width, needed_width(column.cell(row)));
    }
    void encode_row(Row& row, char* bytes) const {
        for (const auto& column : columns) {
            encode(column, column.cell(row), bytes);
            bytes += column.bytes();
        }
    }
    Row decode_row(const char* bytes, Row row = {}) const {
        for (const auto& column : columns) {
            decode(column, bytes, column.cell(row));
            bytes += column.bytes();
        }
        return row;
    }
    Layout layout() const { return {name, {columns.begin(), columns.end()}}; }
};

/// Steps of the characterisation whose columns SOURCES may hold.
using Steps = std::vector<std::string>;

/// All tables, in the order of the file. Extra columns of the source list follow the columns of SOURCES.
struct Tables {
    /// @param steps the steps of the characterisation that were taken; the columns of others are absent
    Tables(const std::vector<ExtraColumn>& extra_columns, const Steps& steps);
    /// Every column that may be there.
    static Tables complete();

    Table<SourceRow> sources;
    Table<PeriodRow> periods;
    Table<LimitRow> limits;
    Table<ProfileRow> profiles;
    Table<FitRow> fits;
    Table<ParameterRow> parameters;
    Table<FluxRow> fluxes;
    Table<VariabilityRow> variability;
    Table<FlareRow> flares;
    Table<CounterpartRow> counterparts;
    Table<ClassRow> classes;
    Table<QuarantineRow> quarantine;
    Table<KeyValueRow> provenance;
    Table<LineRow> configuration;

    /// Calls visit(table) for each, in order.
    template <typename Visit>
    void for_each(Visit&& visit) {
        visit(sources);
        visit(periods);
        visit(limits);
        visit(profiles);
        visit(fits);
        visit(parameters);
        visit(fluxes);
        visit(variability);
        visit(flares);
        visit(counterparts);
        visit(classes);
        visit(quarantine);
        visit(provenance);
        visit(configuration);
    }
};

/// Printable ASCII as FITS demands: another character becomes '?', white space a blank; no blanks at the end.
std::string fits_text(const std::string& text);

}  // namespace xsift::io::catalogue
