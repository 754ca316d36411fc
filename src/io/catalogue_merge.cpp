#include "catalogue_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <xsift/core/error.hpp>
#include <xsift/io/atomic_file.hpp>
#include <xsift/io/catalogue.hpp>

namespace xsift::io {

namespace catalogue {
namespace {

/// Where the rows of a table stand in a file.
struct StoredRows {
    std::int64_t offset = 0, rows = 0;
    std::vector<std::int64_t> widths;  ///< of the columns, as Column::width
};

/// A shard that was looked into once: afterwards its rows are read without its headers, of which a thousand
/// shards have a million keywords.
struct Shard {
    std::string path;
    Identity identity;
    struct stat state {};
    std::array<StoredRows, std::tuple_size_v<RowCounts>> tables;
};

/// Rows of a table of a shard, in chunks.
class ShardRows {
  public:
    /// @param layout of the table in any file; the widths of this one take its place
    ShardRows(const Shard& shard, std::size_t table, Layout layout)
        : shard_(shard), stored_(shard.tables[table]), layout_(std::move(layout)) {
        for (std::size_t i = 0; i < layout_.columns.size(); ++i) layout_.columns[i].width = stored_.widths[i];
        row_bytes_ = layout_.row_bytes();
        file_ = open(shard.path.c_str(), O_RDONLY | O_CLOEXEC);
        struct stat now {};
        if (file_ < 0 || fstat(file_, &now) != 0) fail(std::strerror(errno));
        const struct stat& then = shard.state;
        if (now.st_ino != then.st_ino || now.st_dev != then.st_dev || now.st_size != then.st_size ||
            now.st_mtim.tv_sec != then.st_mtim.tv_sec || now.st_mtim.tv_nsec != then.st_mtim.tv_nsec)
            fail("it changed during the merge");
    }
    ~ShardRows() { close_file(); }
    ShardRows(const ShardRows&) = delete;
    ShardRows& operator=(const ShardRows&) = delete;

    const Layout& layout() const { return layout_; }
    std::int64_t rows() const { return stored_.rows; }
    std::int64_t row_bytes() const { return row_bytes_; }
    std::int64_t chunk() const { return rows_per_chunk(row_bytes_); }
    const char* read(std::int64_t first, std::int64_t count) {
        buffer_.resize(static_cast<std::size_t>(count * row_bytes_));
        for (std::size_t done = 0; done < buffer_.size();) {
            const ssize_t got = pread(file_, buffer_.data() + done, buffer_.size() - done,
                                      stored_.offset + first * row_bytes_ + static_cast<std::int64_t>(done));
            if (got < 0 && errno == EINTR) continue;
            if (got <= 0) fail(got < 0 ? std::strerror(errno) : "it ends before its rows do");
            done += static_cast<std::size_t>(got);
        }
        return buffer_.data();
    }

  private:
    void close_file() {
        if (file_ >= 0) close(std::exchange(file_, -1));
    }
    /// The destructor of an object whose constructor throws does not run.
    [[noreturn]] void fail(const std::string& why) {
        close_file();
        throw Error(ErrorKind::corrupt_file, "CORRUPT_CATALOGUE", "cannot read " + shard_.path, why,
                    "Merge again; make the shard again if that fails.");
    }

