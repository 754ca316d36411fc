#include "fits_handle.hpp"

#include "header_cards.hpp"
#include "literal_path.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <memory>

#include <fmt/format.h>
#include <zlib.h>

#include <xsift/core/error.hpp>

namespace xsift::io {
namespace {

constexpr std::size_t block_bytes = 2880;
constexpr std::size_t max_unpacked_bytes = std::size_t{8} << 30;  ///< in memory
constexpr int max_display_width = 1024;                           ///< of a number as text
constexpr int max_hdus = 100'000;

std::string status_text(int status) {
    std::array<char, FLEN_STATUS> text{};
    fits_get_errstatus(status, text.data());
    fits_clear_errmsg();
    return fmt::format("cfitsio: {} [{}]", text.data(), status);
}

[[noreturn]] void throw_truncated(const std::string& path, const std::string& why) {
    throw Error(ErrorKind::input, "TRUNCATED", path + ": the file is incomplete", why,
                "Fetch or copy it again.");
}

/// The first bytes of a file; also tells apart what cannot be opened, is no file, or is empty.
std::string file_start(const std::string& path) {
    std::error_code failure;
    const auto status = std::filesystem::status(path, failure);
    if (status.type() == std::filesystem::file_type::not_found)
        throw Error(ErrorKind::input, "NO_SUCH_FILE", path + ": no such file",
                    "the name is taken literally: no extended file name syntax, no addresses",
                    "Check the name.");
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), std::fclose);
    if (!std::filesystem::is_regular_file(status) || !file)
        throw Error(ErrorKind::input, "UNREADABLE", path + ": cannot be read", std::strerror(errno),
                    "Check the permissions and that it is a file.");
    std::string start(80, '\0');
    start.resize(std::fread(start.data(), 1, start.size(), file.get()));
    if (start.empty())
        throw Error(ErrorKind::input, "EMPTY_FILE", path + ": the file is empty", {},
                    "Fetch or copy it again.");
    return start;
}

bool is_packed(const std::string& start) {
    return start.starts_with("\x1f\x8b") || start.starts_with("\x1f\x9d");
}

void require_fits(const std::string& path, std::string_view start) {
    if (!start.starts_with("SIMPLE  ="))
        throw Error(ErrorKind::input, "NOT_FITS", path + ": not a FITS file", "it does not start with SIMPLE",
                    "Remove it from the inputs or replace it.");
}

}  // namespace

bool same_word(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](unsigned char x, unsigned char y) { return std::toupper(x) == std::toupper(y); });
}

template <typename Function, typename... Args>
void FitsHandle::call(const char* doing, Function function, Args&&... args) {
    int status = 0;
    function(file_, std::forward<Args>(args)..., &status);
    if (status != 0)
        throw Error(ErrorKind::input, "BAD_TABLE",
                    fmt::format("{}: cannot {} in HDU {} {}", path_, doing, current_ ? current_->number : 1,
                                current_ ? current_->name : ""),
                    status_text(status), "The file breaks its format; fetch it again or leave it out.");
}

FitsHandle::FitsHandle(const std::string& path)
    : path_(path), base_name_(std::filesystem::path(path).filename().string()) {
    const std::string start = file_start(path);
    prepare_cfitsio();
    int status = 0;
    if (is_packed(start)) {
        open_packed();
        require_fits(path, std::string_view(unpacked_.data(), unpacked_.size()));
        memory_ = unpacked_.data();
        memory_bytes_ = unpacked_.size();
        fits_open_memfile(&file_, "unpacked", READONLY, &memory_, &memory_bytes_, 0, nullptr, &status);
    } else {
        require_fits(path, start);
        memory_bytes_ = std::filesystem::file_size(path);
        fits_open_diskfile(&file_, literal_path(path).c_str(), READONLY, &status);
    }
    if (status != 0) {
        file_ = nullptr;
        const std::string why = status_text(status);
        if (memory_bytes_ < block_bytes || status == END_OF_FILE) throw_truncated(path_, why);
        throw Error(ErrorKind::input, "NOT_FITS", path + ": cannot be opened as FITS", why,
                    "Remove it from the inputs or replace it.");
    }
    try {
        scan();
    } catch (...) {
        fits_close_file(file_, &status);
        throw;
    }
}

FitsHandle::~FitsHandle() {
    int status = 0;
    fits_close_file(file_, &status);
}

