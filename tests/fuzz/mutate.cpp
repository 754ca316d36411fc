#include "mutate.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>

#include <xsift/core/hash.hpp>

namespace xsift::fuzz {

namespace {

using Bytes = std::vector<std::uint8_t>;
constexpr std::size_t card_bytes = 80, block_bytes = 2880;

std::size_t below(RandomStream& random, std::size_t n) {
    return n == 0 ? 0 : static_cast<std::size_t>(random.bits() % n);
}

template <typename Values>
auto any_of(const Values& values, RandomStream& random) {
    return values[below(random, std::size(values))];
}

constexpr std::array<std::int64_t, 20> odd_integers{0,
                                                    1,
                                                    2,
                                                    3,
                                                    7,
                                                    8,
                                                    255,
                                                    256,
                                                    32767,
                                                    65535,
                                                    65536,
                                                    1000000,
                                                    2147483647,
                                                    2147483648,
                                                    4294967295,
                                                    1000000000000,
                                                    std::numeric_limits<std::int64_t>::max(),
                                                    std::numeric_limits<std::int64_t>::min(),
                                                    -1,
                                                    -2147483648};
constexpr std::array<std::string_view, 26> odd_values{"0",
                                                      "1",
                                                      "-1",
                                                      "2",
                                                      "3",
                                                      "1000",
                                                      "2147483647",
                                                      "-2147483648",
                                                      "4294967295",
                                                      "9223372036854775807",
                                                      "-9223372036854775808",
                                                      "99999999999999999999",
                                                      "1e308",
                                                      "1e-308",
                                                      "1e400",
                                                      "NaN",
                                                      "INF",
                                                      "-1e20",
                                                      "T",
                                                      "F",
                                                      "''",
                                                      "'a",
                                                      "'TIME'",
                                                      "'s'",
                                                      "'keV'",
                                                      "0.5"};
constexpr std::array<std::string_view, 30> odd_forms{
    "'1D'",     "'D'",      "'0D'",     "'1E'",      "'J'",           "'K'",
    "'I'",      "'B'",      "'1L'",     "'1X'",      "'99999999D'",   "'2147483648E'",
    "'1PE(0)'", "'1PD(4)'", "'1QJ(9)'", "'2PE(3)'",  "'PI'",          "'1PX(7)'",
    "'1A'",     "'8A'",     "'0A'",     "'100000A'", "'1C'",          "'M'",
    "'-1D'",    "'Z'",      "'1PA(3)'", "'20A4'",    "'A2000000000'", "'I2147483647'"};
constexpr std::array<std::string_view, 20> structural{
    "NAXIS",  "NAXIS1", "NAXIS2", "BITPIX", "PCOUNT", "GCOUNT", "TFIELDS", "TFORM1", "TFORM2", "TNULL1",
    "TNULL2", "TSCAL1", "TZERO1", "TZERO2", "TDIM1",  "THEAP",  "TLMIN1",  "ZTABLE", "TDISP1", "TDISP2"};

std::string_view text_at(const Bytes& bytes, std::size_t at, std::size_t n) {
    return {reinterpret_cast<const char*>(bytes.data()) + at, std::min(n, bytes.size() - at)};
}

/// Where the header cards and the data of a FITS file are, as far as it can be told.
struct Places {
    std::vector<std::size_t> cards;  ///< END cards are not among them
    std::vector<std::size_t> data;   ///< blocks outside headers
};

Places places_of(const Bytes& bytes) {
    Places places;
    bool header = false;
    for (std::size_t block = 0; block < bytes.size(); block += block_bytes) {
        const std::string_view start = text_at(bytes, block, 8);
        header = header || start == "SIMPLE  " || start == "XTENSION";
        if (!header) {
            places.data.push_back(block);
            continue;
        }
        for (std::size_t card = block; card < block + block_bytes && card + card_bytes <= bytes.size();
             card += card_bytes) {
            if (text_at(bytes, card, 8) == "END     ") {
                header = false;
                break;
            }
            places.cards.push_back(card);
        }
    }
    return places;
}

void put_card(Bytes& bytes, std::size_t at, std::string_view key, std::string_view value) {
    std::string card(key);
    card.resize(8, ' ');
    card += "= ";
    if (value.front() != '\'') card.append(20 - std::min<std::size_t>(20, value.size()), ' ');
    card += value;
    card.resize(card_bytes, ' ');
    std::copy(card.begin(), card.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at));
}

std::string some_value(RandomStream& random, std::string_view key) {
    if ((key.starts_with("TFORM") || key.starts_with("TDISP")) && below(random, 4) > 0)
        return std::string(any_of(odd_forms, random));
    return std::string(any_of(odd_values, random));
}

void change_card(Bytes& bytes, const Places& places, RandomStream& random) {
    std::vector<std::size_t> wanted;
    if (below(random, 2) == 0)
        for (const std::size_t card : places.cards) {
            const std::string_view key = text_at(bytes, card, 5);
            if (key == "NAXIS" || key == "PCOUN" || key == "TFORM" || key == "TFIEL" || key == "TNULL" ||
                key == "TZERO" || key == "TSCAL" || key == "TTYPE" || key == "TUNIT")
                wanted.push_back(card);
        }
    const std::size_t card = any_of(wanted.empty() ? places.cards : wanted, random);
    std::string key(text_at(bytes, card, 8));
    key.erase(key.find_last_not_of(' ') + 1);
    switch (below(random, 6)) {
        case 0:  // another keyword in its place
            put_card(bytes, card, any_of(structural, random), some_value(random, "TFORM"));
            break;
        case 1: {  // gone: the next one doubled
            const std::size_t other = any_of(places.cards, random);
            std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(other), card_bytes,
                        bytes.begin() + static_cast<std::ptrdiff_t>(card));
            break;
        }
        case 2:  // the header ends here
            put_card(bytes, card, "END", " ");
            std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(card) + 3, card_bytes - 3, ' ');
            break;
        case 3:  // a byte of the card
            bytes[card + below(random, card_bytes)] = static_cast<std::uint8_t>(random.bits());
            break;
        default:
            put_card(bytes, card, key, some_value(random, key));
    }
}