    const Shard& shard_;
    const StoredRows& stored_;
    Layout layout_;
    std::int64_t row_bytes_ = 0;
    int file_ = -1;
    std::vector<char> buffer_;
};

/// Copies rows of a shard, whose texts are narrower or as wide as those of the output.
void copy_rows(ShardRows& shard, const Layout& to, TableWriter& writer) {
    const Layout& from = shard.layout();
    for (std::int64_t first = 0; first < shard.rows(); first += shard.chunk()) {
        const std::int64_t n = std::min(shard.chunk(), shard.rows() - first);
        const char* source = shard.read(first, n);
        for (std::int64_t row = 0; row < n; ++row) {
            char* target = writer.next_row();
            for (std::size_t i = 0; i < to.columns.size(); ++i) {
                const std::int64_t have = from.columns[i].bytes(), want = to.columns[i].bytes();
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

/// Refuses what cannot be a shard, or is damaged.
void check_sound(OpenCatalogue& shard) {
    if (shard.file.identity().selection)
        refuse("MERGE_SELECTION", shard.file.path() + " was made for selected sources only",
               "Merge shards made with --shard");
    if (const auto findings = shard.file.hdu_findings(); !findings.empty())
        shard.file.corrupt(findings.front());
}

/// Notes where the rows of a shard are, which has the columns of `merged`, and how wide its texts.
void inspect(OpenCatalogue& shard, Tables& merged, Shard& found) {
    if (stat(found.path.c_str(), &found.state) != 0) shard.file.corrupt(std::strerror(errno));
    for_each_result_table(merged, [&](auto& table, std::size_t i) {
        const Layout layout = shard.file.open_table(table.name);
        if (layout.columns.size() != table.columns.size())
            shard.file.corrupt(fmt::format("{} has {} columns instead of {}", table.name,
                                           layout.columns.size(), table.columns.size()));
        StoredRows& stored = found.tables[i];
        stored.offset = shard.file.data_offset();
        stored.rows = shard.file.rows();
        for (std::size_t c = 0; c < layout.columns.size(); ++c) {
            stored.widths.push_back(layout.columns[c].width);
            table.columns[c].width = std::max(table.columns[c].width, layout.columns[c].width);
        }
    });
    if (const std::int64_t rows = found.tables[0].rows; rows != found.identity.n_sources)
        shard.file.corrupt(fmt::format("{} rows of SOURCES instead of {}", rows, found.identity.n_sources));
}

/// Rows of a table of a shard one after the other, a chunk in memory.
template <typename Row>
class RowCursor {
  public:
    RowCursor(const Shard& shard, std::size_t number, const Table<Row>& table)
        : rows_(shard, number, table.layout()), table_(table) {
        for (std::size_t i = 0; i < table_.columns.size(); ++i)
            table_.columns[i].width = rows_.layout().columns[i].width;
    }

    /// The next row, or nothing at the end.
    const std::optional<Row>& peek() {
        if (!row_ && at_ < rows_.rows()) {
            const std::int64_t within = at_ % rows_.chunk();
            if (within == 0) bytes_ = rows_.read(at_, std::min(rows_.chunk(), rows_.rows() - at_));
            row_ = table_.decode_row(bytes_ + within * rows_.row_bytes());
            ++at_;
        }
        return row_;
    }
    Row take() {
        peek();
        return *std::exchange(row_, std::nullopt);
    }

  private:
    ShardRows rows_;
    Table<Row> table_;
    std::int64_t at_ = 0;
    const char* bytes_ = nullptr;
    std::optional<Row> row_;
};

/// Calls visit(row of SOURCES, with its candidates) for the sources of all shards.
template <typename Visit>
void for_each_source(const std::vector<Shard>& shards, const Tables& tables, Visit&& visit) {
    for (const Shard& shard : shards) {
        RowCursor<SourceRow> sources(shard, 0, tables.sources);
        RowCursor<PeriodRow> periods(shard, 1, tables.periods);
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
    Revision(const ResultReview& review, const std::vector<Shard>& shards, const Tables& tables)
        : review_(review), shards_(shards), stored_(tables) {}

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
        for_each_source(shards_, stored_, [&](SourceRow& row) {
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
        for_each_source(shards_, stored_, [&](SourceRow& source) {
            review_.revise(source);
            for (const PeriodCandidate& candidate : source.candidates) {
                PeriodRow row = period_row(source, candidate);
                visit(row);
            }
        });
    }

    const ResultReview& review_;
    const std::vector<Shard>& shards_;
    const Tables stored_;  ///< as the shards have them: the widths of those that are written may change
};

}  // namespace
}  // namespace catalogue

using namespace catalogue;

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
        check_sound(shard);
        Shard& entry = shards.emplace_back(Shard{path, shard.file.identity(), {}, {}});
        check_relation(first, shards.front(), info, entry);
        inspect(shard, *merged, entry);
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
            for_each_source(shards, tables, [&](const SourceRow& row) { review->look(row); });
        } while (review->again());
        revision.emplace(*review, shards, tables);
    }
    for_each_result_table(tables, [&](auto& table, std::size_t i) {
        std::int64_t rows = 0;
        for (const Shard& shard : shards) rows += shard.tables[i].rows;
        const bool revised = revision && revision->of(table);
        if (revised) revision->widen(table);
        const Layout layout = table.layout();
        TableWriter writer(file, layout, rows);
        if (revised) revision->write(table, writer);
        for (const Shard& shard : shards) {
            if (revised) break;
            ShardRows stored(shard, i, layout);
            copy_rows(stored, layout, writer);
        }
        writer.finish();
    });
    write_origin(file, tables, first);
    file.close();
    atomic.commit();
}

}  // namespace xsift::io
