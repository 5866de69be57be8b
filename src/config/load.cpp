#include <rotary/config/load.hpp>
#include <rotary/config/objects.hpp>

#include <algorithm>
#include <filesystem>
#include <set>

#include <rotary/config/check/check.hpp>
#include <rotary/config/yaml/file.hpp>
#include "config/fingerprint.hpp"
#include "config/kinds/kinds.hpp"
#include "config/named_file_reader.hpp"
#include "config/prices/read_prices.hpp"
#include "config/schema/defaults.hpp"
#include "config/settings/read_settings.hpp"
#include "config/short/build.hpp"
#include "config/short/form.hpp"

namespace rotary::config {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxProcessFileBytes = 1024 * 1024;

std::string folder_of(const std::string& file) { return fs::path(file).parent_path().string(); }

struct Folder {
    std::vector<std::string> files;    // resource files by name
    std::vector<std::string> ignored;  // what else is there, and why it is not read
};

// Hidden files (editors' and Kubernetes' own) are not worth a word.
Folder look_into(const std::string& path, std::error_code& error) {
    Folder folder;
    fs::directory_iterator entry(path, error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
        const fs::path file = entry->path().lexically_normal();
        const bool is_yaml = file.extension() == ".yaml" || file.extension() == ".yml";
        std::error_code ignored;
        if (file.filename().string().starts_with('.')) {
            continue;
        }
        if (is_yaml && entry->is_regular_file(ignored)) {
            folder.files.push_back(file.string());
        } else if (entry->is_directory(ignored)) {
            folder.ignored.push_back(file.string() + ", a folder (name it under resources)");
        } else if (!entry->exists(ignored)) {
            folder.ignored.push_back(file.string() + ", a link that leads nowhere");
        } else if (is_yaml) {
            folder.ignored.push_back(file.string() + ", which is no file");
        } else {
            folder.ignored.push_back(file.string() + ", which ends with neither .yaml nor .yml");
        }
    }
    std::sort(folder.files.begin(), folder.files.end());
    std::sort(folder.ignored.begin(), folder.ignored.end());
    return folder;
}

// For a dump.
struct KeptDocument {
    Node root;
    bool is_expansion;
};

// One run of the loader.
class Loader {
public:
    // `environment` outlives it.
    explicit Loader(const Environment& environment)
        : environment_([this, &environment](std::string_view name) {
              std::optional<std::string> value = environment ? environment(name) : std::nullopt;
              fingerprint_.add(value ? "set" : "unset", name, value.value_or(""));
              return value;
          }) {}
    Loader(const Loader&) = delete;
    Loader& operator=(const Loader&) = delete;

    void read_process_text(const SourceText& source) {
        std::string unread;
        order_.push_back(source.file);
        fingerprint_.add("process", source.file, source.text);
        if (source.text.size() > kMaxProcessFileBytes) {
            report({source.file, 0, 0, ""}, "larger than 1 MiB");
            return;
        }
        const std::vector<Document> documents =
            parse_yaml(source.file, source.text, loaded_.findings, unread);
        if (!unread.empty()) {
            return;
        }
        if (documents.size() > 1) {
            const Node& second = documents[1].root;
            report({source.file, second.line, second.column, ""}, "only one document is expected");
        }
        Node root{Node::Kind::map, 1, 1, {}, {}, {}};
        if (!documents.empty()) {
            root = documents[0].root;
        }
        if (root.kind != Node::Kind::map) {
            report({source.file, root.line, root.column, ""}, "expected a mapping of settings");
            return;
        }
        FileReading reading{source.file, folder_of(source.file), environment_, loaded_.findings};
        Fields fields(reading, root, "");
        read_settings(fields, loaded_.config);
        const ShortForm form = read_short_form(fields);
        fields.finish();
        keep(root, false);
        expand(reading, form);
        refuse_second_source(root);
        short_places_ = places_of_short_form(root);
        process_file_ = source.file;
    }

    // Of two sources of resources none could say which is right.
    void refuse_second_source(const Node& root) {
        const KubernetesSettings& kubernetes = loaded_.config.kubernetes;
        for (const char* key : {"resources", "providers", "apis"}) {
            const Node* other = root.find(key);
            if (!kubernetes.is_on || other == nullptr || other->kind == Node::Kind::null) continue;
            report({kubernetes.mark.file, other->line, other->column, key},
                   "stands beside kubernetes (line " + std::to_string(kubernetes.mark.line) +
                       "): resources come from files or from the API server; remove one");
        }
    }

    // What the short form stands for is read like a file of resources. With mistakes in it there is
    // nothing that others could refer to.
    void expand(FileReading& reading, const ShortForm& form) {
        if (form.broken) {
            loaded_.resources.incomplete = true;
            return;
        }
        reading.unserved = &loaded_.resources.unserved;
        for (const Node& document : expand_short_form(form)) {
            keep(document, true);
            read_object(reading, document, loaded_.resources);
        }
    }

