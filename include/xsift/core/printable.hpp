#pragma once
/// @file
/// Text from files on its way to a terminal.

#include <string>
#include <string_view>

namespace xsift {

/// The text with its control characters (U+0000 to U+001F but line breaks and tabs, U+007F to U+009F) as '?':
/// terminals obey some of them.
std::string printable(std::string_view text);

}  // namespace xsift
