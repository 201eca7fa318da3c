"""An S3 server in memory for tests: moto, which handles one request at a time.

Its argument is the name of the bucket. It prints a line of JSON with its port and two keys, and ends with its input.
"""

import json
import os
import sys
import threading

# Every request needs a signature and a policy that permits it.
os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "0"

from moto.core import DEFAULT_ACCOUNT_ID
from moto.iam.models import iam_backends
from moto.s3.models import s3_backends
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

REGION = "us-east-1"

lock = threading.Lock()
application = DomainDispatcherApplication(create_backend_app)


def one_at_a_time(environ, start_response):
    # moto looks for an object and then creates it: two threads could both find none.
    with lock:
        return [b"".join(application(environ, start_response))]


def key_of(name, actions):
    iam = iam_backends[DEFAULT_ACCOUNT_ID]["aws"]
    iam.create_user(REGION, name)
    statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    iam.put_user_policy(name, "objects", json.dumps(policy))
    key = iam.create_access_key(name)
    return [key.access_key_id, key.secret_access_key]


def end_with_input():
    sys.stdin.read()
    os._exit(0)


s3_backends[DEFAULT_ACCOUNT_ID]["aws"].create_bucket(sys.argv[1], REGION)
server = make_server("127.0.0.1", 0, one_at_a_time, threaded=True)
started = {
    "port": server.port,
    "writer": key_of("writer", ["s3:*"]),
    "reader": key_of("reader", ["s3:Get*", "s3:List*"]),
}
print(json.dumps(started), flush=True)
threading.Thread(target=end_with_input, daemon=True).start()
server.serve_forever()
