#pragma once
/// @file
/// Logging to stderr: plain lines, or one JSON object a line.

#include <string_view>

#include <fmt/format.h>

namespace xsift::log {

enum class Level { debug, info, warning, error, off };

/// Sets the threshold and the format ("2026-01-31T12:00:00Z level message" or JSON lines).
void configure(Level threshold, bool json);

void write(Level level, std::string_view message);

template <typename... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
    write(Level::debug, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
    write(Level::info, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void warning(fmt::format_string<Args...> format, Args&&... args) {
    write(Level::warning, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
    write(Level::error, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace xsift::log
