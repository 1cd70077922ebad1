"""Holds events/schemas/, events/asyncapi.yaml and the C code against each other.

    check.py PROBE                 the whole check; PROBE is the built probe.c
    check.py --lines FILE.jsonl... the lines of the files, each against the schema of its type

Runs on Debian's python3 with python3-jsonschema and python3-yaml. Prints what failed
and, last, "N passed, N failed"; exits with 1 when something failed.
"""
import collections
import copy
import json
import pathlib
import re
import subprocess
import sys

import jsonschema
import yaml

HERE = pathlib.Path(__file__).resolve().parent
EVENTS = HERE.parent.parent / "events"
SCHEMAS = EVENTS / "schemas"
SHARED = {"envelope", "types"}   # schemas that are no type's
PROGRESS = "progress.committed"  # the one type that is neither read by the decoder nor an output
PREFIX = "callfold."
WHOLE, STRIDE = 2000, 10         # of --lines
SMS_DENIALS = {"number_unknown", "no_rates", "international_sms"}


class Tally:
    """Counts what was checked and prints what failed."""

    def __init__(self):
        self.passed = self.failed = 0

    def expect(self, condition, what):
        if condition:
            self.passed += 1
        else:
            self.failed += 1
            if self.failed <= 50:
                print("FAILED", what)


# Schemas

def pointed_at(document, pointer):
    for step in [s for s in pointer.split("/") if s]:
        document = document[step.replace("~1", "/").replace("~0", "~")]
    return document


def load_schemas():
    return {path.stem: json.loads(path.read_text()) for path in sorted(SCHEMAS.glob("*.json"))}


SAYS_NOTHING = ("$ref", "$defs", "$schema", "title", "description", "default", "examples", "format")


def inlined(schemas, node, name):
    """node of schema file `name` with every $ref replaced by what it points at, and without
    annotations: five times faster to validate with than looking each up for each line.
    No property of an event may be named like an annotation."""
    if isinstance(node, list):
        return [inlined(schemas, item, name) for item in node]
    if not isinstance(node, dict):
        return node
    plain = {k: inlined(schemas, v, name) for k, v in node.items() if k not in SAYS_NOTHING}
    if "$ref" not in node:
        return plain
    file, _, pointer = node["$ref"].partition("#")
    target = pathlib.PurePath(file).stem if file else name
    there = inlined(schemas, pointed_at(schemas[target], pointer), target)
    return {**plain, "allOf": [there]} if plain.keys() & there.keys() else {**plain, **there}


COMPILED = {}


def ecma_pattern(_validator, pattern, instance, _schema):
    """Python's $ also stands before a last newline, ECMA 262's (JSON Schema's) does not."""
    if not isinstance(instance, str):
        return
    regex = COMPILED.get(pattern)
    if regex is None:
        regex = COMPILED[pattern] = re.compile(pattern.replace("$", r"\Z"))
    if not regex.search(instance):
        yield jsonschema.ValidationError(f"{instance!r} does not match {pattern!r}")


Validator = jsonschema.validators.extend(jsonschema.Draft202012Validator, {"pattern": ecma_pattern})


def validators(schemas):
    """By type, without its prefix."""
    return {name: Validator(inlined(schemas, schema, name))
            for name, schema in schemas.items() if name not in SHARED}


def why(validator, event):
    error = jsonschema.exceptions.best_match(validator.iter_errors(event))
    return "valid" if error is None else f"{error.json_path}: {error.message[:200]}"


def check_schemas(tally, schemas, valid):
    for name, schema in schemas.items():
        try:
            jsonschema.Draft202012Validator.check_schema(schema)
            tally.expect(True, name)
        except jsonschema.SchemaError as error:
            tally.expect(False, f"schemas/{name}.json: {error.message}")
        if name in SHARED:
            continue
        tally.expect(schema["title"] == schema["properties"]["type"]["const"] == PREFIX + name,
                     f"schemas/{name}.json: title and type are not {PREFIX}{name}")
        tally.expect(schema["examples"], f"schemas/{name}.json has no example")
        for example in schema["examples"]:
            tally.expect(valid[name].is_valid(example), f"example in schemas/{name}.json: {why(valid[name], example)}")