    void keep(const Node& document, bool is_expansion) {
        if (documents_ != nullptr) {
            documents_->push_back({document, is_expansion});
        }
    }

    void keep_documents(std::vector<KeptDocument>& documents) { documents_ = &documents; }

    void read_resource_text(const SourceText& source) {
        Resources& resources = loaded_.resources;
        order_.push_back(source.file);
        fingerprint_.add("resources", source.file, source.text);
        const std::size_t most = loaded_.config.limits.resource_file_bytes;
        if (source.text.size() > most) {
            report({source.file, 0, 0, ""},
                   "larger than limits.resource_file_bytes, " + std::to_string(most) + " bytes");
            resources.unread += source.text;
            return;
        }
        FileReading reading{source.file, folder_of(source.file), environment_, loaded_.findings};
        reading.unserved = &resources.unserved;
        for (const Document& document :
             parse_yaml(source.file, source.text, loaded_.findings, resources.unread)) {
            keep(document.root, false);
            read_object(reading, document.root, resources);
        }
    }

    // Objects refer to Secrets and ConfigMaps, of which a cluster holds many others: only those are
    // read. What is referred to, once all are.
    std::vector<NamedObject> read_objects(const Objects& objects) {
        objects.each([this](const ObjectDocument& document) { read_object_document(document); });
        std::vector<NamedObject> referred = referred_objects(loaded_.resources);
        for (const NamedObject& name : referred) {
            const std::optional<ObjectDocument> document = objects.find(name);
            if (document) read_object_document(*document);
        }
        return referred;
    }

    void read_object_document(const ObjectDocument& document) {
        order_.push_back(document.name);
        fingerprint_.add("object", document.name, document.text);
        FileReading reading{document.name, "", environment_, loaded_.findings};
        reading.unserved = &loaded_.resources.unserved;
        reading.is_local = false;
        read_object(reading, document.root, loaded_.resources);
    }

    // Of a file that is larger than may be read there is enough to tell so.
    bool read_file(const std::string& path, const Mark& asked_for, SourceText& source) {
        const std::size_t most =
            std::max(kMaxProcessFileBytes, loaded_.config.limits.resource_file_bytes);
        FileText read = read_whole_file(path, most);
        loaded_.files.push_back(path);
        if (!read.error.empty()) {
            report(asked_for, read.error);
            return false;
        }
        source = {path, std::move(read.text)};
        return true;
    }

    // Findings about what the short form stands for have its places; these get its names too.
    void name_short_places() {
        for (Finding& finding : loaded_.findings) {
            const auto place = short_places_.find({finding.line, finding.column});
            const bool has_its_name =
                finding.path.starts_with("providers") || finding.path.starts_with("apis");
            if (place != short_places_.end() && !has_its_name && finding.file == process_file_) {
                finding.path = place->second;
            }
        }
    }

    void read_resource_file(const std::string& path, const Mark& asked_for) {
        std::error_code error;
        const std::string canonical = fs::weakly_canonical(path, error).string();
        SourceText source;
        if (!read_.insert(canonical).second) {
            return;  // named twice, by itself and by its folder
        }
        if (read_file(path, asked_for, source)) {
            read_resource_text(source);
        } else {
            loaded_.resources.incomplete = true;
        }
    }

    void read_resource_path(const ResourcePath& resource) {
        std::error_code error;
        if (!fs::is_directory(resource.path, error)) {
            read_resource_file(resource.path, resource.mark);
            return;
        }
        loaded_.files.push_back(resource.path);
        const Folder folder = look_into(resource.path, error);
        if (error) {
            report(resource.mark, resource.path + " can't be read: " + error.message());
            loaded_.resources.incomplete = true;
        } else if (folder.files.empty()) {
            loaded_.findings.push_back(
                warning_at(resource.mark, "no *.yaml or *.yml file is in " + resource.path));
        }
        for (const std::string& ignored : folder.ignored) {
            loaded_.findings.push_back(warning_at(resource.mark, "not read: " + ignored));
        }
        for (const std::string& file : folder.files) {
            read_resource_file(file, resource.mark);
        }
    }

