#include "hdf5_handle.hpp"
#include "survey_schema.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <deque>
#include <filesystem>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>

#include <fmt/format.h>
#include <unistd.h>

#include <xsift/core/error.hpp>
#include <xsift/core/hash.hpp>
#include <xsift/io/survey.hpp>

namespace xsift::io {

namespace {

using hdf5::Handle;

constexpr std::int64_t piece_bytes = 1 << 20;           ///< read at once: fits the processor's cache
constexpr std::size_t largest_cached_chunk = 1 << 20;   ///< a dataset keeps its last chunk, if no larger
constexpr std::int64_t largest_chunk_bytes = 64 << 20;  ///< of files we did not write
constexpr std::int64_t largest_text = 1 << 20;
constexpr std::int64_t largest_deflate_ratio = 1100;  ///< deflate reaches 1032
constexpr std::int64_t response_cache_bytes = 256 << 20;

/// The open file and how to say what is wrong with it.
class InputFile {
  public:
    explicit InputFile(const std::string& path);
    std::int64_t version() const { return version_; }

    const std::string& path() const { return path_; }
    hid_t id() const { return file_.get(); }
    std::int64_t bytes() const { return bytes_; }
    bool has(const std::string& object) const { return H5Lexists(id(), object.c_str(), H5P_DEFAULT) > 0; }
    /// Throws when a link on the way to the object is missing or leads elsewhere than into this file.
    void check_links(const std::string& object) const;
    Handle open_group(const std::string& group) const;
    /// @throws std::bad_alloc instead when memory is exhausted: what could not be opened or read then says
    /// nothing about the file.
    [[noreturn]] void corrupt(
        const std::string& why, const std::string& code = "CORRUPT_SURVEY",
        const std::string& remedy = "Ingest again, or restore the file from a copy") const {
        hdf5::last_failure();
        throw Error(ErrorKind::corrupt_file, code, fmt::format("cannot read the survey {}", path_), why,
                    remedy);
    }

  private:
    void open();
    void check_identity();

    std::string path_;
    std::int64_t bytes_ = 0, version_ = 0;
    Handle file_;
};

InputFile::InputFile(const std::string& path) : path_(path) {
    std::error_code problem;
    const bool is_file = std::filesystem::is_regular_file(path, problem);
    if (!is_file || ::access(path.c_str(), R_OK) != 0)
        throw Error(ErrorKind::usage, "UNREADABLE", fmt::format("cannot open {}", path),
                    is_file   ? std::strerror(errno)
                    : problem ? problem.message()
                              : "it is not a file",
                    "Check the path");
    bytes_ = static_cast<std::int64_t>(std::filesystem::file_size(path));
    if (!looks_like_hdf5(path))
        corrupt(bytes_ == 0 ? "it is empty" : "it is not an HDF5 file", "NOT_HDF5",
                "Give a survey made by xsift ingest");
    open();
    check_identity();
}

void InputFile::open() {
    const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
    H5Pset_fapl_sec2(access.get());
    H5Pset_fclose_degree(access.get(), H5F_CLOSE_STRONG);
    H5Pset_file_locking(access.get(), false, true);
    file_ = Handle(H5Fopen(path_.c_str(), H5F_ACC_RDONLY, access.get()), H5Fclose);
    if (file_.valid()) return;
    const std::string reason = hdf5::last_failure().message;
    const bool truncated = reason.find("truncated file") != std::string::npos;
    corrupt(truncated ? "it is truncated: " + reason : reason, truncated ? "TRUNCATED" : "CORRUPT_SURVEY");
}

void InputFile::check_identity() {
    std::string format;
    if (!hdf5::read_attribute(id(), "format", format) || format != schema::format)
        corrupt("it is an HDF5 file of something else", "FOREIGN_FILE", "Give a survey made by xsift ingest");
    if (!hdf5::read_attribute(id(), "schema_version", version_) || version_ < 1)
        corrupt("it has no schema version");
    if (version_ > survey_schema_version)
        corrupt(fmt::format("its schema version is {}, this program knows {} and older", version_,
                            survey_schema_version),
                "SCHEMA_NEWER", "Upgrade xsift");
}

void InputFile::check_links(const std::string& object) const {
    for (std::size_t end = object.find('/', 1);; end = object.find('/', end + 1)) {
        const std::string part = object.substr(0, end);
        H5L_info_t info;
        if (H5Lget_info(id(), part.c_str(), &info, H5P_DEFAULT) < 0) corrupt(part + " is missing");
        if (info.type != H5L_TYPE_HARD) corrupt(part + " is a soft or external link");
        if (end == std::string::npos) return;
    }
}

Handle InputFile::open_group(const std::string& group) const {
    check_links(group);
    Handle handle(H5Gopen2(id(), group.c_str(), H5P_DEFAULT), H5Gclose);
    if (!handle.valid()) corrupt(group + " is not a group");
    return handle;
}

/// A one-dimensional dataset, checked when it is opened.
class Dataset {
  public:
    Dataset(const InputFile& file, std::string path) : file_(file), path_(std::move(path)) {
        file_.check_links(path_);
        dataset_ = open(H5P_DEFAULT);
        if (!dataset_.valid()) corrupt("is not a dataset");
        keep_one_chunk();
        type_ = Handle(H5Dget_type(dataset_.get()), H5Tclose);
        element_bytes_ = static_cast<std::int64_t>(H5Tget_size(type_.get()));
        check_storage();
        check_extent();
        if (!hdf5::read_attribute(id(), "checksum", checksum_)) corrupt("has no checksum");
        if (!hdf5::read_attribute(id(), "units", units_)) corrupt("has no units");
    }
    virtual ~Dataset() = default;
    Dataset(const Dataset&) = delete;
    Dataset& operator=(const Dataset&) = delete;

