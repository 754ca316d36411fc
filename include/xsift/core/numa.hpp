#pragma once
/// @file
/// Memory nodes of the machine (NUMA), as Linux shows them below /sys: which processors are next to a device.

#include <string>
#include <vector>

namespace xsift {

/// A memory node and its processors.
struct MemoryNode {
    int number = -1;
    std::vector<int> processors;  ///< none: the machine has one node only, or does not say
};

/// The memory node that a PCI device is attached to.
/// @param pci_id as 0000:17:00.0, letters of either case
/// @param sysfs the root of what Linux tells
MemoryNode node_of_device(std::string pci_id, const std::string& sysfs = "/sys");

/// Processors that the calling thread may use, ascending: what a batch system or taskset left it.
std::vector<int> usable_processors();

/// Until the scope ends the calling thread, and threads that it starts, keep to those of the processors that
/// it may use anyway; memory they touch first is then on the node of these. Where it may use none of them it
/// stays as it is.
class KeepTo {
  public:
    explicit KeepTo(const std::vector<int>& processors);
    ~KeepTo();
    KeepTo(const KeepTo&) = delete;
    KeepTo& operator=(const KeepTo&) = delete;

    /// On how many; 0: stays as it was.
    std::size_t count() const { return count_; }

  private:
    std::vector<int> before_;
    std::size_t count_ = 0;
};

/// Says in the log what KeepTo does for the host threads of a device on a node; nothing where no node is
/// known.
void log_node_of(const std::string& device, const MemoryNode& node);

}  // namespace xsift
