#include "hdf5_handle.hpp"
#include "survey_schema.hpp"
#include "text_spool.hpp"
#include "write_error.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <set>
#include <span>
#include <unordered_map>
#include <unordered_set>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <xsift/core/error.hpp>
#include <xsift/core/hash.hpp>
#include <xsift/io/atomic_file.hpp>
#include <xsift/io/survey.hpp>

namespace xsift::io {

namespace {

using hdf5::Handle;

/// The HDF5 file under its temporary name: creates groups and datasets, and gives up without leaving traces.
class OutputFile {
  public:
    OutputFile(const std::string& path, bool compress);
    ~OutputFile() { abandon(); }
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;

    hid_t id() const { return file_.get(); }
    std::string folder() const { return std::filesystem::path(atomic_.temporary()).parent_path().string(); }
    void create_group(const std::string& path);
    /// Dataset without rows. Text is always compressed: padding is most of it.
    Handle create_dataset(const std::string& path, hid_t type, std::size_t chunk_rows, bool text);
    /// Throws with the library's reason when the status is negative.
    void check(herr_t status) {
        if (status < 0) fail();
    }
    void commit();
    /// Closes the file without writing what is still in memory. Nothing when it is closed.
    void abandon();

  private:
    [[noreturn]] void fail();

    std::string path_;
    AtomicFile atomic_;
    bool compress_;
    Handle file_;
};

OutputFile::OutputFile(const std::string& path, bool compress)
    : path_(path), atomic_(path), compress_(compress) {
    const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose), creation(H5Pcreate(H5P_FILE_CREATE), H5Pclose);
    H5Pset_libver_bounds(access.get(), H5F_LIBVER_V110, H5F_LIBVER_V110);
    H5Pset_fclose_degree(access.get(), H5F_CLOSE_STRONG);
    H5Pset_fapl_sec2(access.get());
    H5Pset_file_locking(access.get(), false, true);
    H5Pset_obj_track_times(creation.get(), false);
    file_ =
        Handle(H5Fcreate(atomic_.temporary().c_str(), H5F_ACC_TRUNC, creation.get(), access.get()), H5Fclose);
    if (!file_.valid()) fail();
}

void OutputFile::create_group(const std::string& path) {
    const Handle creation(H5Pcreate(H5P_GROUP_CREATE), H5Pclose);
    H5Pset_obj_track_times(creation.get(), false);
    Handle group(H5Gcreate2(id(), path.c_str(), H5P_DEFAULT, creation.get(), H5P_DEFAULT), H5Gclose);
    if (!group.valid()) fail();
    check(group.close());
}

Handle OutputFile::create_dataset(const std::string& path, hid_t type, std::size_t chunk_rows, bool text) {
    const hsize_t none = 0, unlimited = H5S_UNLIMITED, chunk = chunk_rows;
    const Handle space(H5Screate_simple(1, &none, &unlimited), H5Sclose);
    const Handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose),
        access(H5Pcreate(H5P_DATASET_ACCESS), H5Pclose);
    H5Pset_obj_track_times(creation.get(), false);
    H5Pset_chunk(creation.get(), 1, &chunk);
    // Chunks are filled when they are made, or the end of the last one would hold what was in memory before.
    H5Pset_fill_time(creation.get(), H5D_FILL_TIME_ALLOC);
    if (compress_ || text) {
        H5Pset_shuffle(creation.get());
        H5Pset_deflate(creation.get(), 4);
    }
    H5Pset_chunk_cache(access.get(), 11, chunk_rows * H5Tget_size(type), 1.0);
    Handle dataset(
        H5Dcreate2(id(), path.c_str(), type, space.get(), H5P_DEFAULT, creation.get(), access.get()),
        H5Dclose);
    if (!dataset.valid()) fail();
    return dataset;
}

void OutputFile::commit() {
    check(H5Fflush(id(), H5F_SCOPE_GLOBAL));
    check(file_.close());
    atomic_.commit();
}

void OutputFile::fail() {
    const hdf5::Failure failure = hdf5::last_failure();
    abandon();
    throw write_error(path_, failure.error_number, failure.message);
}

/// A file where everything can be written: memory, which can also be truncated, unless files have a size
/// limit.
int open_sink() {
    rlimit limit{};
    const bool unlimited = ::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur == RLIM_INFINITY;
    return unlimited ? ::memfd_create("abandoned", MFD_CLOEXEC) : ::open("/dev/null", O_RDWR | O_CLOEXEC);
}

