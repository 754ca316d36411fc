#include "text_spool.hpp"

#include "write_error.hpp"

#include <cerrno>
#include <cstring>

#include <unistd.h>

namespace xsift::io {

namespace {

constexpr std::size_t memory_bound = 256u << 10;

/// Bytes of the UTF-8 sequence that starts the text, or 0 when it is none (RFC 3629: no surrogates, no
/// overlong forms).
std::size_t sequence_length(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned lead = byte(0);
    if (lead < 0x80) return 1;
    const std::size_t length = lead >= 0xC2 && lead < 0xE0   ? 2
                               : (lead & 0xF0) == 0xE0       ? 3
                               : lead >= 0xF0 && lead < 0xF5 ? 4
                                                             : 0;
    if (length == 0 || text.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((byte(i) & 0xC0) != 0x80) return 0;
    const bool forbidden = (lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xED && byte(1) > 0x9F) ||
                           (lead == 0xF0 && byte(1) < 0x90) || (lead == 0xF4 && byte(1) > 0x8F);
    return forbidden ? 0 : length;
}

}  // namespace

std::string valid_utf8(std::string_view text) {
    text = text.substr(0, text.find('\0'));
    std::string valid;
    valid.reserve(text.size());
    while (!text.empty()) {
        const std::size_t length = sequence_length(text);
        valid += length == 0 ? std::string_view("?") : text.substr(0, length);
        text.remove_prefix(length == 0 ? 1 : length);
    }
    return valid;
}

void TextSpool::append(std::string_view text) {
    const auto length = static_cast<std::uint32_t>(text.size());
    char prefix[sizeof length];
    std::memcpy(prefix, &length, sizeof length);
    buffer_.append(prefix, sizeof length).append(text);
    ++size_;
    width_ = std::max(width_, text.size());
    if (buffer_.size() >= memory_bound) spill();
}

void TextSpool::open() {
    std::string name = folder_ + "/.xsift-text-XXXXXX";
    const int descriptor = ::mkstemp(name.data());
    if (descriptor < 0) throw write_error(name, errno);
    ::unlink(name.c_str());
    file_.reset(::fdopen(descriptor, "w+b"));
    if (!file_) throw write_error(name, errno);
}

void TextSpool::spill() {
    if (!file_) open();
    if (std::fwrite(buffer_.data(), 1, buffer_.size(), file_.get()) != buffer_.size() ||
        std::fflush(file_.get()) != 0)
        throw write_error(folder_, errno);
    buffer_.clear();
}

void TextSpool::replay(const std::function<void(std::string_view)>& visit) {
    std::size_t from_memory = 0;
    if (file_) {
        spill();
        std::rewind(file_.get());
    }
    const auto take = [&](char* out, std::size_t n) {
        if (!file_) {
            buffer_.copy(out, n, from_memory);
            from_memory += n;
        } else if (std::fread(out, 1, n, file_.get()) != n) {
            throw write_error(folder_, errno);
        }
    };
    std::string text;
    for (std::size_t i = 0; i < size_; ++i) {
        std::uint32_t length = 0;
        char prefix[sizeof length];
        take(prefix, sizeof prefix);
        std::memcpy(&length, prefix, sizeof length);
        text.resize(length);
        take(text.data(), length);
        visit(text);
    }
}

}  // namespace xsift::io