template <typename T>
void put_big_endian(Bytes& bytes, std::size_t at, T value) {
    std::array<std::uint8_t, sizeof(T)> raw{};
    std::memcpy(raw.data(), &value, sizeof value);
    std::reverse(raw.begin(), raw.end());
    for (std::size_t i = 0; i < raw.size() && at + i < bytes.size(); ++i) bytes[at + i] = raw[i];
}

/// A number of a table or a descriptor of a heap; half of them at the end of the file, where heaps are.
void change_number(Bytes& bytes, std::size_t at, RandomStream& random) {
    constexpr std::array<double, 8> odd{0.0,
                                        -1.0,
                                        1e300,
                                        1e-300,
                                        1e18,
                                        std::numeric_limits<double>::quiet_NaN(),
                                        std::numeric_limits<double>::infinity(),
                                        -std::numeric_limits<double>::infinity()};
    const std::int64_t integer = any_of(odd_integers, random);
    switch (below(random, 5)) {
        case 0:
            return put_big_endian(bytes, at, static_cast<std::int16_t>(integer));
        case 1:
            return put_big_endian(bytes, at, static_cast<std::int32_t>(integer));
        case 2:
            return put_big_endian(bytes, at, integer);
        case 3:
            return put_big_endian(bytes, at, any_of(odd, random));
        default:
            return put_big_endian(bytes, at, static_cast<float>(any_of(odd, random)));
    }
}

void change_anything(Bytes& bytes, RandomStream& random) {
    const std::size_t at = below(random, bytes.size());
    const auto here = bytes.begin() + static_cast<std::ptrdiff_t>(at);
    const std::size_t n = std::min<std::size_t>(1 + below(random, 64), bytes.size() - at);
    switch (below(random, 6)) {
        case 0:
            bytes[at] ^= static_cast<std::uint8_t>(1u << below(random, 8));
            break;
        case 1:
            bytes[at] = static_cast<std::uint8_t>(random.bits());
            break;
        case 2:
            bytes.erase(here, here + static_cast<std::ptrdiff_t>(n));
            break;
        case 3: {
            const Bytes copy(here, here + static_cast<std::ptrdiff_t>(n));
            bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(below(random, bytes.size())),
                         copy.begin(), copy.end());
            break;
        }
        case 4:
            bytes.resize(std::max<std::size_t>(at, 1));
            break;
        default:
            change_number(bytes, at, random);
    }
}

void mutate_fits(Bytes& bytes, RandomStream& random) {
    const Places places = places_of(bytes);
    const std::size_t choice = below(random, 10);
    if (choice < 6 && !places.cards.empty())
        change_card(bytes, places, random);
    else if (choice < 9 && !places.data.empty())
        change_number(bytes, any_of(places.data, random) + below(random, block_bytes), random);
    else
        change_anything(bytes, random);
}

/// Little-endian integers and floats, aligned or not, as HDF5 files and journals hold them.
void mutate_binary(Bytes& bytes, RandomStream& random) {
    if (below(random, 3) == 0) return change_anything(bytes, random);
    const std::size_t at = below(random, bytes.size());
    const std::int64_t value = any_of(odd_integers, random);
    const std::size_t width = std::size_t{1} << below(random, 4);
    for (std::size_t i = 0; i < width && at + i < bytes.size(); ++i)
        bytes[at + i] = static_cast<std::uint8_t>(static_cast<std::uint64_t>(value) >> (8 * i));
}