    hid_t id() const { return dataset_.get(); }
    const std::string& path() const { return path_; }
    const std::string& checksum() const { return checksum_; }
    const std::string& units() const { return units_; }
    std::int64_t rows() const { return rows_; }

    /// The checksum of the elements as they are.
    std::string compute_checksum() const {
        ContentHash hash;
        for_pieces(0, rows_, [&](std::int64_t, std::int64_t n, const char* bytes) {
            hash.update(bytes, static_cast<std::size_t>(n * element_bytes_));
        });
        return hash.digest();
    }
    [[noreturn]] void corrupt(const std::string& why) const { file_.corrupt(path_ + " " + why); }

  protected:
    std::int64_t element_bytes() const { return element_bytes_; }
    hid_t type() const { return type_.get(); }
    void read(std::int64_t first, std::int64_t count, void* out) const {
        if (hdf5::read_rows(id(), type(), first, count, out) < 0)
            corrupt("cannot be read: " + hdf5::last_failure().message);
    }
    /// Calls visit(first row, rows, bytes) for pieces of rows [first, first + count), in order.
    template <typename Visit>
    void for_pieces(std::int64_t first, std::int64_t count, const Visit& visit) const {
        const std::int64_t most = std::max<std::int64_t>(piece_bytes / element_bytes_, 1);
        piece().resize(static_cast<std::size_t>(std::max(piece_bytes, element_bytes_)));
        for (const std::int64_t end = first + count; first < end; first += most) {
            const std::int64_t n = std::min(most, end - first);
            read(first, n, piece().data());
            visit(first, n, piece().data());
        }
    }

  private:
    /// One buffer a thread: new memory for every read costs more than the reading.
    static std::vector<char>& piece() {
        thread_local std::vector<char> buffer;
        return buffer;
    }
    Handle open(hid_t access) const { return Handle(H5Dopen2(file_.id(), path_.c_str(), access), H5Dclose); }
    /// Opens it again with a cache of one chunk: datasets are read in order, and the library's own caches
    /// would fill up with the length of the survey.
    void keep_one_chunk() {
        const Handle creation(H5Dget_create_plist(id()), H5Pclose),
            access(H5Pcreate(H5P_DATASET_ACCESS), H5Pclose), type(H5Dget_type(id()), H5Tclose);
        hsize_t rows = 0;
        if (H5Pget_layout(creation.get()) != H5D_CHUNKED || H5Pget_chunk(creation.get(), 1, &rows) != 1)
            return;
        const hsize_t bytes = rows > largest_cached_chunk ? rows : rows * H5Tget_size(type.get());
        H5Pset_chunk_cache(access.get(), 11,
                           bytes > largest_cached_chunk ? 0 : static_cast<std::size_t>(bytes), 1.0);
        dataset_.close();
        dataset_ = open(access.get());
        if (!dataset_.valid()) corrupt("cannot be opened again");
    }
    void check_storage() const {
        const Handle creation(H5Dget_create_plist(id()), H5Pclose);
        hsize_t chunk = 0;
        if (H5Pget_layout(creation.get()) != H5D_CHUNKED || H5Pget_chunk(creation.get(), 1, &chunk) != 1)
            corrupt("is not chunked in one dimension");
        if (chunk > static_cast<hsize_t>(largest_chunk_bytes / element_bytes_))
            corrupt("has oversized chunks");
        for (int i = 0; i < H5Pget_nfilters(creation.get()); ++i) {
            unsigned flags = 0;
            std::size_t values = 0;
            const H5Z_filter_t filter = H5Pget_filter2(creation.get(), static_cast<unsigned>(i), &flags,
                                                       &values, nullptr, 0, nullptr, nullptr);
            if (filter != H5Z_FILTER_DEFLATE && filter != H5Z_FILTER_SHUFFLE &&
                filter != H5Z_FILTER_FLETCHER32)
                corrupt(fmt::format("uses the filter {}, which a survey never does", filter));
        }
    }
    /// Nothing is allocated for more elements than the file can hold.
    void check_extent() {
        const Handle space(H5Dget_space(id()), H5Sclose);
        hsize_t rows = 0;
        if (H5Sget_simple_extent_ndims(space.get()) != 1 ||
            H5Sget_simple_extent_dims(space.get(), &rows, nullptr) != 1)
            corrupt("is not one-dimensional");
        if (rows > static_cast<hsize_t>(file_.bytes() * largest_deflate_ratio / element_bytes_))
            corrupt(fmt::format("claims {} elements, more than the file can hold", rows));
        rows_ = static_cast<std::int64_t>(rows);
    }

