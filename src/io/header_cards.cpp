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

std::optional<std::string> deadly_card(
    const std::function<std::string(long long offset, std::size_t count)>& bytes, long long at) {
    constexpr std::size_t card = 80, room = 70, step = std::size_t{16} * 2880;
    for (;; at += step) {
        const std::string header = bytes(at, step);
        for (std::size_t from = 0; from + card <= header.size(); from += card) {
            const std::string_view text = std::string_view(header).substr(from, card);
            if (text.starts_with("END     ")) return std::nullopt;
            const std::size_t equals = text.find('=');
            if (!text.starts_with("TTYPE") || equals == std::string_view::npos) continue;
            const std::size_t begin = std::min(text.find_first_not_of(' ', equals + 1), card),
                              end = std::min(text.find_first_of(" /", begin), card);
            if (end - begin >= room && text[begin] != '\'')
                return std::string(text.substr(0, text.find_first_of(" =")));
        }
        if (header.size() < step) return std::nullopt;
    }
}

}  // namespace xsift::io
