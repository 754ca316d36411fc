#pragma once
/// @file
/// A FITS file opened for reading: RAII over cfitsio, one checked call, structure checked before anything is
/// read.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fitsio.h>

namespace xsift::io {

/// Spectra and responses with more channels are refused: none is known with a tenth of this.
inline constexpr int max_channels = 1 << 20;

/// What a header says about an HDU.
struct HduInfo {
    int number = 0;  ///< 1 is the primary HDU
    bool table = false;
    bool tile_compressed = false;
    std::string name, class1, class2, class3;  ///< EXTNAME, HDUCLAS1..3
    std::int64_t rows = 0, row_bytes = 0;
    std::int64_t heap_bytes = 0;  ///< PCOUNT
};

/// True when texts are equal but for the case of ASCII letters.
bool same_word(std::string_view a, std::string_view b);

/// One open FITS file. Use from one thread at a time; different handles may be used at the same time.
class FitsHandle {
  public:
    /// Takes the path literally (no extended file name syntax) and checks that every HDU lies inside the
    /// file. gzip-compressed files are unpacked into memory, their checksum checked.
    /// @throws Error (input): NO_SUCH_FILE, UNREADABLE, EMPTY_FILE, NOT_FITS, TRUNCATED.
    explicit FitsHandle(const std::string& path);
    ~FitsHandle();
    FitsHandle(const FitsHandle&) = delete;
    FitsHandle& operator=(const FitsHandle&) = delete;

    const std::string& path() const { return path_; }
    const std::string& base_name() const { return base_name_; }
    const std::vector<HduInfo>& hdus() const { return hdus_; }
    /// The first table for which the predicate holds, or nullptr.
    template <typename Predicate>
    const HduInfo* find_table(Predicate&& predicate) const {
        for (const HduInfo& hdu : hdus_)
            if (hdu.table && predicate(hdu)) return &hdu;
        return nullptr;
    }

    /// Makes an HDU the current one. @throws Error (input, "UNSUPPORTED") for a tile-compressed HDU.
    void select(const HduInfo& hdu);
    const HduInfo& current() const { return *current_; }

    /// Keywords of the current HDU, or of the primary one when it has none of that name.
    std::optional<double> number(const char* key);
    std::string text(const char* key);
    /// Keywords of the current HDU alone.
    std::optional<double> own_number(const std::string& key);
    std::string own_text(const std::string& key);
    /// A number from a header or a table that counts something. @throws Error (input, "BAD_TABLE") when it is
    /// no whole number or not within [lo, hi].
    int whole_number(const std::string& what, double value, int lo, int hi) const;

    /// Number of a column (case-insensitive, literal), 0 when absent.
    int column(std::string_view name) const;
    /// The first of some columns that exists, 0 when none does.
    int first_column(std::initializer_list<std::string_view> names) const;
    std::string column_name(int column) const { return columns_.at(static_cast<std::size_t>(column - 1)); }
    int columns() const { return static_cast<int>(columns_.size()); }
    std::string column_unit(int column);
    /// cfitsio's type code (TSTRING, TDOUBLE, ...; negative for variable-length) and the elements a row.
    std::pair<int, std::int64_t> column_type(int column);

    /// A scalar column as doubles; null integers are NaN. @throws Error (input, "BAD_TABLE").
    std::vector<double> numbers(int column);
    /// Rows [first, first + count) of a scalar column (rows count from 0).
    std::vector<double> numbers(int column, std::int64_t first, std::int64_t count);
    std::vector<std::string> texts(int column, std::int64_t first, std::int64_t count);
    /// The elements of one row of a fixed or variable-length column (row counts from 0).
    std::vector<double> row_numbers(int column, std::int64_t row);
    std::vector<float> row_floats(int column, std::int64_t row);
    std::vector<std::int64_t> integers(int column);
    std::vector<std::string> texts(int column);

  private:
    template <typename T>
    std::vector<T> read(int column, int datatype, std::int64_t row, std::int64_t count, T null_value);
    template <typename T>
    std::vector<T> read_row(int column, int datatype, std::int64_t row, T null_value);
    /// One number of each of `count` rows. @throws Error (input, "BAD_TABLE") for a column of variable
    /// length.
    template <typename T>
    std::vector<T> read_rows(int column, int datatype, std::int64_t first, std::int64_t count, T null_value);
    void open_packed();
    std::string bytes_at(long long offset, std::size_t count) const;
    void scan();
    /// Rows and heap as the header claims them. @throws Error (input, "TRUNCATED") for more than the file
    /// holds.
    void read_table_size(HduInfo& table, long long file_bytes);
    [[noreturn]] void throw_beyond_row(int column) const;
    /// Elements of a row of a variable-length column. @throws Error (input, "BAD_TABLE") when its descriptor
    /// leads out of the heap.
    std::int64_t elements_in_heap(int column, std::int64_t row);
    void move_to(int number);
    void read_column_names();
    /// Calls a cfitsio function with the file and a fresh status. @throws Error (input, "BAD_TABLE").
    template <typename Function, typename... Args>
    void call(const char* doing, Function function, Args&&... args);
    template <typename Function>
    auto with_primary(Function&& get);

    std::string path_, base_name_;
    std::vector<char> unpacked_;
    void* memory_ = nullptr;
    std::size_t memory_bytes_ = 0;
    fitsfile* file_ = nullptr;
    std::vector<HduInfo> hdus_;
    const HduInfo* current_ = nullptr;
    std::vector<std::string> columns_;
};

}  // namespace xsift::io
