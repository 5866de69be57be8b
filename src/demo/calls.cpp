#include <demo/calls.hpp>

#include <demo/stage.hpp>

namespace rotary::demo {

Call chat_call(const std::string& host, const std::string& token, bool streams) {
    Call call;
    call.host = host;
    call.target = kTarget;
    call.headers = {{"Content-Type", "application/json"}};
    if (!token.empty()) call.headers.emplace_back("Authorization", "Bearer " + token);
    call.body = std::string(R"({"model":"whatever",)") + (streams ? R"("stream":true,)" : "") +
                R"("messages":[{"role":"user","content":"Tell me about wheels."}]})";
    return call;
}

std::string forged(std::string token) {
    const std::size_t at = token.rfind('.') + 1;
    token.at(at) = token[at] == 'A' ? 'B' : 'A';
    return token;
}

// Nothing in it needs more quoting than it has.
std::string curl_line(std::uint16_t port, const std::string& ca_file, const std::string& token) {
    const std::string place = std::string(kProductionHost) + ":" + std::to_string(port);
    return "curl -i --cacert '" + ca_file + "' --resolve " + place + ":127.0.0.1 \\\n  https://" +
           place + kTarget + " \\\n  -H 'Authorization: Bearer " + token +
           "' \\\n  -H 'Content-Type: application/json' \\\n" +
           R"(  -d '{"model": "any", "messages": [{"role": "user", "content": "Hello"}]}')";
}

}  // namespace rotary::demo