# Words

def ask(probe, mode, lines=()):
    """The probe's answer, a list of lines."""
    text = "".join(line + "\n" for line in lines).encode()
    done = subprocess.run([probe, mode], input=text, stdout=subprocess.PIPE, check=True)
    return done.stdout.decode().split("\n")[:-1]


def data_of(schemas, name, *path):
    """The schema of a property of data; steps into an array's items."""
    node = schemas[name]["properties"]["data"]
    for step in path:
        node = node.get("items", node)["properties"][step]
    return node


def check_words(tally, schemas, words):
    lists = {name: words[name].split() for name in words if isinstance(words[name], str)}
    tally.expect(set(schemas) == SHARED | {PROGRESS} | set(lists["event_types"]) | set(lists["output_types"]),
                 "events/schemas/ does not hold one schema for each type of reasons.h")
    enums = [("member.set", "role", "member_roles"), ("call.started", "direction", "call_directions"),
             ("call.recorded", "direction", "call_directions"), ("call.recorded", "ended_by", "call_endings"),
             ("call.cutoff", "reason", "cutoff_reasons"), ("account.notify", "kind", "notify_kinds"),
             ("ledger.posted", "kind", "entry_kinds"), ("event.rejected", "reason", "reject_reasons")]
    for name, member, which in enums:
        tally.expect(set(data_of(schemas, name, member)["enum"]) == set(lists[which]),
                     f"schemas/{name}.json: {member} does not list {which} of reasons.h")
    tally.expect(set(data_of(schemas, "ratedeck.rates", "rates", "status")["enum"]) == set(lists["rate_statuses"]),
                 "schemas/ratedeck.rates.json: status does not list rate_statuses of reasons.h")
    tally.expect(set(data_of(schemas, PROGRESS, "outputs")["required"]) == set(lists["output_topics"]),
                 f"schemas/{PROGRESS}.json: outputs does not list output_topics of reasons.h")
    denials = set(lists["denial_reasons"])
    tally.expect(set(data_of(schemas, "call.denied", "reason")["enum"]) == denials - {"international_sms"},
                 "schemas/call.denied.json: reason does not list denial_reasons of reasons.h")
    tally.expect(set(data_of(schemas, "sms.denied", "reason")["enum"]) == SMS_DENIALS and SMS_DENIALS < denials,
                 "schemas/sms.denied.json: reason")
    policy = schemas["policy.configured"]["properties"]["data"]["properties"]
    tally.expect(set(policy) == set(words["policy_numbers"]) | set(lists["policy_maps"]),
                 "schemas/policy.configured.json does not list the members of reasons.h")
    for name, facts in words["policy_numbers"].items():
        tally.expect(all(policy.get(name, {}).get(k) == v for k, v in facts.items()),
                     f"schemas/policy.configured.json: {name} is not {facts}")


# Example files

def examples(name, verdict):
    """(file, its line) for each example of a type; an example is one line, as in a log."""
    for path in sorted((HERE / "examples" / name / verdict).glob("*.json")):
        yield path.relative_to(HERE), path.read_text().removesuffix("\n")


def check_examples(tally, valid):
    folders = {path.name for path in (HERE / "examples").iterdir()}
    tally.expect(folders == set(valid), f"examples/ and schemas differ: {sorted(folders ^ set(valid))}")
    for name in valid:
        for verdict, good in (("pass", True), ("fail", False)):
            lines = list(examples(name, verdict))
            tally.expect(lines, f"examples/{name}/{verdict}/ is empty")
            for path, line in lines:
                event = json.loads(line)
                tally.expect("\n" not in line and valid[name].is_valid(event) == good,
                             f"{path}: {why(valid[name], event)}")


def check_decoder(tally, probe, types):
    """The decoder takes what the schemas take."""
    files = [(path, line, verdict) for name in types for verdict in ("pass", "fail")
             for path, line in examples(name, verdict)]
    answers = ask(probe, "decode", [line for _, line, _ in files])
    for (path, _, verdict), answer in zip(files, answers, strict=True):
        tally.expect((answer == "ok") == (verdict == "pass"), f"{path}: event_decode says {answer}")


# Mutations: schema and decoder must also agree on what no example file shows