    const InputFile& file_;
    std::string path_, checksum_, units_;
    Handle dataset_, type_;
    std::int64_t element_bytes_ = 0, rows_ = 0;
};

template <typename T>
class NumberDataset : public Dataset {
  public:
    using value_type = T;
    NumberDataset(const InputFile& file, const std::string& path) : Dataset(file, path) {
        if (H5Tequal(type(), hdf5::Type<T>::file()) <= 0)
            corrupt(fmt::format("is not of type {}", hdf5::Type<T>::name));
    }
    /// Calls visit(first row, values) for pieces of rows [first, first + count), in order.
    template <typename Visit>
    void for_each_piece(std::int64_t first, std::int64_t count, const Visit& visit) const {
        for_pieces(first, count, [&](std::int64_t at, std::int64_t n, const char* bytes) {
            visit(at, std::span(reinterpret_cast<const T*>(bytes), static_cast<std::size_t>(n)));
        });
    }
    /// Calls visit(row - first, value).
    template <typename Visit>
    void for_each(std::int64_t first, std::int64_t count, const Visit& visit) const {
        for_each_piece(first, count, [&](std::int64_t at, std::span<const T> values) {
            for (std::size_t i = 0; i < values.size(); ++i)
                visit(at - first + static_cast<std::int64_t>(i), values[i]);
        });
    }
};

class TextDataset : public Dataset {
  public:
    using value_type = std::string;
    TextDataset(const InputFile& file, const std::string& path) : Dataset(file, path) {
        if (H5Tget_class(type()) != H5T_STRING || H5Tis_variable_str(type()) != 0)
            corrupt("is not text of fixed length");
        if (element_bytes() > largest_text) corrupt("has oversized texts");
    }
    /// Calls visit(row - first, text).
    template <typename Visit>
    void for_each(std::int64_t first, std::int64_t count, const Visit& visit) const {
        for_pieces(first, count, [&](std::int64_t at, std::int64_t n, const char* bytes) {
            for (std::int64_t i = 0; i < n; ++i) {
                const std::string_view cell(bytes + i * element_bytes(),
                                            static_cast<std::size_t>(element_bytes()));
                visit(at - first + i, cell.substr(0, cell.find('\0')));
            }
        });
    }
};

template <typename T>
using DatasetType = std::conditional_t<std::is_same_v<T, std::string>, TextDataset, NumberDataset<T>>;
template <typename T>
using DatasetPointer = DatasetType<T>*;

/// All datasets of the survey.
class Datasets {
  public:
    explicit Datasets(const InputFile& file) : file_(file) {}

    const InputFile& file() const { return file_; }
    const std::vector<std::unique_ptr<Dataset>>& all() const { return all_; }
    template <typename T>
    DatasetType<T>& open(const std::string& path) {
        auto dataset = std::make_unique<DatasetType<T>>(file_, path);
        DatasetType<T>& reference = *dataset;
        all_.push_back(std::move(dataset));
        return reference;
    }
    template <typename T>
    DatasetType<T>& open(const std::string& path, std::string_view units) {
        DatasetType<T>& dataset = open<T>(path);
        if (dataset.units() != units)
            dataset.corrupt(fmt::format("is in '{}', not in '{}'", dataset.units(), units));
        return dataset;
    }
    /// As open, for a dataset of known length.
    template <typename T>
    DatasetType<T>& open(const std::string& path, std::string_view units, std::int64_t rows) {
        DatasetType<T>& dataset = open<T>(path, units);
        if (dataset.rows() != rows) dataset.corrupt(fmt::format("has {} rows, not {}", dataset.rows(), rows));
        return dataset;
    }

  private:
    const InputFile& file_;
    std::vector<std::unique_ptr<Dataset>> all_;
};

/// Where the arrays of rows start in the data back to back: rows + 1 values from 0 to the number of elements,
/// checked when they are opened. A window of them is kept, so that memory does not grow with the survey.
class Offsets {
  public:
    Offsets(Datasets& datasets, const std::string& path, std::int64_t rows)
        : dataset_(datasets.open<std::int64_t>(path, "", rows + 1)) {
        bool first = true;
        dataset_.for_each(0, rows + 1, [&](std::int64_t, std::int64_t value) {
            if (first ? value != 0 : value < total_) dataset_.corrupt("does not ascend from 0");
            total_ = value;
            first = false;
        });
    }
    std::int64_t total() const { return total_; }
    /// Neighbouring rows are asked for in turn: one read of the file serves thousands of them.
    std::int64_t operator[](std::int64_t row) const {
        if (row < window_first_ || row >= window_first_ + std::ssize(window_)) load(row);
        return window_[static_cast<std::size_t>(row - window_first_)];
    }
    /// Throws when the data have another number of elements.
    void check_end(const Datasets& datasets, std::int64_t elements, const std::string& of = "") const {
        if (total_ != elements)
            datasets.file().corrupt(fmt::format("{}{} ends at {}, but there are {} elements", dataset_.path(),
                                                of, total_, elements));
    }

  private:
    static constexpr std::int64_t window_rows = 8192;

    void load(std::int64_t row) const {
        const hdf5::Session session;
        // From half a window before, since the rows of a batch are read after those of the next were weighed.
        window_first_ = std::max<std::int64_t>(row - window_rows / 2, 0);
        const std::int64_t count = std::min(window_rows, dataset_.rows() - window_first_);
        window_.resize(static_cast<std::size_t>(count));
        dataset_.for_each(window_first_, count, [&](std::int64_t i, std::int64_t value) {
            window_[static_cast<std::size_t>(i)] = value;
        });
    }

    const NumberDataset<std::int64_t>& dataset_;
    std::int64_t total_ = 0;
    mutable std::int64_t window_first_ = 0;
    mutable std::vector<std::int64_t> window_;
};

/// One-value members of rows.
template <typename Entries>
class RowReader {
  public:
    RowReader(Datasets& datasets, const std::string& group, const Entries& fields) : fields_(fields) {
        schema::for_each(fields_, [&](const auto& field, auto i) {
            using Value = typename std::decay_t<decltype(field)>::value_type;
            const std::string path = group + "/" + field.name;
            std::get<i>(datasets_) = i == 0 ? &datasets.open<Value>(path, field.unit)
                                            : &datasets.open<Value>(path, field.unit, rows());
        });
    }
    std::int64_t rows() const { return std::get<0>(datasets_)->rows(); }
    /// Fills the members of owner(i), i in [0, count), from rows [first, first + count).
    template <typename Owner>
    void read(std::int64_t first, std::int64_t count, const Owner& owner) const {
        schema::for_each(fields_, [&](const auto& field, auto i) {
            std::get<i>(datasets_)->for_each(
                first, count, [&](std::int64_t row, auto value) { owner(row).*field.member = value; });
        });
    }

