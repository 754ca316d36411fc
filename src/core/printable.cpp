#include <xsift/core/printable.hpp>

namespace xsift {

std::string printable(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : '\0');
        const bool two_bytes = c == 0xc2 && next >= 0x80 && next < 0xa0;  // U+0080 to U+009F in UTF-8
        if (two_bytes) ++i;
        const bool control = two_bytes || (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f;
        out += control ? '?' : text[i];
    }
    return out;
}

}  // namespace xsift
