#include "test_files.hpp"

#include <vector>

#include <gtest/gtest.h>

#include <xsift/core/error.hpp>
#include <xsift/core/hash.hpp>

namespace xsift {
namespace {

// XXH128 of nothing with seed 0, from the self-test of the reference implementation.
TEST(ContentHash, MatchesThePublishedValue) {
    EXPECT_EQ(content_hash(""), "xxh128:99aa06d3014798d86001c324468d497f");
    EXPECT_EQ(ContentHash().digest(), "xxh128:99aa06d3014798d86001c324468d497f");
}

TEST(ContentHash, PiecesGiveTheHashOfTheWhole) {
    std::string text;
    for (int i = 0; i < 5000; ++i) text += static_cast<char>(i * 7);
    for (const std::size_t piece : {1u, 13u, 256u, 4999u}) {
        ContentHash hash;
        for (std::size_t at = 0; at < text.size(); at += piece)
            hash.update(std::string_view(text).substr(at, piece));
        EXPECT_EQ(hash.digest(), content_hash(text));
    }
    EXPECT_NE(content_hash(text), content_hash(text.substr(1)));
}

TEST(ContentHash, OfNumbersIsOfTheirBytes) {
    const std::vector<double> values{1.0, -2.5};
    ContentHash hash;
    hash.update(std::span(values));
    EXPECT_EQ(hash.digest(), content_hash(values.data(), 16));
}

TEST(FileHash, IsTheHashOfItsBytes) {
    const test::TemporaryFolder folder;
    const std::string bytes(3'000'001, 'b');  // more than the buffer
    test::write_file(folder / "file", bytes);
    EXPECT_EQ(file_hash(folder / "file"), content_hash(bytes));
}

TEST(FileHash, NamesAFileThatIsMissingOrAFolder) {
    const test::TemporaryFolder folder;
    for (const std::string& path : {folder / "missing", folder.path()}) {
        try {
            file_hash(path);
            ADD_FAILURE() << path;
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::input);
            EXPECT_EQ(error.code(), "UNREADABLE");
            EXPECT_NE(std::string(error.what()).find(path), std::string::npos);
        }
    }
}

}  // namespace
}  // namespace xsift
