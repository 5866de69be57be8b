#include "kubernetes/object_set.hpp"

#include <algorithm>
#include <utility>

namespace rotary::kubernetes {

namespace {

std::shared_ptr<const KnownObject> known(ObjectText object) {
    return std::make_shared<const KnownObject>(
        KnownObject{std::move(object.uid), std::move(object.text)});
}

bool say_the_same(const ObjectMap& one, const ObjectMap& other) {
    return std::equal(one.begin(), one.end(), other.begin(), other.end(),
                      [](const auto& a, const auto& b) {
                          return a.first == b.first && a.second->text == b.second->text &&
                                 a.second->uid == b.second->uid;
                      });
}

}  // namespace

std::string object_name(std::string_view kind, std::string_view name_space, std::string_view name) {
    std::string text(kind);
    text += ' ';
    if (!name_space.empty()) text.append(name_space).append("/");
    return text.append(name);
}

void ObjectSet::add_to(ObjectMap& objects, ObjectText object) const {
    std::string name = object_name(kind_, object.name_space, object.name);
    objects.insert_or_assign(std::move(name), known(std::move(object)));
}

bool ObjectSet::replace(ObjectMap objects) {
    if (say_the_same(objects_, objects)) return false;
    objects_ = std::move(objects);
    return true;
}

bool ObjectSet::put(ObjectText object) {
    std::string name = object_name(kind_, object.name_space, object.name);
    const auto found = objects_.find(name);
    const bool is_there = found != objects_.end();
    if (is_there && found->second->text == object.text && found->second->uid == object.uid) {
        return false;
    }
    objects_.insert_or_assign(std::move(name), known(std::move(object)));
    return true;
}

bool ObjectSet::remove(const ObjectText& object) {
    return objects_.erase(object_name(kind_, object.name_space, object.name)) != 0;
}

bool ObjectSet::clear() {
    const bool was_empty = objects_.empty();
    objects_.clear();
    return !was_empty;
}

}  // namespace rotary::kubernetes