/// Changes a journal's records and writes sizes and checksums that match, so that the decoder sees the
/// change.
void mutate_journal(Bytes& bytes, RandomStream& random) {
    constexpr std::size_t magic = 8, head = 56, size_of_first = 0, checksum = 16;
    if (below(random, 4) == 0 || bytes.size() < magic + head) return change_anything(bytes, random);
    std::vector<std::size_t> records;
    for (std::size_t at = magic; at + head <= bytes.size();) {
        std::uint64_t size = 0;
        std::memcpy(&size, bytes.data() + at + size_of_first, sizeof size);
        if (size > bytes.size() - at - head) break;
        records.push_back(at);
        at += head + size;
    }
    if (records.empty()) return change_anything(bytes, random);
    const std::size_t at = any_of(records, random);
    std::uint64_t size = 0;
    std::memcpy(&size, bytes.data() + at, sizeof size);
    Bytes payload(bytes.begin() + static_cast<std::ptrdiff_t>(at + head),
                  bytes.begin() + static_cast<std::ptrdiff_t>(at + head + size));
    if (payload.empty()) return change_anything(bytes, random);
    if (below(random, 8) == 0)
        mutate_binary(bytes, random);  // the head as well
    else
        mutate_binary(payload, random);
    if (at + head > bytes.size()) return;
    bytes.erase(bytes.begin() + static_cast<std::ptrdiff_t>(at + head),
                bytes.begin() + static_cast<std::ptrdiff_t>(std::min(bytes.size(), at + head + size)));
    bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(at + head), payload.begin(), payload.end());
    size = payload.size();
    std::memcpy(bytes.data() + at, &size, sizeof size);
    const std::string sum =
        content_hash(std::string_view(reinterpret_cast<const char*>(payload.data()), payload.size()));
    std::memcpy(bytes.data() + at + checksum, sum.data(), sum.size());
}

/// A line, field or word of a text at another's place, once more, or gone.
void move_piece(Bytes& bytes, RandomStream& random) {
    constexpr std::array<std::uint8_t, 3> separators{'\n', ',', ' '};
    const std::uint8_t separator = any_of(separators, random);
    std::vector<std::size_t> starts{0};
    for (std::size_t i = 0; i < bytes.size(); ++i)
        if (bytes[i] == separator) starts.push_back(i + 1);
    const auto piece = [&](std::size_t i) {
        const std::size_t end = i + 1 < starts.size() ? starts[i + 1] : bytes.size();
        return std::pair(bytes.begin() + static_cast<std::ptrdiff_t>(starts[i]),
                         bytes.begin() + static_cast<std::ptrdiff_t>(end));
    };
    const auto [from, from_end] = piece(below(random, starts.size()));
    const Bytes copy(from, from_end);
    const auto [to, to_end] = piece(below(random, starts.size()));
    const bool replace = below(random, 2) == 0, remove = below(random, 3) == 0;
    const auto at = replace || remove ? bytes.erase(to, to_end) : to;
    if (!remove) bytes.insert(at, copy.begin(), copy.end());
}

void mutate_text(Bytes& bytes, RandomStream& random) {
    constexpr std::array<std::string_view, 36> words{"\"",
                                                     "\"\"",
                                                     ",",
                                                     "\n",
                                                     "=",
                                                     "[",
                                                     "]",
                                                     "[search]\n",
                                                     "\\",
                                                     "'''",
                                                     "#",
                                                     "nan",
                                                     "inf",
                                                     "-1",
                                                     "1e400",
                                                     "1e-400",
                                                     "99999999999999999999",
                                                     "true",
                                                     "ID",
                                                     "RA",
                                                     "((((((",
                                                     "\xff\xfe",
                                                     "0x",
                                                     "tbabs*powerlaw",
                                                     "apec",
                                                     "constant*",
                                                     "gaussian+",
                                                     " frozen",
                                                     " free",
                                                     " in 0:1",
                                                     " = ",
                                                     ":",
                                                     ";",
                                                     "1e308",
                                                     "0.5",
                                                     "e_"};
    const std::size_t choice = below(random, 4);
    if (choice < 2) return change_anything(bytes, random);
    if (choice == 2) return move_piece(bytes, random);
    const std::string_view word = any_of(words, random);
    const std::size_t at = below(random, bytes.size() + 1);
    bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(at), word.begin(), word.end());
}

}  // namespace

void mutate(Shape shape, Bytes& bytes, RandomStream& random) {
    for (std::size_t n = std::size_t{1} << below(random, 3); n > 0; --n) {
        if (bytes.empty()) bytes.push_back('S');
        switch (shape) {
            case Shape::fits:
                mutate_fits(bytes, random);
                break;
            case Shape::hdf5:
                mutate_binary(bytes, random);
                break;
            case Shape::journal:
                mutate_journal(bytes, random);
                break;
            case Shape::text:
                mutate_text(bytes, random);
                break;
        }
    }
}

}  // namespace xsift::fuzz
