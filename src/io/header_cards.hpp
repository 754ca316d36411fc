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

/// What is wrong with the first card that cfitsio does not survive: the name of a column that has no quotes
/// and fills its card, or more columns than there can be.
/// @param bytes gives `count` bytes of the file from `offset` on, or as many as there are
/// @param at where the header starts
std::optional<std::string> deadly_card(
    const std::function<std::string(long long offset, std::size_t count)>& bytes, long long at);

}  // namespace xsift::io
