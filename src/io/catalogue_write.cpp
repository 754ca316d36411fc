#include "catalogue_file.hpp"

#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>

#include <xsift/core/error.hpp>
#include <xsift/core/hash.hpp>
#include <xsift/io/atomic_file.hpp>
#include <xsift/io/catalogue.hpp>

namespace xsift::io {

namespace catalogue {
namespace {

Identity identity_of(const CatalogueInfo& info) {
    return {info.survey_checksum, content_hash(info.configuration),
            info.survey_sources,  info.first_source,
            info.n_sources,       info.selection};
}

std::vector<LineRow> lines_of(const std::string& text) {
    std::vector<LineRow> lines;
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        lines.push_back({text.substr(begin, end - begin)});
        begin = end + 1;
    }
    return lines;
}

/// Turns results into rows of the tables, with the quarantine of the ingest in its place.
class RowSource {
  public:
    explicit RowSource(const CatalogueInfo& info) : info_(info) {
        for (const QuarantineRow& row : info.ingest_quarantine)
            if (!row.source_id.empty()) ingest_[row.source_id].push_back(&row);
    }

    /// Calls visit(row) for the rows that belong to no source.
    template <typename Visit>
    void rows_before(const Table<QuarantineRow>&, Visit&& visit) const {
        const bool holds_first =
            info_.first_source == 0 && (info_.n_sources > 0 || info_.survey_sources == 0);
        if (!holds_first || info_.selection) return;
        for (QuarantineRow row : info_.ingest_quarantine)
            if (row.source_id.empty()) visit(row);
    }
    template <typename Row, typename Visit>
    void rows_before(const Table<Row>&, Visit&&) const {}

    /// Calls visit(row) for the rows of a result.
    template <typename Visit>
    void rows(const Table<SourceRow>&, const SourceResult& result, Visit&& visit) const {
        SourceRow row = source_row(result);
        visit(row);
    }
    template <typename Visit>
    void rows(const Table<PeriodRow>&, const SourceResult& result, Visit&& visit) const {
        for (const PeriodCandidate& candidate : result.candidates) {
            PeriodRow row = period_row(result, candidate);
            visit(row);
        }
    }
    template <typename Visit>
    void rows(const Table<LimitRow>&, const SourceResult& result, Visit&& visit) const {
        for (const PulsedFractionLimit& limit : result.limits) {
            LimitRow row = limit_row(result, limit);
            visit(row);
        }
    }
    template <typename Visit>
    void rows(const Table<ProfileRow>&, const SourceResult& result, Visit&& visit) const {
        for (const PhaseProfile& profile : result.profiles) {
            ProfileRow row = profile_row(result, profile);
            visit(row);
        }
    }
    template <typename Visit>
    void rows(const Table<ParameterRow>&, const SourceResult& result, Visit&& visit) const {
        for (const SpectralFit& fit : result.fits)
            for (const FittedParameter& parameter : fit.parameters) {
                ParameterRow row = parameter_row(result, fit, parameter);
                visit(row);
            }
    }
    template <typename Visit>
    void rows(const Table<FluxRow>&, const SourceResult& result, Visit&& visit) const {
        for (const SpectralFit& fit : result.fits)
            for (const FluxEstimate& flux : fit.fluxes) {
                FluxRow row = flux_row(result, fit, flux);
                visit(row);
            }
    }
    template <typename Visit>
    void rows(const Table<FitRow>&, const SourceResult& result, Visit&& visit) const {
        for (const SpectralFit& fit : result.fits) {
            FitRow row = fit_row(result, fit);
            visit(row);
        }
    }
    template <typename Visit>
    void rows(const Table<VariabilityRow>&, const SourceResult& result, Visit&& visit) const {
        for (const Variability& variability : result.variability) {
            VariabilityRow row{variability, result.source.id};
            visit(row);
        }
    }
    template <typename Visit>
    void rows(const Table<CounterpartRow>&, const SourceResult& result, Visit&& visit) const {
        for (const Counterpart& counterpart : result.character.counterparts) {
            CounterpartRow row{counterpart, result.source.id};
            visit(row);
        }
    }
    template <typename Visit>
    void rows(const Table<FlareRow>&, const SourceResult& result, Visit&& visit) const {
        for (const Flare& flare : result.flares) {
            FlareRow row{flare, result.source.id};
            visit(row);
        }
    }
    template <typename Visit>
    void rows(const Table<ClassRow>&, const SourceResult& result, Visit&& visit) const {
        for (const ClassProbability& probability : result.character.classes) {
            ClassRow row{probability, result.source.id};
            visit(row);
        }
    }
    template <typename Visit>
    void rows(const Table<QuarantineRow>&, const SourceResult& result, Visit&& visit) const {
        const auto visit_as_own = [&](QuarantineRow row) {
            row.source_id = result.source.id;
            visit(row);
        };
        if (const auto found = ingest_.find(result.source.id); found != ingest_.end())
            for (const QuarantineRow* row : found->second) visit_as_own(*row);
        for (const QuarantineRow& row : result.quarantine) visit_as_own(row);
    }