void OutputFile::abandon() {
    if (!file_.valid()) return;
    // The library must be able to write what it still holds, or it cannot close the file and crashes later.
    void* handle = nullptr;
    const int sink = open_sink();
    if (sink >= 0 && H5Fget_vfd_handle(id(), H5P_DEFAULT, &handle) >= 0)
        ::dup2(sink, *static_cast<int*>(handle));
    if (sink >= 0) ::close(sink);
    file_.close();
}

/// A dataset that grows at its end.
class Column {
  public:
    Column(OutputFile& file, std::string path, std::string unit)
        : file_(file), path_(std::move(path)), unit_(std::move(unit)) {}
    virtual ~Column() = default;
    Column(const Column&) = delete;
    Column& operator=(const Column&) = delete;

    /// Writes what is left and the attributes, and closes.
    void finish() {
        complete();
        file_.check(hdf5::write_attribute(dataset_.get(), "units", unit_));
        file_.check(hdf5::write_attribute(dataset_.get(), "checksum", hash_.digest()));
        file_.check(dataset_.close());
    }
    /// A further attribute; after complete().
    std::function<herr_t(hid_t)> describe = [](hid_t) { return 0; };

  protected:
    virtual void complete() = 0;
    void create(hid_t type, std::size_t chunk_rows, bool text) {
        dataset_ = file_.create_dataset(path_, type, chunk_rows, text);
        file_.check(describe(dataset_.get()));
    }
    bool created() const { return dataset_.valid(); }
    void write(hid_t type, std::size_t rows, const void* values, std::size_t bytes) {
        const hsize_t size = rows_ + rows;
        file_.check(H5Dset_extent(dataset_.get(), &size));
        file_.check(hdf5::write_rows(dataset_.get(), type, static_cast<std::int64_t>(rows_),
                                     static_cast<std::int64_t>(rows), values));
        hash_.update(values, bytes);
        rows_ = size;
    }

    OutputFile& file_;

  private:
    std::string path_, unit_;
    Handle dataset_;
    ContentHash hash_;
    hsize_t rows_ = 0;
};

template <typename T>
class NumberColumn : public Column {
  public:
    NumberColumn(OutputFile& file, std::string path, std::string unit, std::size_t chunk_bytes)
        : Column(file, std::move(path), std::move(unit)), chunk_rows_(chunk_bytes / sizeof(T)) {}

    void append(T value) {
        buffer_.push_back(value);
        if (buffer_.size() == chunk_rows_) flush(chunk_rows_);
    }
    void append(std::span<const T> values) {
        while (!values.empty()) {
            const std::size_t n = std::min(values.size(), chunk_rows_ - buffer_.size());
            buffer_.insert(buffer_.end(), values.begin(), values.begin() + static_cast<std::ptrdiff_t>(n));
            values = values.subspan(n);
            if (buffer_.size() == chunk_rows_) flush(chunk_rows_);
        }
    }
    void append_copies(std::size_t n, T value) {
        for (std::size_t i = 0; i < n; ++i) append(value);
    }

  protected:
    /// A dataset that fits into one chunk gets a chunk of its own size: small surveys stay small.
    void complete() override { flush(std::clamp<std::size_t>(buffer_.size(), 1, chunk_rows_)); }

  private:
    void flush(std::size_t chunk_rows) {
        const hid_t type = hdf5::Type<T>::file();
        if (!created()) create(type, chunk_rows, false);
        write(type, buffer_.size(), buffer_.data(), buffer_.size() * sizeof(T));
        buffer_.clear();
    }

    std::size_t chunk_rows_;
    std::vector<T> buffer_;
};

class TextColumn : public Column {
  public:
    TextColumn(OutputFile& file, std::string path, std::string unit, std::size_t chunk_bytes)
        : Column(file, std::move(path), std::move(unit)), chunk_bytes_(chunk_bytes), spool_(file.folder()) {}

    void append(std::string_view text) { spool_.append(valid_utf8(text)); }

  protected:
    void complete() override {
        const std::size_t width = std::max<std::size_t>(spool_.width(), 1);
        const std::size_t most = std::max<std::size_t>(chunk_bytes_ / width, 1);
        const std::size_t chunk_rows = std::clamp<std::size_t>(spool_.size(), 1, most);
        const Handle type = hdf5::text_type(width);
        create(type.get(), chunk_rows, true);
        std::string block;
        const auto flush = [&] {
            write(type.get(), block.size() / width, block.data(), block.size());
            block.clear();
        };
        spool_.replay([&](std::string_view text) {
            block.append(text).append(width - text.size(), '\0');
            if (block.size() == chunk_rows * width) flush();
        });
        flush();
    }