  private:
    const Entries& fields_;
    typename schema::ColumnsOf<DatasetPointer, Entries>::type datasets_;
};

/// Array members of rows.
template <typename Entries>
class RaggedReader {
  public:
    RaggedReader(Datasets& datasets, const std::string& parent, std::int64_t rows, const std::string& offset,
                 const std::string& group, const Entries& arrays)
        : arrays_(arrays), offsets_(datasets, parent + "/" + offset, rows) {
        schema::for_each(arrays_, [&](const auto& array, auto i) {
            using Value = typename std::decay_t<decltype(array)>::value_type;
            const std::string path = group + "/" + array.name;
            auto& dataset = datasets.open<Value>(path, array.unit);
            offsets_.check_end(datasets, dataset.rows(), " for " + path);
            std::get<i>(datasets_) = &dataset;
            element_bytes_ += static_cast<std::int64_t>(sizeof(Value));
            if (array.flag != nullptr)
                flags_[i] = &datasets.open<std::uint8_t>(parent + "/" + array.flag, "", rows);
        });
    }
    std::int64_t length(std::int64_t row) const { return at(row + 1) - at(row); }
    std::int64_t total() const { return offsets_.total(); }
    /// Where the elements of a row start; that of the row behind the last is the total.
    std::int64_t begin(std::int64_t row) const { return at(row); }
    /// Bytes of the arrays of rows [first, first + count) in memory.
    std::int64_t bytes(std::int64_t first, std::int64_t count) const {
        return (at(first + count) - at(first)) * element_bytes_;
    }
    /// Fills the arrays of owner(i), i in [0, count), from rows [first, first + count).
    template <typename Owner>
    void read(std::int64_t first, std::int64_t count, const Owner& owner) const {
        std::vector<bool> wanted;
        schema::for_each(arrays_, [&](const auto& array, auto i) {
            wanted.assign(static_cast<std::size_t>(count), true);
            if (flags_[i] != nullptr)
                flags_[i]->for_each(first, count,
                                    [&](std::int64_t row, std::uint8_t flag) { wanted[row] = flag != 0; });
            if (std::find(wanted.begin(), wanted.end(), true) == wanted.end()) return;
            read_array(
                *std::get<i>(datasets_), first,
                wanted, [&](std::int64_t row) -> auto& { return owner(row).*array.member; });
        });
    }

  private:
    std::int64_t at(std::int64_t row) const { return offsets_[row]; }

    /// Deals the elements of a run of rows out to the vectors of those wanted.
    template <typename Data, typename Vector>
    void read_array(const Data& dataset, std::int64_t first, const std::vector<bool>& wanted,
                    const Vector& vector) const {
        const auto count = static_cast<std::int64_t>(wanted.size());
        for (std::int64_t row = 0; row < count; ++row)
            if (wanted[row]) vector(row).reserve(static_cast<std::size_t>(length(first + row)));
        std::int64_t row = 0;
        dataset.for_each_piece(at(first), at(first + count) - at(first),
                               [&](std::int64_t begin, const auto& values) {
                                   const std::int64_t end = begin + static_cast<std::int64_t>(values.size());
                                   for (std::int64_t next = begin; next < end;) {
                                       while (at(first + row + 1) <= next) ++row;
                                       const std::int64_t stop = std::min(end, at(first + row + 1));
                                       if (wanted[row]) {
                                           auto& target = vector(row);
                                           target.insert(target.end(), values.begin() + (next - begin),
                                                         values.begin() + (stop - begin));
                                       }
                                       next = stop;
                                   }
                               });
    }

    const Entries& arrays_;
    Offsets offsets_;
    typename schema::ColumnsOf<DatasetPointer, Entries>::type datasets_;
    std::array<NumberDataset<std::uint8_t>*, std::tuple_size_v<Entries>> flags_{};
    std::int64_t element_bytes_ = 0;
};

/// Responses, read when they are first asked for. Those in use are shared; the last ones read are kept as
/// well.
class ResponseReader {
  public:
    explicit ResponseReader(Datasets& datasets)
        : file_(datasets.file()),
          rows_(datasets, "/responses", schema::response_fields),
          energies_(datasets, "/responses", rows(), "energy_offset", "/responses/energies",
                    schema::response_energy_arrays),
          channels_(datasets, "/responses", rows(), "channel_offset", "/responses/channels",
                    schema::response_channel_arrays),
          starts_(datasets, "/responses", rows(), "row_offset", "/responses/rows",
                  schema::response_row_arrays),
          groups_(datasets, "/responses", rows(), "group_offset", "/responses/groups",
                  schema::response_group_arrays),
          values_(datasets, "/responses", rows(), "value_offset", "/responses/values",
                  schema::response_value_arrays),
          known_(static_cast<std::size_t>(rows())) {}

    std::int64_t rows() const { return rows_.rows(); }

    std::shared_ptr<const Response> get(std::int64_t i) {
        if (i == -1) return nullptr;
        if (i < -1 || i >= rows())
            file_.corrupt(fmt::format("/spectra/response names response {} of {}", i, rows()));
        std::shared_ptr<const Response> response = known_[static_cast<std::size_t>(i)].lock();
        if (response == nullptr) known_[static_cast<std::size_t>(i)] = response = keep(load(i), i);
        return response;
    }

