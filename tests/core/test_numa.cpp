// Memory nodes of a machine that is a folder of a test, and threads that keep to processors.
#include <filesystem>
#include <fstream>
#include <thread>

#include <gtest/gtest.h>

#include <xsift/core/numa.hpp>

namespace {

using namespace xsift;

class FakeMachine : public testing::Test {
  protected:
    std::filesystem::path root =
        std::filesystem::temp_directory_path() /
        ("xsift-numa-" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));

    ~FakeMachine() override { std::filesystem::remove_all(root); }
    void put(const std::string& path, const std::string& text) const {
        std::filesystem::create_directories((root / path).parent_path());
        std::ofstream(root / path) << text << '\n';
    }
    void two_nodes() const {
        put("devices/system/node/online", "0-1");
        put("devices/system/node/node0/cpulist", "0-3,8-11");
        put("devices/system/node/node1/cpulist", "4-7,12,14-15");
        put("bus/pci/devices/0000:17:00.0/numa_node", "0");
        put("bus/pci/devices/0000:b1:00.0/numa_node", "1");
    }
    MemoryNode node_of(const std::string& pci_id) const { return node_of_device(pci_id, root); }
};

TEST_F(FakeMachine, ADeviceHasTheProcessorsOfItsNode) {
    two_nodes();
    EXPECT_EQ(node_of("0000:17:00.0").number, 0);
    EXPECT_EQ(node_of("0000:17:00.0").processors, (std::vector<int>{0, 1, 2, 3, 8, 9, 10, 11}));
    const MemoryNode other = node_of("0000:B1:00.0");  // as CUDA writes it
    EXPECT_EQ(other.number, 1);
    EXPECT_EQ(other.processors, (std::vector<int>{4, 5, 6, 7, 12, 14, 15}));
}

TEST_F(FakeMachine, WhatIsNotKnownIsNone) {
    EXPECT_TRUE(node_of("0000:17:00.0").processors.empty());  // nothing there at all
    two_nodes();
    EXPECT_TRUE(node_of("0000:99:00.0").processors.empty());
    EXPECT_TRUE(node_of("").processors.empty());
    put("bus/pci/devices/0000:17:00.0/numa_node", "-1");  // as on machines that do not tell
    EXPECT_EQ(node_of("0000:17:00.0").number, -1);
    put("bus/pci/devices/0000:17:00.0/numa_node", "5");
    EXPECT_TRUE(node_of("0000:17:00.0").processors.empty());
    for (const char* list : {"", "4-", "-4", "4,,5", "7-4", "a", "4-7 8", "4,", "99999999999", "0-99999"}) {
        put("devices/system/node/node1/cpulist", list);  // empty: a node of memory alone
        EXPECT_TRUE(node_of("0000:b1:00.0").processors.empty()) << list;
    }
}

TEST_F(FakeMachine, OneNodeIsNoReasonToMove) {
    two_nodes();
    put("devices/system/node/online", "0");
    EXPECT_TRUE(node_of("0000:17:00.0").processors.empty());
}

TEST(KeepTo, AThreadAndThoseItStartsStayUntilTheScopeEnds) {
    const std::vector<int> before = usable_processors();
    ASSERT_FALSE(before.empty());
    {
        // one that this process may use, and one that no machine has
        const std::vector<int> wanted{before.back(), 1023};
        const KeepTo keep(wanted);
        if (before.size() > 1) {
            EXPECT_EQ(keep.count(), 1U);
        }
        EXPECT_EQ(usable_processors(), std::vector<int>{before.back()});
        std::vector<int> of_another;
        std::thread([&] { of_another = usable_processors(); }).join();
        EXPECT_EQ(of_another, std::vector<int>{before.back()});
        const std::vector<int> rest(before.begin(), before.end() - 1);
        EXPECT_EQ(KeepTo(rest).count(), 0U);  // none of them is left to this thread
        EXPECT_EQ(usable_processors(), std::vector<int>{before.back()});
    }
    EXPECT_EQ(usable_processors(), before);
    for (const std::vector<int>& nothing : {std::vector<int>{}, std::vector<int>{1023}, before}) {
        const KeepTo keep(nothing);
        EXPECT_EQ(keep.count(), 0U);
        EXPECT_EQ(usable_processors(), before);
    }
}

}  // namespace
