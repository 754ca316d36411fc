#include "catalogue_file.hpp"

#include "header_cards.hpp"
#include "literal_path.hpp"
#include "write_error.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <xsift/core/error.hpp>

namespace xsift::io::catalogue {

namespace {

/// Version of the catalogue's layout, keyword XSIFTCAT.
constexpr int layout_version = 1;
constexpr std::int64_t chunk_bytes = 1 << 20;
/// Wider rows and texts are refused in files that come from elsewhere.
constexpr std::int64_t widest_row = 64 << 20;

constexpr const char* checksum_comment = "HDU checksum";
constexpr const char* datasum_comment = "data unit checksum";
constexpr const char* no_checksum = "0000000000000000";

std::string status_text(int status) {
    std::array<char, FLEN_STATUS> text{};
    fits_get_errstatus(status, text.data());
    fits_clear_errmsg();
    return fmt::format("cfitsio {}: {}", status, text.data());
}

/// cfitsio hides why a write failed; its buffers may fail at a call that leaves errno alone.
bool disk_full(const std::string& path) {
    std::error_code failed;
    const auto space = std::filesystem::space(std::filesystem::absolute(path, failed).parent_path(), failed);
    return is_out_of_space(errno) || (!failed && space.available < 4096);
}

std::string format_of(const ColumnFormat& column) {
    return column.type == 'A' ? fmt::format("{}A", column.width)
                              : fmt::format("{}{}", column.width, column.type);
}

/// Writes keywords of the current header; the first failure is kept in status.
struct HeaderWriter {
    fitsfile* fits = nullptr;
    int status = 0;

