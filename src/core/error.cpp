#include <xsift/core/error.hpp>

namespace xsift {

ExitCode exit_code(ErrorKind kind) noexcept {
    switch (kind) {
        case ErrorKind::internal: return ExitCode::internal;
        case ErrorKind::usage: return ExitCode::usage;
        case ErrorKind::input: return ExitCode::done_with_quarantine;
        case ErrorKind::corrupt_file: return ExitCode::corrupt_file;
        case ErrorKind::backend_unavailable: return ExitCode::backend_unavailable;
        case ErrorKind::interrupted: return ExitCode::interrupted;
    }
    return ExitCode::internal;
}

std::string format_problem(std::string_view what, std::string_view why, std::string_view remedy) {
    std::string message(what);
    if (!why.empty()) message.append(" (").append(why).append(")");
    if (!remedy.empty()) message.append(". ").append(remedy);
    return message;
}

Error::Error(ErrorKind kind, std::string_view code, std::string_view what, std::string_view why,
             std::string_view remedy)
    : std::runtime_error(format_problem(what, why, remedy)), kind_(kind), code_(code) {}

}  // namespace xsift
