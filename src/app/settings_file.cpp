#include "settings_file.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <xsift/core/error.hpp>

namespace xsift::app {

void apply_toml(std::istream& text, const std::string& name, const std::vector<pipeline::Setting>& settings) {
    std::vector<CLI::ConfigItem> items;
    try {
        items = CLI::ConfigTOML().from_config(text);
    } catch (const CLI::Error& error) {
        throw Error(ErrorKind::usage, "BAD_CONFIGURATION", "cannot read " + name, error.what());
    }
    for (const CLI::ConfigItem& item : items) {
        if (item.name == "++" || item.name == "--") continue;  // the parser's marks for the ends of a section
        const auto setting =
            std::find_if(settings.begin(), settings.end(), [&](const pipeline::Setting& candidate) {
                return item.fullname() == candidate.section + "." + candidate.key;
            });
        if (setting == settings.end())
            throw Error(ErrorKind::usage, "BAD_CONFIGURATION",
                        fmt::format("unknown key '{}' in {}", item.fullname(), name), "",
                        "`xsift run --print-config` prints all keys.");
        setting->set(item.inputs);
    }
}

}  // namespace xsift::app