void FitsHandle::open_packed() {
    const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(gzopen(path_.c_str(), "rb"), gzclose);
    if (!file) throw Error(ErrorKind::input, "UNREADABLE", path_ + ": cannot be read", std::strerror(errno));
    constexpr std::size_t step = std::size_t{1} << 20;
    std::size_t filled = 0;
    for (;;) {
        if (unpacked_.size() - filled < step) unpacked_.resize(std::max(2 * unpacked_.size(), filled + step));
        const int got = gzread(file.get(), unpacked_.data() + filled, step);
        int failure = Z_OK;
        const char* why = gzerror(file.get(), &failure);
        // Z_BUF_ERROR: the stream ends early; Z_DATA_ERROR: damaged, or its checksum does not match.
        if (got < 0 || failure == Z_BUF_ERROR) throw_truncated(path_, fmt::format("gzip: {}", why));
        if (got == 0) break;
        // Told by its start, before the rest takes memory.
        if (filled == 0) require_fits(path_, {unpacked_.data(), static_cast<std::size_t>(got)});
        filled += static_cast<std::size_t>(got);
        if (filled > max_unpacked_bytes)
            throw Error(ErrorKind::input, "UNSUPPORTED", path_ + ": unpacks to more than 8 GiB", {},
                        "Unpack it to a plain FITS file.");
    }
    unpacked_.resize(filled);
    unpacked_.shrink_to_fit();
}

std::string FitsHandle::bytes_at(long long offset, std::size_t count) const {
    const auto at = static_cast<std::size_t>(offset);
    if (!unpacked_.empty()) return {unpacked_.data() + at, std::min(count, unpacked_.size() - at)};
    std::ifstream in(path_, std::ios::binary);
    return bytes_of(in, offset, count);
}

void FitsHandle::move_to(int number) {
    int type = 0;
    call("open an HDU", ffmahd, number, &type);
}

void FitsHandle::scan() {
    long long end = 0;
    const auto size = static_cast<long long>(memory_bytes_);
    while (end < size) {
        const int number = static_cast<int>(hdus_.size()) + 1;
        int status = 0, type = 0;
        const auto deadly =
            deadly_card([this](long long at, std::size_t count) { return bytes_at(at, count); }, end);
        if (deadly)
            throw Error(ErrorKind::input, "BAD_TABLE",
                        fmt::format("{}: the header of HDU {} breaks its format", path_, number), *deadly,
                        "The file breaks its format; fetch it again or leave it out.");
        ffmahd(file_, number, &type, &status);
        if (status != 0) {
            const std::string why = status_text(status);
            // Anything may follow the last HDU; only the start of another header means that something is
            // missing.
            if (number == 1 || std::string_view("XTENSION").starts_with(bytes_at(end, 8)))
                throw_truncated(path_, fmt::format("HDU {} ends too early; {}", number, why));
            break;
        }
        long long header = 0, data = 0;
        const long long begin = end;
        call("find an HDU", ffghadll, &header, &data, &end);
        if (end <= begin)  // cfitsio gives the same one again and again
            throw_truncated(path_, fmt::format("HDU {} does not end", number));
        HduInfo hdu;
        hdu.number = number;
        hdus_.push_back(hdu);
        current_ = &hdus_.back();
        HduInfo& info = hdus_.back();
        info.table = type == BINARY_TBL || type == ASCII_TBL;
        info.name = own_text("EXTNAME");
        info.class1 = own_text("HDUCLAS1");
        info.class2 = own_text("HDUCLAS2");
        info.class3 = own_text("HDUCLAS3");
        if (end > size)
            throw_truncated(path_, fmt::format("HDU {} {} ends at byte {}, the file at byte {}", number,
                                               info.name, end, size));
        int flag = 0;
        int absent = 0;
        ffgkyl(file_, "ZTABLE", &flag, nullptr, &absent);
        int failure = 0;
        info.tile_compressed = (flag != 0 && absent == 0) || fits_is_compressed_image(file_, &failure) != 0;
        fits_clear_errmsg();
        if (info.table) read_table_size(info, size);
        if (number >= max_hdus)
            throw Error(ErrorKind::input, "UNSUPPORTED", path_ + ": more than 100000 HDUs");
    }
    current_ = nullptr;
    select(hdus_.front());
}

void FitsHandle::read_table_size(HduInfo& table, long long file_bytes) {
    const double width = own_number("NAXIS1").value_or(0.0), rows = own_number("NAXIS2").value_or(0.0),
                 heap = own_number("PCOUNT").value_or(0.0);
    // In doubles: sizes that overflow an integer are told here, and so is what is no number. Rows of a table
    // without any may be wider than the file, but no row has this many bytes.
    constexpr double widest_row = 1e15;
    if (!(width >= 0.0 && width <= widest_row && rows >= 0.0 && heap >= 0.0 &&
          width * rows + heap <= static_cast<double>(file_bytes)))
        throw_truncated(path_, fmt::format("HDU {} {} claims {} rows of {} bytes and {} more", table.number,
                                           table.name, rows, width, heap));
    // A table without width could claim any number of rows.
    table.rows = width < 1.0 ? 0 : static_cast<std::int64_t>(rows);
    table.row_bytes = static_cast<std::int64_t>(width);
    table.heap_bytes = static_cast<std::int64_t>(heap);
}

