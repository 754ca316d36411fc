#include <algorithm>
#include <cctype>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>
#include <utility>

#include <sched.h>

#include <xsift/core/log.hpp>
#include <xsift/core/numa.hpp>

namespace xsift {

namespace {

std::string first_line(const std::filesystem::path& path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
}

/// The number at the beginning of text, which is taken from it; -1: none.
int take_number(std::string_view& text) {
    int value = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || value < 0) return -1;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return value;
}

/// What a list as 0-3,8,10-11 holds; nothing when it is anything else.
std::vector<int> parse_list(std::string_view text) {
    std::vector<int> out;
    while (!text.empty()) {
        const int first = take_number(text);
        int last = first;
        if (text.starts_with('-')) {
            text.remove_prefix(1);
            last = take_number(text);
        }
        if (first < 0 || last < first || last >= CPU_SETSIZE) return {};
        for (int i = first; i <= last; ++i) out.push_back(i);
        if (text.empty()) break;
        if (!text.starts_with(',') || text.size() == 1) return {};
        text.remove_prefix(1);
    }
    return out;
}

void use_only(const std::vector<int>& processors) {
    cpu_set_t set;
    CPU_ZERO(&set);
    for (const int p : processors) CPU_SET(static_cast<std::size_t>(p), &set);
    // the thread stays where it is when the system refuses: it is slower then, not wrong
    static_cast<void>(sched_setaffinity(0, sizeof set, &set));
}

}  // namespace

MemoryNode node_of_device(std::string pci_id, const std::string& sysfs) {
    std::transform(pci_id.begin(), pci_id.end(), pci_id.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const std::filesystem::path root(sysfs), nodes = root / "devices/system/node";
    if (pci_id.empty() || parse_list(first_line(nodes / "online")).size() < 2) return {};
    const std::vector<int> number = parse_list(first_line(root / "bus/pci/devices" / pci_id / "numa_node"));
    if (number.size() != 1) return {};  // -1: the system does not know
    MemoryNode node{number.front(),
                    parse_list(first_line(nodes / ("node" + std::to_string(number.front())) / "cpulist"))};
    return node.processors.empty() ? MemoryNode{} : node;
}

std::vector<int> usable_processors() {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) != 0) return {};
    std::vector<int> out;
    for (int p = 0; p < CPU_SETSIZE; ++p)
        if (CPU_ISSET(static_cast<std::size_t>(p), &set)) out.push_back(p);
    return out;
}

KeepTo::KeepTo(const std::vector<int>& processors) {
    if (processors.empty()) return;
    std::vector<int> usable = usable_processors(), wanted;
    std::copy_if(usable.begin(), usable.end(), std::back_inserter(wanted), [&](int p) {
        return std::find(processors.begin(), processors.end(), p) != processors.end();
    });
    if (wanted.empty() || wanted.size() == usable.size()) return;
    use_only(wanted);
    count_ = wanted.size();
    before_ = std::move(usable);
}

KeepTo::~KeepTo() {
    if (!before_.empty()) use_only(before_);
}

void log_node_of(const std::string& device, const MemoryNode& node) {
    if (node.processors.empty()) return;
    if (const std::size_t kept = KeepTo(node.processors).count(); kept > 0)
        log::info("{}: its host threads keep to {} processors of memory node {}", device, kept, node.number);
    else
        log::info(
            "{} is at memory node {}: its host threads stay where they are, as all or none of the "
            "processors that this process may use are there",
            device, node.number);
}

}  // namespace xsift
