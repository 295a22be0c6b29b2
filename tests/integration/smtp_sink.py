"""A mail server for tests: takes messages and says what Python's email package reads in them.

    smtp_sink.py folder mode [certificate key]        mode: plain, starttls, smtps

Each message becomes folder/N.json. Recipients "refused@…" get a 550, "later@…" a 451; the login is ada, s3cret; one as
parrot is refused with all that it said. A recipient "slow@…" is never answered, after a 550 for "silent@…" no QUIT is,
and a message to "scanned@…" is never answered once it has come.
"""
import asyncio
import base64
import email
import email.policy
import json
import os
import ssl
import sys
from email.header import decode_header, make_header
from email.utils import getaddresses

from aiosmtpd.smtp import SMTP, AuthResult

folder, mode = sys.argv[1], sys.argv[2]
context = None
if len(sys.argv) > 4:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[3], sys.argv[4])
count = 0


def b64(data):
    return base64.b64encode(data).decode()


def part(node):
    return {
        "type": node.get_content_type(),
        "filename": node.get_filename(),
        "disposition": node.get_content_disposition(),
        "encoding": node["Content-Transfer-Encoding"],
        "content": b64(node.get_payload(decode=True) or b""),
    }


def mailboxes(message, name):
    """By the older functions: the newer ones keep the blank between two encoded words of a name."""
    pairs = getaddresses(str(value) for value in message.get_all(name, []))
    return [[str(make_header(decode_header(text))), address] for text, address in pairs]


def describe(envelope, session):
    message = email.message_from_bytes(envelope.content, policy=email.policy.default)
    plain = email.message_from_bytes(envelope.content)
    defects = [str(d) for node in message.walk() for d in node.defects]
    defects += [str(d) for value in message.values() for d in getattr(value, "defects", [])]
    return {
        "sender": envelope.mail_from,
        "recipients": envelope.rcpt_tos,
        "authenticated": bool(session.authenticated),
        "encrypted": session.ssl is not None or mode == "smtps",
        "from": mailboxes(plain, "From"), "to": mailboxes(plain, "To"), "cc": mailboxes(plain, "Cc"),
        "reply_to": mailboxes(plain, "Reply-To"),
        "subject": str(message["Subject"]),
        "date": message["Date"].datetime.timestamp(),
        "headers": [[name, str(value)] for name, value in message.items()],
        "structure": [node.get_content_type() for node in message.walk()],
        "boundaries": [node.get_boundary() for node in message.walk() if node.is_multipart()],
        "parts": [part(node) for node in message.walk() if not node.is_multipart()],
        "defects": defects,
        "raw": b64(envelope.original_content),
    }


class Sink:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("slow@"):
            await asyncio.sleep(600)
        session.silent = address.startswith("silent@")
        if address.startswith("refused@") or session.silent:
            return "550 5.1.1 nobody of this name"
        if address.startswith("later@"):
            return "451 4.3.0 come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_QUIT(self, server, session, envelope):
        if getattr(session, "silent", False):
            await asyncio.sleep(600)
        return "221 Bye"

    async def handle_DATA(self, server, session, envelope):
        global count
        if any(address.startswith("scanned@") for address in envelope.rcpt_tos):
            await asyncio.sleep(600)
        count += 1
        path = os.path.join(folder, "%d.json" % count)
        with open(path + ".part", "w") as file:
            json.dump(describe(envelope, session), file)
        os.rename(path + ".part", path)
        return "250 taken as number %d" % count


def authenticate(server, session, envelope, mechanism, data):
    if data.login == b"parrot":
        told = data.password, base64.b64encode(data.password), base64.b64encode(b"\0parrot\0" + data.password)
        return AuthResult(success=False, handled=False, message="535 no login for " + ", ".join(t.decode() for t in told))
    return AuthResult(success=(data.login, data.password) == (b"ada", b"s3cret"), handled=False)


def make():
    return SMTP(Sink(), authenticator=authenticate, auth_require_tls=False, data_size_limit=None,
                tls_context=context if mode == "starttls" else None, require_starttls=mode == "starttls")


async def main():
    server = await asyncio.get_running_loop().create_server(
        make, "127.0.0.1", 0, ssl=context if mode == "smtps" else None)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
