#include "file_finder.hpp"

#include <algorithm>
#include <array>
#include <exception>
#include <filesystem>

#include <fmt/format.h>
#include <fnmatch.h>

#include <xsift/core/error.hpp>
#include <xsift/io/fits_file.hpp>

namespace xsift::pipeline {
namespace fs = std::filesystem;
namespace {

std::string base_name(const std::string& path) {
    return fs::path(path).filename().string();
}

bool is_file(const fs::path& path) {
    std::error_code ignored;
    return fs::is_regular_file(path, ignored);
}

/// Whether a name, whoever wrote it into a header, leads nowhere but into the folder it is looked up in.
bool stays_inside(const fs::path& name) {
    return name.is_relative() && std::find(name.begin(), name.end(), "..") == name.end();
}

/// A name and what else the same file may be called.
std::vector<std::string> spellings(const std::string& name) {
    std::vector<std::string> all{name, name + ".gz"};
    const std::string stem = io::file_stem(name);
    constexpr auto suffixes =
        std::to_array<std::string_view>({".FTZ", ".FIT", ".fits", ".fit", ".fits.gz", ".ftz"});
    const std::string suffix = name.substr(stem.size());
    const bool general =
        suffix == ".gz" || std::find(suffixes.begin(), suffixes.end(), suffix) != suffixes.end();
    if (general && suffix != ".gz")
        for (std::string_view other : suffixes)
            if (suffix != other) all.push_back(stem + std::string(other));
    if (name.ends_with(".gz")) all.push_back(name.substr(0, name.size() - 3));
    return all;
}

}  // namespace

FileFinder::FileFinder(const std::vector<std::string>& inputs, std::vector<std::string> folders)
    : folders_(std::move(folders)) {
    for (const std::string& folder : folders_)
        if (std::error_code ignored; !fs::is_directory(folder, ignored))
            throw Error(ErrorKind::usage, "BAD_RESPONSE_PATH", folder + ": no such folder", {},
                        "Check --response-path.");
    // Of several inputs with one name the first in order of their paths is taken, whatever the order given.
    for (const std::string& path : inputs) {
        std::string& known = inputs_[base_name(path)];
        if (known.empty() || path < known) known = path;
    }
}

std::optional<std::string> FileFinder::find_literal(const std::string& name,
                                                    const std::string& folder) const {
    if (!folder.empty() && stays_inside(name) && is_file(fs::path(folder) / name))
        return (fs::path(folder) / name).string();
    const std::string base = base_name(name);
    if (!folder.empty() && is_file(fs::path(folder) / base)) return (fs::path(folder) / base).string();
    if (const auto input = inputs_.find(base); input != inputs_.end()) return input->second;
    for (const std::string& other : folders_)
        if (is_file(fs::path(other) / base)) return (fs::path(other) / base).string();
    return std::nullopt;
}

std::optional<std::string> FileFinder::find(const std::string& name, const std::string& folder) const {
    if (base_name(name).empty()) return std::nullopt;
    for (const std::string& spelling : spellings(name))
        if (auto path = find_literal(spelling, folder)) return path;
    return std::nullopt;
}

SubstitutionRule parse_substitution(const std::string& text) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == text.size())
        throw Error(ErrorKind::usage, "BAD_SUBSTITUTION",
                    "response substitution '" + text + "' is not understood", {},
                    "Write PATTERN=FILE, for example 'epn_e3_ef20_sd*.rmf=epn_e3_ef20_sdY6_v19.0.rmf'.");
    return {text.substr(0, equals), text.substr(equals + 1)};
}

struct ResponseLibrary::Entry {
    std::once_flag once;
    io::ResponseFile response;
    std::exception_ptr failure;
};

ResponseLibrary::ResponseLibrary(const FileFinder& finder, const std::vector<std::string>& rules)
    : finder_(finder) {
    for (const std::string& text : rules) {
        rules_.push_back(parse_substitution(text));
        // The user's own file may lie anywhere.
        const std::string& file = rules_.back().file;
        const auto path = is_file(file) ? std::optional(file) : finder_.find(file, ".");
        if (!path)
            throw Error(ErrorKind::usage, "BAD_SUBSTITUTION",
                        fmt::format("response {} of a substitution rule cannot be found", file), {},
                        "Give its folder with --response-path.");
        rule_paths_.push_back(*path);
    }
}

ResponseLibrary::Match ResponseLibrary::get(const std::string& wanted, const std::string& spectrum) {
    const std::string file = base_name(spectrum);
    if (wanted.empty())
        throw Error(ErrorKind::input, "NO_RESPONSE", file + ": no response",
                    "the header names none (RESPFILE)", "Set RESPFILE in the spectrum.");
    if (const auto path = finder_.find(wanted, fs::path(spectrum).parent_path().string()))
        return {read_once(*path), *path, nullptr};
    const std::string base = base_name(wanted);
    for (std::size_t i = 0; i < rules_.size(); ++i)
        if (fnmatch(rules_[i].pattern.c_str(), base.c_str(), 0) == 0)
            return {read_once(rule_paths_[i]), rule_paths_[i], &rules_[i]};
    throw Error(
        ErrorKind::input, "NO_RESPONSE", fmt::format("{}: no response {}", file, base),
        "it is neither beside the spectrum nor in the response path, and no substitution rule names it",
        fmt::format("Give its folder with --response-path, or another response with "
                    "--response-substitute '{}=FILE'.",
                    base));
}

io::ResponseFile ResponseLibrary::read_once(const std::string& path) {
    std::shared_ptr<Entry> entry;
    {
        const std::lock_guard lock(mutex_);
        auto& slot = entries_[path];
        if (!slot) slot = std::make_shared<Entry>();
        entry = slot;
    }
    std::call_once(entry->once, [&] {
        try {
            entry->response = io::read_response(path);
        } catch (...) {
            entry->failure = std::current_exception();
        }
    });
    if (entry->failure) std::rethrow_exception(entry->failure);
    return entry->response;
}

}  // namespace xsift::pipeline
