#include "serialise.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <stdexcept>

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

}  // namespace

struct Journal::Implementation {
    std::string path;
    int descriptor = -1;
    std::int64_t sources = 0;
    off_t first_record = 0, end = 0;

    ~Implementation() {
        if (descriptor >= 0) close(descriptor);
    }

    void write_all(const std::string& bytes) {
        std::size_t done = 0;
        while (done < bytes.size()) {
            const ssize_t put =
                pwrite(descriptor, bytes.data() + done, bytes.size() - done, end + static_cast<off_t>(done));
            if (put < 0 && errno == EINTR) continue;
            if (put <= 0) fail_write();
            done += static_cast<std::size_t>(put);
        }
        if (fdatasync(descriptor) != 0) fail_write();
        end += static_cast<off_t>(bytes.size());
    }

    [[noreturn]] void fail_write() const {
        const int code = errno;
        const bool full = code == ENOSPC || code == EDQUOT || code == EFBIG;
        throw Error(ErrorKind::internal, full ? "DISK_FULL" : "WRITE_FAILED", "cannot write " + path,
                    std::strerror(code),
                    full ? "Free some space and run again with --resume." : "Check the file system.");
    }

    /// Reads the record at `offset` into payload. False at the end or where the file is torn or damaged.
    bool read_record(off_t offset, RecordHead& head, std::string& payload) const {
        if (pread(descriptor, &head, sizeof head, offset) != static_cast<ssize_t>(sizeof head)) return false;
        struct stat info {};
        if (fstat(descriptor, &info) != 0 || head.size > max_record ||
            head.size > static_cast<std::uint64_t>(info.st_size - offset) - sizeof head)
            return false;
        payload.resize(head.size);
        std::size_t done = 0;
        while (done < payload.size()) {
            const ssize_t got = pread(descriptor, payload.data() + done, payload.size() - done,
                                      offset + static_cast<off_t>(sizeof head + done));
            if (got < 0 && errno == EINTR) continue;
            if (got <= 0) return false;
            done += static_cast<std::size_t>(got);
        }
        const std::string expected = content_hash(payload);
        return expected.compare(0, expected.size(), head.checksum,
                                strnlen(head.checksum, sizeof head.checksum)) == 0;
    }
};

Journal::Journal(std::string path, const std::string& identity, bool resume)
    : implementation_(std::make_unique<Implementation>()) {
    Implementation& self = *implementation_;
    self.path = std::move(path);
    self.descriptor = open(self.path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (self.descriptor < 0)
        throw Error(ErrorKind::usage, "UNWRITABLE", "cannot write " + self.path, std::strerror(errno),
                    "Choose an output folder that exists and can be written.");
    if (flock(self.descriptor, LOCK_EX | LOCK_NB) != 0)
        throw Error(ErrorKind::usage, "OUTPUT_BUSY", self.path + " is in use",
                    "another run writes the same output", "Wait for it or choose another output.");

    RecordHead head;
    std::string payload;
    char found[sizeof magic] = {};
    const bool known = pread(self.descriptor, found, sizeof found, 0) == static_cast<ssize_t>(sizeof found) &&
                       std::memcmp(found, magic, sizeof magic) == 0 &&
                       self.read_record(sizeof magic, head, payload);
    if (resume && known) {
        if (payload != identity)
            throw Error(ErrorKind::usage, "RESUME_MISMATCH", "cannot resume from " + self.path,
                        "it was written for another survey, configuration or shard",
                        "Run without --resume to start over.");
        self.first_record = self.end = static_cast<off_t>(sizeof magic + sizeof head + payload.size());
        while (self.read_record(self.end, head, payload)) {
            self.end += static_cast<off_t>(sizeof head + payload.size());
            self.sources += static_cast<std::int64_t>(head.count);
        }
        if (ftruncate(self.descriptor, self.end) != 0) self.fail_write();
        log::info("resuming: {} sources are done already", self.sources);
        return;
    }
    if (ftruncate(self.descriptor, 0) != 0) self.fail_write();
    self.write_all(std::string(magic, sizeof magic) + framed(identity, 0));
    self.first_record = self.end;
}

bool looks_like_journal(const std::string& path) {
    char found[sizeof magic] = {};
    std::ifstream file(path, std::ios::binary);
    return file.read(found, sizeof found) && std::memcmp(found, magic, sizeof magic) == 0;
}

JournalSummary describe_journal(const std::string& path) {
    Journal::Implementation journal;
    journal.path = path;
    journal.descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (journal.descriptor < 0)
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
    summary.whole = fstat(journal.descriptor, &info) == 0 && info.st_size == offset;
    return summary;
}

Journal::~Journal() = default;

std::int64_t Journal::size() const {
    return implementation_->sources;
}

void Journal::append(std::span<const SourceResult> results) {
    Encoder encoder;
    for (const SourceResult& result : results) encoder(result);
    implementation_->write_all(framed(encoder.bytes, results.size()));
    implementation_->sources += static_cast<std::int64_t>(results.size());
}

void Journal::replay(const std::function<void(const SourceResult&)>& visitor) const {
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

void Journal::remove() {
    unlink(implementation_->path.c_str());
}

}  // namespace xsift::pipeline
