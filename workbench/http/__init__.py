"""HTTP plumbing under workbench and REST: limits, request ids, metrics, health probes."""
