# SPDX-License-Identifier: BSD-2-Clause
"""Every workload there is, in a size that is done in an instant: what tests/workload and tests/e2e run."""

RUNTIMES = ("native", "node")
MODELS = ("thread", "process", "cluster")

# kind: (options of all, options of each variant)
VARIANTS = {
    "cpu": ({"size": 4 << 20, "count": 9}, ({"on": "workers"}, {"on": "main"})),
    "message": ({"size": 300, "count": 700},
                [{"mode": mode, "via": via} for mode in ("burst", "ping-pong")
                 for via in ("message", "pipe", "shared")] +
                [{"mode": "burst", "serialization": "advanced"}]),
    "http": ({"size": 600, "count": 300, "work": 4096, "connections": 4},
             [{"mode": mode} for mode in ("single", "offload", "handed", "shared")]),
    "io": ({"size": 3000, "count": 500, "work": 16 << 20},
           [{"mode": mode} for mode in ("mixed", "read", "lookup", "starve")]),
    "memory": ({"size": 8 << 20, "seconds": 0.05},
               [{"mode": mode} for mode in ("own", "shared")]),
    "crash": ({"size": 4 << 20, "count": 10, "workers": 3},
              [{"mode": mode} for mode in ("abort", "exception", "segv", "oom")]),
}


def possible(runtime, model, kind, options):
    """What the models have: the rest must be refused as wrong usage."""
    via, mode = options.get("via"), options.get("mode")
    if kind == "message":
        if via == "pipe":
            return model == "process"
        return via != "shared" or runtime == "native" or model == "thread"
    if kind == "http" and mode != "single":
        return (model == "cluster") == (mode in ("handed", "shared"))
    if kind == "memory" and mode == "shared":
        return runtime == "native" or model == "thread"
    return True


def kills_all(runtime, mode):
    """Does a thread that crashes take its process down? Not where only its JavaScript world, or its own code, ends."""
    return mode not in (("exception", "oom") if runtime == "node" else ("exception",))


def to_arguments(model, kind, options):
    return [f"{model}/{kind}"] + [f"--{name}={value}" for name, value in options.items()]