  private:
    std::size_t chunk_bytes_;
    TextSpool spool_;
};

template <typename T>
using ColumnType = std::conditional_t<std::is_same_v<T, std::string>, TextColumn, NumberColumn<T>>;
template <typename T>
using ColumnPointer = ColumnType<T>*;

/// All columns of the file, in the order of their creation.
class Columns {
  public:
    explicit Columns(OutputFile& file) : file_(file) {}

    OutputFile& file() { return file_; }
    template <typename T>
    ColumnType<T>& add(const std::string& path, const std::string& unit,
                       std::size_t chunk_bytes = schema::row_chunk_bytes) {
        auto column = std::make_unique<ColumnType<T>>(file_, path, unit, chunk_bytes);
        ColumnType<T>& reference = *column;
        columns_.push_back(std::move(column));
        return reference;
    }
    void finish() {
        for (const auto& column : columns_) column->finish();
    }

  private:
    OutputFile& file_;
    std::vector<std::unique_ptr<Column>> columns_;
};

/// One-value members of rows.
template <typename Entries>
class RowWriter {
  public:
    RowWriter(Columns& columns, const std::string& group, const Entries& fields) : fields_(fields) {
        schema::for_each(fields_, [&](const auto& field, auto i) {
            using Value = typename std::decay_t<decltype(field)>::value_type;
            std::get<i>(columns_) = &columns.add<Value>(group + "/" + field.name, field.unit);
        });
    }
    template <typename Owner>
    void add(const Owner& row) {
        schema::for_each(
            fields_, [&](const auto& field, auto i) { std::get<i>(columns_)->append(row.*field.member); });
    }

  private:
    const Entries& fields_;
    typename schema::ColumnsOf<ColumnPointer, Entries>::type columns_;
};

/// Offsets into data that stand back to back: one value more than rows.
class OffsetWriter {
  public:
    OffsetWriter(Columns& columns, const std::string& path) : column_(columns.add<std::int64_t>(path, "")) {
        column_.append(0);
    }
    void add(std::size_t elements) { column_.append(total_ += static_cast<std::int64_t>(elements)); }

  private:
    NumberColumn<std::int64_t>& column_;
    std::int64_t total_ = 0;
};

/// Array members of rows, back to back in the datasets of a group of their own.
template <typename Entries>
class RaggedWriter {
  public:
    RaggedWriter(Columns& columns, const std::string& parent, const std::string& offset,
                 const std::string& group, const Entries& arrays)
        : arrays_(arrays), group_(group), offset_(columns, parent + "/" + offset) {
        columns.file().create_group(group);
        schema::for_each(arrays_, [&](const auto& array, auto i) {
            using Value = typename std::decay_t<decltype(array)>::value_type;
            std::get<i>(columns_) =
                &columns.add<Value>(group + "/" + array.name, array.unit, schema::array_chunk_bytes);
            flags_[i] =
                array.flag == nullptr ? nullptr : &columns.add<std::uint8_t>(parent + "/" + array.flag, "");
        });
    }
    /// Throws before anything is appended when the arrays of the row are not of one length.
    template <typename Owner>
    void check(const Owner& row) const {
        schema::for_each(arrays_, [&](const auto& array, auto) {
            const std::size_t size = (row.*array.member).size();
            if (size != length(row) && !(array.flag != nullptr && size == 0))
                throw Error(ErrorKind::internal, "INCONSISTENT_DATA",
                            fmt::format("{}/{} has {} elements where {} are due", group_, array.name, size,
                                        length(row)));
        });
    }
    template <typename Owner>
    void add(const Owner& row) {
        offset_.add(length(row));
        schema::for_each(arrays_, [&](const auto& array, auto i) {
            const auto& values = row.*array.member;
            if (flags_[i] != nullptr) flags_[i]->append(values.empty() ? 0 : 1);
            if (values.empty())
                std::get<i>(columns_)->append_copies(length(row), array.absent);
            else
                std::get<i>(columns_)->append(std::span(values));
        });
    }

  private:
    template <typename Owner>
    std::size_t length(const Owner& row) const {
        return (row.*std::get<0>(arrays_).member).size();
    }

    const Entries& arrays_;
    std::string group_;
    OffsetWriter offset_;
    typename schema::ColumnsOf<ColumnPointer, Entries>::type columns_;
    std::array<NumberColumn<std::uint8_t>*, std::tuple_size_v<Entries>> flags_{};
};