void FitsHandle::select(const HduInfo& hdu) {
    if (hdu.tile_compressed)
        throw Error(ErrorKind::input, "UNSUPPORTED",
                    fmt::format("{}: HDU {} {} is tile-compressed", path_, hdu.number, hdu.name), {},
                    "Unpack it with funpack.");
    if (current_ == &hdu) return;
    current_ = &hdu;
    move_to(hdu.number);
    read_column_names();
}

void FitsHandle::read_column_names() {
    columns_.clear();
    if (!current_->table) return;
    const int n = whole_number("TFIELDS", own_number("TFIELDS").value_or(0.0), 0, 999);
    for (int i = 1; i <= n; ++i) columns_.push_back(own_text(fmt::format("TTYPE{}", i)));
}

std::optional<double> FitsHandle::own_number(const std::string& key) {
    double value = 0.0;
    int status = 0;
    ffgkyd(file_, key.c_str(), &value, nullptr, &status);
    if (status != 0) fits_clear_errmsg();
    return status == 0 ? std::optional(value) : std::nullopt;
}

std::string FitsHandle::own_text(const std::string& key) {
    char* raw = nullptr;
    int status = 0;
    ffgkls(file_, key.c_str(), &raw, nullptr, &status);
    const std::unique_ptr<char, void (*)(void*)> owner(raw, std::free);
    if (status != 0) fits_clear_errmsg();
    std::string value = status == 0 && raw != nullptr ? raw : "";
    value.erase(value.find_last_not_of(' ') + 1);
    return value;
}

int FitsHandle::whole_number(const std::string& what, double value, int lo, int hi) const {
    if (!(value >= lo && value <= hi) || value != std::floor(value))
        throw Error(
            ErrorKind::input, "BAD_TABLE",
            fmt::format("{}: {} is {} in HDU {} {}", path_, what, value, current_->number, current_->name),
            fmt::format("expected a whole number from {} to {}", lo, hi),
            "The file breaks its format; fetch it again or leave it out.");
    return static_cast<int>(value);
}

template <typename Function>
auto FitsHandle::with_primary(Function&& get) {
    move_to(1);
    auto value = get();
    move_to(current_->number);
    return value;
}

std::optional<double> FitsHandle::number(const char* key) {
    const auto value = own_number(key);
    if (value || current_->number == 1) return value;
    return with_primary([&] { return own_number(key); });
}

std::string FitsHandle::text(const char* key) {
    std::string value = own_text(key);
    if (!value.empty() || current_->number == 1) return value;
    return with_primary([&] { return own_text(key); });
}

int FitsHandle::column(std::string_view name) const {
    for (std::size_t i = 0; i < columns_.size(); ++i)
        if (same_word(columns_[i], name)) return static_cast<int>(i) + 1;
    return 0;
}

int FitsHandle::first_column(std::initializer_list<std::string_view> names) const {
    for (std::string_view name : names)
        if (const int found = column(name)) return found;
    return 0;
}

std::string FitsHandle::column_unit(int column) {
    return own_text(fmt::format("TUNIT{}", column));
}

std::pair<int, std::int64_t> FitsHandle::column_type(int column) {
    int type = 0;
    LONGLONG repeat = 0, width = 0;
    call("describe a column", ffeqtyll, column, &type, &repeat, &width);
    return {type, repeat};
}

template <typename T>
std::vector<T> FitsHandle::read(int column, int datatype, std::int64_t row, std::int64_t count,
                                T null_value) {
    std::vector<T> values(static_cast<std::size_t>(count));
    int any_null = 0;
    if (count > 0)
        call("read a column", ffgcv, datatype, column, static_cast<LONGLONG>(row) + 1, LONGLONG{1},
             static_cast<LONGLONG>(count), static_cast<void*>(&null_value), static_cast<void*>(values.data()),
             &any_null);
    return values;
}

void FitsHandle::throw_beyond_row(int column) const {
    throw Error(ErrorKind::input, "BAD_TABLE",
                fmt::format("{}: column {} of HDU {} {} is wider than its rows", path_, column,
                            current_->number, current_->name),
                "TFORM and NAXIS1 contradict each other",
                "The file breaks its format; fetch it again or leave it out.");
}