    void text(const std::string& key, const std::string& value, const char* comment) {
        fits_update_key_str(fits, key.c_str(), value.c_str(), comment, &status);
    }
    void integer(const std::string& key, std::int64_t value, const char* comment) {
        fits_update_key_lng(fits, key.c_str(), value, comment, &status);
    }
    void logical(const std::string& key, bool value, const char* comment) {
        fits_update_key_log(fits, key.c_str(), value ? 1 : 0, comment, &status);
    }
};

}  // namespace

void FitsCloser::operator()(fitsfile* fits) const noexcept {
    int ignored = 0;
    fits_close_file(fits, &ignored);
    fits_clear_errmsg();
}

std::int64_t rows_per_chunk(std::int64_t row_bytes) {
    return std::max<std::int64_t>(1, chunk_bytes / std::max<std::int64_t>(1, row_bytes));
}

OutputFile::OutputFile(const std::string& path, std::string target)
    : path_(path), target_(std::move(target)) {
    prepare_cfitsio();
    int status = 0;
    fitsfile* fits = nullptr;
    std::remove(path.c_str());
    errno = 0;
    fits_create_diskfile(&fits, literal_path(path).c_str(), &status);
    check(status);
    fits_.reset(fits);
    fits_create_img(fits, BYTE_IMG, 0, nullptr, &status);
    check(status);
}

void OutputFile::check(int status) const {
    if (status != 0) throw write_error(target_, disk_full(path_) ? ENOSPC : 0, status_text(status));
}

void OutputFile::write_identity(const Identity& identity) {
    HeaderWriter header{fits_.get()};
    header.text("CREATOR", "xsift", "program that wrote this file");
    header.integer("XSIFTCAT", layout_version, "version of the layout of this catalogue");
    header.text("SURVEY", identity.survey_checksum, "content of the survey");
    header.integer("NSURVEY", identity.survey_sources, "sources in the survey");
    header.integer("FIRSTSRC", identity.first_source, "first survey index in this file");
    header.integer("NSRC", identity.n_sources, "sources in this file");
    header.logical("SELECTED", identity.selection, "made for selected sources only");
    header.text("CONFSUM", identity.configuration_checksum, "configuration");
    check(header.status);
    reserve_checksums();
    write_checksums();
}

/// Puts the cards where they stay, so that data written behind the header need not move later.
void OutputFile::reserve_checksums() {
    HeaderWriter header{fits_.get()};
    header.text("CHECKSUM", no_checksum, checksum_comment);
    header.text("DATASUM", "0", datasum_comment);
    check(header.status);
}

/// As fits_write_chksum, whose comments carry the date: equal catalogues have to be equal bytes.
void OutputFile::write_checksums() {
    HeaderWriter header{fits_.get()};
    unsigned long data_sum = 0, hdu_sum = 0;
    fits_get_chksum(fits_.get(), &data_sum, &hdu_sum, &header.status);
    header.text("DATASUM", std::to_string(data_sum), datasum_comment);
    fits_get_chksum(fits_.get(), &data_sum, &hdu_sum, &header.status);
    std::array<char, 17> encoded{};
    fits_encode_chksum(hdu_sum, 1, encoded.data());
    header.text("CHECKSUM", encoded.data(), checksum_comment);
    check(header.status);
}

void OutputFile::close() {
    int status = 0;
    errno = 0;
    fits_close_file(fits_.release(), &status);
    check(status);
}

TableWriter::TableWriter(OutputFile& file, const Layout& layout, std::int64_t rows)
    : file_(file),
      name_(layout.name),
      row_bytes_(layout.row_bytes()),
      rows_(rows),
      chunk_rows_(std::min(std::max<std::int64_t>(1, rows), rows_per_chunk(row_bytes_))),
      chunk_(static_cast<std::size_t>(chunk_rows_ * row_bytes_)) {
    write_header(layout);
}

void TableWriter::write_header(const Layout& layout) {
    std::vector<std::string> formats;
    std::vector<char*> names, types, units;
    for (const ColumnFormat& column : layout.columns) formats.push_back(format_of(column));
    for (std::size_t i = 0; i < layout.columns.size();
         ++i) {  // cfitsio takes char*, and does not write to them
        names.push_back(const_cast<char*>(layout.columns[i].name.c_str()));
        types.push_back(formats[i].data());
        units.push_back(const_cast<char*>(layout.columns[i].unit.c_str()));
    }
    int status = 0;
    errno = 0;
    fits_create_tbl(file_.fits_.get(), BINARY_TBL, rows_, static_cast<int>(names.size()), names.data(),
                    types.data(), units.data(), name_.c_str(), &status);
    file_.check(status);

    HeaderWriter header{file_.fits_.get()};
    for (std::size_t i = 0; i < layout.columns.size(); ++i) {
        const ColumnFormat& column = layout.columns[i];
        const std::string n = std::to_string(i + 1);
        fits_modify_comment(file_.fits_.get(), ("TTYPE" + n).c_str(), column.comment.c_str(), &header.status);
        fits_modify_comment(file_.fits_.get(), ("TFORM" + n).c_str(), "", &header.status);
        header.text("TCOMM" + n, column.comment, "");
        if (!column.ucd.empty()) header.text("TUCD" + n, column.ucd, "");
        header.text("TDISP" + n, column.type == 'A' ? fmt::format("A{}", column.width) : column.display, "");
        if (column.type == 'K')
            header.integer("TNULL" + n, std::numeric_limits<std::int64_t>::min(), "not known");
    }
    file_.check(header.status);
    file_.reserve_checksums();
}

char* TableWriter::next_row() {
    if (pending_ == chunk_rows_) flush();
    return chunk_.data() + pending_++ * row_bytes_;
}

void TableWriter::flush() {
    if (written_ + pending_ > rows_)
        throw Error(ErrorKind::internal, "RESULTS_CHANGED",
                    fmt::format("more rows of {} than were counted", name_));
    if (pending_ == 0) return;
    int status = 0;
    errno = 0;
    fits_write_tblbytes(file_.fits_.get(), written_ + 1, 1, pending_ * row_bytes_,
                        reinterpret_cast<unsigned char*>(chunk_.data()), &status);
    file_.check(status);
    written_ += std::exchange(pending_, 0);
}

void TableWriter::finish() {
    flush();
    if (written_ != rows_)
        throw Error(ErrorKind::internal, "RESULTS_CHANGED",
                    fmt::format("fewer rows of {} than were counted", name_));
    file_.write_checksums();
}

InputFile::InputFile(const std::string& path) : path_(path) {
    std::array<char, 9> magic{};
    std::ifstream in(path, std::ios::binary);
    if (!in)
        throw Error(ErrorKind::usage, "UNREADABLE", fmt::format("cannot open {}", path), std::strerror(errno),
                    "Check the path");
    if (!in.read(magic.data(), magic.size()) || std::memcmp(magic.data(), "SIMPLE  =", magic.size()) != 0)
        corrupt("not a FITS file");
    prepare_cfitsio();
    int status = 0;
    fitsfile* fits = nullptr;
    fits_open_diskfile(&fits, literal_path(path).c_str(), READONLY, &status);
    if (status != 0) corrupt(status_text(status));
    fits_.reset(fits);
    check_headers(in);
    read_identity();
}

void InputFile::check_headers(std::ifstream& in) {
    const auto bytes = [&in](long long at, std::size_t count) { return bytes_of(in, at, count); };
    int status = 0;
    long long header = 0, data = 0, end = 0;
    for (int hdu = 2;; ++hdu) {
        fits_get_hduaddrll(fits_.get(), &header, &data, &end, &status);
        if (status != 0) break;
        if (const auto deadly = deadly_card(bytes, end)) corrupt(fmt::format("{} in HDU {}", *deadly, hdu));
        if (fits_movabs_hdu(fits_.get(), hdu, nullptr, &status) != 0) break;  // the last, or told later
    }
    fits_clear_errmsg();
    status = 0;
    fits_movabs_hdu(fits_.get(), 1, nullptr, &status);
    check(status, "first HDU");
}

void InputFile::corrupt(const std::string& why) const {
    throw Error(ErrorKind::corrupt_file, "CORRUPT_CATALOGUE", fmt::format("{} is no sound catalogue", path_),
                why, "Write it again with `xsift run` or `xsift merge`");
}

void InputFile::check(int status, const std::string& action) const {
    if (status != 0) corrupt(fmt::format("{}: {}", action, status_text(status)));
}

std::string InputFile::text_key(const std::string& key, bool required) {
    std::array<char, FLEN_VALUE> text{};
    int status = 0;
    fits_read_key_str(fits_.get(), key.c_str(), text.data(), nullptr, &status);
    if (status == KEY_NO_EXIST && !required) {
        fits_clear_errmsg();
        return {};
    }
    check(status, "keyword " + key);
    return text.data();
}

std::int64_t InputFile::integer_key(const std::string& key) {
    LONGLONG value = 0;
    int status = 0;
    fits_read_key_lnglng(fits_.get(), key.c_str(), &value, nullptr, &status);
    check(status, "keyword " + key);
    return value;
}

std::vector<std::string> InputFile::text_keys(const std::string& root, std::int64_t n) {
    std::vector<std::array<char, FLEN_VALUE>> texts(static_cast<std::size_t>(n));
    std::vector<char*> values;
    values.reserve(texts.size());
    for (auto& text : texts) values.push_back(text.data());
    int status = 0, found = 0;
    fits_read_keys_str(fits_.get(), root.c_str(), 1, static_cast<int>(n), values.data(), &found, &status);
    check(status, "keywords " + root);
    return {values.begin(), values.end()};
}

std::int64_t InputFile::data_offset() {
    LONGLONG header = 0, data = 0, end = 0;
    int status = 0;
    fits_get_hduaddrll(fits_.get(), &header, &data, &end, &status);
    check(status, "place of the rows");
    return data;
}

void InputFile::read_identity() {
    if (const std::int64_t version = integer_key("XSIFTCAT"); version != layout_version)
        throw Error(ErrorKind::corrupt_file, "CATALOGUE_VERSION", fmt::format("cannot read {}", path_),
                    fmt::format("layout version {}, this build knows {}", version, layout_version),
                    "Use the xsift that wrote it");
    int status = 0, selection = 0;
    identity_.survey_checksum = text_key("SURVEY", true);
    identity_.configuration_checksum = text_key("CONFSUM", true);
    identity_.survey_sources = integer_key("NSURVEY");
    identity_.first_source = integer_key("FIRSTSRC");
    identity_.n_sources = integer_key("NSRC");
    fits_read_key_log(fits_.get(), "SELECTED", &selection, nullptr, &status);
    check(status, "keyword SELECTED");
    identity_.selection = selection != 0;
}

Layout InputFile::open_table(const std::string& name) {
    int status = 0;
    fits_movnam_hdu(fits_.get(), BINARY_TBL, const_cast<char*>(name.c_str()), 0, &status);
    check(status, "extension " + name);
    Layout layout{name, {}};
    const std::int64_t columns = integer_key("TFIELDS");
    if (columns < 1 || columns > 999) corrupt(fmt::format("{} has {} columns", name, columns));
    const std::vector<std::string> formats = text_keys("TFORM", columns), names = text_keys("TTYPE", columns),
                                   units = text_keys("TUNIT", columns);
    for (std::size_t i = 0; i < formats.size(); ++i) {
        const std::string& format = formats[i];
        ColumnFormat column;
        column.name = names[i];
        column.unit = units[i];
        if (column.name.empty()) corrupt(fmt::format("column {} of {} has no name", i + 1, name));
        char* end = nullptr;
        column.width = std::strtoll(format.c_str(), &end, 10);
        if (end == format.c_str()) column.width = 1;
        column.type = *end;
        if (column.width < 1 || column.width > widest_row ||
            (column.type != 'A' && column.type != 'D' && column.width != 1) ||
            std::string_view("ADJKL").find(column.type) == std::string_view::npos)
            corrupt(fmt::format("column {} of {} has the format '{}'", column.name, name, format));
        layout.columns.push_back(std::move(column));
    }
    rows_ = integer_key("NAXIS2");
    row_bytes_ = integer_key("NAXIS1");
    const auto file_bytes = static_cast<std::int64_t>(std::filesystem::file_size(path_));
    if (row_bytes_ != layout.row_bytes() || row_bytes_ > widest_row || rows_ < 0 ||
        rows_ > file_bytes / row_bytes_)
        corrupt(fmt::format("the size of {} does not fit its columns or the file", name));
    return layout;
}

const char* InputFile::read_rows(std::int64_t first, std::int64_t count) {
    buffer_.resize(static_cast<std::size_t>(count * row_bytes_));
    int status = 0;
    if (count > 0)
        fits_read_tblbytes(fits_.get(), first + 1, 1, count * row_bytes_,
                           reinterpret_cast<unsigned char*>(buffer_.data()), &status);
    check(status, "rows");
    return buffer_.data();
}

std::vector<std::string> InputFile::hdu_findings() {
    std::vector<std::string> findings;
    const auto file_bytes = static_cast<long long>(std::filesystem::file_size(path_));
    int status = 0, hdus = 0;
    fits_get_num_hdus(fits_.get(), &hdus, &status);
    int wanted = 1;
    Tables::complete().for_each([&](const auto&) { ++wanted; });
    if (status == 0 && hdus != wanted) findings.push_back(fmt::format("{} HDUs instead of {}", hdus, wanted));
    for (int i = 1; i <= hdus; ++i) {
        int data_ok = 0, hdu_ok = 0;
        long long header = 0, data = 0, end = 0;
        fits_movabs_hdu(fits_.get(), i, nullptr, &status);
        fits_get_hduaddrll(fits_.get(), &header, &data, &end, &status);
        if (status == 0 && end > file_bytes) {  // cfitsio would sum up what is not there
            findings.push_back(
                fmt::format("HDU {} ends at byte {}, the file at byte {}", i, end, file_bytes));
            continue;
        }
        fits_verify_chksum(fits_.get(), &data_ok, &hdu_ok, &status);
        if (status != 0) {
            findings.push_back(
                fmt::format("HDU {} cannot be read ({})", i, status_text(std::exchange(status, 0))));
        } else if (data_ok != 1 || hdu_ok != 1) {
            const std::string name = i == 1 ? "PRIMARY" : text_key("EXTNAME", false);
            findings.push_back(fmt::format("the checksum of HDU {} ({}) {}", i, name,
                                           data_ok == 0 || hdu_ok == 0 ? "is missing" : "does not match"));
        }
    }
    return findings;
}

namespace {

/// The steps of the characterisation whose columns SOURCES holds, in the order of the columns.
Steps read_steps(InputFile& file) {
    const Layout layout = file.open_table("SOURCES");
    Steps steps;
    auto at = layout.columns.begin();
    for (const auto& column : Tables::complete().sources.columns) {
        if (at == layout.columns.end() || at->name != column.name) continue;
        ++at;
        if (!column.step.empty() && column.step != "any" &&
            std::find(steps.begin(), steps.end(), column.step) == steps.end())
            steps.push_back(column.step);
    }
    return steps;
}

/// The columns of SOURCES that follow the fixed ones.
std::vector<ExtraColumn> read_extra_columns(InputFile& file, const Steps& steps) {
    const Layout layout = file.open_table("SOURCES");
    const std::size_t fixed = Tables({}, steps).sources.columns.size();
    std::vector<ExtraColumn> extra;
    for (std::size_t i = fixed; i < layout.columns.size(); ++i) {
        const ColumnFormat& column = layout.columns[i];
        extra.push_back({column.name, column.unit,
                         column.type == 'A'   ? ExtraColumn::Type::text
                         : column.type == 'K' ? ExtraColumn::Type::integer
                                              : ExtraColumn::Type::real});
    }
    return extra;
}

}  // namespace

OpenCatalogue::OpenCatalogue(const std::string& path)
    : file(path),
      steps(read_steps(file)),
      extra_columns(read_extra_columns(file, steps)),
      tables(extra_columns, steps) {
    tables.for_each([&](auto& table) {
        const Layout stored = file.open_table(table.name);
        if (stored.columns.size() != table.columns.size())
            file.corrupt(fmt::format("{} has {} columns instead of {}", table.name, stored.columns.size(),
                                     table.columns.size()));
        for (std::size_t i = 0; i < stored.columns.size(); ++i) {
            auto& column = table.columns[i];
            const ColumnFormat& found = stored.columns[i];
            if (found.name != column.name || found.type != column.type || found.unit != column.unit ||
                (found.type != 'A' && found.width != column.width))
                file.corrupt(fmt::format("column {} of {} is {} ({}, {}) instead of {}", i + 1, table.name,
                                         found.name, found.type, found.unit, column.name));
            column.width = found.width;
        }
    });
}

}  // namespace xsift::io::catalogue