/// Responses, each stored once.
class ResponseWriter {
  public:
    explicit ResponseWriter(Columns& columns)
        : rows_(columns, "/responses", schema::response_fields),
          energies_(columns, "/responses", "energy_offset", "/responses/energies",
                    schema::response_energy_arrays),
          channels_(columns, "/responses", "channel_offset", "/responses/channels",
                    schema::response_channel_arrays),
          starts_(columns, "/responses", "row_offset", "/responses/rows", schema::response_row_arrays),
          groups_(columns, "/responses", "group_offset", "/responses/groups", schema::response_group_arrays),
          values_(columns, "/responses", "value_offset", "/responses/values", schema::response_value_arrays) {
    }

    /// Throws when the arrays do not belong together.
    void check(const Response* response) const {
        if (response == nullptr) return;
        energies_.check(*response);
        channels_.check(*response);
        groups_.check(*response);
        if (response->row_group.size() != response->n_energies() + 1)
            throw Error(ErrorKind::internal, "INCONSISTENT_DATA",
                        fmt::format("response {} has {} row starts for {} energies", response->name,
                                    response->row_group.size(), response->n_energies()));
    }
    /// Index of the response, -1 for none.
    std::int64_t index(const Response* response) {
        if (response == nullptr) return -1;
        const std::string hash = response->hash.empty() ? hash_of(*response) : response->hash;
        const auto [known, is_new] = indices_.try_emplace(hash, static_cast<std::int64_t>(indices_.size()));
        if (is_new) add(*response, hash);
        return known->second;
    }

  private:
    static std::string hash_of(const Response& r) {
        ContentHash hash;
        const std::int64_t sizes[] = {r.first_channel, static_cast<std::int64_t>(r.n_energies()),
                                      static_cast<std::int64_t>(r.n_channels()),
                                      static_cast<std::int64_t>(r.group_first.size())};
        hash.update(std::span<const std::int64_t>(sizes));
        for (const auto* values : {&r.energy_lo, &r.energy_hi, &r.channel_lo, &r.channel_hi})
            hash.update(std::span(*values));
        for (const auto* values : {&r.row_group, &r.group_value}) hash.update(std::span(*values));
        for (const auto* values : {&r.group_first, &r.group_count}) hash.update(std::span(*values));
        hash.update(std::span(r.value));
        return hash.digest();
    }
    void add(const Response& response, const std::string& hash) {
        Response named;
        named.name = response.name;
        named.hash = hash;
        named.first_channel = response.first_channel;
        rows_.add(named);
        energies_.add(response);
        channels_.add(response);
        starts_.add(response);
        groups_.add(response);
        values_.add(response);
    }

    RowWriter<decltype(schema::response_fields)> rows_;
    RaggedWriter<decltype(schema::response_energy_arrays)> energies_;
    RaggedWriter<decltype(schema::response_channel_arrays)> channels_;
    RaggedWriter<decltype(schema::response_row_arrays)> starts_;
    RaggedWriter<decltype(schema::response_group_arrays)> groups_;
    RaggedWriter<decltype(schema::response_value_arrays)> values_;
    std::unordered_map<std::string, std::int64_t> indices_;
};

/// The further columns of the source list: values, and whether they are null.
class ExtraWriter {
  public:
    ExtraWriter(Columns& columns, const std::vector<ExtraColumn>& extra) : extra_(extra) {
        columns.file().create_group("/sources/extra");
        columns.file().create_group("/sources/extra_null");
        std::set<std::string> used;
        for (std::size_t i = 0; i < extra.size(); ++i) {
            const std::string link = link_name(extra[i].name, used);
            add_values(columns, i, "/sources/extra/" + link);
            nulls_.push_back(&columns.add<std::uint8_t>("/sources/extra_null/" + link, ""));
        }
    }
    void check(const Source& source) const {
        if (source.extra.size() != extra_.size())
            throw Error(ErrorKind::internal, "INCONSISTENT_DATA",
                        fmt::format("source {} has {} values for {} further columns", source.id,
                                    source.extra.size(), extra_.size()));
    }
    void add(const Source& source) {
        for (std::size_t i = 0; i < extra_.size(); ++i) {
            const ExtraValue& value = source.extra[i];
            nulls_[i]->append(value.null ? 1 : 0);
            appenders_[i](value);
        }
    }

