"""What examples/worker.py does: processors, by name. Yours go here.

A processor is given a call: its payload, options, id, node, dependencies (id -> (output, metadata)), and cancelled(),
which says whether anybody still waits for it. Its metadata may be set, a dict of str to str. What it gives is its
output, any value of msgpack."""
import collections, functools, json, re

class Failure(Exception): pass  # raise Failure(code, "why")

def word_counts(call):
    """How often there is each word, with apostrophes and hyphens inside; option `top`: only the most frequent."""
    words = collections.Counter(re.findall(r"\w+(?:['’-]\w+)*", call.payload.lower()))
    call.metadata = {"words": str(sum(words.values())), "different": str(len(words))}
    return dict(sorted(words.items(), key=lambda item: (-item[1], item[0]))[:call.options.get("top")])

def json_reshape(call):
    """JSON in, JSON out: the option `fields` is such as "name=user.name first=list.0"."""
    step = lambda value, key: value[int(key) if isinstance(value, list) else key]
    fields, document = (field.split("=") for field in call.options["fields"].split()), json.loads(call.payload)
    shaped = {name: functools.reduce(step, path.split("."), document) for name, path in fields}
    return json.dumps(shaped, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

PROCESSORS = {"word_counts": word_counts, "json_reshape": json_reshape, "reverse_text": lambda call: call.payload[::-1]}