std::int64_t FitsHandle::elements_in_heap(int column, std::int64_t row) {
    LONGLONG length = 0, offset = 0;
    call("find a row's elements", ffgdesll, column, static_cast<LONGLONG>(row) + 1, &length, &offset);
    if (length < 0 || length > current_->heap_bytes || offset < 0 || offset > current_->heap_bytes - length)
        throw Error(ErrorKind::input, "BAD_TABLE",
                    fmt::format("{}: row {} of column {} lies outside the table", path_, row + 1, column));
    return length;
}

template <typename T>
std::vector<T> FitsHandle::read_row(int column, int datatype, std::int64_t row, T null_value) {
    auto [type, count] = column_type(column);
    // Elements take at least a byte, but for bits, which no reader here asks for.
    if (type >= 0 && (count < 0 || count > current_->row_bytes)) throw_beyond_row(column);
    if (type < 0) count = elements_in_heap(column, row);
    return read<T>(column, datatype, row, count, null_value);
}

template <typename T>
std::vector<T> FitsHandle::read_rows(int column, int datatype, std::int64_t first, std::int64_t count,
                                     T null_value) {
    // cfitsio follows descriptors of variable-length columns wherever they lead.
    if (column_type(column).first < 0)
        throw Error(ErrorKind::input, "BAD_TABLE",
                    fmt::format("{}: column {} of HDU {} {} has rows of variable length", path_, column,
                                current_->number, current_->name),
                    "one number a row is expected",
                    "The file breaks its format; fetch it again or leave it out.");
    return read<T>(column, datatype, first, count, null_value);
}

std::vector<double> FitsHandle::numbers(int column) {
    return numbers(column, 0, current_->rows);
}

std::vector<double> FitsHandle::numbers(int column, std::int64_t first, std::int64_t count) {
    return read_rows<double>(column, TDOUBLE, first, count, std::numeric_limits<double>::quiet_NaN());
}

std::vector<std::int64_t> FitsHandle::integers(int column) {
    static_assert(sizeof(LONGLONG) == sizeof(std::int64_t));
    const auto raw =
        read_rows<LONGLONG>(column, TLONGLONG, 0, current_->rows, std::numeric_limits<LONGLONG>::min());
    return {raw.begin(), raw.end()};
}

std::vector<double> FitsHandle::row_numbers(int column, std::int64_t row) {
    return read_row<double>(column, TDOUBLE, row, std::numeric_limits<double>::quiet_NaN());
}

std::vector<float> FitsHandle::row_floats(int column, std::int64_t row) {
    return read_row<float>(column, TFLOAT, row, std::numeric_limits<float>::quiet_NaN());
}

std::vector<std::string> FitsHandle::texts(int column) {
    return texts(column, 0, current_->rows);
}

std::vector<std::string> FitsHandle::texts(int column, std::int64_t first, std::int64_t count) {
    int type = 0;
    LONGLONG repeat = 0, width = 0;
    call("describe a column", ffgtclll, column, &type, &repeat, &width);
    if (type == TSTRING && (repeat < 0 || repeat > current_->row_bytes)) throw_beyond_row(column);
    int display = 0;
    call("describe a column", fits_get_col_display_width, column, &display);
    // TDISP may claim any width, and cfitsio fills what it claims.
    if (display > std::max<LONGLONG>(type == TSTRING ? repeat : 0, max_display_width))
        throw Error(ErrorKind::input, "BAD_TABLE",
                    fmt::format("{}: TDISP{} claims {} characters in HDU {} {}", path_, column, display,
                                current_->number, current_->name),
                    {}, "The file breaks its format; fetch it again or leave it out.");
    const auto length =
        static_cast<std::size_t>(std::max<LONGLONG>(type == TSTRING ? repeat : 0, display)) + 1;
    std::vector<std::string> values;
    values.reserve(static_cast<std::size_t>(count));
    std::vector<char> buffer(length);
    std::array<char, 1> null{'\0'};
    for (std::int64_t row = first; row < first + count; ++row) {
        int any_null = 0;
        if (type < 0)
            buffer.resize(std::max(length, static_cast<std::size_t>(elements_in_heap(column, row)) + 1));
        std::array<char*, 1> pointer{buffer.data()};
        call("read a column", ffgcvs, column, static_cast<LONGLONG>(row) + 1, LONGLONG{1}, LONGLONG{1},
             null.data(), pointer.data(), &any_null);
        std::string value = buffer.data();
        value.erase(value.find_last_not_of(' ') + 1);
        values.push_back(std::move(value));
    }
    return values;
}

}  // namespace xsift::io
