#include "catalogue_file.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
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

/// The tables that say where a catalogue comes from; the same for every shard.
void write_origin(OutputFile& file, Tables& tables, const CatalogueInfo& info) {
    std::vector<KeyValueRow> provenance;
    for (const auto& [key, value] : info.provenance) provenance.push_back({key, value});
    write_rows(file, tables.provenance, std::move(provenance));
    write_rows(file, tables.configuration, lines_of(info.configuration));
}

struct Shard {
    std::string path;
    Identity identity;
    RowCounts counts{};
};

/// Copies rows of a shard, whose texts are narrower or as wide as those of the output.
void copy_rows(InputFile& shard, const Layout& to, TableWriter& writer) {
    const Layout from = shard.open_table(to.name);
    const std::int64_t row_bytes = from.row_bytes(), chunk = rows_per_chunk(row_bytes), rows = shard.rows();
    for (std::int64_t first = 0; first < rows; first += chunk) {
        const std::int64_t n = std::min(chunk, rows - first);
        const char* source = shard.read_rows(first, n);
        for (std::int64_t row = 0; row < n; ++row) {
            char* target = writer.next_row();
            for (std::size_t i = 0; i < to.columns.size(); ++i) {
                const std::int64_t have = from.columns[i].bytes(), want = to.columns[i].bytes();
                if (have > want) shard.corrupt("it changed during the merge");
                std::memcpy(target, source, static_cast<std::size_t>(have));
                std::memset(target + have, ' ', static_cast<std::size_t>(want - have));
                source += have;
                target += want;
            }
        }
    }
}

[[noreturn]] void refuse(const char* code, const std::string& why, const std::string& remedy) {
    throw Error(ErrorKind::usage, code, "cannot merge", why, remedy);
}

/// Refuses a shard that does not belong to the first one.
void check_relation(const CatalogueInfo& first, const Shard& first_shard, const CatalogueInfo& other,
                    const Shard& shard) {
    const Identity &a = first_shard.identity, &b = shard.identity;
    const std::string both = fmt::format("{} and {}", first_shard.path, shard.path);
    if (a.survey_checksum != b.survey_checksum || a.survey_sources != b.survey_sources)
        refuse("MERGE_SURVEY", both + " were made from different surveys", "Merge shards of one survey");
    const auto same_column = [](const ExtraColumn& x, const ExtraColumn& y) {
        return x.name == y.name && x.unit == y.unit && x.type == y.type;
    };
    if (!std::equal(first.extra_columns.begin(), first.extra_columns.end(), other.extra_columns.begin(),
                    other.extra_columns.end(), same_column))
        refuse("MERGE_SURVEY", both + " have different columns of the source list",
               "Merge shards of one survey");
    if (first.steps != other.steps)
        refuse("MERGE_CONFIGURATION", both + " have different columns of SOURCES",
               "Run all shards with one configuration");
    if (a.configuration_checksum != b.configuration_checksum || first.configuration != other.configuration)
        refuse("MERGE_CONFIGURATION", both + " were made with different configurations",
               "Run all shards with one configuration");
    if (first.provenance != other.provenance)
        refuse("MERGE_CONFIGURATION", both + " differ in PROVENANCE",
               "Run all shards with one version and its tables");
}

/// Refuses shards that leave out or repeat sources. They are sorted.
void check_cover(const std::vector<Shard>& shards) {
    std::int64_t next = 0;
    const std::int64_t all = shards.front().identity.survey_sources;
    for (const Shard& shard : shards) {
        const auto [first, n] = std::pair{shard.identity.first_source, shard.identity.n_sources};
        if (first < next || (all == 0 && shards.size() > 1))
            refuse("MERGE_OVERLAP",
                   fmt::format("{} begins with source {} but those before {} are there already", shard.path,
                               first, next),
                   "Give each shard once");
        if (first > next)
            refuse("MERGE_GAP", fmt::format("sources {} to {} are in no shard", next, first - 1),
                   "Add the missing shard");
        next = first + n;
    }
    if (next < all)
        refuse("MERGE_GAP", fmt::format("sources {} to {} are in no shard", next, all - 1),
               "Add the missing shard");
}

Shard inspect(OpenCatalogue& shard, Tables& merged) {
    if (shard.file.identity().selection)
        refuse("MERGE_SELECTION", shard.file.path() + " was made for selected sources only",
               "Merge shards made with --shard");
    if (const auto findings = shard.file.hdu_findings(); !findings.empty())
        shard.file.corrupt(findings.front());
    Shard found{shard.file.path(), shard.file.identity(), {}};
    for_each_result_table(merged, [&](auto& table, std::size_t i) {
        const Layout layout = shard.file.open_table(table.name);
        found.counts[i] = shard.file.rows();
        for (std::size_t c = 0; c < std::min(layout.columns.size(), table.columns.size()); ++c)
            table.columns[c].width = std::max(table.columns[c].width, layout.columns[c].width);
    });
    if (found.counts[0] != found.identity.n_sources)
        shard.file.corrupt(
            fmt::format("{} rows of SOURCES instead of {}", found.counts[0], found.identity.n_sources));
    return found;
}

/// Rows of a table of a shard one after the other, a chunk in memory.
template <typename Row>
class RowCursor {
  public:
    RowCursor(const std::string& path, Table<Row> Tables::*table)
        : catalogue_(path),
          table_(catalogue_.tables.*table),
          layout_(catalogue_.file.open_table(table_.name)) {}

