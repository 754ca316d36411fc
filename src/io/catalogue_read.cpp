#include "catalogue_file.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <unordered_map>

#include <fmt/format.h>

#include <xsift/core/error.hpp>
#include <xsift/io/catalogue.hpp>

namespace xsift::io {

using namespace catalogue;

namespace {

std::int64_t count_rows(InputFile& file, const std::string& table) {
    file.open_table(table);
    return file.rows();
}

bool has_infinity(Cell cell) {
    if (auto* const* bins = std::get_if<ProfileBins*>(&cell))
        return std::any_of((*bins)->begin(), (*bins)->end(), [](double v) { return std::isinf(v); });
    auto* const* value = std::get_if<double*>(&cell);
    return value != nullptr && std::isinf(**value);
}

/// Collects findings; many of one sort are told once.
class Findings {
  public:
    void add(const std::string& sort, const std::string& example) {
        if (counts_[sort]++ == 0) order_.emplace_back(sort, example);
    }
    void add(const std::string& finding) { order_.emplace_back(finding, ""); }
    std::vector<std::string> list() const {
        std::vector<std::string> all;
        for (const auto& [sort, example] : order_)
            all.push_back(example.empty()
                              ? sort
                              : fmt::format("{}: {} times, first {}", sort, counts_.at(sort), example));
        return all;
    }

  private:
    std::unordered_map<std::string, std::int64_t> counts_;
    std::vector<std::pair<std::string, std::string>> order_;
};

using SourceOrder = std::unordered_map<std::string, std::int64_t>;

/// The places of all sources of a catalogue, by a 64-bit hash of their identifiers: 16 bytes a source. Two of
/// ten million identifiers share a hash with a probability of 3e-6.
class SourcePlaces {
  public:
    void add(const std::string& id) { places_.emplace_back(hash(id), std::ssize(places_)); }
    /// Sorts what was added; calls repeated(place) for each place whose source stands at an earlier one too.
    template <typename Visit>
    void seal(const Visit& repeated) {
        std::sort(places_.begin(), places_.end());
        for (std::size_t i = 1; i < places_.size(); ++i)
            if (places_[i].first == places_[i - 1].first) repeated(places_[i].second);
    }
    /// The first place of the source, or -1.
    std::int64_t find(const std::string& id) const {
        const std::pair<std::uint64_t, std::int64_t> wanted{hash(id), 0};
        const auto at = std::lower_bound(places_.begin(), places_.end(), wanted);
        return at != places_.end() && at->first == wanted.first ? at->second : -1;
    }

