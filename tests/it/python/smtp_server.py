"""A mail server on a port of its own, with a login, over STARTTLS or over TLS from the first byte on: prints its port, then each
mail as a line of JSON. Arguments: certificate, key, user, password, `starttls` or `tls`. A mailbox that begins with `nobody` is
refused for good."""

import asyncio
import email
import email.policy
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

certificate, key, user, password, security = sys.argv[1:6]


def tell(value):
    print(json.dumps(value), flush=True)


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        tell(
            {
                "tls": server.transport.get_extra_info("cipher") is not None,
                "user": session.auth_data.decode() if session.auth_data else None,
                "from": envelope.mail_from,
                "to": envelope.rcpt_tos,
                "headers": {name.lower(): str(value) for name, value in mail.items()},
                "type": mail.get_content_type(),
                "text": mail.get_body(("plain",)).get_content(),
                "html": mail.get_body(("html",)).get_content(),
            }
        )
        return "250 OK: kept"


def authenticate(server, session, envelope, mechanism, data):
    good = isinstance(data, LoginPassword) and (data.login, data.password) == (user.encode(), password.encode())
    return AuthResult(success=good, handled=good, auth_data=data.login if good else None)


async def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    terms = {"authenticator": authenticate, "auth_required": True}
    if security == "starttls":
        terms |= {"tls_context": context, "require_starttls": True}
    else:
        # There is nothing on this port but TLS.
        terms |= {"auth_require_tls": False}
    loop = asyncio.get_running_loop()
    wrapped = context if security == "tls" else None
    server = await loop.create_server(lambda: SMTP(Handler(), **terms), "127.0.0.1", 0, ssl=wrapped)
    tell({"port": server.sockets[0].getsockname()[1]})
    # Until whoever started it closes the standard input.
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(main())
