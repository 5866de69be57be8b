#pragma once

#include <support/eventually.hpp>
#include <support/gateway.hpp>
#include <support/in_parallel.hpp>
#include <support/json.hpp>
#include <support/loopback_port.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What the tests of a whole gateway share.
namespace rotary::test {

using Clock = std::chrono::steady_clock;
using Counts = std::map<std::string, std::size_t>;

inline GatewayBackend backend_of(const mock::MockProvider& mock, const std::string& key = "") {
    GatewayBackend backend;
    backend.port = mock.port();
    backend.key = key;
    return backend;
}

inline GatewayBackend backend_at(const LoopbackPort& port) {
    GatewayBackend backend;
    backend.port = port.number();
    return backend;
}

// One backend, and this list for production.
inline GatewayOptions rotating(const mock::MockProvider& mock, std::vector<GatewayEntry> entries) {
    GatewayOptions options;
    options.backends = {backend_of(mock, "Bearer key-0")};
    options.production = std::move(entries);
    return options;
}

inline std::string model_of(const mock::Captured& request) {
    return json_at(request.body, "model");
}

// Requests that reached the provider, by the model in their bodies.
inline Counts models_asked(const mock::MockProvider& mock) {
    Counts counts;
    for (const mock::Captured& request : mock.requests()) ++counts[model_of(request)];
    return counts;
}

// A field of an entry's object on the admin listener's page; "" when there is no such entry.
inline std::string entry_field(const Front& gateway, const std::string& model,
                               const std::string& field, const std::string& env = "production",
                               const std::string& backend = "backend-0") {
    const std::string page = gateway.admin("/api/v1/models");
    for (std::size_t i = 0; i < json_size(page, "models"); ++i) {
        const std::string place = "models." + std::to_string(i) + ".";
        if (json_at(page, place + "model") == model && json_at(page, place + "env") == env &&
            json_at(page, place + "backend") == backend) {
            return json_at(page, place + field);
        }
    }
    return "";
}

// POST /api/v1/models/ID/suspend or /resume.
inline void change_entry(const Front& gateway, const std::string& id, const std::string& verb) {
    std::string escaped;
    for (const char c : id) {
        if (c == '/')
            escaped += "%2F";
        else
            escaped += c;
    }
    Request request;
    request.method = "POST";
    request.target = "/api/v1/models/" + escaped + "/" + verb;
    const Response response = gateway.admin_request(request);
    ASSERT_EQ(response.status, 200U) << id << ": " << response.body;
}

// A request once, on a connection of its own.
inline Response ask(const Gateway& gateway, const Request& request = chat()) {
    return fetch(gateway.client(), request);
}

inline Request with(Request request, std::string_view name, std::string_view value) {
    request.headers.emplace_back(name, value);
    return request;
}

// Metrics' series of one entry of production.
inline std::string series(const std::string& name, const std::string& model,
                          const std::string& more, const std::string& backend = "backend-0") {
    return name + "{policy=\"rotation\",env=\"production\",model=\"" + model + "\",backend=\"" +
           backend + "\"" + (more.empty() ? "" : "," + more) + "}";
}

}  // namespace rotary::test
