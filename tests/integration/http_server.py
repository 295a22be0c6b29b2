"""A web server for tests: says what it was asked, answers late or never, counts its connections, is a proxy as well.

    http_server.py [certificate key]      prints two ports: one that serves, one that is silent
"""
import asyncio
import gzip
import json
import ssl
import sys
from urllib.parse import parse_qs, urlsplit

connections = {"made": 0, "open": 0, "requests": 0, "waiting": 0}


def answer(status, body=b"", headers=()):
    lines = ["HTTP/1.1 %d Whatever" % status]
    lines += ["%s: %s" % pair for pair in headers]
    if not any(name.lower() in ("content-length", "transfer-encoding") for name, _ in headers):
        lines.append("Content-Length: %d" % len(body))
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def as_json(value):
    return answer(200, json.dumps(value).encode(), [("Content-Type", "application/json")])


async def echo(request):
    return as_json({**request, "body": request["body"].decode("latin-1")})


async def wait(request):
    connections["waiting"] += 1
    try:
        await asyncio.sleep(float(request["query"]["s"]))
    finally:
        connections["waiting"] -= 1
    return answer(200, b"late")


async def status(request):
    return answer(int(request["query"]["code"]), b"status body")


async def redirect(request):
    left = int(request["query"]["n"])
    return answer(302, b"moved", [("Location", "/redirect?n=%d" % (left - 1))]) if left else answer(200, b"there")


async def to(request):
    return answer(int(request["query"].get("status", 302)), b"moved", [("Location", request["query"]["url"])])


async def data(request):
    return answer(200, b"x" * int(request["query"]["n"]))


async def chunks(request):
    return answer(200, b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", [("Transfer-Encoding", "chunked")])


async def packed(request):
    body = gzip.compress(b"0" * int(request["query"]["n"]))
    return answer(200, body, [("Content-Encoding", "gzip")])


async def cut(request):
    return answer(200, b"only this", [("Content-Length", "1000")]), True


async def garbage(request):
    return b"\x00\x01this is no HTTP\r\n\r\n", True


async def heads(request):
    """Several headers of a size, after several answers that are only on the way."""
    query = request["query"]
    before = b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" * int(query.get("hints", 0))
    return before + answer(200, b"", [("X-%d" % i, "x" * int(query["size"])) for i in range(int(query["count"]))])


async def twice(request):
    return answer(200, b"", [("X-Many", "one"), ("x-many", "two"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])


async def text(request):
    return answer(200, request["query"]["text"].encode())


async def stats(request):
    return as_json(connections)


ROUTES = {f.__name__: f for f in (echo, wait, status, redirect, to, data, chunks, packed, cut, garbage, heads, twice, text, stats)}


async def read_body(reader, headers):
    if headers.get("transfer-encoding") == "chunked":
        body = b""
        while size := int(await reader.readline(), 16):
            body += await reader.readexactly(size)
            await reader.readline()
        await reader.readline()
        return body
    return await reader.readexactly(int(headers.get("content-length", 0)))


async def read_request(reader, connection):
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ")
    pairs = [line.split(":", 1) for line in head[1:] if line]
    headers = {name.lower(): value.strip() for name, value in pairs}
    body = await read_body(reader, headers)
    query = {name: values[-1] for name, values in parse_qs(urlsplit(target).query).items()}
    return {"method": method, "target": target, "query": query, "headers": headers, "body": body, "connection": connection}


async def respond(request):
    route = ROUTES.get(urlsplit(request["target"]).path.strip("/"))
    reply = await route(request) if route else answer(404, b"nothing here")
    return reply if isinstance(reply, tuple) else (reply, False)


async def serve(reader, writer):
    connections["made"] += 1
    connections["open"] += 1
    number = connections["made"]
    try:
        while True:
            request = await read_request(reader, number)
            connections["requests"] += 1
            reply, close = await respond(request)
            if request["method"] == "HEAD":
                reply = reply.split(b"\r\n\r\n")[0] + b"\r\n\r\n"
            writer.write(reply)
            await writer.drain()
            if close:
                break
    except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
        pass
    finally:
        connections["open"] -= 1
        writer.close()


async def never(reader, writer):
    """On a port of its own: takes the request and says nothing, until the client goes."""
    connections["open"] += 1
    try:
        while await reader.read(65536):
            pass
    except ConnectionError:
        pass
    finally:
        connections["open"] -= 1
        writer.close()


async def main():
    context = None
    if len(sys.argv) > 2:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[1], sys.argv[2])
    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=4096, ssl=context)
    silent = await asyncio.start_server(never, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], silent.sockets[0].getsockname()[1], flush=True)
    async with server, silent:
        await asyncio.Event().wait()


asyncio.run(main())