  private:
    /// A name HDF5 allows, different from those before.
    static std::string link_name(const std::string& name, std::set<std::string>& used) {
        std::string link = valid_utf8(name);
        std::replace(link.begin(), link.end(), '/', '_');
        if (link.empty() || link == ".") link = "_";
        const std::string stem = link;
        for (int i = 2; !used.insert(link).second; ++i) link = fmt::format("{}_{}", stem, i);
        return link;
    }
    void add_values(Columns& columns, std::size_t i, const std::string& path) {
        switch (extra_[i].type) {
            case ExtraColumn::Type::text:
                return add_values<std::string>(columns, i, path, &ExtraValue::text);
            case ExtraColumn::Type::integer:
                return add_values<std::int64_t>(columns, i, path, &ExtraValue::integer);
            case ExtraColumn::Type::real:
                return add_values<double>(columns, i, path, &ExtraValue::real);
        }
    }
    template <typename T>
    void add_values(Columns& columns, std::size_t i, const std::string& path, T ExtraValue::*member) {
        auto& column = columns.add<T>(path, extra_[i].unit);
        column.describe = [name = extra_[i].name, i](hid_t dataset) {
            return hdf5::write_attribute(dataset, "name", name) < 0
                       ? -1
                       : hdf5::write_attribute(dataset, "index", static_cast<std::int64_t>(i));
        };
        appenders_.push_back([&column, member](const ExtraValue& value) { column.append(value.*member); });
    }

    std::vector<ExtraColumn> extra_;
    std::vector<NumberColumn<std::uint8_t>*> nulls_;
    std::vector<std::function<void(const ExtraValue&)>> appenders_;
};

}  // namespace

struct SurveyWriter::Implementation {
    Implementation(const std::string& path, const std::vector<ExtraColumn>& extra_columns, bool compress)
        : file(path, compress),
          columns(file),
          groups(file),
          extra(columns, extra_columns),
          responses(columns) {
        file.check(hdf5::write_attribute(file.id(), "format", schema::format));
        file.check(hdf5::write_attribute(file.id(), "schema_version", survey_schema_version));
    }

    Implementation(const Implementation&) = delete;
    Implementation& operator=(const Implementation&) = delete;
    ~Implementation() { file.abandon(); }  // before the columns: closing them writes

    /// The groups exist before their columns do.
    struct Groups {
        explicit Groups(OutputFile& file) {
            for (const char* group : {"/sources", "/exposures", "/light_curves", "/spectra", "/responses",
                                      "/quarantine", "/inputs", "/provenance"})
                file.create_group(group);
        }
    };

    void check(const SourceData& data);
    void add(const SourceData& data);

    OutputFile file;
    Columns columns;
    Groups groups;
    RowWriter<decltype(schema::source_fields)> sources{columns, "/sources", schema::source_fields};
    OffsetWriter exposure_offset{columns, "/sources/exposure_offset"};
    OffsetWriter light_curve_offset{columns, "/sources/light_curve_offset"};
    OffsetWriter spectrum_offset{columns, "/sources/spectrum_offset"};
    ExtraWriter extra;
    RowWriter<decltype(schema::exposure_fields)> exposures{columns, "/exposures", schema::exposure_fields};
    RaggedWriter<decltype(schema::event_arrays)> events{columns, "/exposures", "event_offset", "/events",
                                                        schema::event_arrays};
    RaggedWriter<decltype(schema::gti_arrays)> gtis{columns, "/exposures", "gti_offset", "/gti",
                                                    schema::gti_arrays};
    RowWriter<decltype(schema::exposure_fields)> light_curve_exposures{columns, "/light_curves",
                                                                       schema::exposure_fields};
    RowWriter<decltype(schema::light_curve_fields)> light_curves{columns, "/light_curves",
                                                                 schema::light_curve_fields};
    RaggedWriter<decltype(schema::bin_arrays)> bins{columns, "/light_curves", "bin_offset", "/bins",
                                                    schema::bin_arrays};
    RowWriter<decltype(schema::exposure_fields)> spectrum_exposures{columns, "/spectra",
                                                                    schema::exposure_fields};
    RowWriter<decltype(schema::spectrum_fields)> spectra{columns, "/spectra", schema::spectrum_fields};
    NumberColumn<std::int64_t>& spectrum_response = columns.add<std::int64_t>("/spectra/response", "");
    RaggedWriter<decltype(schema::channel_arrays)> channels{columns, "/spectra", "channel_offset",
                                                            "/channels", schema::channel_arrays};
    RaggedWriter<decltype(schema::area_arrays)> areas{columns, "/spectra", "area_offset", "/areas",
                                                      schema::area_arrays};
    RaggedWriter<decltype(schema::scaling_arrays)> scalings{columns, "/spectra", "scaling_offset",
                                                            "/scalings", schema::scaling_arrays};
    ResponseWriter responses;
    RowWriter<decltype(schema::quarantine_fields)> quarantine{columns, "/quarantine",
                                                              schema::quarantine_fields};
    RowWriter<decltype(schema::input_fields)> inputs{columns, "/inputs", schema::input_fields};
    std::optional<RowWriter<decltype(schema::truth_fields)>> truth;
    std::map<std::string, std::string> provenance;
    std::unordered_set<std::string> ids;
    bool usable = true;  ///< false after a failure and after finish()
};

