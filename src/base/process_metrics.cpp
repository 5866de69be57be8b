#include <rotary/base/metrics.hpp>
#include <rotary/base/text.hpp>

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>
#include <array>
#include <optional>

namespace rotary::metrics {

namespace {

// The beginning of a /proc file, up to 16 KB. Empty when it can't be read.
std::string read_start(const char* path) {
    const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return {};
    std::string text(16384, '\0');
    std::size_t size = 0;
    while (size < text.size()) {
        const ssize_t n = ::read(fd, text.data() + size, text.size() - size);
        if (n <= 0) break;
        size += static_cast<std::size_t>(n);
    }
    ::close(fd);
    text.resize(size);
    return text;
}

// Fields of /proc/self/stat by their number in proc(5); 0 for what is missing.
class ProcessStat {
public:
    ProcessStat() : text_(read_start("/proc/self/stat")) {
        // Field 2 is the program's name in brackets and may hold anything; count from behind it.
        std::string_view rest = text_;
        const auto bracket = rest.rfind(')');
        if (bracket == rest.npos) return;
        rest.remove_prefix(bracket + 1);
        for (std::size_t field = 3; field < fields_.size(); ++field) {
            const auto begin = rest.find_first_not_of(' ');
            if (begin == rest.npos) return;
            rest.remove_prefix(begin);
            const auto size = std::min(rest.find_first_of(" \n"), rest.size());
            fields_[field] = text::parse_unsigned(rest.substr(0, size)).value_or(0);
            rest.remove_prefix(size);
        }
    }
    double operator[](std::size_t field) const { return static_cast<double>(fields_[field]); }

private:
    std::string text_;
    std::array<std::uint64_t, 25> fields_{};
};

std::optional<std::uint64_t> boot_time() {
    // "btime" stands behind the lines of every CPU; those and "intr" can be long on a big machine.
    const int fd = ::open("/proc/stat", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return std::nullopt;
    std::string text;
    std::array<char, 16384> piece;
    for (ssize_t n = 0; (n = ::read(fd, piece.data(), piece.size())) > 0;) {
        text.append(piece.data(), static_cast<std::size_t>(n));
    }
    ::close(fd);
    constexpr std::string_view kKey = "\nbtime ";
    const auto at = text.find(kKey);
    if (at == text.npos) return std::nullopt;
    const auto value = std::string_view(text).substr(at + kKey.size());
    return text::parse_unsigned(value.substr(0, value.find('\n')));
}

// Without the one that the counting itself opens.
std::optional<double> open_fds() {
    DIR* directory = ::opendir("/proc/self/fd");
    if (directory == nullptr) return std::nullopt;
    double count = 0;
    while (const dirent* entry = ::readdir(directory)) {
        if (entry->d_name[0] != '.') ++count;
    }
    ::closedir(directory);
    return count - 1;
}

void expose(Exposition& page, double ticks_per_second, std::optional<double> start_time) {
    const ProcessStat stat;
    page.counter("process_cpu_seconds_total", "User and system CPU time spent.", {},
                 (stat[14] + stat[15]) / ticks_per_second);
    page.gauge("process_threads", "Threads of the process.", {}, stat[20]);
    page.gauge("process_virtual_memory_bytes", "Virtual memory size.", {}, stat[23]);
    page.gauge("process_resident_memory_bytes", "Resident memory size.", {},
               stat[24] * static_cast<double>(::sysconf(_SC_PAGESIZE)));
    if (start_time) {
        page.gauge("process_start_time_seconds", "Start of the process, in Unix time.", {},
                   *start_time);
    }
    if (const auto fds = open_fds()) {
        page.gauge("process_open_fds", "Open file descriptors.", {}, *fds);
    }
    rlimit limit{};
    if (::getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
        page.gauge("process_virtual_memory_max_bytes", "Most virtual memory it may have.", {},
                   static_cast<double>(limit.rlim_cur));
    }
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        page.gauge("process_max_fds", "Most file descriptors it may open.", {},
                   static_cast<double>(limit.rlim_cur));
    }
}

}  // namespace

void register_process_metrics(Registry& registry) {
    const auto ticks_per_second = static_cast<double>(::sysconf(_SC_CLK_TCK));
    std::optional<double> start_time;
    if (const auto boot = boot_time()) {
        start_time = static_cast<double>(*boot) + ProcessStat()[22] / ticks_per_second;
    }
    registry.on_scrape([=](Exposition& page) { expose(page, ticks_per_second, start_time); });
}

}  // namespace rotary::metrics
