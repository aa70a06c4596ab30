/* validate ACTION -c CONFIG -i LIST -j TEMPLATES -o LOG [-x enroll|verif] [-t FORKS]: runs an FRTE
 * 1:1 library over a list as NIST's validation does, in FORKS processes after one initialize().
 *
 * create, a line "ID PICTURE...": writes TEMPLATES/ID.template, one of all pictures of the line.
 * create-multi, a line "ID PICTURE": writes TEMPLATES/ID_0.template and on, one for each person in
 * the picture. match, a line "ENROLLED VERIFIED": compares two of the files in TEMPLATES.
 *
 * Pictures are binary PPM and PGM files. The log has a line for each picture, person or comparison,
 * in the order of the list. Exits with 0 only when every process came to its end and the library
 * kept the rules of the interface. */

#define NIST_EXTERN_API_VERSION
#define NIST_EXTERN_FRVT_STRUCTS_VERSION
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <frvt11.h>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <sstream>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

using namespace FRVT;
using Bytes = std::vector<uint8_t>;
using Lines = std::vector<std::vector<std::string>>;
using Library = std::shared_ptr<FRVT_11::Interface>;
using Options = std::map<char, std::string>;

[[noreturn]] static void fail(const std::string &message) { throw std::runtime_error(message); }

static Image read_picture(const std::string &path) {
    std::ifstream file(path, std::ios::binary);
    std::string magic;
    unsigned width = 0, height = 0, most = 0;
    if (!(file >> magic >> width >> height >> most) || (magic != "P5" && magic != "P6") ||
        most != 255 || width > 65535 || height > 65535) {
        fail(path + " is no binary PPM or PGM file of 8 bits a channel");
    }
    file.get();
    Image picture;
    picture.width = static_cast<uint16_t>(width);
    picture.height = static_cast<uint16_t>(height);
    picture.depth = magic == "P5" ? 8 : 24;
    picture.data =
        std::shared_ptr<uint8_t>(new uint8_t[picture.size()], std::default_delete<uint8_t[]>());
    if (!file.read(reinterpret_cast<char *>(picture.data.get()),
                   static_cast<std::streamsize>(picture.size()))) {
        fail(path + " is cut short");
    }
    return picture;
}

static Bytes read_template(const std::string &path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        fail(path + " cannot be read");
    }
    return Bytes(std::istreambuf_iterator<char>(file), {});
}

static void write_template(const std::string &path, const Bytes &bytes) {
    std::ofstream file(path, std::ios::binary);
    if (!file.write(reinterpret_cast<const char *>(bytes.data()),
                    static_cast<std::streamsize>(bytes.size()))
             .flush()) {
        fail(path + " cannot be written");
    }
}

static int number(const ReturnStatus &status) { return static_cast<int>(status.code); }

static std::ostream &operator<<(std::ostream &log, const EyePair &eyes) {
    return log << eyes.isLeftAssigned << ' ' << eyes.isRightAssigned << ' ' << eyes.xleft << ' '
               << eyes.yleft << ' ' << eyes.xright << ' ' << eyes.yright;
}

static void create(Library &library, const std::vector<std::string> &line, const Options &options,
                   std::ostream &log) {
    std::vector<Image> pictures;
    std::transform(line.begin() + 1, line.end(), std::back_inserter(pictures), read_picture);
    Bytes templ;
    std::vector<EyePair> eyes;
    const auto role =
        options.at('x') == "enroll" ? TemplateRole::Enrollment_11 : TemplateRole::Verification_11;
    const auto status = library->createFaceTemplate(pictures, role, templ, eyes);
    if (status.code == ReturnCode::NotImplemented || templ.empty() ||
        eyes.size() != pictures.size()) {
        fail(line[0] + ": a template and the eyes of every picture must come out");
    }
    write_template(options.at('j') + "/" + line[0] + ".template", templ);
    for (size_t i = 0; i < pictures.size(); i++) {
        log << line[0] << ' ' << line[i + 1] << ' ' << templ.size() << ' ' << number(status) << ' '
            << eyes[i] << '\n';
    }
}

static void create_multi(Library &library, const std::vector<std::string> &line,
                         const Options &options, std::ostream &log) {
    const Image picture = read_picture(line.at(1));
    std::vector<Bytes> templs;
    std::vector<EyePair> eyes;
    const auto role =
        options.at('x') == "enroll" ? TemplateRole::Enrollment_11 : TemplateRole::Verification_11;
    const auto status = library->createFaceTemplate(picture, role, templs, eyes);
    if (status.code == ReturnCode::NotImplemented || templs.empty() ||
        eyes.size() != templs.size()) {
        fail(line[0] + ": a template must come out, and the eyes of every one");
    }
    for (size_t i = 0; i < templs.size(); i++) {
        const std::string id = line[0] + "_" + std::to_string(i);
        write_template(options.at('j') + "/" + id + ".template", templs[i]);
        log << id << ' ' << line[1] << ' ' << templs[i].size() << ' ' << number(status) << ' '
            << templs.size() << ' ' << eyes[i] << '\n';
    }
}