  private:
    std::shared_ptr<const Response> load(std::int64_t i) const {
        const auto response = std::make_shared<Response>();
        const auto owner = [&](std::int64_t) -> Response& { return *response; };
        rows_.read(i, 1, owner);
        energies_.read(i, 1, owner);
        channels_.read(i, 1, owner);
        starts_.read(i, 1, owner);
        groups_.read(i, 1, owner);
        values_.read(i, 1, owner);
        if (!sound(*response))
            file_.corrupt(fmt::format("response {} ({}) points outside its arrays", i, response->name));
        return response;
    }
    /// Every index lies within its array: nothing behind this reader has to check again.
    static bool sound(const Response& r) {
        const auto n_groups = static_cast<std::int64_t>(r.group_first.size());
        const auto n_values = static_cast<std::int64_t>(r.value.size());
        const auto n_channels = static_cast<std::int64_t>(r.n_channels());
        if (r.row_group.size() != r.n_energies() + 1 || r.row_group.front() != 0 ||
            r.row_group.back() != n_groups || !std::is_sorted(r.row_group.begin(), r.row_group.end()))
            return false;
        for (std::size_t g = 0; g < r.group_first.size(); ++g) {
            const std::int64_t count = r.group_count[g];
            if (r.group_first[g] < 0 || count < 0 || r.group_first[g] + count > n_channels) return false;
            if (r.group_value[g] < 0 || r.group_value[g] > n_values - count) return false;
        }
        return true;
    }
    std::shared_ptr<const Response> keep(std::shared_ptr<const Response> response, std::int64_t i) {
        kept_.push_back({response, energies_.bytes(i, 1) + channels_.bytes(i, 1) + starts_.bytes(i, 1) +
                                       groups_.bytes(i, 1) + values_.bytes(i, 1)});
        kept_bytes_ += kept_.back().second;
        for (; kept_.size() > 1 && kept_bytes_ > response_cache_bytes; kept_.pop_front())
            kept_bytes_ -= kept_.front().second;
        return response;
    }

    const InputFile& file_;
    RowReader<decltype(schema::response_fields)> rows_;
    RaggedReader<decltype(schema::response_energy_arrays)> energies_;
    RaggedReader<decltype(schema::response_channel_arrays)> channels_;
    RaggedReader<decltype(schema::response_row_arrays)> starts_;
    RaggedReader<decltype(schema::response_group_arrays)> groups_;
    RaggedReader<decltype(schema::response_value_arrays)> values_;
    std::vector<std::weak_ptr<const Response>> known_;
    std::deque<std::pair<std::shared_ptr<const Response>, std::int64_t>> kept_;
    std::int64_t kept_bytes_ = 0;
};

/// The further columns of the source list.
class ExtraReader {
  public:
    ExtraReader(Datasets& datasets, std::int64_t rows) {
        const Handle group = datasets.file().open_group("/sources/extra");
        std::map<std::int64_t, std::string> links;
        for (const std::string& link : hdf5::link_names(group.get())) {
            const std::string path = "/sources/extra/" + link;
            datasets.file().check_links(path);
            const Handle dataset(H5Dopen2(datasets.file().id(), path.c_str(), H5P_DEFAULT), H5Dclose);
            std::int64_t index = -1;
            if (!dataset.valid() || !hdf5::read_attribute(dataset.get(), "index", index) ||
                !links.emplace(index, link).second)
                datasets.file().corrupt(path + " has no index of its own");
        }
        for (const auto& [index, link] : links) {
            if (index != static_cast<std::int64_t>(columns_.size()))
                datasets.file().corrupt("/sources/extra lacks a column");
            add(datasets, link, rows);
        }
    }
    const std::vector<ExtraColumn>& columns() const { return columns_; }
    /// Fills `extra` of source(i), i in [0, count).
    template <typename Owner>
    void read(std::int64_t first, std::int64_t count, const Owner& source) const {
        for (std::int64_t i = 0; i < count; ++i) source(i).extra.resize(columns_.size());
        for (std::size_t c = 0; c < columns_.size(); ++c) {
            const auto cell = [&](std::int64_t row) -> ExtraValue& { return source(row).extra[c]; };
            nulls_[c]->for_each(first, count,
                                [&](std::int64_t row, std::uint8_t null) { cell(row).null = null != 0; });
            if (texts_[c] != nullptr)
                texts_[c]->for_each(first, count,
                                    [&](std::int64_t row, auto text) { cell(row).text = text; });
            if (integers_[c] != nullptr)
                integers_[c]->for_each(first, count,
                                       [&](std::int64_t row, auto value) { cell(row).integer = value; });
            if (reals_[c] != nullptr)
                reals_[c]->for_each(first, count,
                                    [&](std::int64_t row, auto value) { cell(row).real = value; });
        }
    }

  private:
    void add(Datasets& datasets, const std::string& link, std::int64_t rows) {
        const std::string path = "/sources/extra/" + link;
        const Handle dataset(H5Dopen2(datasets.file().id(), path.c_str(), H5P_DEFAULT), H5Dclose);
        const Handle type(H5Dget_type(dataset.get()), H5Tclose);
        const H5T_class_t kind = H5Tget_class(type.get());
        ExtraColumn column;
        column.type = kind == H5T_STRING    ? ExtraColumn::Type::text
                      : kind == H5T_INTEGER ? ExtraColumn::Type::integer
                                            : ExtraColumn::Type::real;
        texts_.push_back(kind == H5T_STRING ? &datasets.open<std::string>(path) : nullptr);
        integers_.push_back(kind == H5T_INTEGER ? &datasets.open<std::int64_t>(path) : nullptr);
        reals_.push_back(column.type == ExtraColumn::Type::real ? &datasets.open<double>(path) : nullptr);
        const Dataset& opened = *datasets.all().back();
        if (opened.rows() != rows) opened.corrupt(fmt::format("has {} rows, not {}", opened.rows(), rows));
        if (!hdf5::read_attribute(opened.id(), "name", column.name)) opened.corrupt("has no name");
        column.unit = opened.units();
        columns_.push_back(column);
        nulls_.push_back(&datasets.open<std::uint8_t>("/sources/extra_null/" + link, "", rows));
    }

