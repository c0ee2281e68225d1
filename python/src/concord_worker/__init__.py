"""Answers the calls of Concord with a Python library; the protocol is `dispatch/PROTOCOL.md`.

- `frames`: what travels. `values`: JSON and bytes to Python objects and back.
- `slots`: an AnnData from a call, and what the call did to it.
- `subject`: what is called: a module, a host with its dispatcher, an adapter file.
- `witness`: what shows that the backend, and not the host, did the work.
- `serve`: the loop.
"""
