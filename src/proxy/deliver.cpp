#include "proxy/deliver.hpp"

namespace rotary::proxy {

Task<Result<void>> deliver(downstream::Client& client, wire::Pieces& pieces, bool is_last) {
    const auto written = client.write(pieces, is_last);
    if (!written) co_return written.error();
    if (!*written) {
        const auto finished = co_await client.finish_write(pieces);
        co_return finished;
    }
    co_return Result<void>{};
}

}  // namespace rotary::proxy
