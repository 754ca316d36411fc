#pragma once
/// @file
/// Content checksums (XXH3, 128 bits) in the form "xxh128:<32 hexadecimal digits>", as `xxh128sum` prints
/// them.

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace xsift {

/// Incremental checksum of a byte stream.
class ContentHash {
  public:
    ContentHash();
    ~ContentHash();
    ContentHash(ContentHash&&) noexcept;
    ContentHash& operator=(ContentHash&&) noexcept;
    ContentHash(const ContentHash&) = delete;
    ContentHash& operator=(const ContentHash&) = delete;

    void update(const void* data, std::size_t bytes);
    void update(std::string_view text) { update(text.data(), text.size()); }
    template <typename T>
    void update(std::span<const T> values) {
        update(static_cast<const void*>(values.data()), values.size_bytes());
    }
    std::string digest() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

/// Checksum of a block of memory.
std::string content_hash(const void* data, std::size_t bytes);
/// Checksum of a text.
std::string content_hash(std::string_view text);
/// Checksum of a file's bytes. @throws Error (input, "UNREADABLE") when it cannot be read.
std::string file_hash(const std::string& path);

}  // namespace xsift
