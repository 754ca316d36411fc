#include "test_files.hpp"

#include <filesystem>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <xsift/core/error.hpp>
#include <xsift/io/atomic_file.hpp>

namespace xsift::io {
namespace {

std::size_t files_in(const std::string& folder) {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

TEST(AtomicFile, AppearsOnlyWhenCommitted) {
    const xsift::test::TemporaryFolder folder;
    const std::string target = folder / "out.txt";
    xsift::test::write_file(target, "old");
    {
        AtomicFile file(target);
        xsift::test::write_file(file.temporary(), "new");
        EXPECT_EQ(xsift::test::read_file(target), "old");
        file.commit();
        EXPECT_EQ(xsift::test::read_file(target), "new");
    }
    EXPECT_EQ(xsift::test::read_file(target), "new");
    EXPECT_EQ(files_in(folder.path()), 1u);
}

TEST(AtomicFile, LeavesNothingWhenAbandoned) {
    const xsift::test::TemporaryFolder folder;
    { const AtomicFile file(folder / "out.txt"); }
    EXPECT_EQ(files_in(folder.path()), 0u);
}

TEST(AtomicFile, TwoWritersOfOneTargetDoNotMeet) {
    const xsift::test::TemporaryFolder folder;
    AtomicFile one(folder / "out.txt"), two(folder / "out.txt");
    EXPECT_NE(one.temporary(), two.temporary());
    xsift::test::write_file(one.temporary(), "one");
    xsift::test::write_file(two.temporary(), "two");
    one.commit();
    two.commit();
    EXPECT_EQ(xsift::test::read_file(folder / "out.txt"), "two");
}

TEST(AtomicFile, HasThePermissionsOfAnyNewFile) {
    const xsift::test::TemporaryFolder folder;
    const mode_t before = ::umask(027);
    write_text_file(folder / "out.txt", "text");
    ::umask(before);
    struct stat status {};
    ASSERT_EQ(::stat((folder / "out.txt").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0640u);
}

TEST(AtomicFile, WritesText) {
    const xsift::test::TemporaryFolder folder;
    write_text_file(folder / "out.txt", "line\n");
    EXPECT_EQ(xsift::test::read_file(folder / "out.txt"), "line\n");
}

TEST(AtomicFile, NamesAnUnwritableTarget) {
    const xsift::test::TemporaryFolder folder;
    xsift::test::write_file(folder / "plain", "");
    for (const std::string& target :
         {folder / "missing/out.txt", folder / "plain/out.txt", folder.path(), folder.path() + "/"}) {
        try {
            const AtomicFile file(target);
            FAIL() << target;
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::usage);
            EXPECT_EQ(error.code(), "UNWRITABLE");
            EXPECT_NE(std::string(error.what()).find(target), std::string::npos);
        }
    }
}

}  // namespace
}  // namespace xsift::io