  private:
    const CatalogueInfo& info_;
    std::unordered_map<std::string, std::vector<const QuarantineRow*>> ingest_;
};

/// First pass: how many rows there are and how wide texts have to be.
RowCounts measure(Tables& tables, const RowSource& source, const ResultReplay& replay) {
    RowCounts counts{};
    const auto measured = [&](auto& table, std::size_t i) {
        return [&table, &count = counts[i]](auto& row) {
            table.widen(row);
            ++count;
        };
    };
    for_each_result_table(tables,
                          [&](auto& table, std::size_t i) { source.rows_before(table, measured(table, i)); });
    replay([&](const SourceResult& result) {
        for_each_result_table(
            tables, [&](auto& table, std::size_t i) { source.rows(table, result, measured(table, i)); });
    });
    return counts;
}

template <typename Row>
void write_rows(OutputFile& file, Table<Row>& table, std::vector<Row> rows) {
    for (Row& row : rows) table.widen(row);
    TableWriter writer(file, table.layout(), static_cast<std::int64_t>(rows.size()));
    for (Row& row : rows) table.encode_row(row, writer.next_row());
    writer.finish();
}

}  // namespace

void write_origin(OutputFile& file, Tables& tables, const CatalogueInfo& info) {
    std::vector<KeyValueRow> provenance;
    for (const auto& [key, value] : info.provenance) provenance.push_back({key, value});
    write_rows(file, tables.provenance, std::move(provenance));
    write_rows(file, tables.configuration, lines_of(info.configuration));
}

}  // namespace catalogue

using namespace catalogue;

void write_catalogue(const std::string& path, const CatalogueInfo& info, const ResultReplay& replay,
                     const std::function<void()>& before_rename) {
    AtomicFile atomic(path);
    Tables tables(info.extra_columns, info.steps);
    const RowSource source(info);
    const RowCounts counts = measure(tables, source, replay);
    if (counts[0] != info.n_sources)
        throw Error(ErrorKind::internal, "RESULT_COUNT", fmt::format("cannot write {}", path),
                    fmt::format("{} results for {} sources", counts[0], info.n_sources));

    OutputFile file(atomic.temporary(), path);
    file.write_identity(identity_of(info));
    for_each_result_table(tables, [&](auto& table, std::size_t i) {
        TableWriter writer(file, table.layout(), counts[i]);
        const auto write = [&](auto& row) { table.encode_row(row, writer.next_row()); };
        source.rows_before(table, write);
        replay([&](const SourceResult& result) { source.rows(table, result, write); });
        writer.finish();
    });
    write_origin(file, tables, info);
    file.close();
    if (before_rename) before_rename();
    atomic.commit();
}

}  // namespace xsift::io