void SurveyWriter::Implementation::check(const SourceData& data) {
    extra.check(data.source);
    for (const EventList& list : data.events) {
        events.check(list);
        gtis.check(list.gti);
    }
    for (const LightCurve& curve : data.light_curves) bins.check(curve);
    for (const Spectrum& spectrum : data.spectra) {
        channels.check(spectrum);
        scalings.check(spectrum);
        responses.check(spectrum.response.get());
    }
    if (!ids.insert(valid_utf8(data.source.id)).second)
        throw Error(ErrorKind::input, "DUPLICATE_SOURCE",
                    fmt::format("source {} is in the survey already", data.source.id),
                    "identifiers must be unique", "Rename or remove one of the two");
}

void SurveyWriter::Implementation::add(const SourceData& data) {
    sources.add(data.source);
    extra.add(data.source);
    exposure_offset.add(data.events.size());
    light_curve_offset.add(data.light_curves.size());
    spectrum_offset.add(data.spectra.size());
    for (const EventList& list : data.events) {
        exposures.add(list.exposure);
        events.add(list);
        gtis.add(list.gti);
    }
    for (const LightCurve& curve : data.light_curves) {
        light_curve_exposures.add(curve.exposure);
        light_curves.add(curve);
        bins.add(curve);
    }
    for (const Spectrum& spectrum : data.spectra) {
        spectrum_exposures.add(spectrum.exposure);
        spectra.add(spectrum);
        spectrum_response.append(responses.index(spectrum.response.get()));
        channels.add(spectrum);
        areas.add(spectrum);
        scalings.add(spectrum);
    }
}

SurveyWriter::SurveyWriter(const std::string& path, const std::vector<ExtraColumn>& extra_columns,
                           SurveyWriterOptions options) {
    const hdf5::Session session;
    implementation_ = std::make_unique<Implementation>(path, extra_columns, options.compress);
}

SurveyWriter::~SurveyWriter() {
    const hdf5::Session session;
    implementation_.reset();
}

namespace {
/// Calls the action; a failure in the middle of it leaves a file that must not be finished.
template <typename State, typename Action>
void guarded(State& state, const Action& action) {
    const hdf5::Session session;
    if (!state.usable)
        throw Error(ErrorKind::internal, "WRITER_CLOSED", "the survey cannot be written further",
                    "it was finished, or writing it failed before");
    state.usable = false;
    action();
    state.usable = true;
}
}  // namespace

void SurveyWriter::add(const SourceData& source) {
    implementation_->check(source);
    guarded(*implementation_, [&] { implementation_->add(source); });
}

void SurveyWriter::add_quarantine(const QuarantineRow& row) {
    guarded(*implementation_, [&] { implementation_->quarantine.add(row); });
}

void SurveyWriter::add_input(const InputRecord& input) {
    guarded(*implementation_, [&] { implementation_->inputs.add(input); });
}

void SurveyWriter::add_truth(const TruthRow& row) {
    guarded(*implementation_, [&] {
        Implementation& state = *implementation_;
        if (!state.truth) {
            state.file.create_group("/truth");
            state.truth.emplace(state.columns, "/truth", schema::truth_fields);
        }
        state.truth->add(row);
    });
}

void SurveyWriter::set_provenance(const std::string& key, const std::string& value) {
    implementation_->provenance[valid_utf8(key)] = valid_utf8(value);
}

void SurveyWriter::finish() {
    Implementation& state = *implementation_;
    guarded(state, [&] {
        state.columns.finish();
        Handle group(H5Gopen2(state.file.id(), "/provenance", H5P_DEFAULT), H5Gclose);
        for (const auto& [key, value] : state.provenance)
            state.file.check(hdf5::write_attribute(group.get(), key, value));
        state.file.check(group.close());
        state.file.commit();
    });
    state.usable = false;
}

}  // namespace xsift::io
