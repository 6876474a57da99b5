"""Reads configs with botocore, for the differential test.

stdin: one JSON object a line, {"config": base64, "credentials": base64}.
stdout: one JSON object a line:
  "botocore"   what botocore itself reads (full_config), or {"error": ...}
  "deviating"  what botocore reads with groat's documented deviations
               switched on in its parser, or {"error": ...}
  "because"    the deviations that make a difference for this config
"""
import base64
import configparser
import json
import os
import re
import sys
import tempfile

import botocore.configloader
import botocore.session

DEVIATIONS = ("byte-order-mark", "duplicates", "blanks-in-brackets", "inline-comments", "default-section", "open-header", "encoding")


# Old releases know no services sections: their answers leave that kind out.
KINDS = [k for k in botocore.configloader.build_profile_map({}) if k in ("profiles", "sso_sessions", "services")]


class Malformed(Exception):
    pass


def plain(session):
    session._config = None  # one session for all: making one costs more than reading
    try:
        config = session.full_config
    except Exception as error:
        return {"error": type(error).__name__}
    return {kind: config.get(kind, {}) for kind in KINDS}


def parser(on):
    options = {}
    if "duplicates" in on:
        options["strict"] = False
    if "inline-comments" in on:
        options["inline_comment_prefixes"] = ("#", ";")
    if "default-section" in on:
        options["default_section"] = "\0"
    cp = configparser.RawConfigParser(**options)
    if "blanks-in-brackets" in on:
        cp.SECTCRE = re.compile(r"\[\s*(?P<header>\S(?:.*\S)?)\s*\]")
    return cp


def sections(path, on):
    """botocore's raw_config_parse with another parser."""
    encoding = "utf-8-sig" if "byte-order-mark" in on else "utf-8"
    errors = "surrogateescape" if "encoding" in on else "strict"
    cp = parser(on)
    with open(path, encoding=encoding, errors=errors) as lines:
        cp.read_file(lines)
    found = {}
    for section in cp.sections():
        section.encode("utf-8")  # only comments may be in another encoding
        found[section] = {}
        for option in cp.options(section):
            if "open-header" in on and option.startswith("["):
                raise Malformed("open header")
            value = cp.get(section, option)
            (option + value).encode("utf-8")
            if value.startswith("\n"):
                value = botocore.configloader._parse_nested(value)
            found[section][option] = value
    return found


def deviating(path, credentials_path, on):
    try:
        merged = {kind: {} for kind in KINDS}
        for section, values in sections(path, on).items():
            mapped = botocore.configloader.build_profile_map({section: values})
            for kind in merged:
                for name, keys in mapped[kind].items():
                    if "duplicates" in on:
                        merged[kind].setdefault(name, {}).update(keys)
                    else:
                        merged[kind][name] = dict(keys)
        for name, keys in sections(credentials_path, on).items():
            merged["profiles"].setdefault(name, {}).update(keys)
        return merged
    except (configparser.Error, ValueError, Malformed) as error:  # UnicodeErrors are ValueErrors
        return {"error": type(error).__name__}


def main():
    with tempfile.TemporaryDirectory() as home:
        for variable in [v for v in os.environ if v.startswith("AWS_")]:
            del os.environ[variable]
        paths = [os.path.join(home, name) for name in ("config", "credentials")]
        session = botocore.session.Session()
        session.set_config_variable("config_file", paths[0])
        session.set_config_variable("credentials_file", paths[1])
        for line in sys.stdin:
            case = json.loads(line)
            for path, text in zip(paths, (case["config"], case["credentials"])):
                with open(path, "wb") as out:
                    out.write(base64.b64decode(text or ""))
            full = deviating(*paths, DEVIATIONS)
            own = plain(session)
            because = []
            if own != full:
                because = [d for d in DEVIATIONS if deviating(*paths, [x for x in DEVIATIONS if x != d]) != full]
            print(json.dumps({"botocore": own, "deviating": full, "because": because}))


main()
