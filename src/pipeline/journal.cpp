#include "serialise.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <xsift/core/error.hpp>
#include <xsift/core/hash.hpp>
#include <xsift/core/log.hpp>
#include <xsift/pipeline/journal.hpp>

namespace xsift::pipeline {

namespace {

constexpr char magic[8] = {'X', 'S', 'J', 'O', 'U', 'R', '0', '1'};
constexpr std::uint64_t max_record = std::uint64_t{1} << 32;

/// What stands before each record's bytes.
struct RecordHead {
    std::uint64_t size = 0, count = 0;
    char checksum[40] = {};
};

std::string framed(const std::string& payload, std::uint64_t count) {
    RecordHead head;
    head.size = payload.size();
    head.count = count;
    content_hash(payload).copy(head.checksum, sizeof head.checksum);
    std::string record(reinterpret_cast<const char*>(&head), sizeof head);
    return record + payload;
}

/// An open file that closes itself.
class Descriptor {
  public:
    explicit Descriptor(int fd = -1) : fd_(fd) {}
    Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~Descriptor() {
        if (fd_ >= 0) close(fd_);
    }
    int get() const { return fd_; }

  private:
    int fd_;
};

/// A temporary name: gone at the end, unless the file was renamed.
class RemovedAtEnd {
  public:
    explicit RemovedAtEnd(std::string path) : path_(std::move(path)) {}
    ~RemovedAtEnd() { unlink(path_.c_str()); }
    RemovedAtEnd(const RemovedAtEnd&) = delete;
    RemovedAtEnd& operator=(const RemovedAtEnd&) = delete;