    std::vector<ExtraColumn> columns_;
    std::vector<const NumberDataset<std::uint8_t>*> nulls_;
    std::vector<const TextDataset*> texts_;
    std::vector<const NumberDataset<std::int64_t>*> integers_;
    std::vector<const NumberDataset<double>*> reals_;
};

template <typename Row, typename Entries>
std::vector<Row> read_all(const RowReader<Entries>& table) {
    std::vector<Row> rows(static_cast<std::size_t>(table.rows()));
    table.read(0, table.rows(), [&](std::int64_t i) -> Row& { return rows[static_cast<std::size_t>(i)]; });
    return rows;
}

}  // namespace

struct SurveyReader::Implementation {
    explicit Implementation(const std::string& path) : file(path), datasets(file) {
        exposure_offset.check_end(datasets, exposures.rows());
        light_curve_offset.check_end(datasets, light_curves.rows());
        spectrum_offset.check_end(datasets, spectra.rows());
        if (file.version() >= 2)
            scalings.emplace(datasets, "/spectra", spectra.rows(), "scaling_offset", "/scalings",
                             schema::scaling_arrays);
        if (file.has("/truth")) truth.emplace(datasets, "/truth", schema::truth_fields);
        read_provenance();
        identify();
    }

    void read_provenance();
    void identify();
    void build_index();
    template <typename Item>
    std::vector<Item*> make_room(std::vector<SourceData>& sources, std::vector<Item> SourceData::*items,
                                 const Offsets& offsets, std::int64_t first) const;
    void read_events(std::vector<SourceData>& out, std::int64_t first) const;
    void read_light_curves(std::vector<SourceData>& out, std::int64_t first) const;
    void read_spectra(std::vector<SourceData>& out, std::int64_t first);

