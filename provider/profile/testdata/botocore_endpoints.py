"""Says where botocore would send calls, for the differential test.

stdin: one JSON object a line, {"config": text, "environ": {...}}.
stdout: one JSON object a line: service → endpoint URL or null.
"""
import json
import os
import sys
import tempfile

import botocore.configprovider
import botocore.session
from botocore.utils import ensure_boolean

SERVICES = {"sts": "sts", "iam": "iam", "sso": "sso", "sso_oidc": "sso-oidc", "signin": "signin"}

if not hasattr(botocore.configprovider, "ConfiguredEndpointProvider"):
    print("old")
    sys.exit()

with tempfile.TemporaryDirectory() as home:
    path = os.path.join(home, "config")
    for line in sys.stdin:
        case = json.loads(line)
        for variable in [v for v in os.environ if v.startswith("AWS_")]:
            del os.environ[variable]
        os.environ.update(case["environ"])
        with open(path, "w") as out:
            out.write(case["config"])
        session = botocore.session.Session(profile="p")
        session.set_config_variable("config_file", path)
        session.set_config_variable("credentials_file", os.path.join(home, "none"))
        answer = {}
        for ours, theirs in SERVICES.items():
            provider = botocore.configprovider.ConfiguredEndpointProvider(
                full_config=session.full_config, scoped_config=session.get_scoped_config(), client_name=theirs
            )
            ignored = ensure_boolean(session.get_config_variable("ignore_configured_endpoint_urls"))
            answer[ours] = None if ignored else provider.provide()
        for name in ("use_fips_endpoint", "use_dualstack_endpoint", "ca_bundle"):
            answer[name] = session.get_config_variable(name)
        print(json.dumps(answer))