static void match(Library &library, const std::vector<std::string> &line, const Options &options,
                  std::ostream &log) {
    const Bytes enrolled = read_template(options.at('j') + "/" + line[0]),
                verified = read_template(options.at('j') + "/" + line.at(1));
    double score = -1;
    const auto status = library->matchTemplates(verified, enrolled, score);
    if ((status.code == ReturnCode::Success) != (score >= 0) || (score < 0 && score != -1)) {
        fail(line[0] + " " + line[1] + ": a comparison gives a score from 0 on, a failed one -1");
    }
    log << line[0] << ' ' << line[1] << ' ' << score << ' ' << number(status) << '\n';
}

static Lines read_list(const std::string &path) {
    std::ifstream file(path);
    Lines lines;
    for (std::string text; std::getline(file, text);) {
        std::istringstream words(text);
        lines.emplace_back(std::istream_iterator<std::string>(words),
                           std::istream_iterator<std::string>());
        if (lines.back().size() < 2) {
            fail(path + ": a line holds two words at least");
        }
    }
    if (lines.empty()) {
        fail(path + " cannot be read or is empty");
    }
    return lines;
}

static int run(const std::string &action, const Options &options) {
    if (FRVT_11::API_MAJOR_VERSION != 6 || FRVT_STRUCTS_MAJOR_VERSION != 3) {
        fail("the library was built for another version of the interface");
    }
    const auto each = action == "create" ? create : action == "create-multi" ? create_multi : match;
    const char *header = action == "create" ? "id image templateSizeBytes returnCode"
                         : action == "create-multi"
                             ? "id image templateSizeBytes returnCode numDetections"
                             : "enrollTempl verifTempl simScore returnCode\n";
    const Lines lines = read_list(options.at('i'));
    const std::string log = options.at('o');
    const size_t forks = std::strtoul(options.at('t').c_str(), nullptr, 10);
    if (forks < 1 || forks > 64) {
        fail("-t takes 1 to 64");
    }

    Library library = FRVT_11::Interface::getImplementation();
    if (const auto status = library->initialize(options.at('c'));
        status.code != ReturnCode::Success) {
        fail("initialize() returned " + std::to_string(number(status)) + ": " + status.info);
    }
    std::vector<pid_t> children;
    for (size_t i = 0; i < forks; i++) {
        children.push_back(fork());
        if (children.back() < 0) {
            fail("no process could be forked");
        }
        if (children.back() == 0) {
            try {
                std::ofstream part(log + "." + std::to_string(i));
                for (size_t l = i * lines.size() / forks; l < (i + 1) * lines.size() / forks; l++) {
                    each(library, lines[l], options, part);
                }
                _exit(part.flush() ? 0 : 1);
            } catch (const std::exception &error) {
                std::cerr << "validate: process " << i << ": " << error.what() << std::endl;
                _exit(1);
            }
        }
    }
    size_t failed = 0;
    for (const pid_t child : children) {
        int status = 0;
        failed +=
            waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    }
    std::ofstream merged(log);
    merged << header
           << (action == "match"
                   ? ""
                   : " isLeftEyeAssigned isRightEyeAssigned xleft yleft xright yright\n");
    for (size_t i = 0; i < forks; i++) {
        const std::string part = log + "." + std::to_string(i);
        std::ifstream lines_of(part);
        if (lines_of.peek() != std::ifstream::traits_type::eof()) {
            merged << lines_of.rdbuf();
        }
        std::remove(part.c_str());
    }
    std::cout << action << ": " << lines.size() << " lines, " << forks << " processes, " << failed
              << " failed" << std::endl;
    return failed == 0 && merged.flush() ? 0 : 1;
}

int main(int argc, char **argv) {
    const char *usage = "usage: validate create|create-multi|match -c CONFIG -i LIST -j TEMPLATES "
                        "-o LOG [-x enroll|verif] [-t FORKS]";
    const std::string action = argc > 1 ? argv[1] : "";
    Options options{{'t', "1"}, {'x', "enroll"}};
    for (int i = 2; i + 1 < argc; i += 2) {
        options[argv[i][0] == '-' ? argv[i][1] : '?'] = argv[i + 1];
    }
    if (argc % 2 || (action != "create" && action != "create-multi" && action != "match") ||
        options.size() != 6 || !options.count('c') || !options.count('i') || !options.count('j') ||
        !options.count('o') || (options['x'] != "enroll" && options['x'] != "verif")) {
        std::cerr << usage << std::endl;
        return 2;
    }
    try {
        return run(action, options);
    } catch (const std::exception &error) {
        std::cerr << "validate: " << error.what() << std::endl;
        return 1;
    }
}
