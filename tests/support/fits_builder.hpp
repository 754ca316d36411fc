#pragma once
/// @file
/// Makes small FITS files byte by byte, so that tests do not depend on the library that reads them.

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace xsift::test {

using Cards =
    std::vector<std::pair<std::string, std::string>>;  ///< values as they stand: "'text'", "T", "1.5"

/// A column of doubles (D), floats (E), 4-byte (J), 2-byte (I) or 1-byte (B) integers, or characters (A).
struct FitsColumn {
    std::string name;
    char form;
    std::vector<double> values;
    std::string unit = {};
    std::vector<std::vector<double>> cells = {};  ///< several elements a row, instead of values
    bool variable = false;                        ///< cells of differing lengths on the heap
};

class FitsBuilder {
  public:
    explicit FitsBuilder(const Cards& primary = {}) {
        header("SIMPLE  =                    T", {{"BITPIX", "8"}, {"NAXIS", "0"}, {"EXTEND", "T"}}, primary);
    }

    FitsBuilder& table(const std::string& name, const std::vector<FitsColumn>& columns,
                       const Cards& cards = {}) {
        std::size_t width = 0;
        const std::size_t rows =
            columns.empty() ? 0 : std::max(columns.front().values.size(), columns.front().cells.size());
        std::size_t heap = 0;
        for (const FitsColumn& column : columns) {
            width += column.variable ? 8 : bytes_of(column.form) * longest(column);
            if (column.variable)
                for (const auto& cell : column.cells) heap += cell.size() * bytes_of(column.form);
        }
        Cards all{{"BITPIX", "8"},
                  {"NAXIS", "2"},
                  {"NAXIS1", std::to_string(width)},
                  {"NAXIS2", std::to_string(rows)},
                  {"PCOUNT", std::to_string(heap)},
                  {"GCOUNT", "1"},
                  {"TFIELDS", std::to_string(columns.size())},
                  {"EXTNAME", "'" + name + "'"}};
        for (std::size_t c = 0; c < columns.size(); ++c) {
            const std::string n = std::to_string(c + 1);
            all.emplace_back("TTYPE" + n, "'" + columns[c].name + "'");
            const std::string repeat = columns[c].variable ? "1P" : std::to_string(longest(columns[c]));
            const std::string most =
                columns[c].variable ? "(" + std::to_string(longest(columns[c])) + ")" : "";
            all.emplace_back("TFORM" + n, "'" + repeat + columns[c].form + most + "'");
            if (!columns[c].unit.empty()) all.emplace_back("TUNIT" + n, "'" + columns[c].unit + "'");
        }
        header("XTENSION= 'BINTABLE'", all, cards);
        std::size_t used = 0;
        for (std::size_t row = 0; row < rows; ++row)
            for (const FitsColumn& column : columns) append_cell(column, row, used);
        for (std::size_t row = 0; row < rows; ++row)  // the heap, in the order of the descriptors
            for (const FitsColumn& column : columns)
                if (column.variable)
                    for (double value : column.cells.at(row)) append(column.form, value);
        pad('\0');
        return *this;
    }

    const std::string& bytes() const { return bytes_; }

  private:
    static std::size_t bytes_of(char form) { return form == 'D' ? 8 : form == 'I' ? 2 : form == 'B' || form == 'A' ? 1 : 4; }
    static std::size_t longest(const FitsColumn& column) {
        std::size_t most = 1;
        for (const auto& cell : column.cells) most = std::max(most, cell.size());
        return most;
    }
    void append_cell(const FitsColumn& column, std::size_t row, std::size_t& heap_used) {
        if (column.cells.empty()) return append(column.form, column.values.at(row));
        const std::vector<double>& cell = column.cells.at(row);
        if (column.variable) {
            big_endian(static_cast<std::uint32_t>(cell.size()));
            big_endian(static_cast<std::uint32_t>(heap_used));
            heap_used += cell.size() * bytes_of(column.form);
            return;
        }
        for (std::size_t i = 0; i < longest(column); ++i)
            append(column.form, i < cell.size() ? cell[i] : 0.0);
    }
    void card(std::string text) {
        text.resize(80, ' ');
        bytes_ += text;
    }
    void pad(char filler) { bytes_.resize((bytes_.size() + 2879) / 2880 * 2880, filler); }
    void header(const std::string& first, const Cards& mandatory, const Cards& cards) {
        card(first);
        for (const Cards* list : {&mandatory, &cards})
            for (const auto& [key, value] : *list) {
                std::string text = key;
                text.resize(8, ' ');
                card(text + "= " +
                     (value[0] == '\''
                          ? value
                          : std::string(20 - std::min<std::size_t>(20, value.size()), ' ') + value));
            }
        card("END");
        pad(' ');
    }
    template <typename T>
    void big_endian(T bits) {
        for (int shift = 8 * (static_cast<int>(sizeof(T)) - 1); shift >= 0; shift -= 8)
            bytes_ += static_cast<char>((bits >> shift) & 0xff);
    }
    void append(char form, double value) {
        if (form == 'D')
            big_endian(std::bit_cast<std::uint64_t>(value));
        else if (form == 'E')
            big_endian(std::bit_cast<std::uint32_t>(static_cast<float>(value)));
        else if (form == 'J')
            big_endian(static_cast<std::uint32_t>(static_cast<std::int32_t>(value)));
        else if (form == 'I')
            big_endian(static_cast<std::uint16_t>(static_cast<std::int16_t>(value)));
        else
            bytes_ += static_cast<char>(static_cast<std::uint8_t>(value));
    }

    std::string bytes_;
};

/// Keywords of barycentred times.
inline const Cards barycentred{{"TIMESYS", "'TDB'"},  {"TIMEREF", "'SOLARSYSTEM'"},
                               {"MJDREFI", "50814"},  {"MJDREFF", "0.0"},
                               {"TIMEZERO", "0.0"},   {"TELESCOP", "'XMM'"},
                               {"INSTRUME", "'EPN'"}, {"SUBMODE", "'PrimeFullWindow'"},
                               {"FRMTIME", "73"},     {"OBJECT", "'Test star'"}};

/// An event list: times, PI = 1000 eV, and good time intervals (none when start is empty).
inline std::string event_file(const std::vector<double>& times, const std::vector<double>& start,
                              const std::vector<double>& stop) {
    FitsBuilder fits;
    fits.table("EVENTS", {{"TIME", 'D', times, "s"}, {"PI", 'J', std::vector<double>(times.size(), 1000.0)}},
               barycentred);
    if (!start.empty())
        fits.table("GTI", {{"START", 'D', start}, {"STOP", 'D', stop}}, {{"HDUCLAS1", "'GTI'"}});
    return fits.bytes();
}

/// A spectrum of some counts in channels 0, 1, ...
inline std::string spectrum_file(const std::vector<double>& counts, double exposure,
                                 const Cards& cards = {}) {
    std::vector<double> channel;
    for (std::size_t i = 0; i < counts.size(); ++i) channel.push_back(static_cast<double>(i));
    Cards all{{"HDUCLAS1", "'SPECTRUM'"},
              {"EXPOSURE", std::to_string(exposure)},
              {"POISSERR", "T"},
              {"DETCHANS", std::to_string(counts.size())},
              {"TLMIN1", "0"}};
    all.insert(all.end(), cards.begin(), cards.end());
    return FitsBuilder().table("SPECTRUM", {{"CHANNEL", 'I', channel}, {"COUNTS", 'J', counts}}, all).bytes();
}

/// A diagonal response of n energies and channels of 0.1 keV, counting channels from 0.
inline std::string response_file(std::size_t n, const Cards& cards = {}) {
    std::vector<double> lo, hi, channel, one(n, 1.0);
    for (std::size_t i = 0; i < n; ++i) {
        lo.push_back(0.1 * static_cast<double>(i + 1));
        hi.push_back(0.1 * static_cast<double>(i + 2));
        channel.push_back(static_cast<double>(i));
    }
    Cards matrix{{"HDUCLAS1", "'RESPONSE'"}, {"HDUCLAS2", "'RSP_MATRIX'"}, {"TLMIN4", "0"}};
    matrix.insert(matrix.end(), cards.begin(), cards.end());
    return FitsBuilder()
        .table("MATRIX",
               {{"ENERG_LO", 'E', lo},
                {"ENERG_HI", 'E', hi},
                {"N_GRP", 'I', one},
                {"F_CHAN", 'I', channel},
                {"N_CHAN", 'I', one},
                {"MATRIX", 'E', one}},
               matrix)
        .table("EBOUNDS", {{"CHANNEL", 'I', channel}, {"E_MIN", 'E', lo}, {"E_MAX", 'E', hi}},
               {{"HDUCLAS2", "'EBOUNDS'"}})
        .bytes();
}

}  // namespace xsift::test
