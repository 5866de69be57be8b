#include <rotary/wire/forwarded_headers.hpp>
#include <rotary/wire/http1_reader.hpp>
#include <rotary/wire/http1_writer.hpp>
#include <rotary/wire/sse_scanner.hpp>

#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

// libFuzzer entry for everything of wire/ that reads HTTP/1.1 and event streams. The first byte
// chooses what is fed, the second where the rest is cut in two: the outcome may not depend on it.
namespace {

using namespace rotary::wire;

void require(bool holds) {
    if (!holds) std::abort();
}

// Memory of exactly that size, so that a byte read past its end is seen.
std::vector<char> exact(std::string_view bytes) { return {bytes.begin(), bytes.end()}; }

std::string_view view(const std::vector<char>& bytes) { return {bytes.data(), bytes.size()}; }

std::size_t head_end(std::string_view bytes, std::size_t cut) {
    const auto first = exact(bytes.substr(0, cut));
    const auto both = exact(bytes);
    const std::size_t whole = HeadEnd{}.find(view(both));
    HeadEnd end;
    std::size_t found = end.find(view(first));
    if (found == 0) found = end.find(view(both));
    require(found == whole);
    return whole;
}

// Whatever was accepted can be written again, line by line, and reads the same.
void rewrite(const RequestHead& head) {
    if (!head.target.starts_with('/')) return;  // only origin-form is written
    std::vector<char> memory(1U << 17U);
    HeadWriter writer(memory.data(), memory.size());
    writer.request_line(head.method, head.target);
    for (const Header& header : head.headers) {
        writer.header(header.name, header.value);
        is_hop_by_hop(header.name, head.headers);
        goes_on_to_provider(header.name);
    }
    writer.finish();
    require(writer.ok());
    static RequestHead again;
    if (head.minor_version == 0) return;  // it is written as 1.1, which asks for a Host
    require(parse_request_head(writer.view(), {8192, 128, 1U << 17U}, again).has_value());
    require(again.target == head.target && again.framing == head.framing);
    require(again.content_length == head.content_length && again.host == head.host);
    require(again.headers.size() == head.headers.size());
}

void fuzz_request(std::string_view bytes, std::size_t cut) {
    static RequestHead head;
    const std::size_t end = head_end(bytes, cut);
    const auto copy = exact(end == 0 ? bytes : bytes.substr(0, end));
    if (!parse_request_head(view(copy), {}, head)) return;
    require(end == copy.size());  // what is accepted ends where HeadEnd says
    rewrite(head);
}

void fuzz_response(std::string_view bytes, std::size_t cut) {
    static ResponseHead head;
    const std::size_t end = head_end(bytes, cut);
    const auto copy = exact(end == 0 ? bytes : bytes.substr(0, end));
    if (!parse_response_head(view(copy), {}, cut % 2 == 1, head)) return;
    require(head.status >= 100 && head.status <= 599 && head.status != 101);
    require(head.framing != Framing::until_close || !head.keep_alive);
}

struct Body {
    std::string payload;
    bool done = false;
    bool fault = false;
    bool operator==(const Body&) const = default;
};

void feed(BodyReader& reader, std::string_view piece, Body& body) {
    const auto copy = exact(piece);
    std::string_view rest = view(copy);
    while (!body.fault) {
        const auto step = reader.next(rest);
        body.fault = step.has_error();
        if (body.fault || step->consumed == 0) break;
        require(step->consumed <= rest.size() && step->payload.size() <= step->consumed);
        body.payload += step->payload;
        rest.remove_prefix(step->consumed);
    }
    body.done = reader.done();
    require(body.done || body.fault || rest.empty());
}

void fuzz_body(std::string_view bytes, std::size_t cut) {
    BodyReader reader;
    Body whole;
    reader.begin(Framing::chunked, 0);
    feed(reader, bytes, whole);
    Body split;
    reader.begin(Framing::chunked, 0);
    feed(reader, bytes.substr(0, cut), split);
    feed(reader, bytes.substr(cut), split);
    require(split == whole);
}

void fuzz_events(std::string_view bytes, std::size_t cut) {
    static SseScanner whole(64);
    static SseScanner split(64);
    const auto all = exact(bytes);
    const auto first = exact(bytes.substr(0, cut));
    const auto second = exact(bytes.substr(cut));
    whole.begin();
    whole.feed(view(all));
    split.begin();
    split.feed(view(first));
    split.feed(view(second));
    require(whole.events() == split.events() && whole.done() == split.done());
    require(whole.at_boundary() == split.at_boundary());
    require(whole.usage_payload() == split.usage_payload());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
    const std::size_t cut = data[1] % (bytes.size() + 1);
    switch (data[0] % 4) {
        case 0:
            fuzz_request(bytes, cut);
            break;
        case 1:
            fuzz_response(bytes, cut);
            break;
        case 2:
            fuzz_body(bytes, cut);
            break;
        default:
            fuzz_events(bytes, cut);
            break;
    }
    return 0;
}
