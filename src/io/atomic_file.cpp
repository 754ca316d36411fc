#include "write_error.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <xsift/io/atomic_file.hpp>

namespace xsift::io {

namespace {

/// A file descriptor that closes itself.
class Descriptor {
  public:
    explicit Descriptor(int fd) : fd_(fd) {}
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

    int get() const { return fd_; }
    /// Zero or -1 with errno, as close(2): network file systems report a full disk here.
    int close() { return ::close(std::exchange(fd_, -1)); }

  private:
    int fd_;
};

std::string folder_of(const std::string& target) {
    const std::string folder = std::filesystem::path(target).parent_path().string();
    return folder.empty() ? "." : folder;
}

Error unwritable(const std::string& target, const std::string& why) {
    return {ErrorKind::usage, "UNWRITABLE", fmt::format("cannot write {}", target), why,
            "Choose an existing folder in which you may create files"};
}

/// Creates a new empty file beside the target, with the permissions of any new file.
std::string create_beside(const std::string& target) {
    const std::filesystem::path path(target);
    for (int attempt = 0;; ++attempt) {
        std::string name = (std::filesystem::path(folder_of(target)) /
                            fmt::format(".{}.{}-{}.tmp", path.filename().string(), ::getpid(), attempt))
                               .string();
        const Descriptor file(::open(name.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666));
        if (file.get() >= 0) return name;
        if (errno == EEXIST && attempt < 10000) continue;
        if (is_out_of_space(errno)) throw write_error(target, errno);
        throw unwritable(target, std::strerror(errno));
    }
}

void sync(const std::string& path, int flags, const std::string& target) {
    Descriptor file(::open(path.c_str(), flags | O_CLOEXEC));
    if (file.get() < 0 || ::fsync(file.get()) != 0 || file.close() != 0) throw write_error(target, errno);
}

}  // namespace

bool is_out_of_space(int error_number) noexcept {
    return error_number == ENOSPC || error_number == EDQUOT || error_number == EFBIG;
}

Error write_error(const std::string& path, int error_number, const std::string& detail) {
    const std::string why = error_number != 0 ? std::strerror(error_number) : detail;
    if (is_out_of_space(error_number))
        return {ErrorKind::internal, "DISK_FULL", fmt::format("cannot write {}: no space left", path), why,
                "Free space, raise the quota or write elsewhere; nothing was left behind"};
    return {ErrorKind::internal, "WRITE_FAILED", fmt::format("cannot write {}", path), why,
            "Check the file system; nothing was left behind"};
}

AtomicFile::AtomicFile(std::string target) : target_(std::move(target)) {
    const std::filesystem::path path(target_);
    std::error_code ignored;
    if (path.filename().empty() || std::filesystem::is_directory(path, ignored))
        throw unwritable(target_, "it is a folder, not a file name");
    temporary_ = create_beside(target_);
}

AtomicFile::~AtomicFile() {
    if (!committed_) ::unlink(temporary_.c_str());
}

void AtomicFile::commit() {
    sync(temporary_, O_RDWR, target_);
    if (std::rename(temporary_.c_str(), target_.c_str()) != 0) throw write_error(target_, errno);
    committed_ = true;
    sync(folder_of(target_), O_RDONLY | O_DIRECTORY, target_);
}

void write_text_file(const std::string& path, const std::string& text) {
    AtomicFile file(path);
    Descriptor out(::open(file.temporary().c_str(), O_WRONLY | O_CLOEXEC));
    if (out.get() < 0) throw write_error(path, errno);
    for (std::size_t done = 0; done < text.size();) {
        const ssize_t written = ::write(out.get(), text.data() + done, text.size() - done);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) throw write_error(path, errno);
        done += static_cast<std::size_t>(written);
    }
    if (out.close() != 0) throw write_error(path, errno);
    file.commit();
}

}  // namespace xsift::io
