#pragma once
/// @file
/// Errors say what happened, why, and what to do about it.

#include <stdexcept>
#include <string>
#include <string_view>

namespace xsift {

/// What kind of failure this is; decides the exit code of the command.
enum class ErrorKind {
    internal,             ///< a defect of xsift or of the machine (full disk, out of memory)
    usage,                ///< wrong options, configuration or paths
    input,                ///< one input file or source is unusable: quarantined, the others go on
    corrupt_file,         ///< a survey, shard or catalogue is damaged, foreign or of another schema
    backend_unavailable,  ///< the compute backend asked for cannot be used here
    interrupted,          ///< stopped by a signal; the work can be resumed
};

/// Process exit codes, fixed by the command-line contract.
enum class ExitCode : int {
    done = 0,
    internal = 1,
    usage = 2,
    done_with_quarantine = 3,
    corrupt_file = 4,
    backend_unavailable = 5,
    interrupted = 75,
};

/// The exit code of a command that ended with an error of this kind.
ExitCode exit_code(ErrorKind kind) noexcept;

/// An error with a stable code (upper-case words joined by '_', e.g. "NO_RESPONSE") and a message made of
/// what happened, why, and what to do ("what (why). what to do").
class Error : public std::runtime_error {
  public:
    Error(ErrorKind kind, std::string_view code, std::string_view what, std::string_view why = {},
          std::string_view remedy = {});

    ErrorKind kind() const noexcept { return kind_; }
    const std::string& code() const noexcept { return code_; }

  private:
    ErrorKind kind_;
    std::string code_;
};

/// The message format shared by errors and quarantine rows.
std::string format_problem(std::string_view what, std::string_view why, std::string_view remedy);

}  // namespace xsift
