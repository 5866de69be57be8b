#include "control/file_source.hpp"

#include <utility>

namespace rotary::control {

std::vector<std::string> places_of(const std::string& config_path, const config::Loaded& loaded) {
    std::vector<std::string> places = loaded.files;
    places.push_back(config_path);
    for (const config::ResourcePath& resource : loaded.config.resources) {
        places.push_back(resource.path);
    }
    return places;
}

FileSource::FileSource(boost::asio::io_context& control, Logger& log, SourceOptions options,
                       const config::Loaded& first)
    : log_(log), options_(std::move(options)), watch_(control, log, [this] { look_again(); }) {
    note(first);
    took_force();
}

config::Loaded FileSource::load() {
    config::Loaded loaded = read();
    note(loaded);
    return loaded;
}

void FileSource::watch(std::chrono::milliseconds settle) { watch_.watch(places(), settle); }

std::vector<std::string> FileSource::places() const {
    std::vector<std::string> places = places_in_force_;
    places.insert(places.end(), places_read_.begin(), places_read_.end());
    return places;
}

void FileSource::look_again() {
    config::Loaded now = read();
    if (now.fingerprint == fingerprint_read_) return;
    note(now);
    log_.info("the configuration's files have changed");
    options_.on_change(std::move(now));
}

config::Loaded FileSource::read() const {
    return config::load(options_.config_path, options_.environment, options_.accept_unserved);
}

void FileSource::note(const config::Loaded& loaded) {
    places_read_ = places_of(options_.config_path, loaded);
    fingerprint_read_ = loaded.fingerprint;
}

std::unique_ptr<Source> open_source(boost::asio::io_context& control, Logger& log,
                                    SourceOptions options, const config::Loaded& first) {
    if (options.config_path.empty()) return nullptr;
    return std::make_unique<FileSource>(control, log, std::move(options), first);
}

}  // namespace rotary::control
