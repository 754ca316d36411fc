// Gives kept files to a reader, and mutations of them: the fuzz tests of builds without libFuzzer.
//
//   fuzz_replay READER [--mutations N] [--seconds T] [--seed S] SOUND [DAMAGED]
//
// SOUND and DAMAGED are folders. Files of the first must be accepted as they are; N mutations of each file
// are read too, the same ones for the same seed, and then, until T seconds are over, mutations of any of
// them. T is XSIFT_FUZZ_SECONDS of the environment when it is not given. A defect ends the program; the bytes
// that caused it are in ./defect-READER.

#include "mutate.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>
#include <string>

#include <fcntl.h>
#include <unistd.h>

namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes current;
std::string current_name;

/// Keeps the bytes that ended the program; calls only what a signal handler may.
void keep_defect(int signal) {
    const int file = ::open(current_name.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0666);
    if (file >= 0) {
        const ssize_t put = ::write(file, current.data(), current.size());
        ::close(put < 0 ? -1 : file);
    }
    std::signal(signal, SIG_DFL);
    std::raise(signal);
}

std::vector<std::filesystem::path> files_of(const std::string& folder) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    if (files.empty()) throw std::invalid_argument("no files in " + folder);
    return files;
}

Bytes read(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) throw std::invalid_argument("cannot read " + path.string());
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

int replay(const std::vector<std::string>& arguments) {
    const auto begin = std::chrono::steady_clock::now();
    std::vector<std::string> names;
    unsigned long executions = 0;
    const char* const seconds = std::getenv("XSIFT_FUZZ_SECONDS");
    std::map<std::string, unsigned long> options{
        {"--mutations", 0}, {"--seconds", seconds != nullptr ? std::stoul(seconds) : 0}, {"--seed", 1}};
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        if (options.contains(arguments[i]))
            options[arguments[i]] = std::stoul(arguments.at(i + 1)), ++i;
        else
            names.push_back(arguments[i]);
    }
    const unsigned long mutations = options["--mutations"], seed = options["--seed"];
    if (names.size() < 2) throw std::invalid_argument("a reader and a folder are needed");
    const xsift::fuzz::Reader& reader = xsift::fuzz::reader(names[0]);
    current_name = std::string("defect-") + reader.name;
    for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE}) std::signal(signal, keep_defect);
    std::uint64_t stream = 0;
    const auto read_mutation = [&](const Bytes& whole) {
        xsift::RandomStream random(seed, ++stream);
        current = whole;
        xsift::fuzz::mutate(reader.shape, current, random);
        xsift::fuzz::run_once(reader, current);
        ++executions;
    };
    std::vector<Bytes> kept;
    for (std::size_t folder = 1; folder < names.size(); ++folder)
        for (const std::filesystem::path& path : files_of(names[folder])) {
            kept.push_back(current = read(path));
            const std::string refusal = xsift::fuzz::run_once(reader, current);
            if (!refusal.empty() && folder == 1) {
                std::fprintf(stderr, "%s is refused: %s\n", path.c_str(), refusal.c_str());
                return 1;
            }
            ++executions;
            for (unsigned long i = 0; i < mutations; ++i) read_mutation(kept.back());
        }
    const auto end = begin + std::chrono::seconds(options["--seconds"]);
    for (std::size_t i = 0; std::chrono::steady_clock::now() < end; ++i) read_mutation(kept[i % kept.size()]);
    std::printf("%s: %lu executions without a finding\n", reader.name, executions);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return replay({argv + 1, argv + argc});
    } catch (const std::exception& error) {
        std::fprintf(stderr, "fuzz_replay: %s\n", error.what());
        return 2;
    }
}
