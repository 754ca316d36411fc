#pragma once
/// @file
/// Every reader of a file format, called on bytes, with what must hold of whatever it returns.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace xsift::fuzz {

/// How the bytes of a format are built, for mutations that keep them plausible.
enum class Shape { fits, hdf5, journal, text };

/// What a reader is given: bytes, or the path of a file that holds them, written when it is asked for.
class Input {
  public:
    explicit Input(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
    ~Input();
    Input(const Input&) = delete;
    Input& operator=(const Input&) = delete;

    std::string_view text() const { return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()}; }
    /// In memory where there is a place for it, with a name that HDF5 accepts too.
    const std::string& path() const;

  private:
    std::span<const std::uint8_t> bytes_;
    mutable bool written_ = false;
};

struct Reader {
    const char* name;
    Shape shape;
    /// Reads the input and checks what it got. Throws xsift::Error for what it refuses; whatever else it
    /// throws, and a std::logic_error in particular, is a defect.
    void (*read)(const Input& input);
};

const std::vector<Reader>& readers();
/// The reader of a name. @throws std::invalid_argument with the names there are.
const Reader& reader(const std::string& name);

/// Gives the bytes to the reader. Returns why it refused them, empty when it did not; any failure other than
/// a refusal ends the program.
std::string run_once(const Reader& reader, std::span<const std::uint8_t> bytes);

}  // namespace xsift::fuzz