    // Ours in YAML; what ends with .json is LiteLLM's.
    void read_price_file(const ResourcePath& list) {
        SourceText source;
        if (!read_file(list.path, list.mark, source)) {
            return;
        }
        order_.push_back(source.file);
        fingerprint_.add("prices", source.file, source.text);
        const std::size_t most = loaded_.config.limits.resource_file_bytes;
        if (source.text.size() > most) {
            report({source.file, 0, 0, ""},
                   "larger than limits.resource_file_bytes, " + std::to_string(most) + " bytes");
        } else if (fs::path(source.file).extension() == ".json") {
            read_litellm_prices(source.file, source.text, loaded_.prices, loaded_.findings);
        } else {
            std::string unread;
            FileReading reading{source.file, folder_of(source.file), environment_,
                                loaded_.findings};
            for (const Document& document :
                 parse_yaml(source.file, source.text, loaded_.findings, unread)) {
                read_price_list(reading, document.root, loaded_.prices);
            }
        }
    }

    Loaded finish() {
        NamedFileReader(loaded_, fingerprint_).read();
        check(loaded_.config, loaded_.resources, loaded_.named_files, loaded_.findings);
        name_short_places();
        sort_findings(loaded_.findings, order_);
        loaded_.resources.unread.clear();  // secrets may stand in it
        loaded_.fingerprint = fingerprint_.finish();
        return std::move(loaded_);
    }

    Loaded& loaded() { return loaded_; }

private:
    void report(const Mark& mark, std::string message) {
        loaded_.findings.push_back(error_at(mark, std::move(message)));
    }

    const Environment environment_;  // notes what it was asked for
    Fingerprint fingerprint_;
    Loaded loaded_;
    std::set<std::string> read_;
    std::vector<std::string> order_;  // of files, for the findings
    std::string process_file_;
    ShortPlaces short_places_;
    std::vector<KeptDocument>* documents_ = nullptr;  // where they are kept, when they are wanted
};

// What rotary.yaml names, once it was read.
Loaded load_what_it_names(Loader& loader, const std::vector<std::string>& accept_unserved) {
    const std::vector<ResourcePath> resources = loader.loaded().config.resources;
    for (const ResourcePath& resource : resources) {
        loader.read_resource_path(resource);
    }
    for (const ResourcePath& list : std::vector<ResourcePath>(loader.loaded().config.prices)) {
        loader.read_price_file(list);
    }
    std::vector<std::string>& accepted = loader.loaded().config.accept_unserved;
    accepted.insert(accepted.end(), accept_unserved.begin(), accept_unserved.end());
    return loader.finish();
}

Loaded run(Loader& loader, const std::string& rotary_yaml_path,
           const std::vector<std::string>& accept_unserved) {
    SourceText source;
    if (loader.read_file(rotary_yaml_path, {rotary_yaml_path, 0, 0, ""}, source)) {
        loader.read_process_text(source);
    }
    return load_what_it_names(loader, accept_unserved);
}

}  // namespace

bool Loaded::ok() const { return !has_errors(findings); }

Loaded load(const std::string& rotary_yaml_path, const Environment& environment,
            const std::vector<std::string>& accept_unserved) {
    Loader loader(environment);
    return run(loader, rotary_yaml_path, accept_unserved);
}

Dump dump(const std::string& rotary_yaml_path, const Environment& environment,
          const DumpOptions& options) {
    std::vector<KeptDocument> documents;
    Loader loader(environment);
    loader.keep_documents(documents);
    Dump made;
    made.loaded = run(loader, rotary_yaml_path, {});
    if (options.all && !documents.empty()) {
        documents[0].root = with_defaults(std::move(documents[0].root));
    }
    for (KeptDocument& document : documents) {
        if (!options.shows_secrets) {
            document.root = redacted(document.root, "left out of the dump");
        }
        (document.is_expansion ? made.expansion : made.documents) += to_yaml(document.root);
    }
    return made;
}

LoadedObjects load_objects(const std::string& rotary_yaml_path, const Environment& environment,
                           const std::vector<std::string>& accept_unserved,
                           const Objects& objects) {
    Loader loader(environment);
    SourceText source;
    if (loader.read_file(rotary_yaml_path, {rotary_yaml_path, 0, 0, ""}, source)) {
        loader.read_process_text(source);
    }
    LoadedObjects made;
    made.referred = loader.read_objects(objects);
    made.loaded = load_what_it_names(loader, accept_unserved);
    return made;
}

Loaded load_in_place(const SourceText& rotary_yaml, const Environment& environment,
                     const std::vector<std::string>& accept_unserved) {
    Loader loader(environment);
    loader.read_process_text(rotary_yaml);
    return load_what_it_names(loader, accept_unserved);
}

Loaded load_text(const SourceText& rotary_yaml, const std::vector<SourceText>& resources,
                 const Environment& environment) {
    Loader loader(environment);
    if (!rotary_yaml.text.empty()) {
        loader.read_process_text(rotary_yaml);
    }
    for (const SourceText& source : resources) {
        loader.read_resource_text(source);
    }
    return loader.finish();
}

}  // namespace rotary::config
