#include <memory>
#include <string>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <xsift/core/log.hpp>
#include <xsift/core/printable.hpp>

namespace xsift::log {

namespace {

spdlog::level::level_enum spdlog_level(Level level) {
    switch (level) {
        case Level::debug:
            return spdlog::level::debug;
        case Level::info:
            return spdlog::level::info;
        case Level::warning:
            return spdlog::level::warn;
        case Level::error:
            return spdlog::level::err;
        case Level::off:
            return spdlog::level::off;
    }
    return spdlog::level::info;
}

bool json_lines = false;

spdlog::logger& logger() {
    static const std::shared_ptr<spdlog::logger> instance = [] {
        auto made =
            std::make_shared<spdlog::logger>("xsift", std::make_shared<spdlog::sinks::stderr_sink_mt>());
        made->set_pattern("%Y-%m-%dT%H:%M:%SZ %l %v", spdlog::pattern_time_type::utc);
        return made;
    }();
    return *instance;
}

std::string json_escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const auto u = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\')
            out.append(1, '\\').append(1, c);
        else if (u < 0x20)
            out += fmt::format("\\u{:04x}", u);
        else
            out += c;
    }
    return out;
}

}  // namespace

void configure(Level threshold, bool json) {
    json_lines = json;
    logger().set_level(spdlog_level(threshold));
    logger().set_pattern(
        json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","message":"%v"})" : "%Y-%m-%dT%H:%M:%SZ %l %v",
        spdlog::pattern_time_type::utc);
}

void write(Level level, std::string_view message) {
    if (json_lines)
        logger().log(spdlog_level(level), json_escaped(message));
    else
        logger().log(spdlog_level(level), printable(message));
}

}  // namespace xsift::log
