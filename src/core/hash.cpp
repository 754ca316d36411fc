#include <cstdio>
#include <vector>

#include <fmt/format.h>
#include <xxhash.h>

#include <xsift/core/error.hpp>
#include <xsift/core/hash.hpp>

namespace xsift {

namespace {
std::string text_of(XXH128_hash_t hash) { return fmt::format("xxh128:{:016x}{:016x}", hash.high64, hash.low64); }
}  // namespace

struct ContentHash::State {
    XXH3_state_t* xxh = XXH3_createState();
    State() {
        if (xxh == nullptr) throw std::bad_alloc();
        XXH3_128bits_reset(xxh);
    }
    ~State() { XXH3_freeState(xxh); }
    State(const State&) = delete;
    State& operator=(const State&) = delete;
};

ContentHash::ContentHash() : state_(std::make_unique<State>()) {}
ContentHash::~ContentHash() = default;
ContentHash::ContentHash(ContentHash&&) noexcept = default;
ContentHash& ContentHash::operator=(ContentHash&&) noexcept = default;

void ContentHash::update(const void* data, std::size_t bytes) { XXH3_128bits_update(state_->xxh, data, bytes); }
std::string ContentHash::digest() const { return text_of(XXH3_128bits_digest(state_->xxh)); }

std::string content_hash(const void* data, std::size_t bytes) { return text_of(XXH3_128bits(data, bytes)); }
std::string content_hash(std::string_view text) { return content_hash(text.data(), text.size()); }

std::string file_hash(const std::string& path) {
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
    if (!file) throw Error(ErrorKind::input, "UNREADABLE", fmt::format("cannot open {}", path), "open failed");
    ContentHash hash;
    std::vector<char> buffer(1u << 20);
    for (;;) {
        const std::size_t got = std::fread(buffer.data(), 1, buffer.size(), file.get());
        hash.update(buffer.data(), got);
        if (got < buffer.size()) break;
    }
    if (std::ferror(file.get()))
        throw Error(ErrorKind::input, "UNREADABLE", fmt::format("cannot read {}", path), "read failed");
    return hash.digest();
}

}  // namespace xsift
