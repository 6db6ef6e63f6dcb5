"""How the desk stays connected to Discord: the gateway client, its shards, its wiring and its life."""
