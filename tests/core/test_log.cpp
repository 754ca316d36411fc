#include <gtest/gtest.h>

#include <xsift/core/log.hpp>
#include <xsift/core/printable.hpp>

namespace xsift {
namespace {

class Log : public testing::Test {
  protected:
    ~Log() override { log::configure(log::Level::info, false); }
};

TEST_F(Log, KeepsWhatIsBelowTheThresholdQuiet) {
    log::configure(log::Level::warning, false);
    testing::internal::CaptureStderr();
    log::info("quiet");
    log::warning("loud {}", 7);
    const std::string lines = testing::internal::GetCapturedStderr();
    EXPECT_EQ(lines.find("quiet"), std::string::npos);
    EXPECT_NE(lines.find(" warning loud 7\n"), std::string::npos);
}

TEST_F(Log, WritesOneJsonObjectALine) {
    log::configure(log::Level::info, true);
    testing::internal::CaptureStderr();
    log::info("a \"quoted\" \\ line\nbreak");
    const std::string line = testing::internal::GetCapturedStderr();
    EXPECT_EQ(line.rfind("{\"time\":\"", 0), 0u);
    EXPECT_NE(line.find(R"("level":"info","message":"a \"quoted\" \\ line\u000abreak"})"), std::string::npos);
    EXPECT_EQ(line.find('\n'), line.size() - 1);
}

TEST_F(Log, SendsNoCommandsToTheTerminal) {
    EXPECT_EQ(printable("a\x1b[2J\x07\tb\n\x7f"
                        "\xc2\x9b"
                        "1m \xc3\xa9 \xc2\xb5"),
              "a?[2J?\tb\n??1m \xc3\xa9 \xc2\xb5");
    testing::internal::CaptureStderr();
    log::error("{} is no file", "x\x1b]0;owned\x07.fits");
    EXPECT_NE(testing::internal::GetCapturedStderr().find(" error x?]0;owned?.fits is no file\n"),
              std::string::npos);
}

}  // namespace
}  // namespace xsift
