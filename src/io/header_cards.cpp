#include "header_cards.hpp"

#include <string_view>

namespace xsift::io {

std::optional<std::string> deadly_card(
    const std::function<std::string(long long offset, std::size_t count)>& bytes, long long at) {
    constexpr std::size_t card = 80, value_at = 10, step = std::size_t{16} * 2880;
    for (;; at += step) {
        const std::string header = bytes(at, step);
        for (std::size_t from = 0; from + card <= header.size(); from += card) {
            const std::string_view text = std::string_view(header).substr(from, card);
            if (text.starts_with("END     ")) return std::nullopt;
            if (text.starts_with("TTYPE") && text[value_at] != '\'' &&
                text.find_first_of(" /", value_at) == std::string_view::npos)
                return std::string(text.substr(0, text.find('=')));
        }
        if (header.size() < step) return std::nullopt;
    }
}

}  // namespace xsift::io
