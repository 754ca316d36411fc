#pragma once
/// @file
/// The survey store: one columnar HDF5 file with offsets. Layout: docs/schema.md.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <xsift/data/results.hpp>

namespace xsift::io {

/// Version of the layout this build writes and the newest it reads.
inline constexpr int survey_schema_version = 2;

/// An input file as it was at ingest.
struct InputRecord {
    std::string file;  ///< base name
    std::int64_t bytes = 0;
    std::string checksum;  ///< "xxh128:..."
    std::string kind;      ///< events, light curve, spectrum, background, arf, rmf, source list, unknown
};

/// Injected truth of a simulated source (dataset group /truth; absent in real surveys).
struct TruthRow {
    std::string source_id;
    double frequency = 0.0;  ///< Hz; 0: constant source
    double pulsed_fraction = 0.0;
    std::string model;  ///< empty: no spectrum
    double nh = not_measured, parameter = not_measured, norm = not_measured;
};

struct SurveyWriterOptions {
    bool compress = true;  ///< shuffle + deflate; otherwise chunked only
};

/// Writes a survey to a temporary file beside the target and renames it into place in finish().
/// Equal content gives equal bytes. Not thread-safe.
class SurveyWriter {
  public:
    SurveyWriter(const std::string& path, const std::vector<ExtraColumn>& extra_columns,
                 SurveyWriterOptions options = {});
    ~SurveyWriter();  ///< removes the temporary file when finish() was not reached
    SurveyWriter(const SurveyWriter&) = delete;
    SurveyWriter& operator=(const SurveyWriter&) = delete;

    /// Appends a source with all its data. Sources are stored in the order of the calls.
    void add(const SourceData& source);
    void add_quarantine(const QuarantineRow& row);
    void add_input(const InputRecord& input);
    void add_truth(const TruthRow& row);
    /// Free key/value provenance (attributes of /provenance), e.g. options of the ingest.
    void set_provenance(const std::string& key, const std::string& value);
    /// Writes everything, fsyncs, renames, fsyncs the folder.
    void finish();

  private:
    struct Implementation;
    std::unique_ptr<Implementation> implementation_;
};

/// How much there is to compute of a source, known without reading its data.
struct SourceLoad {
    struct Series {
        std::int64_t items = 0;   ///< photons of an event list, bins of a light curve
        double span = 0.0;        ///< s; 0: unknown
        double resolution = 0.0;  ///< s: frame time, or width of a bin; NaN or 0: unknown
    };
    std::vector<Series> events, light_curves;
    std::int64_t spectra = 0;
    std::int64_t channels = 0;  ///< of all its spectra
};

/// Reads a survey. Construction checks the schema and throws Error (corrupt_file) for anything else than a
/// sound survey of a known version. Not thread-safe; the HDF5 library is serialised anyway.
class SurveyReader {
  public:
    explicit SurveyReader(const std::string& path);
    ~SurveyReader();
    SurveyReader(const SurveyReader&) = delete;
    SurveyReader& operator=(const SurveyReader&) = delete;

    std::int64_t size() const;  ///< number of sources
    const std::vector<ExtraColumn>& extra_columns() const;
    /// Identity of the content: checksum over the checksums of all datasets.
    const std::string& checksum() const;

    /// Sources [first, first + count) with all their data; responses are shared between spectra and calls.
    std::vector<SourceData> read(std::int64_t first, std::int64_t count);
    /// Sources [first, first + count) without their data.
    std::vector<Source> read_sources(std::int64_t first, std::int64_t count);
    /// Index of a source, or -1. Milliseconds (an index of ids is kept).
    std::int64_t index_of(const std::string& source_id) const;
    /// Ids of sources [first, first + count).
    std::vector<std::string> ids(std::int64_t first, std::int64_t count) const;
    /// Bytes of memory that source i takes when read (estimate, for batches bounded by memory).
    std::int64_t memory_bytes(std::int64_t i) const;
    /// Calls the visitor with the load of every source, in survey order. Reads GTIs, no events.
    void visit_loads(const std::function<void(const SourceLoad&)>& visitor) const;

    std::vector<QuarantineRow> quarantine();
    std::vector<InputRecord> inputs();
    std::vector<TruthRow> truth();
    std::map<std::string, std::string> provenance() const;

    /// Recomputes the checksum of every dataset. Returns the names of those that do not match.
    std::vector<std::string> verify();
    /// A short human-readable description (counts, schema, provenance).
    std::string describe();

  private:
    struct Implementation;
    std::unique_ptr<Implementation> implementation_;
};

/// True when the file starts like an HDF5 file.
bool looks_like_hdf5(const std::string& path);

}  // namespace xsift::io
