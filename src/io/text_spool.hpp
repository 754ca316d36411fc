#pragma once
/// @file
/// Texts waiting until the longest is known, in bounded memory.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace xsift::io {

/// Keeps texts in order; beyond a bound of memory in a nameless file in the given folder.
class TextSpool {
  public:
    explicit TextSpool(std::string folder) : folder_(std::move(folder)) {}

    /// @throws Error (internal, "DISK_FULL" or "WRITE_FAILED").
    void append(std::string_view text);
    std::size_t size() const { return size_; }
    /// Bytes of the longest text.
    std::size_t width() const { return width_; }
    /// Calls visit for every text, in order; once.
    void replay(const std::function<void(std::string_view)>& visit);

  private:
    void spill();
    void open();

    std::string folder_, buffer_;
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_{nullptr, &std::fclose};
    std::size_t size_ = 0, width_ = 0;
};

/// The text with every byte that is not part of valid UTF-8 replaced by '?', and cut at the first zero byte.
std::string valid_utf8(std::string_view text);

}  // namespace xsift::io
