#pragma once
/// @file
/// Finds the files that headers name, and the responses that stand in for those that cannot be found.

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <xsift/io/response_file.hpp>

namespace xsift::pipeline {

/// Looks up names found in files: in or below the folder of the file that names them, among the inputs, then
/// in a path of folders. A name that is absolute or leads upwards counts by its last part alone: a header
/// cannot make a run read what was not given to it. A name also stands for the same file packed (.gz) or with
/// another FITS suffix (.FTZ, .fits, ...). Names are literal.
class FileFinder {
  public:
    /// @throws Error (usage, "BAD_RESPONSE_PATH") when a folder does not exist.
    FileFinder(const std::vector<std::string>& inputs, std::vector<std::string> folders);
    /// The path of a file, or nothing. An empty folder means: not beside anything.
    std::optional<std::string> find(const std::string& name, const std::string& folder) const;

  private:
    std::optional<std::string> find_literal(const std::string& name, const std::string& folder) const;

    std::map<std::string, std::string> inputs_;  ///< base name: path
    std::vector<std::string> folders_;
};

/// PATTERN=FILE: a response to use for every name that matches the shell pattern and cannot be found.
struct SubstitutionRule {
    std::string pattern, file;
};
/// @throws Error (usage, "BAD_SUBSTITUTION").
SubstitutionRule parse_substitution(const std::string& text);

/// Responses by the names that headers give them; each file is read once. Safe to use from several threads.
class ResponseLibrary {
  public:
    /// @throws Error (usage, "BAD_SUBSTITUTION") when the file of a rule cannot be found.
    ResponseLibrary(const FileFinder& finder, const std::vector<std::string>& rules);

    struct Match {
        io::ResponseFile response;
        std::string path;
        const SubstitutionRule* rule = nullptr;  ///< the rule that acted, if any
    };
    /// @param spectrum path of the spectrum that asks.
    /// @throws Error (input, "NO_RESPONSE"), and what read_response throws.
    Match get(const std::string& wanted, const std::string& spectrum);
    const std::vector<SubstitutionRule>& rules() const { return rules_; }

  private:
    struct Entry;
    io::ResponseFile read_once(const std::string& path);

    const FileFinder& finder_;
    std::vector<SubstitutionRule> rules_;
    std::vector<std::string> rule_paths_;
    std::mutex mutex_;
    std::map<std::string, std::shared_ptr<Entry>> entries_;
};

}  // namespace xsift::pipeline
