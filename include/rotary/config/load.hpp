#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <rotary/config/kinds/resources.hpp>
#include <rotary/config/prices/price_list.hpp>
#include <rotary/config/settings/settings.hpp>
#include <rotary/config/yaml/finding.hpp>

namespace rotary::config {

// Where ${VAR} gets its value: nothing for a variable that is not set.
using Environment = std::function<std::optional<std::string>(std::string_view name)>;

// The variables of this process.
Environment process_environment();

// What came of loading. With errors among the findings the rest is incomplete: not to be used.
struct Loaded {
    Config config;
    Resources resources;
    std::vector<PriceEntry> prices;  // of all lists, in their order
    std::vector<Finding> findings;
    std::vector<std::string> files;  // every file and folder that was read, for watching
    NamedFiles named_files;          // certificates, keys and key sets, read with the rest
    // SHA-256 of everything that was read, names and values of ${VAR} included: equal ones load
    // alike.
    std::string fingerprint;

    bool ok() const;
};

// Reads rotary.yaml and the resources that it names, checks the rules between them. Never stops
// at the first mistake and never throws for one. Blocks on the file system: not for a worker.
// accept_unserved adds to what rotary.yaml accepts.
Loaded load(const std::string& rotary_yaml_path, const Environment& environment,
            const std::vector<std::string>& accept_unserved = {});

// What `rotary config dump` prints, as YAML documents. Variables stand as they were written; a
// secret that is written out is left out unless that is asked for.
struct Dump {
    Loaded loaded;
    std::string documents;  // rotary.yaml and the resources that it names
    std::string expansion;  // the resources that its short form stands for
};
struct DumpOptions {
    bool shows_secrets = false;
    bool all = false;  // with what rotary.yaml leaves out, but for `listeners` and `tracing`
};
Dump dump(const std::string& rotary_yaml_path, const Environment& environment,
          const DumpOptions& options);

// The names of kinds and fields that can be accepted without being served.
std::vector<std::string> acceptable_names();

// A text and the name for its findings, whose folder is where relative paths start.
struct SourceText {
    std::string file;
    std::string text;
};

// The same with this text in place of what stands in rotary.yaml.
Loaded load_in_place(const SourceText& rotary_yaml, const Environment& environment,
                     const std::vector<std::string>& accept_unserved = {});

// The same from memory: rotary.yaml (an empty text: all defaults), and resources in place of those
// that it names. Reads no file but those that paths in the resources name.
Loaded load_text(const SourceText& rotary_yaml, const std::vector<SourceText>& resources,
                 const Environment& environment);

}  // namespace rotary::config
