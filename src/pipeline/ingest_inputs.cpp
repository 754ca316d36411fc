#include "ingest_inputs.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include <fmt/format.h>

#include <xsift/core/error.hpp>
#include <xsift/core/hash.hpp>
#include <xsift/core/log.hpp>
#include <xsift/io/source_list.hpp>
#include <xsift/io/spectrum_file.hpp>

namespace xsift::pipeline {
namespace fs = std::filesystem;
namespace {

using Paths = std::map<std::string, InputFile>;  ///< canonical path: file

void add_file(Paths& files, const fs::path& path, bool named) {
    std::error_code failure;
    fs::path canonical = fs::weakly_canonical(path, failure);
    InputFile& file = files[failure ? path.string() : canonical.string()];
    // The shortest spelling stands for all, so that the order of the arguments does not matter.
    const std::string spelling = path.string();
    if (file.path.empty() || std::pair(spelling.size(), spelling) < std::pair(file.path.size(), file.path))
        file.path = spelling;
    file.named = file.named || named;
}

void add_argument(Paths& files, const std::string& argument, bool may_be_list) {
    std::error_code failure;
    if (may_be_list && argument.starts_with('@')) {
        std::ifstream list(argument.substr(1));
        if (!list)
            throw Error(ErrorKind::usage, "BAD_LIST", argument.substr(1) + ": cannot be read", {},
                        "Check the name.");
        for (std::string line; std::getline(list, line);) {
            if (line.ends_with('\r')) line.pop_back();
            if (!line.empty()) add_argument(files, line, false);
        }
    } else if (fs::is_directory(argument, failure)) {
        using Walk = fs::recursive_directory_iterator;
        for (const auto& entry : Walk(argument, fs::directory_options::skip_permission_denied))
            if (std::error_code ignored; entry.is_regular_file(ignored)) add_file(files, entry.path(), false);
    } else {
        add_file(files, argument, true);
    }
}

std::string describe_unknown(const InputFile& input) {
    return input.path +
           ": holds nothing that is understood (no EVENTS, RATE, SPECTRUM or response extension)";
}

/// What a single file is. Never throws for what is wrong with the file.
void classify(InputFile& input) {
    const std::string file = fs::path(input.path).filename().string();
    input.record.file = file;
    input.record.kind = "unknown";
    input.pps = io::parse_pps_name(file);
    input.source_id = input.pps.source_id();
    try {
        if (std::error_code failure; fs::is_regular_file(input.path, failure))
            input.record = record_of(input.path, "unknown");
        input.summary = io::summarise_fits(input.path);
        if (input.summary.kind == io::FileKind::unknown)
            throw Error(ErrorKind::input, "NO_EVENTS_EXTENSION", describe_unknown(input), {},
                        "Leave it out.");
        if (input.summary.kind == io::FileKind::source_list && input.named)
            throw Error(ErrorKind::input, "UNSUPPORTED", input.path + ": a source list is no data", {},
                        "Give it with --source-list.");
        input.record.kind = io::kind_name(input.summary.kind);
    } catch (const std::exception& problem) {
        if (input.named || io::has_fits_name(file))
            input.problem = quarantine_row(input, problem);
        else
            input.record.kind = "ignored";
    }
}

bool same_content(const InputFile& a, const InputFile& b) {
    return a.record.file == b.record.file && a.record.checksum == b.record.checksum &&
           !a.record.checksum.empty();
}

/// file or path: source id, from the table of the user.
std::map<std::string, std::string> read_association(const std::string& table) {
    std::map<std::string, std::string> ids;
    if (table.empty()) return ids;
    const io::CsvTable csv = io::read_csv(table);
    const int file = csv.column("file"), id = csv.column("source_id");
    const auto fail = [&](const std::string& what) {
        throw Error(ErrorKind::usage, "BAD_ASSOCIATION", table + ": " + what, {},
                    "Write a CSV table file,source_id.");
    };
    if (file < 0 || id < 0) fail("no columns file and source_id");
    for (const auto& row : csv.rows) {
        const std::string& name = row[static_cast<std::size_t>(file)];
        const std::string& source = row[static_cast<std::size_t>(id)];
        if (name.empty() || source.empty()) fail("an empty field");
        const auto [known, fresh] = ids.emplace(name, source);
        if (!fresh && known->second != source) fail(fmt::format("{} belongs to two sources", name));
    }
    return ids;
}

/// Ids of files without another one: their stems, with as many folders in front as it takes to tell files of
/// different folders apart.
void name_by_stem(std::vector<InputFile*> files) {
    for (std::size_t depth = 0; !files.empty(); ++depth) {
        std::map<std::string, std::set<fs::path>> folders;
        std::map<const InputFile*, std::string> names;
        for (InputFile* file : files) {
            const fs::path folder = fs::weakly_canonical(file->path).parent_path();
            std::string name = io::file_stem(file->path);
            fs::path up = folder;
            for (std::size_t i = 0; i < depth && up.has_relative_path(); ++i, up = up.parent_path())
                name = up.filename().string() + "/" + name;
            folders[name].insert(folder);
            names[file] = name;
        }
        std::vector<InputFile*> unclear;
        for (InputFile* file : files) {
            file->source_id = names[file];
            if (folders[names[file]].size() > 1) unclear.push_back(file);
        }
        files = std::move(unclear);
    }
}

}  // namespace

bool InputFile::is_data() const {
    using enum io::FileKind;
    return summary.kind == events || summary.kind == light_curve || summary.kind == spectrum;
}

QuarantineRow quarantine_row(const InputFile& input, const std::exception& problem) {
    const auto* error = dynamic_cast<const Error*>(&problem);
    QuarantineRow row{input.source_id, input.record.file, "ingest",
                      error != nullptr ? error->code() : "UNREADABLE", problem.what()};
    // What a survey holds does not depend on where its inputs lay; only a name that leads nowhere is kept
    // whole.
    std::string folder = fs::path(input.path).parent_path().string();
    if (!folder.empty() && row.code != "NO_SUCH_FILE") {
        if (!folder.ends_with('/')) folder += '/';
        for (std::size_t at = 0; (at = row.message.find(folder, at)) != std::string::npos;)
            row.message.erase(at, folder.size());
    }
    // What is wrong may be a file that this one needs: its response, ARF or background.
    if (row.message.find(row.input) == std::string::npos) row.message = row.input + ": " + row.message;
    return row;
}

io::InputRecord record_of(const std::string& path, std::string_view kind) {
    return {fs::path(path).filename().string(), static_cast<std::int64_t>(fs::file_size(path)),
            file_hash(path), std::string(kind)};
}

std::vector<InputFile> find_inputs(const std::vector<std::string>& arguments) {
    Paths files;
    for (const std::string& argument : arguments) add_argument(files, argument, true);
    if (files.empty())
        throw Error(ErrorKind::usage, "NO_INPUTS", "no input files", {},
                    "Give files, folders with files, or @list.");
    std::vector<InputFile> inputs;
    for (auto& [canonical, file] : files) inputs.push_back(std::move(file));
    return inputs;
}

void classify_inputs(std::vector<InputFile>& inputs, const ThreadPool& pool) {
    pool.for_each(inputs.size(), [&](std::size_t i) { classify(inputs[i]); });
    std::sort(inputs.begin(), inputs.end(), [](const InputFile& a, const InputFile& b) {
        return std::tie(a.record.file, a.record.checksum, a.path) <
               std::tie(b.record.file, b.record.checksum, b.path);
    });
    const auto last = std::unique(inputs.begin(), inputs.end(), same_content);
    if (last != inputs.end())
        log::info("{} inputs are copies of others (same name and content) and are read once",
                  inputs.end() - last);
    inputs.erase(last, inputs.end());
}

void assign_sources(std::vector<InputFile>& inputs, const FileFinder& finder, const std::string& table) {
    std::set<std::string> backgrounds;
    for (const InputFile& input : inputs)
        for (const std::string& name : io::background_names(input.summary.background_file))
            if (const auto path = finder.find(name, fs::path(input.path).parent_path().string()))
                backgrounds.insert(fs::weakly_canonical(*path).string());
    std::map<std::string, std::string> ids = read_association(table);
    std::set<std::string> unused;
    for (const auto& [file, id] : ids) unused.insert(file);
    std::vector<InputFile*> nameless;
    for (InputFile& input : inputs) {
        const bool spectrum = input.summary.kind == io::FileKind::spectrum;
        if (spectrum && backgrounds.count(fs::weakly_canonical(input.path).string()) != 0) {
            input.summary.kind = io::FileKind::background;
            input.record.kind = io::kind_name(input.summary.kind);
        }
        for (const std::string& key : {input.path, input.record.file})
            if (const auto id = ids.find(key); id != ids.end()) {
                input.source_id = id->second;
                unused.erase(key);
            }
        if (input.source_id.empty() && input.is_data()) nameless.push_back(&input);
        if (input.problem) input.problem->source_id = input.source_id;
    }
    name_by_stem(nameless);
    for (const std::string& file : unused) log::warning("{}: {} is not among the inputs", table, file);
}

}  // namespace xsift::pipeline
