#pragma once

#include <string>

#include <rotary/config/load.hpp>

namespace rotary::config {

class Fingerprint;

// Reads the files that settings and resources name (certificates, keys, key sets, secrets): what
// they hold is as much a part of the configuration as what stands in its own files.
class NamedFileReader {
public:
    NamedFileReader(Loaded& loaded, Fingerprint& fingerprint)
        : loaded_(loaded), fingerprint_(fingerprint) {}

    void read();

private:
    void report(const Mark& mark, std::string message);
    void read_file(const std::string& path, const Mark& asked_for);
    void read_secret(SecretValue& value);

    Loaded& loaded_;
    Fingerprint& fingerprint_;
};

}  // namespace rotary::config