    InputFile file;
    Datasets datasets;
    RowReader<decltype(schema::source_fields)> sources{datasets, "/sources", schema::source_fields};
    Offsets exposure_offset{datasets, "/sources/exposure_offset", sources.rows()};
    Offsets light_curve_offset{datasets, "/sources/light_curve_offset", sources.rows()};
    Offsets spectrum_offset{datasets, "/sources/spectrum_offset", sources.rows()};
    ExtraReader extra{datasets, sources.rows()};
    RowReader<decltype(schema::exposure_fields)> exposures{datasets, "/exposures", schema::exposure_fields};
    RaggedReader<decltype(schema::event_arrays)> events{datasets,       "/exposures", exposures.rows(),
                                                        "event_offset", "/events",    schema::event_arrays};
    RaggedReader<decltype(schema::gti_arrays)> gtis{datasets,     "/exposures", exposures.rows(),
                                                    "gti_offset", "/gti",       schema::gti_arrays};
    RowReader<decltype(schema::exposure_fields)> light_curve_exposures{datasets, "/light_curves",
                                                                       schema::exposure_fields};
    RowReader<decltype(schema::light_curve_fields)> light_curves{datasets, "/light_curves",
                                                                 schema::light_curve_fields};
    RaggedReader<decltype(schema::bin_arrays)> bins{
        datasets, "/light_curves", light_curve_exposures.rows(), "bin_offset", "/bins", schema::bin_arrays};
    RowReader<decltype(schema::exposure_fields)> spectrum_exposures{datasets, "/spectra",
                                                                    schema::exposure_fields};
    RowReader<decltype(schema::spectrum_fields)> spectra{datasets, "/spectra", schema::spectrum_fields};
    NumberDataset<std::int64_t>& spectrum_response =
        datasets.open<std::int64_t>("/spectra/response", "", spectra.rows());
    RaggedReader<decltype(schema::channel_arrays)> channels{
        datasets,         "/spectra",  spectrum_exposures.rows(),
        "channel_offset", "/channels", schema::channel_arrays};
    RaggedReader<decltype(schema::area_arrays)> areas{datasets,      "/spectra", spectra.rows(),
                                                      "area_offset", "/areas",   schema::area_arrays};
    std::optional<RaggedReader<decltype(schema::scaling_arrays)>> scalings;  ///< since version 2
    ResponseReader responses{datasets};
    RowReader<decltype(schema::quarantine_fields)> quarantine{datasets, "/quarantine",
                                                              schema::quarantine_fields};
    RowReader<decltype(schema::input_fields)> inputs{datasets, "/inputs", schema::input_fields};
    std::optional<RowReader<decltype(schema::truth_fields)>> truth;
    std::map<std::string, std::string> provenance;
    std::string checksum;
    std::vector<std::pair<std::size_t, std::int64_t>>
        index;  ///< hash of the id, source; sorted; built when needed
};

void SurveyReader::Implementation::read_provenance() {
    const Handle group = file.open_group("/provenance");
    for (const std::string& name : hdf5::attribute_names(group.get()))
        if (!hdf5::read_attribute(group.get(), name, provenance[name]))
            file.corrupt(fmt::format("/provenance: attribute {} is not text", name));
}

void SurveyReader::Implementation::identify() {
    std::map<std::string, std::string> checksums;
    for (const auto& dataset : datasets.all()) checksums[dataset->path()] = dataset->checksum();
    ContentHash hash;
    hash.update(fmt::format("{} {}\n", schema::format, file.version()));
    for (const auto& [path, sum] : checksums) hash.update(fmt::format("{} {}\n", path, sum));
    checksum = hash.digest();
}

void SurveyReader::Implementation::build_index() {
    if (!index.empty()) return;
    index.reserve(static_cast<std::size_t>(sources.rows()));
    const TextDataset ids(file, "/sources/id");
    ids.for_each(0, sources.rows(), [&](std::int64_t row, std::string_view id) {
        index.emplace_back(std::hash<std::string_view>()(id), row);
    });
    std::sort(index.begin(), index.end());
}

/// Gives every source its number of items and returns them in the order of the file.
template <typename Item>
std::vector<Item*> SurveyReader::Implementation::make_room(std::vector<SourceData>& out,
                                                           std::vector<Item> SourceData::*items,
                                                           const Offsets& offsets, std::int64_t first) const {
    std::vector<Item*> all;
    for (std::size_t i = 0; i < out.size(); ++i) {
        const std::int64_t row = first + static_cast<std::int64_t>(i);
        auto& of_source = out[i].*items;
        of_source.resize(static_cast<std::size_t>(offsets[row + 1] - offsets[row]));
        for (Item& item : of_source) all.push_back(&item);
    }
    return all;
}

void SurveyReader::Implementation::read_events(std::vector<SourceData>& out, std::int64_t first) const {
    const auto lists = make_room(out, &SourceData::events, exposure_offset, first);
    const std::int64_t begin = exposure_offset[first], count = static_cast<std::int64_t>(lists.size());
    exposures.read(begin, count, [&](std::int64_t i) -> Exposure& { return lists[i]->exposure; });
    events.read(begin, count, [&](std::int64_t i) -> EventList& { return *lists[i]; });
    gtis.read(begin, count, [&](std::int64_t i) -> GoodTimeIntervals& { return lists[i]->gti; });
}

void SurveyReader::Implementation::read_light_curves(std::vector<SourceData>& out, std::int64_t first) const {
    const auto curves = make_room(out, &SourceData::light_curves, light_curve_offset, first);
    const std::int64_t begin = light_curve_offset[first], count = static_cast<std::int64_t>(curves.size());
    const auto curve = [&](std::int64_t i) -> LightCurve& { return *curves[i]; };
    light_curve_exposures.read(begin, count,
                               [&](std::int64_t i) -> Exposure& { return curves[i]->exposure; });
    light_curves.read(begin, count, curve);
    bins.read(begin, count, curve);
}

void SurveyReader::Implementation::read_spectra(std::vector<SourceData>& out, std::int64_t first) {
    const auto all = make_room(out, &SourceData::spectra, spectrum_offset, first);
    const std::int64_t begin = spectrum_offset[first], count = static_cast<std::int64_t>(all.size());
    const auto spectrum = [&](std::int64_t i) -> Spectrum& { return *all[i]; };
    spectrum_exposures.read(begin, count, [&](std::int64_t i) -> Exposure& { return all[i]->exposure; });
    spectra.read(begin, count, spectrum);
    channels.read(begin, count, spectrum);
    areas.read(begin, count, spectrum);
    if (scalings) scalings->read(begin, count, spectrum);
    std::vector<std::int64_t> indices(all.size());
    spectrum_response.for_each(begin, count,
                               [&](std::int64_t i, std::int64_t index_) { indices[i] = index_; });
    for (std::size_t i = 0; i < all.size(); ++i) all[i]->response = responses.get(indices[i]);
}

SurveyReader::SurveyReader(const std::string& path) {
    const hdf5::Session session;
    implementation_ = std::make_unique<Implementation>(path);
}

SurveyReader::~SurveyReader() {
    const hdf5::Session session;
    implementation_.reset();
}

std::int64_t SurveyReader::size() const {
    return implementation_->sources.rows();
}
const std::vector<ExtraColumn>& SurveyReader::extra_columns() const {
    return implementation_->extra.columns();
}
const std::string& SurveyReader::checksum() const {
    return implementation_->checksum;
}
std::map<std::string, std::string> SurveyReader::provenance() const {
    return implementation_->provenance;
}

std::vector<Source> SurveyReader::read_sources(std::int64_t first, std::int64_t count) {
    const hdf5::Session session;
    std::vector<Source> out(static_cast<std::size_t>(count));
    const auto source = [&](std::int64_t i) -> Source& { return out[static_cast<std::size_t>(i)]; };
    implementation_->sources.read(first, count, source);
    implementation_->extra.read(first, count, source);
    return out;
}

std::vector<SourceData> SurveyReader::read(std::int64_t first, std::int64_t count) {
    if (first < 0 || count < 0 || first > size() - count)
        throw Error(ErrorKind::internal, "OUT_OF_RANGE",
                    fmt::format("sources {} to {} asked of a survey of {}", first, first + count, size()));
    const hdf5::Session session;
    std::vector<SourceData> out(static_cast<std::size_t>(count));
    const auto source = [&](std::int64_t i) -> Source& { return out[static_cast<std::size_t>(i)].source; };
    implementation_->sources.read(first, count, source);
    implementation_->extra.read(first, count, source);
    implementation_->read_events(out, first);
    implementation_->read_light_curves(out, first);
    implementation_->read_spectra(out, first);
    return out;
}

std::int64_t SurveyReader::index_of(const std::string& source_id) const {
    const hdf5::Session session;
    implementation_->build_index();
    const auto& index = implementation_->index;
    const std::size_t hash = std::hash<std::string_view>()(source_id);
    const TextDataset ids(implementation_->file, "/sources/id");
    for (auto entry = std::lower_bound(index.begin(), index.end(), std::pair(hash, std::int64_t{0}));
         entry != index.end() && entry->first == hash; ++entry) {
        bool found = false;
        ids.for_each(entry->second, 1, [&](std::int64_t, std::string_view id) { found = id == source_id; });
        if (found) return entry->second;
    }
    return -1;
}

std::vector<std::string> SurveyReader::ids(std::int64_t first, std::int64_t count) const {
    if (first < 0 || count < 0 || first > size() - count)
        throw Error(ErrorKind::internal, "OUT_OF_RANGE",
                    fmt::format("sources {} to {} asked of a survey of {}", first, first + count, size()));
    const hdf5::Session session;
    std::vector<std::string> out;
    const TextDataset ids(implementation_->file, "/sources/id");
    ids.for_each(first, count, [&](std::int64_t, std::string_view id) { out.emplace_back(id); });
    return out;
}

std::int64_t SurveyReader::memory_bytes(std::int64_t i) const {
    const Implementation& state = *implementation_;
    const auto items = [i](const Offsets& offsets) {
        const std::int64_t begin = offsets[i];
        return std::pair(begin, offsets[i + 1] - begin);
    };
    const auto [exposure, n_exposures] = items(state.exposure_offset);
    const auto [light_curve, n_light_curves] = items(state.light_curve_offset);
    const auto [spectrum, n_spectra] = items(state.spectrum_offset);
    return static_cast<std::int64_t>(sizeof(SourceData)) +
           static_cast<std::int64_t>(state.extra.columns().size() * sizeof(ExtraValue)) +
           n_exposures * static_cast<std::int64_t>(sizeof(EventList)) +
           n_light_curves * static_cast<std::int64_t>(sizeof(LightCurve)) +
           n_spectra * static_cast<std::int64_t>(sizeof(Spectrum)) +
           state.events.bytes(exposure, n_exposures) + state.gtis.bytes(exposure, n_exposures) +
           state.bins.bytes(light_curve, n_light_curves) + state.channels.bytes(spectrum, n_spectra) +
           state.areas.bytes(spectrum, n_spectra) +
           (state.scalings ? state.scalings->bytes(spectrum, n_spectra) : 0);
}

namespace {

/// A column read row by row, a window at a time. Rows are asked for in ascending order.
class Cursor {
  public:
    Cursor(const InputFile& file, const std::string& path) : dataset_(file, path) {}
    double operator[](std::int64_t row) {
        if (row >= first_ + std::ssize(window_)) {
            first_ = row;
            window_.resize(static_cast<std::size_t>(std::min(window_rows, dataset_.rows() - row)));
            dataset_.for_each(row, std::ssize(window_), [&](std::int64_t i, double value) {
                window_[static_cast<std::size_t>(i)] = value;
            });
        }
        return window_[static_cast<std::size_t>(row - first_)];
    }

