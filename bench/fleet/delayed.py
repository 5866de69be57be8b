"""A wire with a length: passes bytes on between a port and another, each some milliseconds later.

Started as a program of its own; prints "ready" once it listens."""
import argparse
import asyncio
import collections
import time


async def carry(reader, writer, delay):
    """Each piece leaves `delay` after it came, in order, whatever came between."""
    waiting, arrived = collections.deque(), asyncio.Event()

    async def send():
        while True:
            while not waiting:
                arrived.clear()
                await arrived.wait()
            due, piece = waiting.popleft()
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            if not piece:
                writer.close()
                return
            writer.write(piece)
            await writer.drain()

    sending = asyncio.create_task(send())
    try:
        while True:
            piece = await reader.read(65536)
            waiting.append((time.monotonic() + delay, piece))
            arrived.set()
            if not piece:
                break
        await sending
    except (ConnectionError, OSError):
        sending.cancel()
        writer.close()


async def serve(port, target, delay):
    async def link(reader, writer):
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", target)
        except OSError:
            writer.close()
            return
        await asyncio.gather(carry(reader, far_writer, delay), carry(far_reader, writer, delay))

    server = await asyncio.start_server(link, "127.0.0.1", port)
    print("ready", flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--to", type=int, required=True)
    parser.add_argument("--ms", type=float, required=True, help="each way")
    given = parser.parse_args()
    asyncio.run(serve(given.port, given.to, given.ms / 1000))
