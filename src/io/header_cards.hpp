#pragma once
// A look at the cards of a header before cfitsio looks at them.

#include <cstddef>
#include <functional>
#include <istream>
#include <optional>
#include <string>

namespace xsift::io {

/// `count` bytes of a file from `offset` on, or as many as there are.
std::string bytes_of(std::istream& file, long long offset, std::size_t count);

/// The keyword of the first card that cfitsio does not survive: the name of a column of 70 bytes or more
/// without quotes, which fills its card (it copies them, and one more, to 70).
/// @param bytes gives `count` bytes of the file from `offset` on, or as many as there are
/// @param at where the header starts
std::optional<std::string> deadly_card(
    const std::function<std::string(long long offset, std::size_t count)>& bytes, long long at);

}  // namespace xsift::io
