#pragma once
/// @file
/// Every reader of a file format, called on bytes, with what must hold of whatever it returns.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace xsift::fuzz {

/// How the bytes of a format are built, for mutations that keep them plausible.
enum class Shape { fits, hdf5, journal, text };

struct Reader {
    const char* name;
    Shape shape;
    /// Reads a file and checks what it got. Throws xsift::Error for what it refuses; whatever else it throws,
    /// and a std::logic_error in particular, is a defect.
    void (*read)(const std::string& path);
};

const std::vector<Reader>& readers();
/// The reader of a name. @throws std::invalid_argument with the names there are.
const Reader& reader(const std::string& name);

/// Gives the bytes to the reader as a file in memory. Returns why it refused them, empty when it did not; any
/// failure other than a refusal ends the program.
std::string run_once(const Reader& reader, std::span<const std::uint8_t> bytes);

}  // namespace xsift::fuzz
