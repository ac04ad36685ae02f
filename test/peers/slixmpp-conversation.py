"""A conversation through slixmpp: log in, ask, talk; what happened is one line of JSON.

    slixmpp-conversation.py PORT CA MECHANISM TLS_VERSION
"""
import asyncio
import json
import ssl
import sys

import slixmpp

port, ca, mechanism, version = sys.argv[1:5]


class Client(slixmpp.ClientXMPP):
    def __init__(self, jid, password):
        super().__init__(jid, password, sasl_mech=None if mechanism == "any" else mechanism)
        self.ca_certs = ca
        self.use_ipv6 = False
        for plugin in ("xep_0030", "xep_0092", "xep_0199", "xep_0202", "xep_0012"):
            self.register_plugin(plugin)
        self.started = asyncio.Event()
        self.refused = None
        self.add_event_handler("session_start", lambda _: self.started.set())
        self.add_event_handler("failed_auth", self._failed)
        self.add_event_handler("failed_all_auth", lambda _: self.started.set())
        self.add_event_handler("disconnected", lambda _: self.started.set())

    def get_ssl_context(self):
        context = super().get_ssl_context()
        if version == "1.2":
            context.maximum_version = ssl.TLSVersion.TLSv1_2
        return context

    def _failed(self, stanza):
        self.refused = stanza["condition"]  # it tries its other mechanisms before it gives up

    async def login(self):
        self.connect(("127.0.0.1", int(port)), force_starttls=True)
        await asyncio.wait_for(self.started.wait(), 30)
        return self.boundjid.full if self.authenticated else self.refused


def first(client, event):
    future = asyncio.get_running_loop().create_future()
    client.add_event_handler(event, lambda it: future.done() or future.set_result(it))
    return future


async def main():
    juliet = Client("juliet@localhost/balcony", "pencil")
    romeo = Client("romeo@localhost/orchard", "pencil")
    seen = {"addresses": [await juliet.login(), await romeo.login()]}

    message = first(romeo, "message")
    juliet.send_message(mto="romeo@localhost/orchard", mbody="Wherefore 🌹 & <?", mtype="chat")
    said = await asyncio.wait_for(message, 10)
    seen["message"] = {"from": said["from"].full, "body": said["body"]}

    presence = first(juliet, "presence_available")
    romeo.send_presence(pto="juliet@localhost/balcony", pstatus="here")
    shown = await asyncio.wait_for(presence, 10)
    seen["presence"] = {"from": shown["from"].full, "status": shown["status"]}

    seen["ping"] = await juliet["xep_0199"].ping("localhost", timeout=10) >= 0
    version_of = await juliet["xep_0092"].get_version("localhost")
    seen["version"] = version_of["software_version"]["name"]
    info = await juliet["xep_0030"].get_info("localhost")
    seen["features"] = sorted(info["disco_info"]["features"])

    stranger = Client("juliet@localhost/chamber", "pen")
    seen["refused"] = await stranger.login()
    for client in (juliet, romeo, stranger):
        await client.disconnect()
    print(json.dumps(seen))


asyncio.get_event_loop().run_until_complete(main())
