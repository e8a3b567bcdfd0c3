"""OpenStack Swift with its S3 API, all of its servers in this process: `swift-server.fixture.py DIRECTORY` says `listening on PORT`.

Ends when its standard input does.
"""

import eventlet

eventlet.monkey_patch()

import os
import sys

from eventlet import tpool, wsgi
from swift.common import utils
from swift.common.ring import RingBuilder
from swift.common.wsgi import SwiftHttpProtocol, loadapp

directory = os.path.abspath(sys.argv[1])
os.makedirs(os.path.join(directory, "devices", "disk"))


def configuration(name, text):
    path = os.path.join(directory, name)
    with open(path, "w") as file:
        file.write(text)
    return path


configuration("swift.conf", "[swift-hash]\nswift_hash_path_suffix = tests\n[storage-policy:0]\nname = one\ndefault = yes\n")
utils.set_swift_dir(directory)

sockets = {name: eventlet.listen(("127.0.0.1", 0)) for name in ("account", "container", "object", "proxy")}
for name in ("account", "container", "object"):
    ring = RingBuilder(part_power=4, replicas=1, min_part_hours=0)
    port = sockets[name].getsockname()[1]
    ring.add_dev({"region": 1, "zone": 1, "weight": 1, "ip": "127.0.0.1", "port": port, "device": "disk"})
    ring.rebalance()
    ring.get_ring().save(os.path.join(directory, f"{name}.ring.gz"))

common = f"""[DEFAULT]
swift_dir = {directory}
devices = {directory}/devices
mount_check = false
log_level = ERROR
"""
pipelines = {
    name: f"[pipeline:main]\npipeline = {name}-server\n[app:{name}-server]\nuse = egg:swift#{name}\n"
    for name in ("account", "container", "object")
}
pipelines["proxy"] = """[pipeline:main]
pipeline = catch_errors cache s3api tempauth proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:cache]
use = egg:swift#memcache
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
[filter:tempauth]
use = egg:swift#tempauth
user_test_key = secret .admin
"""
for name, pipeline in pipelines.items():
    app = loadapp(configuration(f"{name}-server.conf", common + pipeline))
    eventlet.spawn(wsgi.server, sockets[name], app, protocol=SwiftHttpProtocol, log_output=False)

print("listening on", sockets["proxy"].getsockname()[1], flush=True)
tpool.execute(sys.stdin.buffer.read)