  private:
    static constexpr std::int64_t window_rows = 8192;
    NumberDataset<double> dataset_;
    std::int64_t first_ = 0;
    std::vector<double> window_;
};

}  // namespace

void SurveyReader::visit_loads(const std::function<void(const SourceLoad&)>& visitor) const {
    const hdf5::Session session;
    const Implementation& state = *implementation_;
    Cursor frame_time(state.file, "/exposures/frame_time"), width(state.file, "/light_curves/bin_width"),
        start(state.file, "/gti/start"), stop(state.file, "/gti/stop");
    SourceLoad load;
    for (std::int64_t i = 0; i < size(); ++i) {
        load.events.clear();
        load.light_curves.clear();
        load.channels = 0;
        for (std::int64_t e = state.exposure_offset[i], end = state.exposure_offset[i + 1]; e < end; ++e) {
            const std::int64_t first = state.gtis.begin(e), last = state.gtis.begin(e + 1) - 1;
            load.events.push_back(
                {state.events.length(e), last < first ? 0.0 : stop[last] - start[first], frame_time[e]});
        }
        for (std::int64_t c = state.light_curve_offset[i], end = state.light_curve_offset[i + 1]; c < end;
             ++c) {
            const std::int64_t bins = state.bins.length(c);
            const double bin = width[c];
            load.light_curves.push_back({bins, static_cast<double>(bins) * bin, bin});
        }
        const std::int64_t first = state.spectrum_offset[i], end = state.spectrum_offset[i + 1];
        load.spectra = end - first;
        for (std::int64_t s = first; s < end; ++s) load.channels += state.channels.length(s);
        visitor(load);
    }
}

std::vector<QuarantineRow> SurveyReader::quarantine() {
    const hdf5::Session session;
    return read_all<QuarantineRow>(implementation_->quarantine);
}

std::vector<InputRecord> SurveyReader::inputs() {
    const hdf5::Session session;
    return read_all<InputRecord>(implementation_->inputs);
}

std::vector<TruthRow> SurveyReader::truth() {
    const hdf5::Session session;
    return implementation_->truth ? read_all<TruthRow>(*implementation_->truth) : std::vector<TruthRow>{};
}

std::vector<std::string> SurveyReader::verify() {
    const hdf5::Session session;
    std::vector<std::string> mismatches;
    for (const auto& dataset : implementation_->datasets.all()) {
        bool matches = false;
        try {
            matches = dataset->compute_checksum() == dataset->checksum();
        } catch (const Error&) {  // cannot be read: named as well
        }
        if (!matches) mismatches.push_back(dataset->path());
    }
    return mismatches;
}

std::string SurveyReader::describe() {
    const Implementation& state = *implementation_;
    std::string text = fmt::format(
        "survey      {}\nschema      {} {}\nchecksum    {}\nsources     {}\n"
        "event lists {} with {} events\nlight curves {} with {} bins\nspectra     {} with {} responses\n"
        "inputs      {}\nquarantined {}\n",
        state.file.path(), schema::format, state.file.version(), checksum(), size(), state.exposures.rows(),
        state.events.total(), state.light_curves.rows(), state.bins.total(), state.spectra.rows(),
        state.responses.rows(), state.inputs.rows(), state.quarantine.rows());
    for (const auto& [key, value] : state.provenance) text += fmt::format("{} = {}\n", key, value);
    return text;
}

bool looks_like_hdf5(const std::string& path) {
    static constexpr std::string_view signature("\x89HDF\r\n\x1a\n", 8);
    std::array<char, signature.size()> start{};
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
    return file && std::fread(start.data(), 1, start.size(), file.get()) == start.size() &&
           std::string_view(start.data(), start.size()) == signature;
}

}  // namespace xsift::io
