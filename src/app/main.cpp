// xsift: the command line. Parses, dispatches, turns errors into messages and exit codes.

#include "commands.hpp"

#include <csignal>
#include <exception>
#include <new>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <xsift/core/log.hpp>
#include <xsift/core/version.hpp>

namespace {

using namespace xsift;

/// Whether a thread could not be started: what the standard library and oneTBB throw then.
bool is_want_of_threads(const std::exception& error) {
    const auto* system = dynamic_cast<const std::system_error*>(&error);
    return (system != nullptr && system->code() == std::errc::resource_unavailable_try_again) ||
           std::string_view(error.what()).starts_with("pthread_create has failed");
}

int code(ExitCode exit) {
    return static_cast<int>(exit);
}

ExitCode perform(const app::Action& action) {
    try {
        return action();
    } catch (const Error& error) {
        log::error("{} [{}]", error.what(), error.code());
        return exit_code(error.kind());
    } catch (const std::bad_alloc&) {
        log::error("out of memory. Lower --batch-memory or use a larger machine. [OUT_OF_MEMORY]");
    } catch (const std::exception& error) {
        if (is_want_of_threads(error))
            log::error(
                "threads cannot be started ({}). Use fewer (--threads), or raise the limits of memory and "
                "processes (ulimit -v, -u). [NO_THREADS]",
                error.what());
        else
            log::error("unexpected failure ({}). Please report it. [INTERNAL]", error.what());
    }
    return ExitCode::internal;
}

}  // namespace

int main(int argc, char** argv) {
    // A limit on file sizes shall end in a message about a full disk, not in a signal.
    std::signal(SIGXFSZ, SIG_IGN);
    CLI::App parser{"xsift: periods, spectra and a catalogue for every source of an X-ray survey"};
    parser.set_version_flag("--version", fmt::format("xsift {}", version));
    parser.require_subcommand(1);
    parser.fallthrough();
    bool json = false, quiet = false, verbose = false;
    parser.add_flag("--log-json", json, "Log JSON lines instead of text");
    parser.add_flag("-q,--quiet", quiet, "Log warnings and errors only");
    parser.add_flag("-v,--verbose", verbose, "Log details");

    std::vector<std::pair<const char*, app::Action>> actions{
        {"ingest", app::add_ingest(parser)},
        {"simulate", app::add_simulate(parser)},
        {"join", app::add_join(parser)},
        {"run", app::add_run(parser)},
        {"merge", app::add_merge(parser)},
        {"plan", app::add_plan(parser)},
        {"info", app::add_info(parser)},
        {"verify", app::add_verify(parser)},
        {"report", app::add_report(parser)},
        {"bench", app::add_bench(parser)},
        {"train", app::add_train(parser)},
        {"classify", app::add_classify(parser)},
        {"import-apec", app::add_import_apec(parser)},
    };
    try {
        parser.parse(argc, argv);
    } catch (const CLI::ExtrasError& error) {
        parser.exit(error);
        fmt::print(stderr,
                   "An option takes one value. Give several with commas between them, or the option once for "
                   "each.\n");
        return code(ExitCode::usage);
    } catch (const CLI::ParseError& error) {
        return parser.exit(error) == 0 ? code(ExitCode::done) : code(ExitCode::usage);
    }
    log::configure(quiet ? log::Level::warning : verbose ? log::Level::debug : log::Level::info, json);
    for (const auto& [name, action] : actions)
        if (parser.got_subcommand(name)) return code(perform(action));
    return code(ExitCode::usage);
}
