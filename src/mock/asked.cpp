#include <mock/asked.hpp>

#include <rotary/wire/json_document.hpp>

#include <algorithm>

namespace rotary::mock {

namespace {

constexpr std::size_t kJsonDepth = 512;

struct EndpointRow {
    std::string_view end;
    Endpoint endpoint;
};

// The first that fits.
constexpr EndpointRow kEndpoints[] = {
    {"/chat/completions", Endpoint::chat}, {"/completions", Endpoint::completion},
    {"/responses", Endpoint::response},    {"/embeddings", Endpoint::embedding},
    {"/models", Endpoint::models},
};

// Text in messages, which are one string, a list of them, or objects with a content; a token is
// about four bytes of it. Embeddings also take tokens, which are numbers.
std::uint64_t text_bytes(const wire::JsonValue& messages) {
    if (const auto whole = messages.string()) return whole->size();
    std::uint64_t bytes = 0;
    for (const wire::JsonValue message : messages.elements()) {
        if (message.is_number()) bytes += 4;
        if (message.is_array()) bytes += 4 * message.size();
        if (const auto text = message.string()) bytes += text->size();
        const auto content = message.find("content");
        if (!content) continue;
        if (const auto text = content->string()) bytes += text->size();
        for (const wire::JsonValue part : content->elements()) {
            const auto text = part.find("text");
            if (text && text->string()) bytes += text->string()->size();
        }
    }
    return bytes;
}

std::string_view text_of(Endpoint endpoint) {
    if (endpoint == Endpoint::chat) return "messages";
    return endpoint == Endpoint::completion ? "prompt" : "input";
}

// One text, a list of texts, one text's tokens, or a list of these.
void read_embedding(const wire::JsonValue& root, Asked& asked) {
    const auto input = root.find("input");
    asked.valid = input && (input->is_string() || (input->is_array() && input->size() > 0));
    if (!asked.valid) return;
    const auto first = input->at(0);
    if (input->is_array() && first && !first->is_number()) asked.inputs = input->size();
    if (const auto format = root.find("encoding_format")) {
        asked.base64 = format->string().value_or("") == "base64";
    }
    if (const auto dimensions = root.find("dimensions")) {
        const auto wanted = dimensions->integer().value_or(0);
        asked.dimensions = wanted > 0 ? static_cast<std::uint64_t>(wanted) : 0;
    }
    asked.valid =
        asked.inputs <= kMostInputs && asked.dimensions > 0 && asked.dimensions <= kMostDimensions;
}

}  // namespace

Endpoint endpoint_of(std::string_view path) noexcept {
    for (const EndpointRow& row : kEndpoints) {
        if (path.ends_with(row.end)) return row.endpoint;
    }
    return Endpoint::none;
}

Asked read_asked(Endpoint endpoint, const std::string& body) {
    Asked asked;
    asked.endpoint = endpoint;
    if (endpoint == Endpoint::none || endpoint == Endpoint::models) return asked;
    const auto document = wire::JsonDocument::parse(body, {kJsonDepth, body.size()});
    if (!document) return asked;
    const wire::JsonValue root = document->root();
    const auto model = root.find("model");
    if (!model || !model->string()) return asked;
    asked.valid = true;
    asked.model = *model->string();
    if (const auto text = root.find(text_of(endpoint))) {
        asked.prompt_tokens = (text_bytes(*text) + 3) / 4;
    }
    if (endpoint == Endpoint::embedding) {
        read_embedding(root, asked);
        return asked;
    }
    if (const auto stream = root.find("stream")) asked.stream = stream->boolean().value_or(false);
    asked.include_usage = endpoint == Endpoint::response;  // the last event always has it
    if (const auto options = root.find("stream_options"); options && !asked.include_usage) {
        const auto include = options->find("include_usage");
        asked.include_usage = include && include->boolean().value_or(false);
    }
    return asked;
}

}  // namespace rotary::mock
