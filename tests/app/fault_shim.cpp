// Preloaded into xsift by test_faults.py: makes the system misbehave as FAULT asks,
// "OPERATION:WHAT:FROM:PATH".
//   read, write, sync, lock: calls on files whose path contains PATH fail from the FROM-th on (counted from
//   1), with the
//       errno WHAT (EIO, ENOSPC, EDQUOT, ENOLCK), or, WHAT = end, as if the file ended there
//   clock: the time of day jumps by up to a day between any two calls

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <string_view>

#include <dlfcn.h>
#include <sys/time.h>
#include <unistd.h>

namespace {

struct Fault {
    std::string operation, path;
    int error = 0;
    long from = 1;
    std::atomic<long> calls{0};

    Fault() {
        const char* text = std::getenv("FAULT");
        std::array<std::string, 4> part;
        std::string_view rest = text != nullptr ? text : "";
        for (std::string& one : part) {
            const std::size_t end = std::min(rest.find(':'), rest.size());
            one = rest.substr(0, end);
            rest.remove_prefix(std::min(end + 1, rest.size()));
        }
        operation = part[0];
        error = part[1] == "EIO"      ? EIO
                : part[1] == "ENOSPC" ? ENOSPC
                : part[1] == "EDQUOT" ? EDQUOT
                : part[1] == "ENOLCK" ? ENOLCK
                                      : 0;
        from = part[2].empty() ? 1 : std::stol(part[2]);
        path = part[3];
    }

    /// Whether this call fails.
    bool strikes(const char* what, int descriptor) {
        if (operation != what) return false;
        std::array<char, 4096> name{};
        const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
        if (::readlink(link.c_str(), name.data(), name.size() - 1) < 0 ||
            std::strstr(name.data(), path.c_str()) == nullptr || ++calls < from)
            return false;
        errno = error;
        return true;
    }
};

Fault& fault() {
    static Fault one;
    return one;
}

template <typename Function>
Function real(const char* name) {
    return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

ssize_t failed() {
    return fault().error == 0 ? 0 : -1;
}

}  // namespace

extern "C" {

ssize_t read(int descriptor, void* bytes, std::size_t count) {
    static const auto next = real<ssize_t (*)(int, void*, std::size_t)>("read");
    return fault().strikes("read", descriptor) ? failed() : next(descriptor, bytes, count);
}
ssize_t pread64(int descriptor, void* bytes, std::size_t count, off64_t at) {
    static const auto next = real<ssize_t (*)(int, void*, std::size_t, off64_t)>("pread64");
    return fault().strikes("read", descriptor) ? failed() : next(descriptor, bytes, count, at);
}
ssize_t pread(int descriptor, void* bytes, std::size_t count, off_t at) {
    return pread64(descriptor, bytes, count, at);
}
std::size_t fread(void* bytes, std::size_t size, std::size_t count, std::FILE* file) {
    static const auto next = real<std::size_t (*)(void*, std::size_t, std::size_t, std::FILE*)>("fread");
    return fault().strikes("read", fileno(file)) ? 0 : next(bytes, size, count, file);
}
ssize_t write(int descriptor, const void* bytes, std::size_t count) {
    static const auto next = real<ssize_t (*)(int, const void*, std::size_t)>("write");
    return fault().strikes("write", descriptor) ? -1 : next(descriptor, bytes, count);
}
ssize_t pwrite64(int descriptor, const void* bytes, std::size_t count, off64_t at) {
    static const auto next = real<ssize_t (*)(int, const void*, std::size_t, off64_t)>("pwrite64");
    return fault().strikes("write", descriptor) ? -1 : next(descriptor, bytes, count, at);
}
ssize_t pwrite(int descriptor, const void* bytes, std::size_t count, off_t at) {
    return pwrite64(descriptor, bytes, count, at);
}
std::size_t fwrite(const void* bytes, std::size_t size, std::size_t count, std::FILE* file) {
    static const auto next =
        real<std::size_t (*)(const void*, std::size_t, std::size_t, std::FILE*)>("fwrite");
    return fault().strikes("write", fileno(file)) ? 0 : next(bytes, size, count, file);
}
int fsync(int descriptor) {
    static const auto next = real<int (*)(int)>("fsync");
    return fault().strikes("sync", descriptor) ? -1 : next(descriptor);
}
int fdatasync(int descriptor) {
    static const auto next = real<int (*)(int)>("fdatasync");
    return fault().strikes("sync", descriptor) ? -1 : next(descriptor);
}
int flock(int descriptor, int operation) {
    static const auto next = real<int (*)(int, int)>("flock");
    return fault().strikes("lock", descriptor) ? -1 : next(descriptor, operation);
}
int clock_gettime(clockid_t clock, timespec* now) {
    static const auto next = real<int (*)(clockid_t, timespec*)>("clock_gettime");
    const int status = next(clock, now);
    if (clock == CLOCK_REALTIME && fault().operation == "clock")
        now->tv_sec +=
            static_cast<std::int64_t>(static_cast<std::uint64_t>(++fault().calls) * 2654435761U % 172800U) -
            86400;
    return status;
}
int gettimeofday(timeval* now, void*) {
    timespec precise{};
    const int status = clock_gettime(CLOCK_REALTIME, &precise);
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return status;
}
std::time_t time(std::time_t* out) {
    timespec precise{};
    clock_gettime(CLOCK_REALTIME, &precise);
    if (out != nullptr) *out = precise.tv_sec;
    return precise.tv_sec;
}

}  // extern "C"