  private:
    static std::uint64_t hash(const std::string& id) { return std::hash<std::string>{}(id); }
    std::vector<std::pair<std::uint64_t, std::int64_t>> places_;
};

template <typename Row>
void check_values(const Table<Row>& table, Row& row, Findings& findings) {
    for (const auto& column : table.columns)
        if (has_infinity(column.cell(row)))
            findings.add(fmt::format("{}.{} holds an infinity", table.name, column.name), "");
}

SourcePlaces check_sources(OpenCatalogue& catalogue, Findings& findings) {
    SourcePlaces places;
    std::int64_t rows = 0;
    catalogue.for_each_row(catalogue.tables.sources, [&](SourceRow row) {
        places.add(row.source.id);
        ++rows;
        check_values(catalogue.tables.sources, row, findings);
        return true;
    });
    places.seal([&](std::int64_t place) {
        findings.add("a source stands twice in SOURCES", fmt::format("in row {}", place + 1));
    });
    const Identity& identity = catalogue.file.identity();
    if (rows != identity.n_sources)
        findings.add(fmt::format("SOURCES has {} rows, the header says {}", rows, identity.n_sources));
    if (identity.first_source < 0 || identity.first_source + rows > identity.survey_sources)
        findings.add("the file holds more sources than the survey");
    return places;
}

/// Rows of a table have to name sources of SOURCES, in its order.
template <typename Row>
void check_rows(OpenCatalogue& catalogue, const Table<Row>& table, const SourcePlaces& places,
                bool may_be_blank, Findings& findings) {
    std::int64_t last = -1;
    catalogue.for_each_row(table, [&](Row row) {
        check_values(table, row, findings);
        if (row.source_id.empty() && may_be_blank) return true;
        const std::int64_t place = places.find(row.source_id);
        if (place < 0) {
            findings.add(fmt::format("a row of {} belongs to no source", table.name),
                         "'" + row.source_id + "'");
            return true;
        }
        if (place < last)
            findings.add(fmt::format("rows of {} are not in the order of SOURCES", table.name),
                         row.source_id);
        last = place;
        return true;
    });
}

/// Hands rows of a table to the results they belong to. Rows of neighbouring sources are neighbours: stops
/// behind them.
template <typename Row, typename Assign>
void assign_rows(OpenCatalogue& catalogue, const Table<Row>& table, const SourceOrder& wanted,
                 Assign&& assign) {
    bool inside = false;
    catalogue.for_each_row(table, [&](Row row) {
        const auto found = wanted.find(row.source_id);
        if (found == wanted.end()) return !inside;
        inside = true;
        assign(static_cast<std::size_t>(found->second), row);
        return true;
    });
}

}  // namespace

CatalogueInfo catalogue::read_info(OpenCatalogue& catalogue) {
    const Identity& identity = catalogue.file.identity();
    CatalogueInfo info;
    info.survey_checksum = identity.survey_checksum;
    info.survey_sources = identity.survey_sources;
    info.first_source = identity.first_source;
    info.n_sources = identity.n_sources;
    info.selection = identity.selection;
    info.extra_columns = catalogue.extra_columns;
    info.steps = catalogue.steps;
    catalogue.for_each_row(catalogue.tables.configuration, [&](const LineRow& row) {
        info.configuration += row.line + '\n';
        return true;
    });
    catalogue.for_each_row(catalogue.tables.provenance, [&](const KeyValueRow& row) {
        info.provenance.emplace_back(row.key, row.value);
        return true;
    });
    catalogue.for_each_row(catalogue.tables.quarantine, [&](const QuarantineRow& row) {
        if (row.source_id.empty()) info.ingest_quarantine.push_back(row);
        return row.source_id.empty();
    });
    return info;
}

CatalogueSummary describe_catalogue(const std::string& path) {
    OpenCatalogue catalogue(path);
    return {read_info(catalogue), count_rows(catalogue.file, "PERIODS"),
            count_rows(catalogue.file, "SPECTRAL_FITS"), count_rows(catalogue.file, "COUNTERPARTS"),
            count_rows(catalogue.file, "QUARANTINE")};
}

std::vector<std::string> verify_catalogue(const std::string& path) {
    Findings findings;
    InputFile file(path);
    try {
        for (const std::string& finding : file.hdu_findings()) findings.add(finding);
        OpenCatalogue catalogue(path);
        const SourcePlaces places = check_sources(catalogue, findings);
        check_rows(catalogue, catalogue.tables.periods, places, false, findings);
        check_rows(catalogue, catalogue.tables.limits, places, false, findings);
        check_rows(catalogue, catalogue.tables.profiles, places, false, findings);
        check_rows(catalogue, catalogue.tables.fits, places, false, findings);
        check_rows(catalogue, catalogue.tables.parameters, places, false, findings);
        check_rows(catalogue, catalogue.tables.fluxes, places, false, findings);
        check_rows(catalogue, catalogue.tables.variability, places, false, findings);
        check_rows(catalogue, catalogue.tables.flares, places, false, findings);
        check_rows(catalogue, catalogue.tables.counterparts, places, false, findings);
        check_rows(catalogue, catalogue.tables.classes, places, false, findings);
        check_rows(catalogue, catalogue.tables.quarantine, places, true, findings);
    } catch (const Error& error) {
        findings.add(error.what());
    }
    return findings.list();
}

std::vector<std::string> read_source_ids(const std::string& path, std::int64_t first, std::int64_t count) {
    OpenCatalogue catalogue(path);
    std::vector<std::string> ids;
    catalogue.for_each_row(
        catalogue.tables.sources,
        [&](SourceRow row) {
            ids.push_back(std::move(row.source.id));
            return true;
        },
        first, count);
    return ids;
}

std::vector<SourceResult> read_results(const std::string& path, std::int64_t first, std::int64_t count) {
    OpenCatalogue catalogue(path);
    std::vector<SourceRow> rows;
    std::vector<SourceResult> results;
    SourceOrder wanted;
    catalogue.for_each_row(
        catalogue.tables.sources,
        [&](SourceRow row) {
            wanted.emplace(row.source.id, static_cast<std::int64_t>(results.size()));
            results.push_back(row);
            rows.push_back(std::move(row));
            return true;
        },
        first, count);
    assign_rows(catalogue, catalogue.tables.periods, wanted, [&](std::size_t i, const PeriodRow& row) {
        results[i].candidates.push_back(candidate_of(row));
    });
    assign_rows(catalogue, catalogue.tables.limits, wanted,
                [&](std::size_t i, const LimitRow& row) { results[i].limits.push_back(row); });
    assign_rows(catalogue, catalogue.tables.profiles, wanted,
                [&](std::size_t i, const ProfileRow& row) { results[i].profiles.push_back(row); });
    assign_rows(catalogue, catalogue.tables.fits, wanted,
                [&](std::size_t i, const FitRow& row) { results[i].fits.push_back(row); });
    const auto with_fit = [&](std::size_t i, const auto& row, const auto& take) {
        for (SpectralFit& fit : results[i].fits)
            if (fit.spectrum == row.spectrum && fit.model == row.model) take(fit);
    };
    assign_rows(catalogue, catalogue.tables.parameters, wanted, [&](std::size_t i, const ParameterRow& row) {
        with_fit(i, row, [&](SpectralFit& fit) { fit.parameters.push_back(row); });
    });
    assign_rows(catalogue, catalogue.tables.fluxes, wanted, [&](std::size_t i, const FluxRow& row) {
        with_fit(i, row, [&](SpectralFit& fit) { fit.fluxes.push_back(row); });
    });
    assign_rows(catalogue, catalogue.tables.variability, wanted,
                [&](std::size_t i, const VariabilityRow& row) { results[i].variability.push_back(row); });
    assign_rows(catalogue, catalogue.tables.flares, wanted,
                [&](std::size_t i, const FlareRow& row) { results[i].flares.push_back(row); });
    assign_rows(
        catalogue, catalogue.tables.counterparts, wanted,
        [&](std::size_t i, const CounterpartRow& row) { results[i].character.counterparts.push_back(row); });
    assign_rows(catalogue, catalogue.tables.classes, wanted,
                [&](std::size_t i, const ClassRow& row) { results[i].character.classes.push_back(row); });
    assign_rows(catalogue, catalogue.tables.quarantine, wanted,
                [&](std::size_t i, const QuarantineRow& row) { results[i].quarantine.push_back(row); });
    for (std::size_t i = 0; i < results.size(); ++i) find_best(rows[i], results[i]);
    return results;
}

}  // namespace xsift::io
