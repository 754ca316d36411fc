#include "header_cards.hpp"

#include <algorithm>
#include <string_view>

namespace xsift::io {

std::string bytes_of(std::istream& file, long long offset, std::size_t count) {
    std::string bytes(count, '\0');
    file.clear();
    file.seekg(offset);
    file.read(bytes.data(), static_cast<std::streamsize>(count));
    bytes.resize(static_cast<std::size_t>(file.gcount()));
    return bytes;
}

namespace {

constexpr std::size_t card_bytes = 80;

/// The value of a card begins here; card_bytes: nowhere.
std::size_t value_of(std::string_view card) {
    const std::size_t equals = card.find('=');
    if (equals == std::string_view::npos) return card_bytes;
    return std::min(card.find_first_not_of(' ', equals + 1), card_bytes);
}

/// A name of 70 bytes or more without quotes: cfitsio copies it, and a byte more, to 70.
bool overflows_a_name(std::string_view card) {
    constexpr std::size_t room = 70;
    const std::size_t begin = value_of(card), end = std::min(card.find_first_of(" /", begin), card_bytes);
    return end - begin >= room && card[begin] != '\'';
}

/// More columns than the FITS standard allows: cfitsio asks for memory for each before it looks further.
bool claims_too_many_columns(std::string_view card) {
    constexpr std::string_view digits = "0123456789";
    const std::size_t begin = std::min(card.find_first_not_of("+0", value_of(card)), card_bytes);
    const std::size_t end = std::min(card.find_first_not_of(digits, begin), card_bytes);
    return end - begin > 3;
}

}  // namespace

std::optional<std::string> deadly_card(
    const std::function<std::string(long long offset, std::size_t count)>& bytes, long long at) {
    constexpr std::size_t step = std::size_t{16} * 2880;
    for (;; at += step) {
        const std::string header = bytes(at, step);
        for (std::size_t from = 0; from + card_bytes <= header.size(); from += card_bytes) {
            const std::string_view card = std::string_view(header).substr(from, card_bytes);
            if (card.starts_with("END     ")) return std::nullopt;
            if (card.starts_with("TTYPE") && overflows_a_name(card))
                return std::string(card.substr(0, card.find_first_of(" ="))) + " is no text";
            if (card.starts_with("TFIELDS ") && claims_too_many_columns(card))
                return "TFIELDS claims more than the 999 columns that FITS allows";
        }
        if (header.size() < step) return std::nullopt;
    }
}

}  // namespace xsift::io