ODD_VALUES = [
    None, True, False, 0, 1, 2, -1, 1.5, 86400, 86401, 1000000, 1000001, 2147483647, 2147483648, 2**53 - 1, 2**53,
    [], {}, [1], {"x": "y"}, "", " ", "x", "x\n", "\u00e9", "x" * 64, "x" * 65, "x" * 128, "x" * 129, "a b", "m/1",
    "0", "0.0", "0.0000000", "-0", "-0.5", "-1", "1", "1.", "01", "00", "+1", "1e3", ".5", "1.000001", "1.0000001",
    "0.000000001", "0.0000000001", "999999999", "99999999999", "99999999999999", "NaN", "1,5",
    "EUR", "eur", "EURO", "EU", "FR", "fr", "F1", "+", "+0", "+12", "+012", "+123456789012345", "+1234567890123456",
    "12", "+33 6", "0033", "open", "free", "blocked", "outbound", "inbound", "admin", "owner", "1.0", "2.0",
    "2026-11-23T08:00:06Z", "2026-11-23t08:00:06.123456789z", "2026-11-23T08:00:06.1234567890Z",
    "2026-11-23T08:00:06.Z", "2026-11-23T08:00:06-23:59", "2026-11-23T08:00:06+24:00", "2026-11-23T08:00:06",
    "2026-11-23 08:00:06Z", "2026-11-23T24:00:00Z", "2026-11-23T08:60:00Z", "2026-11-23T23:59:60Z",
    "2026-11-23T23:59:61Z", "2026-11-31T08:00:00Z", "2026-02-30T08:00:00Z", "2024-02-29T08:00:00Z",
    "2026-13-01T08:00:00Z", "2026-00-01T08:00:00Z", "2026-11-23", "2026-11-23T08:00Z",
]


def places(node, path=()):
    """The path of every value inside node."""
    steps = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for step, child in steps:
        yield path + (step,)
        yield from places(child, path + (step,))


def container(event, path):
    for step in path[:-1]:
        event = event[step]
    return event


def mutations(event):
    """event with one value left out, replaced or added, at every place."""
    for path in list(places(event)):
        for value in ODD_VALUES:
            changed = copy.deepcopy(event)
            container(changed, path)[path[-1]] = value
            yield changed
        changed = copy.deepcopy(event)
        del container(changed, path)[path[-1]]
        yield changed
        if isinstance(container(event, path)[path[-1]], dict):
            changed = copy.deepcopy(event)
            container(changed, path)[path[-1]]["unheard_of"] = None
            yield changed


def check_mutations(tally, probe, schemas, valid, types):
    for name in types:
        changed = [mutation for example in schemas[name]["examples"] for mutation in mutations(example)]
        answers = ask(probe, "decode", [json.dumps(m) for m in changed])
        for event, answer in zip(changed, answers, strict=True):
            tally.expect(valid[name].is_valid(event) == (answer == "ok"),
                         f"{name}: event_decode says {answer}, the schema {why(valid[name], event)}: "
                         f"{json.dumps(event)}")


def check_outputs_are_strict(tally, valid, types):
    """Nothing that the schemas do not name may appear in an output."""
    for name in types:
        for _, line in examples(name, "pass"):
            event = json.loads(line)
            for path in [()] + list(places(event)):
                changed = copy.deepcopy(event)
                place = container(changed, path)[path[-1]] if path else changed
                if isinstance(place, dict):
                    place["unheard_of"] = None
                    tally.expect(not valid[name].is_valid(changed), f"{name} allows any member at {path}")


# What the encoders write

def check_encoders(tally, probe, valid, event_types, output_types):
    written = [json.loads(line) for line in ask(probe, "outputs")]
    tally.expect({event["type"] for event in written} == {PREFIX + name for name in output_types},
                 "tests/unit/encode_outputs.h has not one sample of each output")
    lines = [line for name in event_types for _, line in examples(name, "pass")]
    again = ask(probe, "reencode", lines)
    tally.expect(again == ask(probe, "reencode", again), "event_encode writes an event otherwise the second time")
    for event in written + [json.loads(line) for line in again]:
        validator = valid[event["type"].removeprefix(PREFIX)]
        tally.expect(validator.is_valid(event), f"as written: {why(validator, event)}: {json.dumps(event)}")