  private:
    std::string path_;
};

/// Whether the open file is what the path leads to. The path is opened for it: network file systems ask their
/// server then, and may answer a stat from memory.
bool is_at(const std::string& path, int descriptor) {
    const Descriptor there(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat a {
    }, b{};
    return there.get() >= 0 && fstat(there.get(), &a) == 0 && fstat(descriptor, &b) == 0 &&
           a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

Error unwritable(const std::string& path) {
    return {ErrorKind::usage, "UNWRITABLE", "cannot write " + path, std::strerror(errno),
            "Choose an output folder that exists and can be written."};
}

}  // namespace

struct Journal::Implementation {
    std::string path;
    Descriptor file;
    std::int64_t sources = 0;
    off_t first_record = 0, end = 0;

    void write_all(const std::string& bytes) {
        std::size_t done = 0;
        while (done < bytes.size()) {
            const ssize_t put =
                pwrite(file.get(), bytes.data() + done, bytes.size() - done, end + static_cast<off_t>(done));
            if (put < 0 && errno == EINTR) continue;
            if (put <= 0) fail_write();
            done += static_cast<std::size_t>(put);
        }
        if (fdatasync(file.get()) != 0) fail_write();
        end += static_cast<off_t>(bytes.size());
    }

    /// Opens what is at the path and locks it. False when there is nothing.
    bool open_and_lock() {
        for (;;) {
            file = Descriptor(open(path.c_str(), O_RDWR | O_CLOEXEC));
            if (file.get() < 0 && errno == ENOENT) return false;
            if (file.get() < 0) throw unwritable(path);
            lock();
            // Between opening and locking another attempt may have put its own in place.
            if (is_at(path, file.get())) return true;
        }
    }

    void lock() const {
        if (flock(file.get(), LOCK_EX | LOCK_NB) == 0) return;
        if (errno == EWOULDBLOCK)
            throw Error(ErrorKind::usage, "OUTPUT_BUSY", path + " is in use",
                        "another run writes the same output", "Wait for it or choose another output.");
        log::warning("{} cannot be locked ({}): a second run on this output would take it over", path,
                     std::strerror(errno));
    }

    /// Puts a journal of this attempt alone in place of the one at the path: the same records, another file.
    /// An attempt that is still at work, on a node that was given up or where locks do not hold, keeps the
    /// old file, which nobody reads any more, and learns at its next batch that it was superseded.
    void take_over(const std::string& head, off_t records_end) {
        const std::string fresh = fmt::format("{}.{}.tmp", path, getpid());
        Implementation next;
        next.path = path;
        next.file = Descriptor(open(fresh.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
        if (next.file.get() < 0) throw unwritable(path);
        const RemovedAtEnd temporary(fresh);
        next.lock();
        next.write_all(head);
        next.first_record = next.end;
        std::string piece;
        for (off_t at = first_record; at < records_end; at += static_cast<off_t>(piece.size())) {
            piece.resize(static_cast<std::size_t>(std::min<off_t>(records_end - at, 1 << 24)));
            if (!read_all(at, piece)) fail_write();
            next.write_all(piece);
        }
        if (std::rename(fresh.c_str(), path.c_str()) != 0) fail_write();
        std::swap(file, next.file);
        first_record = next.first_record;
        end = next.end;
    }

    [[noreturn]] void fail_write() const {
        const int code = errno;
        const bool full = code == ENOSPC || code == EDQUOT || code == EFBIG;
        throw Error(ErrorKind::internal, full ? "DISK_FULL" : "WRITE_FAILED", "cannot write " + path,
                    std::strerror(code),
                    full ? "Free some space and run again with --resume." : "Check the file system.");
    }

    /// Reads the first record; false when it is damaged. @throws Error when it is of another run.
    bool read_start(const std::string& identity) {
        RecordHead head;
        std::string payload;
        char found[sizeof magic] = {};
        if (pread(file.get(), found, sizeof found, 0) != static_cast<ssize_t>(sizeof found) ||
            std::memcmp(found, magic, sizeof magic) != 0 || !read_record(sizeof magic, head, payload))
            return false;
        if (payload != identity)
            throw Error(ErrorKind::usage, "RESUME_MISMATCH", "cannot resume from " + path,
                        "it was written for another survey, configuration or shard",
                        "Run without --resume to start over.");
        first_record = static_cast<off_t>(sizeof magic + sizeof head + payload.size());
        return true;
    }

    /// Fills the bytes from the file. False when it ends earlier or cannot be read.
    bool read_all(off_t offset, std::string& bytes) const {
        for (std::size_t done = 0; done < bytes.size();) {
            const ssize_t got = pread(file.get(), bytes.data() + done, bytes.size() - done,
                                      offset + static_cast<off_t>(done));
            if (got < 0 && errno == EINTR) continue;
            if (got <= 0) return false;
            done += static_cast<std::size_t>(got);
        }
        return true;
    }

    /// Reads the record at `offset` into payload. False at the end or where the file is torn or damaged.
    bool read_record(off_t offset, RecordHead& head, std::string& payload) const {
        if (pread(file.get(), &head, sizeof head, offset) != static_cast<ssize_t>(sizeof head)) return false;
        struct stat info {};
        // no result takes less than a byte
        if (fstat(file.get(), &info) != 0 || head.size > max_record || head.count > head.size ||
            head.size > static_cast<std::uint64_t>(info.st_size - offset) - sizeof head)
            return false;
        payload.resize(head.size);
        if (!read_all(offset + static_cast<off_t>(sizeof head), payload)) return false;
        const std::string expected = content_hash(payload);
        return expected.compare(0, expected.size(), head.checksum,
                                strnlen(head.checksum, sizeof head.checksum)) == 0;
    }
};

Journal::Journal(std::string path, const std::string& identity, bool resume)
    : implementation_(std::make_unique<Implementation>()) {
    Implementation& self = *implementation_;
    self.path = std::move(path);
    off_t sound_end = 0;
    if (self.open_and_lock() && resume && self.read_start(identity)) {
        RecordHead head;
        std::string payload;
        for (sound_end = self.first_record; self.read_record(sound_end, head, payload);
             sound_end += static_cast<off_t>(sizeof head + payload.size()))
            self.sources += static_cast<std::int64_t>(head.count);
        log::info("resuming: {} sources are done already", self.sources);
    }
    self.take_over(std::string(magic, sizeof magic) + framed(identity, 0), sound_end);
}

bool looks_like_journal(const std::string& path) {
    char found[sizeof magic] = {};
    std::ifstream file(path, std::ios::binary);
    return file.read(found, sizeof found) && std::memcmp(found, magic, sizeof magic) == 0;
}

JournalSummary describe_journal(const std::string& path) {
    Journal::Implementation journal;
    journal.path = path;
    journal.file = Descriptor(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (journal.file.get() < 0)
        throw Error(ErrorKind::usage, "UNREADABLE", "cannot open " + path, std::strerror(errno),
                    "Check the path.");
    RecordHead head;
    std::string payload;
    off_t offset = sizeof magic;
    const auto next = [&] {
        if (!journal.read_record(offset, head, payload)) return false;
        offset += static_cast<off_t>(sizeof head + payload.size());
        return true;
    };
    if (!looks_like_journal(path) || !next())
        throw Error(ErrorKind::corrupt_file, "CORRUPT_JOURNAL", path + " is no sound journal",
                    "its first record is damaged", "Run without --resume.");
    JournalSummary summary;
    while (next()) {
        ++summary.batches;
        summary.sources += static_cast<std::int64_t>(head.count);
    }
    struct stat info {};
    summary.whole = fstat(journal.file.get(), &info) == 0 && info.st_size == offset;
    return summary;
}

Journal::~Journal() = default;

std::int64_t Journal::size() const {
    return implementation_->sources;
}

void Journal::append(std::span<const SourceResult> results) {
    Encoder encoder;
    for (const SourceResult& result : results) encoder(result);
    require_ours();
    implementation_->write_all(framed(encoder.bytes, results.size()));
    implementation_->sources += static_cast<std::int64_t>(results.size());
}

void Journal::replay(const std::function<void(SourceResult&)>& visitor) const {
    const Implementation& self = *implementation_;
    const auto damaged = [&](const std::string& why) {
        throw Error(ErrorKind::corrupt_file, "CORRUPT_JOURNAL", self.path + " is no sound journal", why,
                    "Run without --resume.");
    };
    RecordHead head;
    std::string payload;
    for (off_t offset = self.first_record; offset < self.end;) {
        if (!self.read_record(offset, head, payload))
            throw Error(ErrorKind::internal, "JOURNAL_DAMAGED", self.path + " changed while it was in use",
                        "a record does not match its checksum", "Run again with --resume.");
        Decoder decoder(payload.data(), payload.size());
        for (std::uint64_t i = 0; i < head.count; ++i) {
            SourceResult result;
            try {
                decoder(result);
            } catch (const std::runtime_error& problem) {
                damaged(problem.what());
            }
            visitor(result);
        }
        if (!decoder.done()) damaged("a record holds more than its results");
        offset += static_cast<off_t>(sizeof head + payload.size());
    }
}

void Journal::require_ours() const {
    if (!is_at(implementation_->path, implementation_->file.get()))
        throw Error(ErrorKind::usage, "SUPERSEDED", implementation_->path + " belongs to another attempt now",
                    "a newer run has taken this output over, or the journal was removed",
                    "Leave it to the newer run; without one, run again.");
}

void Journal::remove() {
    if (is_at(implementation_->path, implementation_->file.get())) unlink(implementation_->path.c_str());
}

}  // namespace xsift::pipeline
