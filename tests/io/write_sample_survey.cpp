// Writes the sample survey for readers in other languages.
#include "survey_samples.hpp"

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    xsift::io::test::write_sample(argv[1]);
    return 0;
}