# AsyncAPI

def references(node):
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for child in node.values():
            yield from references(child)
    elif isinstance(node, list):
        for child in node:
            yield from references(child)


def resolves(document, reference):
    file, _, pointer = reference.partition("#")
    try:
        pointed_at(json.loads((EVENTS / file).read_text()) if file else document, pointer)
    except (KeyError, OSError):
        return False
    return True


def check_asyncapi(tally, words):
    document = yaml.safe_load((EVENTS / "asyncapi.yaml").read_text())
    tally.expect(document["asyncapi"] == "3.0.0", "asyncapi.yaml: not 3.0.0")
    used = collections.Counter(references(document))
    for reference in used:
        tally.expect(resolves(document, reference), f"asyncapi.yaml: {reference} does not resolve")
    types = {path.stem for path in SCHEMAS.glob("*.json")} - SHARED
    for name in types:
        tally.expect(used[f"./schemas/{name}.json"] == 1, f"asyncapi.yaml: schemas/{name}.json not exactly once")
    messages = document["components"]["messages"]
    tally.expect(set(messages) == types, f"asyncapi.yaml: messages differ: {sorted(set(messages) ^ types)}")
    for name, message in messages.items():
        tally.expect(message["name"] == PREFIX + name and
                     message["payload"]["schema"]["$ref"] == f"./schemas/{name}.json", f"asyncapi.yaml: message {name}")
    topics = {"events": words["event_types"].split(), "progress": [PROGRESS]}
    for name, topic in words["topic_of"].items():
        topics.setdefault(topic, []).append(name)
    channels = document["channels"]
    tally.expect(set(channels) == set(topics), f"asyncapi.yaml: channels differ: {sorted(set(channels) ^ set(topics))}")
    for topic, names in topics.items():
        tally.expect(channels[topic]["address"] == PREFIX + topic and set(channels[topic]["messages"]) == set(names),
                     f"asyncapi.yaml: channel {topic} does not carry its types")
        tally.expect(any(o["channel"]["$ref"] == f"#/channels/{topic}" for o in document["operations"].values()),
                     f"asyncapi.yaml: no operation on {topic}")


# Modes

def parsed(line):
    """The event, and its type without the prefix; None where there is none."""
    try:
        event = json.loads(line)
        return event, event["type"].removeprefix(PREFIX)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None, None


def check_lines(tally, valid, paths):
    """Of each type the first WHOLE lines and then one in STRIDE: a schema takes some 0.2 ms."""
    seen = collections.Counter()
    passed_over = 0
    for path in paths:
        for number, line in enumerate(open(path, encoding="utf-8"), 1):
            event, name = parsed(line)
            if name not in valid:
                tally.expect(False, f"{path}:{number}: no event of a type that has a schema")
                continue
            seen[name] += 1
            if seen[name] > WHOLE and seen[name] % STRIDE:
                passed_over += 1
            else:
                tally.expect(valid[name].is_valid(event), f"{path}:{number}: {why(valid[name], event)}")
    if passed_over:
        print(f"{passed_over} lines passed over: of each type the first {WHOLE} were checked, then one in {STRIDE}")


def main(arguments):
    if not arguments or arguments[0] in ("-h", "--help"):
        sys.exit(__doc__)
    tally = Tally()
    schemas = load_schemas()
    valid = validators(schemas)
    if arguments[0] == "--lines":
        check_lines(tally, valid, arguments[1:])
    else:
        probe = arguments[0]
        words = json.loads("".join(ask(probe, "words")))
        event_types, output_types = words["event_types"].split(), words["output_types"].split()
        check_schemas(tally, schemas, valid)
        check_words(tally, schemas, words)
        check_examples(tally, valid)
        check_decoder(tally, probe, event_types)
        check_mutations(tally, probe, schemas, valid, event_types)
        check_outputs_are_strict(tally, valid, output_types)
        check_encoders(tally, probe, valid, event_types, output_types)
        check_asyncapi(tally, words)
    print(f"{tally.passed} passed, {tally.failed} failed")
    sys.exit(1 if tally.failed else 0)


main(sys.argv[1:])
