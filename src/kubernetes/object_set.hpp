#pragma once

#include "kubernetes/object_text.hpp"

#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace rotary::kubernetes {

// One object as it is known. Shared by all who remember it, and never changed.
struct KnownObject {
    std::string uid;
    std::string text;
};
// By "Kind namespace/name", which is what its findings call it.
using ObjectMap = std::map<std::string, std::shared_ptr<const KnownObject>, std::less<>>;

std::string object_name(std::string_view kind, std::string_view name_space, std::string_view name);

// What is known of the objects of one kind that one LIST and WATCH brings.
class ObjectSet {
public:
    explicit ObjectSet(std::string kind) : kind_(std::move(kind)) {}

    // All that a LIST brought, in place of what was there. Whether that is something else.
    bool replace(ObjectMap objects);
    // An ADDED or MODIFIED one. False: it asks for nothing else than before.
    bool put(ObjectText object);
    // A DELETED one. False: it was not there.
    bool remove(const ObjectText& object);
    bool clear();

    // An entry of a map like this one.
    void add_to(ObjectMap& objects, ObjectText object) const;
    const ObjectMap& objects() const noexcept { return objects_; }

private:
    std::string kind_;
    ObjectMap objects_;
};

}  // namespace rotary::kubernetes