    /// The next row, or nothing at the end.
    const std::optional<Row>& peek() {
        if (!row_ && at_ < catalogue_.file.rows()) {
            const std::int64_t row_bytes = layout_.row_bytes(), chunk = rows_per_chunk(row_bytes);
            if (at_ % chunk == 0)
                bytes_ = catalogue_.file.read_rows(at_, std::min(chunk, catalogue_.file.rows() - at_));
            row_ = table_.decode_row(bytes_ + (at_ % chunk) * row_bytes);
            ++at_;
        }
        return row_;
    }
    Row take() {
        peek();
        return *std::exchange(row_, std::nullopt);
    }

  private:
    OpenCatalogue catalogue_;
    Table<Row> table_;
    Layout layout_;
    std::int64_t at_ = 0;
    const char* bytes_ = nullptr;
    std::optional<Row> row_;
};

/// Calls visit(row of SOURCES, with its candidates) for the sources of all shards.
template <typename Visit>
void for_each_source(const std::vector<Shard>& shards, Visit&& visit) {
    for (const Shard& shard : shards) {
        RowCursor<SourceRow> sources(shard.path, &Tables::sources);
        RowCursor<PeriodRow> periods(shard.path, &Tables::periods);
        while (sources.peek()) {
            SourceRow row = sources.take();
            while (periods.peek() && periods.peek()->source_id == row.source.id) {
                row.candidates.push_back(candidate_of(periods.take()));
                if (row.candidates.back().flags & candidate_offered)
                    row.best_period = static_cast<std::int32_t>(row.candidates.size()) - 1;
            }
            visit(row);
        }
    }
}

/// Writes the rows of a table as the review leaves them, in place of those of the shards.
class Revision {
  public:
    Revision(const ResultReview& review, const std::vector<Shard>& shards)
        : review_(review), shards_(shards) {}

    bool of(const Table<SourceRow>&) const { return true; }
    bool of(const Table<PeriodRow>&) const { return review_.revises_candidates(); }
    template <typename Row>
    bool of(const Table<Row>&) const {
        return false;
    }

    void widen(Table<PeriodRow>& table) const {
        for_each_row([&](PeriodRow& row) { table.widen(row); });
    }
    template <typename Row>
    void widen(Table<Row>&) const {}  // no text of another table changes

    void write(const Table<PeriodRow>& table, TableWriter& writer) const {
        for_each_row([&](PeriodRow& row) { table.encode_row(row, writer.next_row()); });
    }
    void write(const Table<SourceRow>& table, TableWriter& writer) const {
        for_each_source(shards_, [&](SourceRow& row) {
            review_.revise(row);
            set_period(row, row);
            table.encode_row(row, writer.next_row());
        });
    }
    template <typename Row>
    void write(const Table<Row>&, TableWriter&) const {}

  private:
    template <typename Visit>
    void for_each_row(Visit&& visit) const {
        for_each_source(shards_, [&](SourceRow& source) {
            review_.revise(source);
            for (const PeriodCandidate& candidate : source.candidates) {
                PeriodRow row = period_row(source, candidate);
                visit(row);
            }
        });
    }

    const ResultReview& review_;
    const std::vector<Shard>& shards_;
};

}  // namespace
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

void merge_catalogues(const std::vector<std::string>& paths, const std::string& output,
                      ResultReview* review) {
    if (paths.empty()) refuse("MERGE_EMPTY", "there are no shards", "Name the shard catalogues");
    AtomicFile atomic(output);

    CatalogueInfo first;
    std::optional<Tables> merged;
    std::vector<Shard> shards;
    for (const std::string& path : paths) {  // one file open at a time, however many there are
        OpenCatalogue shard(path);
        const CatalogueInfo info = read_info(shard);
        if (!merged) {
            first = info;
            merged.emplace(info.extra_columns, info.steps);
        }
        shards.push_back(inspect(shard, *merged));
        check_relation(first, shards.front(), info, shards.back());
    }
    Tables& tables = *merged;
    std::sort(shards.begin(), shards.end(), [](const Shard& a, const Shard& b) {
        return std::pair(a.identity.first_source, a.identity.n_sources) <
               std::pair(b.identity.first_source, b.identity.n_sources);
    });
    check_cover(shards);

    Identity identity = shards.front().identity;
    identity.first_source = 0;
    identity.n_sources = identity.survey_sources;
    OutputFile file(atomic.temporary(), output);
    file.write_identity(identity);
    std::optional<Revision> revision;
    if (review != nullptr) {
        do {
            for_each_source(shards, [&](const SourceRow& row) { review->look(row); });
        } while (review->again());
        revision.emplace(*review, shards);
    }
    for_each_result_table(tables, [&](auto& table, std::size_t i) {
        std::int64_t rows = 0;
        for (const Shard& shard : shards) rows += shard.counts[i];
        const bool revised = revision && revision->of(table);
        if (revised) revision->widen(table);
        const Layout layout = table.layout();
        TableWriter writer(file, layout, rows);
        if (revised) revision->write(table, writer);
        for (const Shard& shard : shards) {
            if (revised) break;
            InputFile input(shard.path);
            copy_rows(input, layout, writer);
        }
        writer.finish();
    });
    write_origin(file, tables, first);
    file.close();
    atomic.commit();
}

}  // namespace xsift::io
