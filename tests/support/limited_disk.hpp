#pragma once
/// @file
/// Full disks for tests. Only for a process of its own (a death test): the limits stay.

#include <csignal>
#include <string>

#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>

namespace xsift::test {

/// No file of this process may grow beyond the limit.
inline void limit_file_size(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit bound{bytes, bytes};
    setrlimit(RLIMIT_FSIZE, &bound);
}

/// Mounts a file system of the size on the folder, seen by this process alone; where that takes rights it has
/// not, the limit of file sizes has to do.
inline void limit_disk(const std::string& folder, int kilobytes) {
    const std::string size = "size=" + std::to_string(kilobytes) + "k";
    const bool mounted = unshare(CLONE_NEWNS) == 0 &&
                         mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                         mount("none", folder.c_str(), "tmpfs", 0, size.c_str()) == 0;
    if (!mounted) limit_file_size(static_cast<rlim_t>(kilobytes) * 1024);
}

}  // namespace xsift::test
