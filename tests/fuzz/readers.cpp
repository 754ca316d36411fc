#include "readers.hpp"

#include "calls.hpp"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include <fcntl.h>
#include <unistd.h>

#include <xsift/core/error.hpp>
#include <xsift/core/log.hpp>

namespace xsift::fuzz {

namespace {

/// The one file of this process.
const std::string& scratch() {
    static const std::string path = [] {
        const std::filesystem::path memory("/dev/shm");
        const bool usable = ::access(memory.c_str(), W_OK) == 0;
        const std::filesystem::path folder = usable ? memory : std::filesystem::temp_directory_path();
        return (folder / ("xsift-fuzz-" + std::to_string(::getpid()))).string();
    }();
    return path;
}

}  // namespace

Input::~Input() {
    if (written_) ::unlink(scratch().c_str());
}

const std::string& Input::path() const {
    if (written_) return scratch();
    const int file = ::open(scratch().c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    const ssize_t put = ::write(file, bytes_.data(), bytes_.size());
    if (::close(file) != 0 || put != static_cast<ssize_t>(bytes_.size()))
        throw std::runtime_error("cannot write " + scratch());
    written_ = true;
    return scratch();
}

const std::vector<Reader>& readers() {
    static const std::vector<Reader> all{
        {"events", Shape::fits, read_events},
        {"light_curve", Shape::fits, read_light_curve},
        {"spectrum", Shape::fits, read_spectrum},
        {"response", Shape::fits, read_response},
        {"area", Shape::fits, read_area},
        {"sky_map", Shape::fits, read_map},
        {"orbit", Shape::fits, read_orbit},
        {"table_model", Shape::fits, read_table},
        {"atomdb", Shape::fits, read_atomdb},
        {"source_list", Shape::fits, read_sources},
        {"source_csv", Shape::text, read_sources},
        {"sky_objects", Shape::fits, read_objects},
        {"sky_objects_csv", Shape::text, read_objects},
        {"class_table", Shape::text, read_class_table},
        {"flux_history", Shape::text, read_flux_history},
        {"magnitude_prior", Shape::text, read_magnitude_prior},
        {"configuration", Shape::text, read_configuration},
        {"model", Shape::text, read_model},
        {"class_model", Shape::text, read_class_model},
        {"survey", Shape::hdf5, read_survey},
        {"catalogue", Shape::fits, read_catalogue},
        {"journal", Shape::journal, read_journal},
    };
    return all;
}

const Reader& reader(const std::string& name) {
    std::string names;
    for (const Reader& candidate : readers()) {
        if (candidate.name == name) return candidate;
        names += std::string(" ") + candidate.name;
    }
    throw std::invalid_argument("no reader '" + name + "'; there are:" + names);
}

void require(bool holds, const char* what) {
    if (!holds) throw std::logic_error(what);
}

std::string run_once(const Reader& reader, std::span<const std::uint8_t> bytes) {
    static const bool quiet = (log::configure(log::Level::error, false), true);
    static_cast<void>(quiet);
    const Input input(bytes);
    try {
        reader.read(input);
        return {};
    } catch (const Error& refusal) {
        // Kinds that are the user's or the file's fault; "internal" would send the user to us.
        if (refusal.kind() != ErrorKind::internal) return refusal.what();
        std::fprintf(stderr, "%s: %s [%s]\n", reader.name, refusal.what(), refusal.code().c_str());
        std::abort();
    } catch (const std::exception& defect) {
        std::fprintf(stderr, "%s: %s\n", reader.name, defect.what());
        std::abort();
    }
}

}  // namespace xsift::fuzz
