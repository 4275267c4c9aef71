"""Verifies webhooks with the library of Standard Webhooks: a list of {headers, body} from the standard input, the secret as
argument. Prints the type of each; fails at the first that does not verify."""

import json
import sys

from standardwebhooks.webhooks import Webhook

webhook = Webhook(sys.argv[1])
for request in json.load(sys.stdin):
    payload = webhook.verify(request["body"], request["headers"])
    print(payload["type"])
